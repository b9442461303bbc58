package io.weft.it.comparison;

import com.google.protobuf.Any;
import com.google.protobuf.Struct;
import com.google.protobuf.UInt32Value;
import com.google.protobuf.UInt64Value;
import com.google.protobuf.Value;
import io.envoyproxy.envoy.config.cluster.v3.Cluster;
import io.envoyproxy.envoy.config.cluster.v3.Cluster.CommonLbConfig;
import io.envoyproxy.envoy.config.cluster.v3.Cluster.LbPolicy;
import io.envoyproxy.envoy.config.cluster.v3.Cluster.LbSubsetConfig;
import io.envoyproxy.envoy.config.cluster.v3.Cluster.LbSubsetConfig.LbSubsetFallbackPolicy;
import io.envoyproxy.envoy.config.cluster.v3.Cluster.LbSubsetConfig.LbSubsetSelector;
import io.envoyproxy.envoy.config.cluster.v3.Cluster.LbSubsetConfig.LbSubsetSelector.LbSubsetSelectorFallbackPolicy;
import io.envoyproxy.envoy.config.cluster.v3.Cluster.RingHashLbConfig.HashFunction;
import io.envoyproxy.envoy.config.core.v3.DataSource;
import io.envoyproxy.envoy.config.core.v3.HealthStatus;
import io.envoyproxy.envoy.config.core.v3.Locality;
import io.envoyproxy.envoy.config.core.v3.Metadata;
import io.envoyproxy.envoy.config.core.v3.SubstitutionFormatString;
import io.envoyproxy.envoy.config.endpoint.v3.ClusterLoadAssignment;
import io.envoyproxy.envoy.config.endpoint.v3.LbEndpoint;
import io.envoyproxy.envoy.config.endpoint.v3.LocalityLbEndpoints;
import io.envoyproxy.envoy.config.route.v3.Route;
import io.envoyproxy.envoy.config.route.v3.RouteAction;
import io.envoyproxy.envoy.config.route.v3.RouteAction.HashPolicy;
import io.envoyproxy.envoy.config.route.v3.RouteConfiguration;
import io.envoyproxy.envoy.config.route.v3.RouteMatch;
import io.envoyproxy.envoy.config.route.v3.VirtualHost;
import io.envoyproxy.envoy.extensions.filters.common.set_filter_state.v3.FilterStateValue;
import io.envoyproxy.envoy.extensions.filters.http.set_filter_state.v3.Config;
import io.envoyproxy.envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager;
import io.envoyproxy.envoy.extensions.filters.network.http_connection_manager.v3.HttpFilter;
import io.envoyproxy.envoy.type.v3.Percent;
import io.weft.it.comparison.Request.Client;
import io.weft.it.harness.Policy;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/**
 * Balancers over endpoints with weights, localities, priorities, health and metadata. Where a hash decides, the endpoint of
 * each key must be the same; elsewhere how often each endpoint is chosen.
 */
final class BalanceArea implements Area {
    private static final int REQUESTS = 100;
    private static final int FIRST_ENDPOINT = 7;
    private static final String LB = "envoy.lb";
    private static final String HASHABLE = "hashable";
    private static final String NOT_HASHABLE = "not-hashable";
    private static final HttpConnectionManager WITH_STATE = HttpConnectionManager.newBuilder()
            .addHttpFilters(HttpFilter.newBuilder()
                    .setName("state")
                    .setTypedConfig(Any.pack(Config.newBuilder()
                            .addOnRequestHeaders(state(HASHABLE, "envoy.hashable_string", "%REQ(x-a)%"))
                            .addOnRequestHeaders(state(NOT_HASHABLE, "envoy.string", "%REQ(x-key)%"))
                            .build())))
            .build();

    private final Clusters clusters;

    BalanceArea(Clusters clusters) {
        this.clusters = clusters;
    }

    @Override
    public String name() {
        return "balance";
    }

    @Override
    public String summary() {
        return "balancers and hash policies over weights, localities, priorities, health and subsets";
    }

    @Override
    public int share() {
        return 10;
    }

    @Override
    public Case draw(Draw draw) {
        boolean hashes = draw.chance(75);
        boolean states = hashes && draw.chance(40);
        boolean subsets = draw.chance(25);
        Cluster.Builder cluster = clusters.of(Case.ID + "-balance").toBuilder();
        boolean localityWeights = draw.chance(20);
        cluster.setLoadAssignment(assignment(draw, cluster.getName(), localityWeights));
        CommonLbConfig.Builder common = CommonLbConfig.newBuilder();
        if (draw.chance(40)) {
            common.setHealthyPanicThreshold(Percent.newBuilder().setValue(draw.oneOf(0, 30, 50, 100)));
        }
        if (localityWeights) {
            common.setLocalityWeightedLbConfig(CommonLbConfig.LocalityWeightedLbConfig.getDefaultInstance());
        }
        cluster.setCommonLbConfig(common);
        if (hashes) {
            hashing(draw, cluster);
        } else {
            cluster.setLbPolicy(draw.oneOf(LbPolicy.ROUND_ROBIN, LbPolicy.RANDOM, LbPolicy.LEAST_REQUEST));
        }
        RouteAction.Builder action = RouteAction.newBuilder().setCluster(cluster.getName());
        if (subsets) {
            subsets(draw, cluster, action);
        }
        if (hashes) {
            action.addAllHashPolicy(hashPolicies(draw, states));
        }
        VirtualHost host = VirtualHost.newBuilder()
                .setName(Case.ID)
                .addDomains(Case.HOST + ":" + Case.PORT)
                .addRoutes(Route.newBuilder().setMatch(RouteMatch.newBuilder().setPrefix("/")).setRoute(action))
                .build();
        return new Case(
                name(),
                states ? WITH_STATE : HttpConnectionManager.getDefaultInstance(),
                RouteConfiguration.newBuilder().addVirtualHosts(host).build(),
                List.of(cluster.build()),
                hashes ? draw.several(6, 12, () -> keyed(draw)) : Collections.nCopies(REQUESTS, Request.get(Case.HOST, "/")),
                hashes ? Judgement.EXACT : Judgement.DISTRIBUTION);
    }

    private static FilterStateValue state(String key, String factory, String format) {
        return FilterStateValue.newBuilder()
                .setObjectKey(key)
                .setFactoryKey(factory)
                .setFormatString(SubstitutionFormatString.newBuilder()
                        .setTextFormatSource(DataSource.newBuilder().setInlineString(format))
                        .setOmitEmptyValues(true))
                .setSkipIfEmpty(true)
                .build();
    }

    private ClusterLoadAssignment assignment(Draw draw, String name, boolean localityWeights) {
        ClusterLoadAssignment.Builder assignment = ClusterLoadAssignment.newBuilder().setClusterName(name);
        List<Integer> endpoints = new ArrayList<>();
        for (int i = FIRST_ENDPOINT; i < Upstreams.COUNT; i++) {
            endpoints.add(i);
        }
        int localities = draw.chance(50) ? 1 : draw.between(2, 4);
        int priority = 0;
        for (int i = 0; i < localities; i++) {
            LocalityLbEndpoints.Builder locality = LocalityLbEndpoints.newBuilder().setLocality(Locality.newBuilder().setRegion("here").setZone("z" + i));
            if (i > 0 && draw.chance(40)) {
                priority++;
            }
            locality.setPriority(priority);
            if (localityWeights) {
                locality.setLoadBalancingWeight(UInt32Value.of(draw.between(1, 5)));
            }
            for (int e = draw.between(1, 5); e > 0; e--) {
                locality.addLbEndpoints(endpoint(draw, endpoints.remove(draw.between(0, endpoints.size() - 1))));
            }
            assignment.addEndpoints(locality);
        }
        if (draw.chance(20)) {
            assignment.setPolicy(ClusterLoadAssignment.Policy.newBuilder().setOverprovisioningFactor(UInt32Value.of(draw.oneOf(100, 140, 200))));
        }
        return assignment.build();
    }

    private LbEndpoint endpoint(Draw draw, int number) {
        LbEndpoint.Builder endpoint = Policy.endpoint(clusters.address(number)).toBuilder();
        if (draw.chance(40)) {
            endpoint.setLoadBalancingWeight(UInt32Value.of(draw.between(1, 10)));
        }
        if (draw.chance(20)) {
            endpoint.setHealthStatus(draw.oneOf(HealthStatus.UNHEALTHY, HealthStatus.DEGRADED, HealthStatus.HEALTHY, HealthStatus.TIMEOUT, HealthStatus.DRAINING));
        }
        Struct.Builder labels = Struct.newBuilder();
        if (draw.chance(70)) {
            labels.putFields("version", Value.newBuilder().setStringValue(draw.oneOf("v1", "v2")).build());
        }
        if (draw.chance(40)) {
            labels.putFields("stage", Value.newBuilder().setStringValue(draw.oneOf("prod", "test")).build());
        }
        if (draw.chance(15)) {
            labels.putFields("hash_key", Value.newBuilder().setStringValue("key-" + number).build());
        }
        return endpoint.setMetadata(Metadata.newBuilder().putFilterMetadata(LB, labels.build())).build();
    }

    private static void hashing(Draw draw, Cluster.Builder cluster) {
        if (draw.chance(60)) {
            cluster.setLbPolicy(LbPolicy.RING_HASH);
            Cluster.RingHashLbConfig.Builder ring = Cluster.RingHashLbConfig.newBuilder();
            if (draw.chance(50)) {
                ring.setMinimumRingSize(UInt64Value.of(draw.oneOf(1, 2, 16, 100, 1024)));
            }
            if (draw.chance(30)) {
                ring.setMaximumRingSize(UInt64Value.of(draw.oneOf(1024, 2000, 8_000_000)));
            }
            if (draw.chance(30)) {
                ring.setHashFunction(HashFunction.MURMUR_HASH_2);
            }
            cluster.setRingHashLbConfig(ring);
        } else {
            cluster.setLbPolicy(LbPolicy.MAGLEV);
            if (draw.chance(60)) {
                cluster.setMaglevLbConfig(Cluster.MaglevLbConfig.newBuilder().setTableSize(UInt64Value.of(draw.oneOf(7, 101, 1009, 65537))));
            }
        }
    }

    private static void subsets(Draw draw, Cluster.Builder cluster, RouteAction.Builder action) {
        LbSubsetConfig.Builder subsets = LbSubsetConfig.newBuilder()
                .setFallbackPolicy(draw.oneOf(LbSubsetFallbackPolicy.NO_FALLBACK, LbSubsetFallbackPolicy.ANY_ENDPOINT, LbSubsetFallbackPolicy.DEFAULT_SUBSET))
                .setDefaultSubset(Struct.newBuilder().putFields("version", Value.newBuilder().setStringValue("v1").build()));
        LbSubsetSelector.Builder version = LbSubsetSelector.newBuilder().addKeys("version");
        if (draw.chance(40)) {
            version.setFallbackPolicy(draw.oneOf(
                    LbSubsetSelectorFallbackPolicy.NO_FALLBACK, LbSubsetSelectorFallbackPolicy.ANY_ENDPOINT, LbSubsetSelectorFallbackPolicy.DEFAULT_SUBSET));
        }
        subsets.addSubsetSelectors(version);
        if (draw.chance(50)) {
            LbSubsetSelector.Builder both = LbSubsetSelector.newBuilder().addKeys("stage").addKeys("version");
            if (draw.chance(30)) {
                both.setFallbackPolicy(LbSubsetSelectorFallbackPolicy.KEYS_SUBSET).addFallbackKeysSubset("version");
            }
            subsets.addSubsetSelectors(both);
        }
        if (draw.chance(20)) {
            subsets.setPanicModeAny(true);
        }
        cluster.setLbSubsetConfig(subsets);
        if (draw.chance(80)) {
            Struct.Builder wanted = Struct.newBuilder().putFields("version", Value.newBuilder().setStringValue(draw.oneOf("v1", "v2", "v3")).build());
            if (draw.chance(35)) {
                wanted.putFields("stage", Value.newBuilder().setStringValue(draw.oneOf("prod", "test", "none")).build());
            }
            action.setMetadataMatch(Metadata.newBuilder().putFilterMetadata(LB, wanted.build()));
        }
    }

    /** The last one finds something in every request: without a hash the endpoint would be left to chance. */
    private static List<HashPolicy> hashPolicies(Draw draw, boolean states) {
        List<HashPolicy> policies = new ArrayList<>(draw.several(0, 2, () -> {
            HashPolicy.Builder policy = HashPolicy.newBuilder();
            switch (states && draw.chance(60) ? -1 : draw.between(0, 3)) {
                case -1 -> policy.setFilterState(HashPolicy.FilterState.newBuilder().setKey(draw.oneOf(HASHABLE, HASHABLE, NOT_HASHABLE, "nothing")));
                case 0 -> policy.setHeader(HashPolicy.Header.newBuilder().setHeaderName(Vocabulary.headerName(draw)));
                case 1 -> policy.setHeader(HashPolicy.Header.newBuilder().setHeaderName("x-a").setRegexRewrite(RoutingArea.rewrite(draw)));
                case 2 -> policy.setQueryParameter(HashPolicy.QueryParameter.newBuilder().setName(draw.oneOf("q", "r", "Q")));
                default -> policy.setCookie(HashPolicy.Cookie.newBuilder().setName(draw.oneOf("session", "other")));
            }
            return policy.setTerminal(draw.chance(40)).build();
        }));
        policies.add(HashPolicy.newBuilder().setHeader(HashPolicy.Header.newBuilder().setHeaderName("x-key")).build());
        return policies;
    }

    private static Request keyed(Draw draw) {
        List<String> headers = new ArrayList<>(Vocabulary.headers(draw));
        headers.add("x-key: " + draw.oneOf("alice", "bob", Integer.toString(draw.between(0, 1_000_000)), "k/" + draw.between(0, 99)));
        if (draw.chance(40)) {
            headers.add("cookie: " + draw.oneOf("session=1", "other=2; session=abc", "session=\"quoted\"", "sess=1; session=", "a=b"));
        }
        String target = draw.chance(50) ? "/?" + Vocabulary.query(draw) : "/";
        return new Request(Client.draw(draw), "GET", Case.HOST, target, headers, "", "200");
    }
}
