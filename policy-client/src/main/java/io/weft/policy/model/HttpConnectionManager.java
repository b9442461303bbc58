package io.weft.policy.model;

/** {@code envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager}. */
public record HttpConnectionManager(String statPrefix, RouteSource routes) {

    /** Where the route configuration comes from. */
    public sealed interface RouteSource {}

    /** Carried inside the listener. */
    public record Inline(RouteConfiguration configuration) implements RouteSource {}

    /** Fetched under this name by RDS. */
    public record Named(String routeConfigName) implements RouteSource {}
}
