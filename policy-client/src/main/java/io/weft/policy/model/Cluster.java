package io.weft.policy.model;

import java.time.Duration;
import java.util.Optional;

/**
 * {@code envoy.config.cluster.v3.Cluster}.
 *
 * @param discovery where its endpoints come from
 * @param connectTimeout above zero
 * @param circuitBreaker thresholds of the default priority
 * @param panicThreshold percent of healthy endpoints below which health is ignored; 0 to 100, Envoy's default is 50
 * @param localityWeighted a locality is chosen by weight first ({@code locality_weighted_lb_config}); otherwise the weights of
 *     localities mean nothing and the endpoints of all localities of one priority are balanced together
 * @param transport plaintext or mesh TLS, endpoint by endpoint
 */
public record Cluster(
        String name,
        Discovery discovery,
        LoadBalancing loadBalancing,
        Duration connectTimeout,
        CircuitBreaker circuitBreaker,
        Optional<OutlierDetection> outlierDetection,
        int panicThreshold,
        boolean localityWeighted,
        TransportSockets transport)
        implements Resource {

    public sealed interface Discovery {}

    /** Endpoints by EDS under this name. */
    public record Eds(String serviceName) implements Discovery {}

    /** Endpoints carried by the cluster: IP literals. */
    public record Static(EndpointAssignment assignment) implements Discovery {}

    /** Endpoints carried by the cluster: host names, resolved again and again; every address of each is used. */
    public record StrictDns(EndpointAssignment assignment, Duration refresh) implements Discovery {}

    /** The request goes where it was bound for without the mesh. */
    public record OriginalDestination() implements Discovery {}

    public sealed interface LoadBalancing {}

    public record RoundRobin() implements LoadBalancing {}

    /** Power of {@code choices}, 2 or more, among endpoints of equal weight; weights count when they differ. */
    public record LeastRequest(int choices, double activeRequestBias) implements LoadBalancing {}

    public record Random() implements LoadBalancing {}

    /** Most that may be under way at once for this client; {@link Integer#MAX_VALUE}: no limit. */
    public record CircuitBreaker(int maxConnections, int maxPendingRequests, int maxRequests, int maxRetries) {
        /** Envoy's: 1024 of each, 3 retries. */
        public static final CircuitBreaker DEFAULT = new CircuitBreaker(1024, 1024, 1024, 3);
    }
}
