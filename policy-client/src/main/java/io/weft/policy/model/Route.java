package io.weft.policy.model;

/** {@code envoy.config.route.v3.Route}. The name may be empty. */
public record Route(String name, RouteMatch match, RouteAction action, HeaderChanges headers, FilterOverrides filters) {}
