package io.weft.policy.model;

import java.time.Duration;
import java.util.Map;

/**
 * {@code envoy.config.cluster.v3.Cluster}.
 *
 * @param discovery where its endpoints come from
 * @param transport plaintext or mesh TLS, endpoint by endpoint
 * @param http what the agent itself speaks to it; the app's own client speaks what it speaks
 * @param reportsLoad whether its load reports go to the control plane that it comes from ({@code lrs_server})
 * @param tags of the instances of a service that it stands for, as Kuma names them beside it; empty: of all, or nobody says
 */
public record Cluster(
        String name,
        Discovery discovery,
        LoadBalancing loadBalancing,
        Resilience resilience,
        TransportSockets transport,
        HttpVersion http,
        boolean reportsLoad,
        Map<String, String> tags)
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
    public record StrictDns(EndpointAssignment assignment, Resolution resolution) implements Discovery {}

    /** One endpoint carried by the cluster: a host name, resolved again and again; one address of it is used. */
    public record LogicalDns(EndpointAssignment assignment, Resolution resolution) implements Discovery {}

    /**
     * How host names are resolved.
     *
     * @param refresh from an answer to the next question; above zero
     * @param jitter at most so much is added to it, by chance; zero: nothing
     * @param failureBase from a failure to the next question; above zero
     * @param failureMax what that grows to while failure follows failure; the same as the base: it does not grow
     */
    public record Resolution(
            Duration refresh, Duration jitter, Duration failureBase, Duration failureMax, AddressFamily family) {

        /** Whether the pause after a failure grows. */
        public boolean backsOff() {
            return failureMax.compareTo(failureBase) > 0;
        }
    }

    /**
     * {@code envoy.config.cluster.v3.Cluster.DnsLookupFamily}; {@code AUTO} is IPv6, or IPv4 where there is none of the other.
     */
    public enum AddressFamily { AUTO, V4_ONLY, V6_ONLY, V4_PREFERRED, ALL }

    /** The request goes where it was bound for without the mesh. */
    public record OriginalDestination() implements Discovery {}
}
