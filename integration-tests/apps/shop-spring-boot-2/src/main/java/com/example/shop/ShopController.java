package com.example.shop;

import org.springframework.boot.web.client.RestTemplateBuilder;
import org.springframework.http.HttpEntity;
import org.springframework.http.HttpHeaders;
import org.springframework.http.HttpMethod;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.RequestHeader;
import org.springframework.web.bind.annotation.RestController;
import org.springframework.web.client.RestTemplate;

/** Both sides of the shop: its page, and the orders. */
@RestController
class ShopController {
    private static final String CANARY = "x-canary";

    private final RestTemplate orders;

    ShopController(RestTemplateBuilder builder) {
        orders = builder.rootUri("http://orders").build();
    }

    @GetMapping("/")
    Page page(@RequestHeader HttpHeaders caller) {
        HttpHeaders headers = new HttpHeaders();
        if (caller.containsKey(CANARY)) {
            headers.addAll(CANARY, caller.get(CANARY));
        }
        return new Page("shop", orders.exchange("/orders/{id}", HttpMethod.GET, new HttpEntity<>(headers), Order.class, 42).getBody());
    }

    @GetMapping("/orders/{id}")
    Order order(@PathVariable long id) {
        return Order.here(id);
    }
}
