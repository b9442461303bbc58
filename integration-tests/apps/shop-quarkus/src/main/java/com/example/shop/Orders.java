package com.example.shop;

import io.smallrye.mutiny.Uni;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.HeaderParam;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.PathParam;
import org.eclipse.microprofile.rest.client.inject.RegisterRestClient;

/** The orders service. */
@RegisterRestClient(configKey = "orders")
public interface Orders {
    @GET
    @Path("/orders/{id}")
    Uni<Order> order(@PathParam("id") long id, @HeaderParam("x-canary") String canary);
}
