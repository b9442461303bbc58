package io.weft.policy.model;

import java.util.List;

/**
 * One filter chain whose last network filter is the HTTP connection manager.
 *
 * @param name may be empty
 * @param destinationPort of an inbound listener: the chain is for connections to this port; 0: to any that no other chain names
 * @param networkFilters those before HTTP, in order
 * @param http what it does with HTTP
 */
public record FilterChain(String name, int destinationPort, List<NetworkFilter> networkFilters, HttpConnectionManager http) {
    public FilterChain {
        networkFilters = List.copyOf(networkFilters);
    }
}
