package io.weft.benchmarks.decision;

import io.weft.policy.model.Cluster;
import io.weft.policy.model.Cluster.CircuitBreaker;
import io.weft.policy.model.Cluster.Eds;
import io.weft.policy.model.EndpointAssignment;
import io.weft.policy.model.EndpointAssignment.Health;
import io.weft.policy.model.EndpointAssignment.LbEndpoint;
import io.weft.policy.model.EndpointAssignment.Locality;
import io.weft.policy.model.EndpointAssignment.LocalityEndpoints;
import io.weft.policy.model.FilterChain;
import io.weft.policy.model.FilterOverrides;
import io.weft.policy.model.HeaderChanges;
import io.weft.policy.model.HeaderMatch;
import io.weft.policy.model.HostPort;
import io.weft.policy.model.HttpConnectionManager;
import io.weft.policy.model.HttpConnectionManager.Named;
import io.weft.policy.model.Listener;
import io.weft.policy.model.LoadBalancing;
import io.weft.policy.model.OutlierDetection;
import io.weft.policy.model.PolicySnapshot;
import io.weft.policy.model.RetryPolicy;
import io.weft.policy.model.Route;
import io.weft.policy.model.RouteAction.Forward;
import io.weft.policy.model.RouteAction.Rewrite;
import io.weft.policy.model.RouteAction.Timeouts;
import io.weft.policy.model.RouteAction.WeightedCluster;
import io.weft.policy.model.RouteConfiguration;
import io.weft.policy.model.RouteMatch;
import io.weft.policy.model.StringMatch;
import io.weft.policy.model.TransportSockets;
import io.weft.policy.model.VirtualHost;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.stream.IntStream;

/**
 * 1,000 virtual hosts, each with a canary by header and a 90 to 10 split, over two clusters that have 1,000 endpoints between
 * them, with the retries, the outlier detection and the circuit breakers that a mesh has by default.
 */
record LargeMesh(PolicySnapshot snapshot, List<String> authorities) {
    private static final int VIRTUAL_HOSTS = 1_000;
    private static final int STABLE_ENDPOINTS = 900;
    private static final int CANARY_ENDPOINTS = 100;
    private static final String ROUTES = "outbound:80";
    private static final OutlierDetection OUTLIERS = new OutlierDetection(
            5, 5, 5, false, Duration.ofSeconds(10), Duration.ofSeconds(30), Duration.ofSeconds(300), 10);
    private static final RetryPolicy RETRIES = new RetryPolicy(
            RetryPolicy.Conditions.on(RetryPolicy.On.CONNECT_FAILURE, RetryPolicy.On.GATEWAY_ERROR),
            2,
            RetryPolicy.PerTry.NO_LIMIT,
            RetryPolicy.BackOff.DEFAULT,
            Optional.empty(),
            new RetryPolicy.HostSelection(true, false, List.of(), 3, 0));

    static LargeMesh of(LoadBalancing.Algorithm balancing) {
        List<String> names = IntStream.range(0, VIRTUAL_HOSTS).mapToObj("service-%04d"::formatted).toList();
        RouteConfiguration routes = new RouteConfiguration(
                ROUTES, names.stream().map(LargeMesh::virtualHost).toList(), false, HeaderChanges.NONE, FilterOverrides.NONE);
        Listener listener = new Listener(
                ROUTES, Listener.Kind.OUTBOUND, new HostPort("0.0.0.0", 80),
                List.of(new FilterChain("", 0, new HttpConnectionManager(ROUTES, new Named(ROUTES), List.of()))));
        PolicySnapshot snapshot = new PolicySnapshot(
                1,
                Map.of(ROUTES, listener),
                Map.of(ROUTES, routes),
                Map.of("stable", cluster("stable", balancing), "canary", cluster("canary", balancing)),
                Map.of("stable", endpoints("stable", 1, STABLE_ENDPOINTS), "canary", endpoints("canary", 2, CANARY_ENDPOINTS)),
                Map.of(),
                List.of());
        return new LargeMesh(snapshot, names);
    }

    String[] authoritiesInRandomOrder() {
        List<String> shuffled = new ArrayList<>(authorities);
        Collections.shuffle(shuffled, new Random(1));
        return shuffled.toArray(String[]::new);
    }

    private static VirtualHost virtualHost(String name) {
        HeaderMatch canary = new HeaderMatch(
                "x-canary", new HeaderMatch.Value(new StringMatch.Exact("yes", false)), false, false);
        return new VirtualHost(
                name,
                List.of(name, name + ".mesh", name + ".svc.mesh.local"),
                List.of(
                        new Route("canary", prefix(List.of(canary)), forward(new WeightedCluster("canary", 1, HeaderChanges.NONE, FilterOverrides.NONE, Map.of())), HeaderChanges.NONE, FilterOverrides.NONE),
                        new Route("split", prefix(List.of()), forward(
                                new WeightedCluster("stable", 90, HeaderChanges.NONE, FilterOverrides.NONE, Map.of()),
                                new WeightedCluster("canary", 10, HeaderChanges.NONE, FilterOverrides.NONE, Map.of())), HeaderChanges.NONE, FilterOverrides.NONE)),
                Optional.empty(),
                HeaderChanges.NONE,
                FilterOverrides.NONE);
    }

    private static RouteMatch prefix(List<HeaderMatch> headers) {
        return new RouteMatch(new RouteMatch.Prefix("/"), true, headers, List.of(), Optional.empty(), false);
    }

    private static Forward forward(WeightedCluster... clusters) {
        return new Forward(List.of(clusters), Rewrite.NONE, Optional.of(RETRIES), Timeouts.of(Duration.ofSeconds(15)), List.of(), Map.of());
    }

    private static Cluster cluster(String name, LoadBalancing.Algorithm balancing) {
        return new Cluster(
                name,
                new Eds(name),
                LoadBalancing.of(balancing),
                Duration.ofSeconds(5),
                CircuitBreaker.DEFAULT,
                Optional.of(OUTLIERS),
                TransportSockets.PLAINTEXT);
    }

    private static EndpointAssignment endpoints(String cluster, int network, int count) {
        List<LbEndpoint> endpoints = IntStream.range(0, count)
                .mapToObj(i -> new LbEndpoint(
                        new HostPort("10." + network + "." + i / 250 + "." + (i % 250 + 1), 8080), "", 1, Health.HEALTHY, Map.of(),
                        Map.of()))
                .toList();
        return new EndpointAssignment(cluster, List.of(new LocalityEndpoints(Locality.UNKNOWN, 0, 0, endpoints)), 140, false);
    }
}
