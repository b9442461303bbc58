package com.example.shop;

import io.micronaut.core.annotation.Nullable;
import io.micronaut.http.annotation.Get;
import io.micronaut.http.annotation.Header;
import io.micronaut.http.annotation.PathVariable;
import io.micronaut.http.client.annotation.Client;

/** The orders service. */
@Client("http://orders")
public interface Orders {
    @Get("/orders/{id}")
    Order order(@PathVariable long id, @Nullable @Header("x-canary") String canary);
}
