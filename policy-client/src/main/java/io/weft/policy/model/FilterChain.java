package io.weft.policy.model;

import java.util.List;

/**
 * One filter chain.
 *
 * @param name may be empty
 * @param match which connections it is for; any for an outbound listener's and an API listener's
 * @param transport how those connections are secured
 * @param networkFilters those before HTTP, in order
 * @param http what it does with HTTP; {@link HttpConnectionManager.Opaque} routes where the chain knows no HTTP
 */
public record FilterChain(
        String name, FilterChainMatch match, TransportSocket transport, List<NetworkFilter> networkFilters, HttpConnectionManager http) {
    public FilterChain {
        networkFilters = List.copyOf(networkFilters);
    }

    /** For every connection, in plaintext. */
    public static FilterChain plaintext(HttpConnectionManager http) {
        return new FilterChain("", FilterChainMatch.ANY, new TransportSocket.Plaintext(), List.of(), http);
    }

    public FilterChain named(String name) {
        return new FilterChain(name, match, transport, networkFilters, http);
    }
}
