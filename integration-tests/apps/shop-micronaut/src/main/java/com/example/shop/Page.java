package com.example.shop;

import io.micronaut.core.annotation.Introspected;

/** What the shop answers. */
@Introspected
public record Page(String service, Order order) {}
