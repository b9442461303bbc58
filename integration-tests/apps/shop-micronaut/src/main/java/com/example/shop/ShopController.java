package com.example.shop;

import io.micronaut.core.annotation.Nullable;
import io.micronaut.http.annotation.Controller;
import io.micronaut.http.annotation.Get;
import io.micronaut.http.annotation.Header;
import io.micronaut.scheduling.TaskExecutors;
import io.micronaut.scheduling.annotation.ExecuteOn;

/** Both sides of the shop: its page, and the orders. */
@Controller
public class ShopController {
    private final Orders orders;

    public ShopController(Orders orders) {
        this.orders = orders;
    }

    @Get
    @ExecuteOn(TaskExecutors.IO)
    public Page page(@Nullable @Header("x-canary") String canary) {
        return new Page("shop", orders.order(42, canary));
    }

    @Get("/orders/{id}")
    public Order order(long id) {
        return Order.here(id);
    }
}
