package io.weft.policy.model;

import java.util.List;
import java.util.Optional;

/**
 * {@code envoy.config.route.v3.VirtualHost}.
 *
 * @param domains exact, {@code *.suffix}, {@code prefix.*} or {@code *}; compared without case
 * @param routes the first that matches decides
 * @param retry for routes that have none of their own
 */
public record VirtualHost(
        String name,
        List<String> domains,
        List<Route> routes,
        Optional<RetryPolicy> retry,
        HeaderChanges headers,
        FilterOverrides filters) {
    public VirtualHost {
        domains = List.copyOf(domains);
        routes = List.copyOf(routes);
    }
}
