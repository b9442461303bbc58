package com.example.shop;

import java.util.List;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.RequestHeader;
import org.springframework.web.bind.annotation.RestController;
import org.springframework.web.client.RestClient;
import org.springframework.web.client.support.RestClientAdapter;
import org.springframework.web.service.annotation.GetExchange;
import org.springframework.web.service.invoker.HttpServiceProxyFactory;

/** Both sides of the shop: its page, and the orders. */
@RestController
class ShopController {
    private final Orders orders;

    ShopController(RestClient.Builder builder) {
        RestClient client = builder.baseUrl("http://orders").build();
        orders = HttpServiceProxyFactory.builderFor(RestClientAdapter.create(client)).build().createClient(Orders.class);
    }

    interface Orders {
        @GetExchange("/orders/{id}")
        Order order(@PathVariable long id, @RequestHeader(name = "x-canary", required = false) List<String> canary);
    }

    @GetMapping("/")
    Page page(@RequestHeader(name = "x-canary", required = false) List<String> canary) {
        return new Page("shop", orders.order(42, canary));
    }

    @GetMapping("/orders/{id}")
    Order order(@PathVariable long id) {
        return Order.here(id);
    }
}
