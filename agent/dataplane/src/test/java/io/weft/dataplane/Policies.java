package io.weft.dataplane;

import io.weft.policy.model.CircuitBreakers;
import io.weft.policy.model.CircuitBreakers.Thresholds;
import io.weft.policy.model.Cluster;
import io.weft.policy.model.EndpointAssignment;
import io.weft.policy.model.EndpointAssignment.Health;
import io.weft.policy.model.EndpointAssignment.LbEndpoint;
import io.weft.policy.model.EndpointAssignment.Locality;
import io.weft.policy.model.EndpointAssignment.LocalityEndpoints;
import io.weft.policy.model.FilterChain;
import io.weft.policy.model.FilterOverrides;
import io.weft.policy.model.Format;
import io.weft.policy.model.HeaderChanges;
import io.weft.policy.model.HeaderChanges.Addition;
import io.weft.policy.model.HealthCheck;
import io.weft.policy.model.HostPort;
import io.weft.policy.model.HttpConnectionManager;
import io.weft.policy.model.HttpConnectionManager.Edge;
import io.weft.policy.model.HttpConnectionManager.StreamLimits;
import io.weft.policy.model.HttpVersion;
import io.weft.policy.model.Listener;
import io.weft.policy.model.LoadBalancing;
import io.weft.policy.model.LoadBalancing.Algorithm;
import io.weft.policy.model.NameTable;
import io.weft.policy.model.NamedFilter;
import io.weft.policy.model.OutlierDetection;
import io.weft.policy.model.PolicySnapshot;
import io.weft.policy.model.Resending;
import io.weft.policy.model.Resilience;
import io.weft.policy.model.RetryPolicy;
import io.weft.policy.model.RetryPolicy.BackOff;
import io.weft.policy.model.RetryPolicy.Conditions;
import io.weft.policy.model.RetryPolicy.HostSelection;
import io.weft.policy.model.RetryPolicy.PerTry;
import io.weft.policy.model.Route;
import io.weft.policy.model.RouteAction;
import io.weft.policy.model.RouteAction.ClusterChoice;
import io.weft.policy.model.RouteAction.Rewrite;
import io.weft.policy.model.RouteAction.Timeouts;
import io.weft.policy.model.RouteAction.WeightedCluster;
import io.weft.policy.model.RouteConfiguration;
import io.weft.policy.model.RouteMatch;
import io.weft.policy.model.RouteMatch.PathMatch;
import io.weft.policy.model.RoutingPriority;
import io.weft.policy.model.TransportSockets;
import io.weft.policy.model.VirtualHost;
import io.weft.policy.model.VirtualHost.AttemptCount;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Writes down policies in few words. */
public final class Policies {
    private Policies() {}

    public static RouteMatch match(PathMatch path) {
        return new RouteMatch(path, true, List.of(), List.of(), Optional.empty(), false);
    }

    public static RouteMatch any() {
        return match(new RouteMatch.Prefix("/"));
    }

    public static Route route(RouteMatch match, RouteAction action) {
        return new Route("", match, action, HeaderChanges.NONE, FilterOverrides.NONE);
    }

    public static Route to(String cluster) {
        return route(any(), forward(cluster));
    }

    public static RouteAction.Forward forward(String cluster) {
        return forward(WeightedCluster.of(cluster, 1));
    }

    public static RouteAction.Forward forward(WeightedCluster... clusters) {
        return new RouteAction.Forward(
                ClusterChoice.of(clusters), Rewrite.NONE, Resending.NONE, Timeouts.NONE, List.of(), Map.of(), RoutingPriority.DEFAULT);
    }

    public static RouteAction.Forward forward(String cluster, RetryPolicy retry, Duration timeout) {
        return new RouteAction.Forward(
                ClusterChoice.of(WeightedCluster.of(cluster, 1)),
                Rewrite.NONE,
                Resending.of(retry),
                Timeouts.of(timeout),
                List.of(),
                Map.of(), RoutingPriority.DEFAULT);
    }

    /** To the cluster, sent more than once as that says. */
    public static RouteAction.Forward forward(String cluster, Resending resending, Duration timeout) {
        return new RouteAction.Forward(
                ClusterChoice.of(WeightedCluster.of(cluster, 1)),
                Rewrite.NONE,
                resending,
                Timeouts.of(timeout),
                List.of(),
                Map.of(),
                RoutingPriority.DEFAULT);
    }

    public static RetryPolicy retryOn(int retries, RetryPolicy.On... on) {
        return retry(retries, Conditions.on(on));
    }

    public static RetryPolicy retry(int retries, Conditions conditions) {
        return retry(retries, conditions, HostSelection.ANY);
    }

    public static RetryPolicy retry(int retries, Conditions conditions, HostSelection hosts) {
        return new RetryPolicy(conditions, retries, PerTry.NO_LIMIT, BackOff.DEFAULT, Optional.empty(), hosts);
    }

    public static Addition addition(String name, String value, HeaderChanges.Action action) {
        return new Addition(name, Format.of(value), action, false);
    }

    public static VirtualHost host(String domain, Route... routes) {
        return host(List.of(domain), routes);
    }

    public static VirtualHost host(List<String> domains, Route... routes) {
        return new VirtualHost(
                domains.get(0),
                domains,
                List.of(routes),
                false,
                AttemptCount.NOWHERE,
                Resending.NONE,
                HeaderChanges.NONE,
                FilterOverrides.NONE);
    }

    public static RouteConfiguration routes(VirtualHost... hosts) {
        return new RouteConfiguration("routes", List.of(hosts), false, false, HeaderChanges.NONE, FilterOverrides.NONE);
    }

    public static LbEndpoint endpoint(int port) {
        return endpoint(port, 1, Health.HEALTHY);
    }

    public static LbEndpoint endpoint(int port, int weight, Health health) {
        return new LbEndpoint(new HostPort("127.0.0.1", port), "", weight, health, Map.of(), Map.of());
    }

    public static LocalityEndpoints priority(int priority, LbEndpoint... endpoints) {
        return new LocalityEndpoints(Locality.UNKNOWN, priority, 0, List.of(endpoints));
    }

    /** Of the default priority. */
    public static CircuitBreakers limits(int connections, int pending, int requests, int retries) {
        return new CircuitBreakers(
                new Thresholds(connections, pending, requests, retries, Optional.empty(), Integer.MAX_VALUE), Thresholds.DEFAULT);
    }

    public static ClusterBuilder cluster(String name) {
        return new ClusterBuilder(name);
    }

    /** A cluster with EDS, round robin and nothing else, until told otherwise. */
    public static final class ClusterBuilder {
        private final String name;
        private LoadBalancing loadBalancing = LoadBalancing.of(LoadBalancing.RoundRobin.DEFAULT);
        private Resilience resilience = Resilience.DEFAULT;
        private TransportSockets transport = TransportSockets.PLAINTEXT;
        /** Null: EDS. */
        private Cluster.Discovery discovery;

        private ClusterBuilder(String name) {
            this.name = name;
        }

        public ClusterBuilder with(Algorithm algorithm) {
            return with(new LoadBalancing(
                    algorithm, loadBalancing.subsets(), loadBalancing.panicThreshold(), loadBalancing.overrideHost()));
        }

        public ClusterBuilder with(LoadBalancing loadBalancing) {
            this.loadBalancing = loadBalancing;
            return this;
        }

        public ClusterBuilder with(CircuitBreakers circuitBreakers) {
            resilience = resilience.with(circuitBreakers);
            return this;
        }

        public ClusterBuilder with(HealthCheck healthCheck) {
            resilience = resilience.with(healthCheck);
            return this;
        }

        public ClusterBuilder with(OutlierDetection outlierDetection) {
            resilience = resilience.with(outlierDetection);
            return this;
        }

        /** @param max how long a stream to it may take */
        public ClusterBuilder lasting(Duration max) {
            resilience = new Resilience(
                    resilience.connectTimeout(), max, resilience.circuitBreakers(), resilience.outlierDetection(), resilience.healthCheck());
            return this;
        }

        public ClusterBuilder panicBelow(int percent) {
            return with(new LoadBalancing(
                    loadBalancing.algorithm(), loadBalancing.subsets(), percent, loadBalancing.overrideHost()));
        }

        public ClusterBuilder with(Cluster.Discovery discovery) {
            this.discovery = discovery;
            return this;
        }

        public ClusterBuilder with(TransportSockets transport) {
            this.transport = transport;
            return this;
        }

        public Cluster build() {
            return new Cluster(
                    name,
                    discovery == null ? new Cluster.Eds(name) : discovery,
                    loadBalancing,
                    resilience,
                    transport,
                    HttpVersion.HTTP_1_1,
                    true,
                    Map.of());
        }
    }

    public static SnapshotBuilder snapshot() {
        return new SnapshotBuilder();
    }

    /** Listeners, routes, clusters and their endpoints. */
    public static final class SnapshotBuilder {
        private final Map<String, Listener> listeners = new HashMap<>();
        private final Map<String, RouteConfiguration> configurations = new HashMap<>();
        private final Map<String, Cluster> clusters = new HashMap<>();
        private final Map<String, EndpointAssignment> assignments = new HashMap<>();
        private NameTable names = NameTable.EMPTY;
        private long generation;

        public SnapshotBuilder generation(long generation) {
            this.generation = generation;
            return this;
        }

        /** An outbound listener on 0.0.0.0:80. */
        public SnapshotBuilder routes(VirtualHost... hosts) {
            return routes(Policies.routes(hosts));
        }

        public SnapshotBuilder routes(RouteConfiguration configuration) {
            return listener("outbound", Listener.Kind.OUTBOUND, new HostPort("0.0.0.0", 80), configuration);
        }

        public SnapshotBuilder listener(
                String name, Listener.Kind kind, HostPort address, RouteConfiguration configuration) {
            return listener(name, kind, address, List.of(), configuration);
        }

        public SnapshotBuilder listener(
                String name,
                Listener.Kind kind,
                HostPort address,
                List<NamedFilter> filters,
                RouteConfiguration configuration) {
            return listener(name, kind, address, filters, Edge.NONE, configuration);
        }

        public SnapshotBuilder listener(
                String name,
                Listener.Kind kind,
                HostPort address,
                List<NamedFilter> filters,
                Edge edge,
                RouteConfiguration configuration) {
            return listener(
                    name, kind, address,
                    new HttpConnectionManager(name, new HttpConnectionManager.Named(name + "-routes"), filters, edge, StreamLimits.NONE),
                    configuration);
        }

        /** @param manager its routes are named as {@code name-routes} */
        public SnapshotBuilder listener(
                String name, Listener.Kind kind, HostPort address, HttpConnectionManager manager, RouteConfiguration configuration) {
            String routes = name + "-routes";
            FilterChain chain = FilterChain.plaintext(manager);
            listeners.put(name, new Listener(name, kind, address, List.of(chain)));
            configurations.put(routes, configuration);
            return this;
        }

        /** What the control plane's name service answers. */
        public SnapshotBuilder names(Map<String, List<String>> addresses) {
            Map<String, NameTable.Host> hosts = new HashMap<>();
            addresses.forEach((name, of) -> hosts.put(name, new NameTable.Host(of, Optional.empty())));
            names = new NameTable(hosts);
            return this;
        }

        public SnapshotBuilder cluster(ClusterBuilder cluster, LbEndpoint... endpoints) {
            return cluster(cluster, priority(0, endpoints));
        }

        public SnapshotBuilder cluster(ClusterBuilder cluster, LocalityEndpoints... localities) {
            Cluster built = cluster.build();
            clusters.put(built.name(), built);
            assignments.put(built.name(), new EndpointAssignment(built.name(), List.of(localities), 140, false));
            return this;
        }

        /** Clusters of one endpoint each. */
        public SnapshotBuilder cluster(String name, int... ports) {
            List<LbEndpoint> endpoints = new ArrayList<>();
            for (int port : ports) {
                endpoints.add(endpoint(port));
            }
            return cluster(Policies.cluster(name), endpoints.toArray(new LbEndpoint[0]));
        }

        public SnapshotBuilder add(Listener listener) {
            listeners.put(listener.name(), listener);
            return this;
        }

        public SnapshotBuilder add(Cluster cluster) {
            clusters.put(cluster.name(), cluster);
            return this;
        }

        public PolicySnapshot build() {
            return new PolicySnapshot(generation, listeners, configurations, clusters, assignments, Map.of(), names, List.of());
        }
    }
}
