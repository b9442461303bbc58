package com.example.storefront;

import org.springframework.http.HttpHeaders;
import org.springframework.http.HttpStatus;
import org.springframework.web.bind.annotation.ExceptionHandler;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RequestHeader;
import org.springframework.web.bind.annotation.ResponseStatus;
import org.springframework.web.bind.annotation.RestController;
import org.springframework.web.client.RestClient;
import org.springframework.web.client.RestClientException;

@RestController
class StorefrontController {
    private static final String CANARY = "x-canary";

    private final RestClient orders;

    StorefrontController(RestClient.Builder builder) {
        orders = builder.baseUrl("http://orders").build();
    }

    record Page(String service, Order order) {}

    record Problem(String service, String error) {}

    @GetMapping("/")
    Page page(@RequestHeader HttpHeaders caller) {
        Order order = orders.get()
                .uri("/orders/{id}", 42)
                .headers(headers -> {
                    if (caller.containsKey(CANARY)) {
                        headers.addAll(CANARY, caller.get(CANARY));
                    }
                })
                .retrieve()
                .body(Order.class);
        return new Page("storefront", order);
    }

    @ExceptionHandler
    @ResponseStatus(HttpStatus.BAD_GATEWAY)
    Problem noOrder(RestClientException e) {
        return new Problem("storefront", e.toString());
    }
}
