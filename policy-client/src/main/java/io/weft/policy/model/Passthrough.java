package io.weft.policy.model;

import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * What becomes of connections that are redirected to a listener, whatever host they were going to.
 *
 * @param otherwise for those that no chain matches; absent: they are closed
 */
public record Passthrough(List<Chain> chains, Optional<Chain> otherwise) {
    public Passthrough {
        chains = List.copyOf(chains);
    }

    /** @param ways of which that counts whose domain is the most specific one for the host */
    public record Chain(FilterChainMatch match, List<Way> ways) {
        public Chain {
            ways = List.copyOf(ways);
        }
    }

    /**
     * @param domains as a virtual host has them; {@code *} where the chain knows no HTTP
     * @param clusters where it may lead; none: it is answered with an error
     */
    public record Way(List<String> domains, Set<String> clusters) {
        public Way {
            domains = List.copyOf(domains);
            clusters = Set.copyOf(clusters);
        }
    }
}
