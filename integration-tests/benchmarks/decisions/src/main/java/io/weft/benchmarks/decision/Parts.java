package io.weft.benchmarks.decision;

import io.weft.dataplane.DataPlane;
import io.weft.dataplane.Faults;
import io.weft.dataplane.Self;
import io.weft.dataplane.TimerThread;
import io.weft.dataplane.Timers;
import io.weft.policy.model.Cluster;
import io.weft.policy.model.Cluster.Eds;
import io.weft.policy.model.EndpointAssignment;
import io.weft.policy.model.EndpointAssignment.Health;
import io.weft.policy.model.EndpointAssignment.LbEndpoint;
import io.weft.policy.model.EndpointAssignment.Locality;
import io.weft.policy.model.EndpointAssignment.LocalityEndpoints;
import io.weft.policy.model.FilterChain;
import io.weft.policy.model.FilterOverrides;
import io.weft.policy.model.HashPolicy;
import io.weft.policy.model.HeaderChanges;
import io.weft.policy.model.HeaderMatch;
import io.weft.policy.model.HostPort;
import io.weft.policy.model.HttpConnectionManager;
import io.weft.policy.model.HttpConnectionManager.Edge;
import io.weft.policy.model.HttpConnectionManager.Inline;
import io.weft.policy.model.HttpConnectionManager.Named;
import io.weft.policy.model.HttpConnectionManager.StreamLimits;
import io.weft.policy.model.HttpVersion;
import io.weft.policy.model.Listener;
import io.weft.policy.model.LoadBalancing;
import io.weft.policy.model.NameTable;
import io.weft.policy.model.NamedFilter;
import io.weft.policy.model.OutlierDetection;
import io.weft.policy.model.OutlierDetection.Consecutive;
import io.weft.policy.model.OutlierDetection.EjectionTime;
import io.weft.policy.model.OutlierDetection.FailurePercentage;
import io.weft.policy.model.OutlierDetection.SuccessRate;
import io.weft.policy.model.PolicySnapshot;
import io.weft.policy.model.Resending;
import io.weft.policy.model.Resilience;
import io.weft.policy.model.RetryPolicy;
import io.weft.policy.model.Route;
import io.weft.policy.model.RouteAction.ClusterChoice;
import io.weft.policy.model.RouteAction.Forward;
import io.weft.policy.model.RouteAction.Rewrite;
import io.weft.policy.model.RouteAction.Timeouts;
import io.weft.policy.model.RouteAction.WeightedCluster;
import io.weft.policy.model.RouteConfiguration;
import io.weft.policy.model.RouteMatch;
import io.weft.policy.model.RoutingPriority;
import io.weft.policy.model.TransportSockets;
import io.weft.policy.model.VirtualHost;
import io.weft.policy.model.VirtualHost.AttemptCount;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** What the benchmarks' policies are put together from; the only place that knows the records' every component. */
final class Parts {
    // All memory is there from the start: what the system takes to hand out a page that was never used is not a decision's time.
    static final String HEAP = "-Xmx1g";
    static final String NO_GROWTH = "-Xms1g";
    static final String TOUCHED = "-XX:+AlwaysPreTouch";

    private static final String ROUTES = "outbound:80";
    private static final RetryPolicy RETRIES = new RetryPolicy(
            RetryPolicy.Conditions.on(RetryPolicy.On.CONNECT_FAILURE, RetryPolicy.On.GATEWAY_ERROR),
            2,
            RetryPolicy.PerTry.NO_LIMIT,
            RetryPolicy.BackOff.DEFAULT,
            Optional.empty(),
            new RetryPolicy.HostSelection(true, false, List.of(), 3));

    private static final Faults FAULTS = (where, fault) -> {
        throw new AssertionError(where, fault);
    };

    private Parts() {}

    /** With the real clock, timers and random numbers; a fault of its own ends what is measured. */
    static DataPlane dataPlane() {
        return DataPlane.start(Duration.ZERO, new TimerThread(FAULTS), FAULTS, Self.UNKNOWN);
    }

    /** Of several in one process, which share what a process has once. */
    static DataPlane dataPlaneWith(Timers timers) {
        return DataPlane.start(Duration.ZERO, timers, FAULTS, Self.UNKNOWN);
    }

    static Timers timers() {
        return new TimerThread(FAULTS);
    }

    /** A listener for everything that goes to port 80, and what it leads to. */
    static PolicySnapshot snapshot(
            long generation, List<VirtualHost> hosts, Map<String, Cluster> clusters, Map<String, EndpointAssignment> assignments) {
        RouteConfiguration routes = routes(ROUTES, hosts);
        Listener listener = new Listener(
                ROUTES, Listener.Kind.OUTBOUND, new HostPort("0.0.0.0", 80),
                List.of(FilterChain.plaintext(new HttpConnectionManager(
                        ROUTES, new Named(ROUTES), List.of(), Edge.NONE, new StreamLimits(Duration.ofMinutes(5), Duration.ZERO, 0)))));
        return new PolicySnapshot(
                generation, Map.of(ROUTES, listener), Map.of(ROUTES, routes), clusters, assignments, Map.of(), NameTable.EMPTY, List.of());
    }

    /** A listener for what comes in on a port, with these filters, and nothing else. */
    static PolicySnapshot inbound(int port, NamedFilter... filters) {
        VirtualHost everything = virtualHost("everything", List.of("*"), route(List.of(), List.of(), share("app", 1)));
        RouteConfiguration routes = routes("inbound", List.of(everything));
        Listener listener = new Listener(
                "inbound", Listener.Kind.INBOUND, new HostPort("10.0.0.1", port),
                List.of(FilterChain.plaintext(new HttpConnectionManager(
                        "inbound", new Inline(routes), List.of(filters), Edge.NONE, StreamLimits.NONE))));
        return new PolicySnapshot(1, Map.of("inbound", listener), Map.of(), Map.of(), Map.of(), Map.of(), NameTable.EMPTY, List.of());
    }

    static VirtualHost virtualHost(String name, Route... routes) {
        return virtualHost(name, List.of(name, name + ".mesh", name + ".svc.mesh.local"), routes);
    }

    private static VirtualHost virtualHost(String name, List<String> domains, Route... routes) {
        return new VirtualHost(
                name, domains, List.of(routes), false, AttemptCount.NOWHERE, Resending.NONE, HeaderChanges.NONE,
                FilterOverrides.NONE);
    }

    private static RouteConfiguration routes(String name, List<VirtualHost> hosts) {
        return new RouteConfiguration(name, hosts, false, false, HeaderChanges.NONE, FilterOverrides.NONE);
    }

    /** For every path, if the headers are so. With the retries that a mesh has by default. */
    static Route route(List<HeaderMatch> headers, List<HashPolicy> hashing, WeightedCluster... split) {
        RouteMatch match = new RouteMatch(new RouteMatch.Prefix("/"), true, headers, List.of(), Optional.empty(), false);
        Forward forward = new Forward(
                ClusterChoice.of(split), Rewrite.NONE, Resending.of(RETRIES), Timeouts.of(Duration.ofSeconds(15)), hashing, Map.of(), RoutingPriority.DEFAULT);
        return new Route("route", match, forward, HeaderChanges.NONE, FilterOverrides.NONE);
    }

    static WeightedCluster share(String cluster, int weight) {
        return WeightedCluster.of(cluster, weight);
    }

    static Cluster cluster(String name, LoadBalancing.Algorithm algorithm, Optional<OutlierDetection> outliers) {
        return new Cluster(
                name, new Eds(name), LoadBalancing.of(algorithm), outliers.map(Resilience.DEFAULT::with).orElse(Resilience.DEFAULT),
                TransportSockets.PLAINTEXT,
                HttpVersion.HTTP_1_1,
                true,
                Map.of());
    }

    /** By failures in a row and by success rate, as a mesh has it by default. */
    static OutlierDetection outliers(Duration baseEjection, Duration maxEjection) {
        return new OutlierDetection(
                new Consecutive(5, 100),
                new Consecutive(5, 100),
                new Consecutive(5, 100),
                new SuccessRate(5, 100, 1_900, 100, 100),
                FailurePercentage.OFF,
                false,
                Duration.ofSeconds(10),
                new EjectionTime(baseEjection, maxEjection, Duration.ZERO),
                10,
                false,
                true);
    }

    static EndpointAssignment assignment(String cluster, List<HostPort> addresses) {
        List<LbEndpoint> endpoints = addresses.stream()
                .map(address -> new LbEndpoint(address, "", 1, Health.HEALTHY, Map.of(), Map.of()))
                .toList();
        return new EndpointAssignment(
                cluster, List.of(new LocalityEndpoints(Locality.UNKNOWN, 0, 0, endpoints)),
                EndpointAssignment.DEFAULT_OVERPROVISIONING_FACTOR, false);
    }
}
