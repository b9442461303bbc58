package com.example.shop;

/** What the shop answers. */
public record Page(String service, Order order) {}
