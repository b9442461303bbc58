package com.example.shop;

import io.micronaut.runtime.Micronaut;

public final class Shop {
    private Shop() {}

    public static void main(String[] args) {
        Micronaut.run(Shop.class, args);
    }
}
