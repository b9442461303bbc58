package io.weft.policy.model;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** What a matching route does. */
public sealed interface RouteAction {

    /**
     * {@code envoy.config.route.v3.RouteAction}.
     *
     * @param resending what it leaves open, its virtual host may say
     * @param hashPolicies what consistent hashing goes by, in order
     * @param metadataMatch the {@code envoy.lb} metadata of the endpoints that are meant, as in
     *     {@link EndpointAssignment.LbEndpoint}; only for clusters with subsets
     * @param priority whose circuit breakers it counts for
     */
    record Forward(
            ClusterChoice clusters,
            Rewrite rewrite,
            Resending resending,
            Timeouts timeouts,
            List<HashPolicy> hashPolicies,
            Map<String, Object> metadataMatch,
            RoutingPriority priority)
            implements RouteAction {
        public Forward {
            hashPolicies = List.copyOf(hashPolicies);
            metadataMatch = Map.copyOf(metadataMatch);
        }
    }

    /**
     * How long a request may take. A duration of zero is no limit.
     *
     * @param request all attempts together, from the end of the request to the end of the response; not used with
     *     {@code streamDuration}
     * @param idle nothing goes in either direction; absent: what the connection manager says
     * @param grpc {@code max_grpc_timeout}, in place of {@code request} for a gRPC request
     * @param streamDuration {@code max_stream_duration}
     */
    record Timeouts(
            Duration request,
            Optional<Duration> idle,
            Optional<GrpcTimeout> grpc,
            Optional<StreamDuration> streamDuration) {
        public static final Timeouts NONE = of(Duration.ZERO);

        public static Timeouts of(Duration request) {
            return new Timeouts(request, Optional.empty(), Optional.empty(), Optional.empty());
        }
    }

    /**
     * The request's {@code grpc-timeout}, less the offset.
     *
     * @param max zero: whatever the request says
     */
    record GrpcTimeout(Duration max, Duration offset) {}

    /**
     * {@code envoy.config.route.v3.RouteAction.MaxStreamDuration}.
     *
     * @param max absent: what the connection manager says
     * @param grpc for a request with {@code grpc-timeout}
     */
    record StreamDuration(Optional<Duration> max, Optional<GrpcTimeout> grpc) {}

    /**
     * Which cluster a request goes to.
     *
     * @param weighted at least one, their weights at least 1 in sum
     * @param valueHeader lower case; a number in this request header chooses, and where there is none chance does
     * @param notFoundStatus the answer when there is no such cluster
     */
    record ClusterChoice(List<WeightedCluster> weighted, Optional<String> valueHeader, int notFoundStatus) {
        public static final int SERVICE_UNAVAILABLE = 503;

        public ClusterChoice {
            weighted = List.copyOf(weighted);
        }

        public static ClusterChoice of(WeightedCluster... weighted) {
            return new ClusterChoice(List.of(weighted), Optional.empty(), SERVICE_UNAVAILABLE);
        }
    }

    /**
     * @param host a new Host header for this cluster alone
     * @param metadataMatch overrides the route's key by key
     */
    record WeightedCluster(
            ClusterName cluster,
            int weight,
            HeaderChanges headers,
            Optional<String> host,
            FilterOverrides filters,
            Map<String, Object> metadataMatch) {
        public WeightedCluster {
            metadataMatch = Map.copyOf(metadataMatch);
        }

        public static WeightedCluster of(String cluster, int weight) {
            return of(cluster, weight, HeaderChanges.NONE);
        }

        public static WeightedCluster of(String cluster, int weight, HeaderChanges headers) {
            return new WeightedCluster(
                    new Named(cluster), weight, headers, Optional.empty(), FilterOverrides.NONE, Map.of());
        }
    }

    sealed interface ClusterName {}

    record Named(String cluster) implements ClusterName {}

    /** The value of a request header; lower case. */
    record InHeader(String header) implements ClusterName {}

    /**
     * What of the request's target is changed on the way out; the app sees what it asked for.
     *
     * @param appendForwardedHost the host that is replaced is appended to {@code x-forwarded-host}
     */
    record Rewrite(Optional<PathRewrite> path, Optional<HostRewrite> host, boolean appendForwardedHost) {
        public static final Rewrite NONE = new Rewrite(Optional.empty(), Optional.empty(), false);
    }

    /** Where a new Host header comes from; where that yields nothing, the old one stays. */
    sealed interface HostRewrite {}

    record HostLiteral(String host) implements HostRewrite {}

    /** The chosen endpoint's own name. */
    record HostOfEndpoint() implements HostRewrite {}

    /** The value of another request header; lower case. */
    record HostFromHeader(String header) implements HostRewrite {}

    /** The path, without query and fragment, after the replacement. */
    record HostFromPath(ReplaceRegex replacement) implements HostRewrite {}

    sealed interface PathRewrite {}

    /** The part that the route's prefix or path matched is replaced. */
    record ReplaceMatched(String replacement) implements PathRewrite {}

    /**
     * RE2 pattern, known to compile. In the substitution {@code \1} to {@code \9} are its groups, known to exist, {@code \0} is
     * the whole match and {@code \\} a backslash.
     */
    record ReplaceRegex(String regex, String substitution) implements PathRewrite {}

    /**
     * {@code envoy.config.route.v3.RedirectAction}. An absent part stays as in the request.
     *
     * @param port 0: as in the request, or the default of a changed scheme
     * @param status 301, 302, 303, 307 or 308
     */
    record Redirect(
            Optional<String> scheme,
            Optional<String> host,
            int port,
            Optional<String> path,
            Optional<PathRewrite> rewrite,
            boolean stripQuery,
            int status)
            implements RouteAction {}

    /** {@code envoy.config.route.v3.DirectResponseAction}. */
    record DirectResponse(int status, String body) implements RouteAction {}

    /** {@code envoy.config.route.v3.NonForwardingAction}: the route is for a server, never taken by a client. */
    record NonForwarding() implements RouteAction {}
}
