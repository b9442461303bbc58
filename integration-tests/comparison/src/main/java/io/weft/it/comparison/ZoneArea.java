package io.weft.it.comparison;

import com.google.protobuf.UInt32Value;
import com.google.protobuf.UInt64Value;
import io.envoyproxy.envoy.config.cluster.v3.Cluster;
import io.envoyproxy.envoy.config.cluster.v3.Cluster.CommonLbConfig;
import io.envoyproxy.envoy.config.cluster.v3.Cluster.LbPolicy;
import io.envoyproxy.envoy.config.core.v3.HealthStatus;
import io.envoyproxy.envoy.config.core.v3.Locality;
import io.envoyproxy.envoy.config.endpoint.v3.ClusterLoadAssignment;
import io.envoyproxy.envoy.config.endpoint.v3.LbEndpoint;
import io.envoyproxy.envoy.config.endpoint.v3.LocalityLbEndpoints;
import io.envoyproxy.envoy.config.route.v3.Route;
import io.envoyproxy.envoy.config.route.v3.RouteAction;
import io.envoyproxy.envoy.config.route.v3.RouteConfiguration;
import io.envoyproxy.envoy.config.route.v3.RouteMatch;
import io.envoyproxy.envoy.config.route.v3.VirtualHost;
import io.envoyproxy.envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager;
import io.envoyproxy.envoy.type.v3.Percent;
import io.weft.it.harness.Policy;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Endpoints in zones, for senders in zones: zone aware routing, and weights of localities. */
final class ZoneArea implements Area {
    static final String OWN = "z0";
    static final String LOCAL_CLUSTER = "senders";
    /** The senders of each zone. */
    static final Map<String, Integer> INSTANCES = new TreeMap<>(Map.of("z0", 2, "z1", 1, "z2", 1));

    private static final int FIRST_ENDPOINT = 7;
    private static final int REQUESTS = 200;

    private final Clusters clusters;

    ZoneArea(Clusters clusters) {
        this.clusters = clusters;
    }

    /** As Envoy has it from its bootstrap. Nobody is called there. */
    static Cluster localCluster(Clusters clusters) {
        Cluster.Builder cluster = clusters.of(LOCAL_CLUSTER).toBuilder();
        ClusterLoadAssignment.Builder assignment = ClusterLoadAssignment.newBuilder().setClusterName(LOCAL_CLUSTER);
        int endpoint = FIRST_ENDPOINT;
        for (Map.Entry<String, Integer> zone : INSTANCES.entrySet()) {
            LocalityLbEndpoints.Builder locality = LocalityLbEndpoints.newBuilder().setLocality(Locality.newBuilder().setZone(zone.getKey()));
            for (int i = 0; i < zone.getValue(); i++) {
                locality.addLbEndpoints(Policy.endpoint(clusters.address(endpoint++)));
            }
            assignment.addEndpoints(locality);
        }
        return cluster.setLoadAssignment(assignment).build();
    }

    @Override
    public String name() {
        return "zones";
    }

    @Override
    public String summary() {
        return "zone aware routing and weights of localities, by how often each endpoint is chosen";
    }

    @Override
    public int share() {
        return 3;
    }

    @Override
    public Case draw(Draw draw) {
        boolean weights = draw.chance(30);
        Cluster.Builder cluster = clusters.of(Case.ID + "-zones").toBuilder()
                .setLbPolicy(draw.oneOf(LbPolicy.ROUND_ROBIN, LbPolicy.RANDOM, LbPolicy.LEAST_REQUEST));
        CommonLbConfig.Builder common = CommonLbConfig.newBuilder();
        if (weights) {
            common.setLocalityWeightedLbConfig(CommonLbConfig.LocalityWeightedLbConfig.getDefaultInstance());
        } else if (draw.chance(85)) {
            common.setZoneAwareLbConfig(zoneAware(draw));
        }
        if (draw.chance(40)) {
            common.setHealthyPanicThreshold(Percent.newBuilder().setValue(draw.oneOf(0, 30, 50, 100)));
        }
        cluster.setCommonLbConfig(common).setLoadAssignment(assignment(draw, cluster.getName(), weights));
        VirtualHost host = VirtualHost.newBuilder()
                .setName(Case.ID)
                .addDomains(Case.HOST + ":" + Case.PORT)
                .addRoutes(Route.newBuilder()
                        .setMatch(RouteMatch.newBuilder().setPrefix("/"))
                        .setRoute(RouteAction.newBuilder().setCluster(cluster.getName())))
                .build();
        return new Case(
                name(),
                HttpConnectionManager.getDefaultInstance(),
                RouteConfiguration.newBuilder().addVirtualHosts(host).build(),
                List.of(cluster.build()),
                Collections.nCopies(REQUESTS, Request.get(Case.HOST, "/")),
                Judgement.DISTRIBUTION);
    }

    private static CommonLbConfig.ZoneAwareLbConfig zoneAware(Draw draw) {
        CommonLbConfig.ZoneAwareLbConfig.Builder zones = CommonLbConfig.ZoneAwareLbConfig.newBuilder();
        if (draw.chance(70)) {
            zones.setMinClusterSize(UInt64Value.of(draw.between(1, 6)));
        }
        if (draw.chance(30)) {
            zones.setRoutingEnabled(Percent.newBuilder().setValue(draw.oneOf(0, 50, 100)));
        }
        return zones.setFailTrafficOnPanic(draw.chance(20)).build();
    }

    private ClusterLoadAssignment assignment(Draw draw, String name, boolean weights) {
        ClusterLoadAssignment.Builder assignment = ClusterLoadAssignment.newBuilder().setClusterName(name);
        int endpoint = FIRST_ENDPOINT;
        int first = draw.chance(85) ? 0 : 1;
        for (int zone = first; zone < first + draw.between(1, 3); zone++) {
            LocalityLbEndpoints.Builder locality = LocalityLbEndpoints.newBuilder().setLocality(Locality.newBuilder().setZone("z" + zone));
            if (weights) {
                locality.setLoadBalancingWeight(UInt32Value.of(draw.between(1, 5)));
            }
            for (int i = draw.between(1, 4); i > 0; i--) {
                locality.addLbEndpoints(endpoint(draw, endpoint++));
            }
            assignment.addEndpoints(locality);
        }
        return assignment.build();
    }

    private LbEndpoint endpoint(Draw draw, int number) {
        LbEndpoint.Builder endpoint = Policy.endpoint(clusters.address(number)).toBuilder();
        if (draw.chance(15)) {
            endpoint.setHealthStatus(draw.oneOf(HealthStatus.UNHEALTHY, HealthStatus.DEGRADED));
        }
        if (draw.chance(20)) {
            endpoint.setLoadBalancingWeight(UInt32Value.of(draw.between(1, 4)));
        }
        return endpoint.build();
    }
}
