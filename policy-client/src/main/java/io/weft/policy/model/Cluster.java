package io.weft.policy.model;

import java.time.Duration;
import java.util.Optional;

/**
 * {@code envoy.config.cluster.v3.Cluster}.
 *
 * @param discovery where its endpoints come from
 * @param connectTimeout above zero
 * @param circuitBreaker thresholds of the default priority
 * @param transport plaintext or mesh TLS, endpoint by endpoint
 */
public record Cluster(
        String name,
        Discovery discovery,
        LoadBalancing loadBalancing,
        Duration connectTimeout,
        CircuitBreaker circuitBreaker,
        Optional<OutlierDetection> outlierDetection,
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

    /** Most that may be under way at once for this client; {@link Integer#MAX_VALUE}: no limit. */
    public record CircuitBreaker(int maxConnections, int maxPendingRequests, int maxRequests, int maxRetries) {
        /** Envoy's: 1024 of each, 3 retries. */
        public static final CircuitBreaker DEFAULT = new CircuitBreaker(1024, 1024, 1024, 3);
    }
}
