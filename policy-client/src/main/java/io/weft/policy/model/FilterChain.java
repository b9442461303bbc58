package io.weft.policy.model;

/**
 * One filter chain whose last network filter is the HTTP connection manager.
 *
 * @param name may be empty
 * @param http what it does with HTTP
 */
public record FilterChain(String name, HttpConnectionManager http) {}
