package io.weft.policy.model;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * {@code envoy.config.listener.v3.Listener}: of an inbound listener all filter chains, of the others those that carry plaintext HTTP.
 *
 * @param name as sent; for a gRPC-shaped (API) listener the authority that it serves, {@code host} or {@code host:port}
 * @param kind what traffic it is for
 * @param address where a proxy would bind it; empty host for an API listener
 * @param filterChains in order; an API listener has one without a match
 * @param defaultFilterChain of an inbound listener: for connections that none of the chains matches
 * @param originalDestination {@code use_original_dst}: for connections to any port that no other listener has; of an outbound listener, to
 *     any host
 * @param passthrough of an outbound listener for original destinations: what it does with connections that no other listener has. Of one of a
 *     wildcard address that is not for HTTP alone: what it does with those to its port
 * @param metricsPath of one from which metrics are to be read, by {@code GET} of that path; it has no chains
 * @param dynamic what else it says to this process
 */
public record Listener(
        String name, Kind kind, HostPort address, List<FilterChain> filterChains, Optional<FilterChain> defaultFilterChain,
        boolean originalDestination, Optional<Passthrough> passthrough, Optional<String> metricsPath, DynamicConfiguration dynamic)
        implements Resource {

    public enum Kind { OUTBOUND, INBOUND, API }

    public Listener {
        filterChains = List.copyOf(filterChains);
    }

    public Listener(String name, Kind kind, HostPort address, List<FilterChain> filterChains) {
        this(name, kind, address, filterChains, Optional.empty(), false, Optional.empty(), Optional.empty(), DynamicConfiguration.NONE);
    }

    /** In order, the default one last. */
    public List<FilterChain> allFilterChains() {
        List<FilterChain> all = new ArrayList<>(filterChains);
        defaultFilterChain.ifPresent(all::add);
        return all;
    }

    @Override
    public boolean holdsPrivateKey() {
        return filterChains.stream().anyMatch(chain -> chain.transport().holdsPrivateKey());
    }

    @Override
    public boolean holdsSecret() {
        return holdsPrivateKey() || allFilterChains().stream()
                .anyMatch(chain -> chain.http().filters().stream().anyMatch(filter -> filter.filter().holdsSecret()));
    }
}
