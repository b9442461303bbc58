package io.weft.policy.model;

import java.time.Duration;

/**
 * {@code envoy.config.cluster.v3.Cluster}.
 *
 * @param discovery where its endpoints come from
 * @param transport plaintext or mesh TLS, endpoint by endpoint
 * @param http what the agent itself speaks to it; the app's own client speaks what it speaks
 */
public record Cluster(
        String name,
        Discovery discovery,
        LoadBalancing loadBalancing,
        Resilience resilience,
        TransportSockets transport,
        HttpVersion http)
        implements Resource {

    @Override
    public boolean holdsPrivateKey() {
        return transport.holdsPrivateKey();
    }

    public sealed interface Discovery {}

    /** Endpoints by EDS under this name. */
    public record Eds(String serviceName) implements Discovery {}

    /** Endpoints carried by the cluster: IP literals. */
    public record Static(EndpointAssignment assignment) implements Discovery {}

    /** Endpoints carried by the cluster: host names, resolved again and again; every address of each is used. */
    public record StrictDns(EndpointAssignment assignment, Duration refresh) implements Discovery {}

    /** The request goes where it was bound for without the mesh. */
    public record OriginalDestination() implements Discovery {}
}
