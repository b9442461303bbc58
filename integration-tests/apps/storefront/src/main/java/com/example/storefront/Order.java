package com.example.storefront;

/** What the orders service answers. */
public record Order(long id, String version, String instance) {}
