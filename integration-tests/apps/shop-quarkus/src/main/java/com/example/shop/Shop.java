package com.example.shop;

import io.smallrye.mutiny.Uni;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.HeaderParam;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.PathParam;
import org.eclipse.microprofile.rest.client.inject.RestClient;

/** Both sides of the shop: its page, and the orders. */
@Path("/")
public class Shop {
    private final Orders orders;

    public Shop(@RestClient Orders orders) {
        this.orders = orders;
    }

    @GET
    public Uni<Page> page(@HeaderParam("x-canary") String canary) {
        return orders.order(42, canary).map(order -> new Page("shop", order));
    }

    @GET
    @Path("/orders/{id}")
    public Order order(@PathParam("id") long id) {
        return Order.here(id);
    }
}
