package com.example.shop;

import org.springframework.http.HttpHeaders;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.RequestHeader;
import org.springframework.web.bind.annotation.RestController;
import org.springframework.web.reactive.function.client.WebClient;
import reactor.core.publisher.Mono;

/** Both sides of the shop: its page, and the orders. */
@RestController
class ShopController {
    private static final String CANARY = "x-canary";

    private final WebClient orders;

    ShopController(WebClient.Builder builder) {
        orders = builder.baseUrl("http://orders").build();
    }

    @GetMapping("/")
    Mono<Page> page(@RequestHeader HttpHeaders caller) {
        return orders.get()
                .uri("/orders/{id}", 42)
                .headers(headers -> {
                    if (caller.containsKey(CANARY)) {
                        headers.addAll(CANARY, caller.get(CANARY));
                    }
                })
                .retrieve()
                .bodyToMono(Order.class)
                .map(order -> new Page("shop", order));
    }

    @GetMapping("/orders/{id}")
    Mono<Order> order(@PathVariable long id) {
        return Mono.just(Order.here(id));
    }
}
