package io.weft.admin;

import java.util.function.Supplier;

/**
 * @param contentType of HTTP
 * @param content made anew each time that somebody asks, on the admin socket's thread
 */
public record AdminPage(String contentType, Supplier<String> content) {}
