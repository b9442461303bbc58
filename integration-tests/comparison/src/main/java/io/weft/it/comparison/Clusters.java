package io.weft.it.comparison;

import com.google.protobuf.UInt32Value;
import com.google.protobuf.util.Durations;
import io.envoyproxy.envoy.config.cluster.v3.CircuitBreakers;
import io.envoyproxy.envoy.config.cluster.v3.Cluster;
import io.envoyproxy.envoy.config.endpoint.v3.ClusterLoadAssignment;
import io.envoyproxy.envoy.config.endpoint.v3.LocalityLbEndpoints;
import io.weft.it.harness.Policy;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;

/** The clusters that every case may use: each has one endpoint, so where a request arrives says which cluster was chosen. */
final class Clusters {
    /** Names of clusters with one endpoint each. */
    static final List<String> FIXED = List.of("fixed-0", "fixed-1", "fixed-2", "fixed-3", "fixed-4", "fixed-5");

    /** A cluster whose endpoint refuses connections. */
    static final String REFUSING = "fixed-refusing";

    /** The app, for requests that come in. */
    static final String APP = "fixed-app";

    /** A cluster without an endpoint. */
    static final String EMPTY = "fixed-empty";

    private static final UInt32Value NO_LIMIT = UInt32Value.of(1_000_000);

    private final Upstreams upstreams;
    private final List<Cluster> fixed = new ArrayList<>();

    Clusters(Upstreams upstreams) {
        this.upstreams = upstreams;
        for (int i = 0; i < FIXED.size(); i++) {
            fixed.add(of(FIXED.get(i), i));
        }
        fixed.add(of(REFUSING, Upstreams.REFUSING));
        fixed.add(of(EMPTY));
        fixed.add(of(APP, Upstreams.APP));
        fixed.add(ZoneArea.localCluster(this));
    }

    Policy addTo(Policy policy) {
        Policy with = policy;
        for (Cluster cluster : fixed) {
            with = with.cluster(cluster);
        }
        return with;
    }

    InetSocketAddress address(int endpoint) {
        return upstreams.address(endpoint);
    }

    /** A cluster with these endpoints of {@link Upstreams}, without limits: cases run side by side. */
    Cluster of(String name, int... endpoints) {
        LocalityLbEndpoints.Builder locality = LocalityLbEndpoints.newBuilder();
        for (int endpoint : endpoints) {
            locality.addLbEndpoints(Policy.endpoint(upstreams.address(endpoint)));
        }
        return Cluster.newBuilder()
                .setName(name)
                .setType(Cluster.DiscoveryType.STATIC)
                .setConnectTimeout(Durations.fromSeconds(1))
                .setCircuitBreakers(CircuitBreakers.newBuilder()
                        .addThresholds(CircuitBreakers.Thresholds.newBuilder()
                                .setMaxConnections(NO_LIMIT)
                                .setMaxPendingRequests(NO_LIMIT)
                                .setMaxRequests(NO_LIMIT)
                                .setMaxRetries(NO_LIMIT)))
                .setLoadAssignment(ClusterLoadAssignment.newBuilder().setClusterName(name).addEndpoints(locality))
                .build();
    }
}
