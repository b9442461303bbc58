package io.weft.policy.model;

import java.time.Duration;

/**
 * One HTTP filter's configuration, a record for each filter that is supported. The same record stands for the filter in an HTTP
 * connection manager and for what a route puts in its place ({@code typed_per_filter_config}), whatever message Envoy has for that.
 */
public sealed interface HttpFilter {

    /**
     * {@code envoy.extensions.filters.http.buffer.v3.Buffer}.
     *
     * @param maxRequestBytes of a request's body, above zero
     */
    record Buffer(long maxRequestBytes) implements HttpFilter {}

    /** {@code envoy.extensions.filters.http.rbac.v3.RBAC}. */
    record AccessControl(Rbac rbac) implements HttpFilter {}

    /** {@code envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication}. */
    record TokenAuthentication(JwtAuthentication jwt) implements HttpFilter {}

    /**
     * {@code envoy.extensions.filters.http.jwt_authn.v3.PerRouteConfig}.
     *
     * @param requirement of those that {@link JwtAuthentication} names
     */
    record TokenRequirementOfRoute(String requirement) implements HttpFilter {}

    /** {@code envoy.extensions.common.matching.v3.ExtensionWithMatcher}: a filter that passes over the requests that match. */
    record Conditional(MatchTree<Skip> condition, HttpFilter filter) implements HttpFilter {}

    /** {@code ExtensionWithMatcherPerRoute}: another condition for the filter that is there. */
    record ConditionOfRoute(MatchTree<Skip> condition) implements HttpFilter {}

    /** {@code envoy.extensions.filters.common.matcher.action.v3.SkipFilter}. */
    record Skip() {}

    /**
     * {@code envoy.extensions.filters.http.stateful_session.v3.StatefulSession}.
     *
     * @param strict a session's requests go to its endpoint or nowhere
     */
    record StatefulSession(SessionState state, boolean strict) implements HttpFilter {}

    /** Where a session's endpoint is written down. */
    sealed interface SessionState {}

    /**
     * @param ttl zero: for the session
     * @param path may be empty: all paths
     */
    record CookieSession(String name, Duration ttl, String path) implements SessionState {}

    /** @param name lower case */
    record HeaderSession(String name) implements SessionState {}
}
