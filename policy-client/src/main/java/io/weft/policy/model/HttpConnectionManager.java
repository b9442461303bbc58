package io.weft.policy.model;

import java.util.List;

/**
 * {@code envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager}.
 *
 * @param filters in order, without the router
 */
public record HttpConnectionManager(String statPrefix, RouteSource routes, List<NamedFilter> filters, Edge edge) {

    public HttpConnectionManager {
        filters = List.copyOf(filters);
    }

    /** What is made of a request that comes in before any rule looks at it. */
    public record Edge(PathNormalization paths, ClientAddress clientAddress) {
        public static final Edge NONE = new Edge(PathNormalization.NONE, ClientAddress.DEFAULT);
    }

    /** Where the route configuration comes from. */
    public sealed interface RouteSource {}

    /** Carried inside the listener. */
    public record Inline(RouteConfiguration configuration) implements RouteSource {}

    /** Fetched under this name by RDS. */
    public record Named(String routeConfigName) implements RouteSource {}
}
