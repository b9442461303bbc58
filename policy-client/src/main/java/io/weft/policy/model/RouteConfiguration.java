package io.weft.policy.model;

import java.util.List;

/**
 * {@code envoy.config.route.v3.RouteConfiguration}.
 *
 * @param virtualHosts in the order sent; no domain occurs twice
 * @param ignorePortInHostMatching match a request's host without its port
 * @param mostSpecificHeadersWin header changes of a route are applied after those of its virtual host, and these after those
 *     of the route configuration; otherwise the other way round. Those of a weighted cluster are always applied first
 */
public record RouteConfiguration(
        String name,
        List<VirtualHost> virtualHosts,
        boolean ignorePortInHostMatching,
        boolean mostSpecificHeadersWin,
        HeaderChanges headers,
        FilterOverrides filters)
        implements Resource {

    public RouteConfiguration {
        virtualHosts = List.copyOf(virtualHosts);
    }

    /** Without a route. */
    public static RouteConfiguration named(String name) {
        return new RouteConfiguration(name, List.of(), false, false, HeaderChanges.NONE, FilterOverrides.NONE);
    }
}
