package io.weft.policy.model;

import java.util.List;

/**
 * {@code envoy.config.route.v3.RouteConfiguration}.
 *
 * @param virtualHosts in the order sent; no domain occurs twice
 * @param ignorePortInHostMatching match a request's host without its port
 */
public record RouteConfiguration(
        String name,
        List<VirtualHost> virtualHosts,
        boolean ignorePortInHostMatching,
        HeaderChanges headers,
        FilterOverrides filters)
        implements Resource {

    public RouteConfiguration {
        virtualHosts = List.copyOf(virtualHosts);
    }
}
