package io.weft.policy.model;

import java.util.List;

/**
 * {@code envoy.config.listener.v3.Listener}, the part that carries HTTP.
 *
 * @param name as sent; for a gRPC-shaped (API) listener the authority that it serves, {@code host} or {@code host:port}
 * @param kind what traffic it is for
 * @param address where a proxy would bind it; empty host for an API listener
 * @param filterChains in order; an API listener has one without a match
 */
public record Listener(String name, Kind kind, HostPort address, List<FilterChain> filterChains)
        implements Resource {

    public enum Kind { OUTBOUND, INBOUND, API }

    public Listener {
        filterChains = List.copyOf(filterChains);
    }
}
