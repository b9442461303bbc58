package io.weft.policy.model;

/**
 * One filter chain whose last network filter is the HTTP connection manager.
 *
 * @param name may be empty
 * @param destinationPort of an inbound listener: the chain is for connections to this port; 0: to any that no other chain names
 * @param http what it does with HTTP
 */
public record FilterChain(String name, int destinationPort, HttpConnectionManager http) {}
