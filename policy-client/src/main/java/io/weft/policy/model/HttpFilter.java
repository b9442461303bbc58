package io.weft.policy.model;

import io.weft.policy.model.RouteMatch.Fraction;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * One HTTP filter's configuration, a record for each filter that is supported. The same record stands for the filter in an HTTP
 * connection manager and for what a route puts in its place ({@code typed_per_filter_config}), whatever message Envoy has for that.
 */
public sealed interface HttpFilter {

    /** Whether who knows it could make tokens that are good. */
    default boolean holdsSecret() {
        return false;
    }

    /**
     * {@code envoy.extensions.filters.http.buffer.v3.Buffer}.
     *
     * @param maxRequestBytes of a request's body, above zero
     */
    record Buffer(long maxRequestBytes) implements HttpFilter {}

    /** What an HTTP connection manager's {@code access_log} says; as a filter it comes before all others. */
    record AccessLogs(List<AccessLog> logs) implements HttpFilter {
        public AccessLogs {
            logs = List.copyOf(logs);
        }
    }

    /** What an HTTP connection manager's {@code tracing} says; as a filter it comes before all others. */
    record Traces(Tracing tracing) implements HttpFilter {}

    /** {@code envoy.extensions.filters.http.rbac.v3.RBAC}. */
    record AccessControl(Rbac rbac) implements HttpFilter {}

    /** {@code envoy.extensions.filters.network.rbac.v3.RBAC}: who may not call has the connection closed. */
    record ConnectionAccessControl(Rbac rbac) implements HttpFilter {}

    /** {@code envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication}. */
    record TokenAuthentication(JwtAuthentication jwt) implements HttpFilter {
        @Override
        public boolean holdsSecret() {
            return jwt.providers().values().stream()
                    .anyMatch(provider -> provider.keys() instanceof JwtAuthentication.InlineKeys keys && keys.holdsSecret());
        }
    }

    /**
     * {@code envoy.extensions.filters.http.jwt_authn.v3.PerRouteConfig}.
     *
     * @param requirement of those that {@link JwtAuthentication} names
     */
    record TokenRequirementOfRoute(String requirement) implements HttpFilter {}

    /** {@code envoy.extensions.common.matching.v3.ExtensionWithMatcher}: a filter that passes over the requests that match. */
    record Conditional(MatchTree<Skip> condition, HttpFilter filter) implements HttpFilter {
        @Override
        public boolean holdsSecret() {
            return filter.holdsSecret();
        }
    }

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

    /** Without a place there are no sessions; a route may name one. */
    record NoSession() implements SessionState {}

    /** @param name lower case */
    record HeaderSession(String name) implements SessionState {}

    /**
     * {@code envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit}.
     *
     * @param bucket empty: nothing is limited
     * @param enabled share of the requests that take a token
     * @param enforced share of those without a token that are refused
     * @param perConnection each connection has buckets of its own
     */
    record LocalRateLimit(
            Optional<TokenBucket> bucket,
            Fraction enabled,
            Fraction enforced,
            boolean perConnection,
            RateLimited answer,
            DescriptorLimits descriptors)
            implements HttpFilter {}

    /**
     * What is said to who is rate-limited.
     *
     * @param status of the refusal
     * @param headers of a request, where it passes because the limit is not enforced, and of a refusal
     * @param draft03 every response says what the limit is and what is left ({@code x-ratelimit-limit} and others)
     * @param resourceExhausted to gRPC it is that, and not UNAVAILABLE
     */
    record RateLimited(int status, HeaderChanges headers, boolean draft03, boolean resourceExhausted) {}

    /**
     * {@code envoy.extensions.filters.http.fault.v3.HTTPFault}.
     *
     * @param upstreamCluster empty: any
     * @param headers all must match
     * @param downstreamNodes one of them must have sent the request; empty: any
     * @param maxActive most requests that are under a fault at once
     */
    record Fault(
            Optional<Delay> delay,
            Optional<Abort> abort,
            Optional<ResponseRate> responseRate,
            String upstreamCluster,
            List<HeaderMatch> headers,
            Set<String> downstreamNodes,
            int maxActive)
            implements HttpFilter {
        public Fault {
            headers = List.copyOf(headers);
            downstreamNodes = Set.copyOf(downstreamNodes);
        }
    }

    /** @param fixed empty: the request says it, in {@code x-envoy-fault-delay-request} */
    record Delay(Optional<Duration> fixed, Fraction percentage) {}

    /**
     * One of the statuses, or none: the request says it, in {@code x-envoy-fault-abort-request} or
     * {@code x-envoy-fault-abort-grpc-request}.
     *
     * @param httpStatus 0: none
     * @param grpcStatus -1: none
     */
    record Abort(int httpStatus, int grpcStatus, Fraction percentage) {}

    /** @param kibPerSecond 0: the request says it, in {@code x-envoy-fault-throughput-response} */
    record ResponseRate(long kibPerSecond, Fraction percentage) {}

    /**
     * {@code envoy.extensions.filters.http.header_mutation.v3.HeaderMutation}. Of several levels all act, the connection manager's
     * first.
     *
     * @param mutations one after the other, each to one header
     * @param mostSpecificWins of the connection manager: it has the last word, and otherwise the least specific
     */
    record HeaderMutation(List<HeaderChanges> mutations, boolean mostSpecificWins) implements HttpFilter {
        public HeaderMutation {
            mutations = List.copyOf(mutations);
        }
    }

    /**
     * {@code envoy.extensions.filters.http.set_filter_state.v3.Config}. Of several levels all act, the connection manager's first.
     *
     * @param values one after the other
     */
    record SetFilterState(List<StateValue> values) implements HttpFilter {
        public SetFilterState {
            values = List.copyOf(values);
        }
    }

    /**
     * {@code FilterStateValue}.
     *
     * @param hashable hash policies may go by it
     * @param omitsMissing what an operator does not know is left out, and otherwise a dash
     */
    record StateValue(String key, boolean hashable, Format text, boolean omitsMissing, boolean skipIfEmpty) {}

    /**
     * {@code envoy.extensions.filters.http.cors.v3}.
     *
     * @param policy empty: what the route says, and otherwise nothing
     */
    record Cors(Optional<CorsPolicy> policy) implements HttpFilter {}

    /**
     * {@code CorsPolicy}; what is empty another level may say.
     *
     * @param enabled share of the requests for which it holds
     * @param forwardNotMatchingPreflights a preflight of an origin that is not allowed goes to the app
     */
    record CorsPolicy(
            List<StringMatch> allowOrigin,
            String allowMethods,
            String allowHeaders,
            String exposeHeaders,
            String maxAge,
            Optional<Boolean> allowCredentials,
            Optional<Boolean> allowPrivateNetworkAccess,
            Optional<Boolean> forwardNotMatchingPreflights,
            Fraction enabled) {
        public CorsPolicy {
            allowOrigin = List.copyOf(allowOrigin);
        }
    }
}
