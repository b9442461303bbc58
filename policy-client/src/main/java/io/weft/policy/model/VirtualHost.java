package io.weft.policy.model;

import java.util.List;

/**
 * {@code envoy.config.route.v3.VirtualHost}.
 *
 * @param domains exact, {@code *.suffix}, {@code prefix.*} or {@code *}; compared without case
 * @param routes the first that matches decides
 * @param requireTls what is not encrypted is redirected to {@code https}
 * @param resending for what routes do not say themselves; with the mirroring of the route configuration where it has none of its own
 */
public record VirtualHost(
        String name,
        List<String> domains,
        List<Route> routes,
        boolean requireTls,
        AttemptCount attemptCount,
        Resending resending,
        HeaderChanges headers,
        FilterOverrides filters)
        implements Resource {
    public VirtualHost {
        domains = List.copyOf(domains);
        routes = List.copyOf(routes);
    }

    /** The same for other domains. */
    VirtualHost under(List<String> others) {
        return new VirtualHost(name, others, routes, requireTls, attemptCount, resending, headers, filters);
    }

    /** Where {@code x-envoy-attempt-count} is set: 1 for the first attempt. */
    public record AttemptCount(boolean inRequest, boolean inResponse) {
        public static final AttemptCount NOWHERE = new AttemptCount(false, false);
    }
}
