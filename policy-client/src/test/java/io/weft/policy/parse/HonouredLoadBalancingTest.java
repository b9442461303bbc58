package io.weft.policy.parse;

import static io.weft.policy.parse.Samples.*;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import com.google.protobuf.MessageLite;
import io.weft.policy.model.EndpointAssignment.Health;
import io.weft.policy.model.HashPolicy;
import io.weft.policy.model.LoadBalancing;
import io.weft.policy.model.LoadBalancing.ConsistentHashing;
import io.weft.policy.model.LoadBalancing.HashFunction;
import io.weft.policy.model.LoadBalancing.LocalityWeighted;
import io.weft.policy.model.LoadBalancing.SlowStart;
import io.weft.policy.model.LoadBalancing.ZoneAware;
import io.weft.policy.model.RouteAction;
import io.weft.policy.model.RouteAction.Forward;
import io.weft.policy.model.RouteAction.ReplaceRegex;
import io.weft.policy.model.RouteConfiguration;
import io.weft.policy.model.SubsetBalancing;
import io.weft.policy.model.SubsetBalancing.Fallback;
import io.weft.policy.model.SubsetBalancing.Selector;
import io.weft.policy.model.SubsetBalancing.SelectorFallback;
import io.weft.policy.parse.ParseOutcome.Accepted;
import io.weft.policy.proto.envoy.config.cluster.v3.Cluster;
import io.weft.policy.proto.envoy.config.cluster.v3.Cluster.CommonLbConfig;
import io.weft.policy.proto.envoy.config.cluster.v3.Cluster.LbPolicy;
import io.weft.policy.proto.envoy.config.cluster.v3.Cluster.LbSubsetConfig;
import io.weft.policy.proto.envoy.config.cluster.v3.Cluster.LbSubsetConfig.LbSubsetSelector;
import io.weft.policy.proto.envoy.config.cluster.v3.LoadBalancingPolicy;
import io.weft.policy.proto.envoy.config.core.v3.HealthStatus;
import io.weft.policy.proto.envoy.config.core.v3.HealthStatusSet;
import io.weft.policy.proto.envoy.config.core.v3.Metadata;
import io.weft.policy.proto.envoy.config.core.v3.RuntimeDouble;
import io.weft.policy.proto.envoy.config.core.v3.TypedExtensionConfig;
import io.weft.policy.proto.envoy.config.route.v3.RouteAction.HashPolicy.Cookie;
import io.weft.policy.proto.envoy.config.route.v3.RouteAction.HashPolicy.CookieAttribute;
import io.weft.policy.proto.envoy.extensions.load_balancing_policies.client_side_weighted_round_robin.v3.ClientSideWeightedRoundRobin;
import io.weft.policy.proto.envoy.extensions.load_balancing_policies.common.v3.ConsistentHashingLbConfig;
import io.weft.policy.proto.envoy.extensions.load_balancing_policies.common.v3.LocalityLbConfig;
import io.weft.policy.proto.envoy.extensions.load_balancing_policies.common.v3.SlowStartConfig;
import io.weft.policy.proto.envoy.extensions.load_balancing_policies.least_request.v3.LeastRequest;
import io.weft.policy.proto.envoy.extensions.load_balancing_policies.maglev.v3.Maglev;
import io.weft.policy.proto.envoy.extensions.load_balancing_policies.random.v3.Random;
import io.weft.policy.proto.envoy.extensions.load_balancing_policies.ring_hash.v3.RingHash;
import io.weft.policy.proto.envoy.extensions.load_balancing_policies.round_robin.v3.RoundRobin;
import io.weft.policy.proto.envoy.extensions.load_balancing_policies.subset.v3.Subset;
import io.weft.policy.proto.envoy.extensions.load_balancing_policies.wrr_locality.v3.WrrLocality;
import io.weft.policy.proto.envoy.type.matcher.v3.RegexMatchAndSubstitute;
import io.weft.policy.proto.envoy.type.v3.Percent;
import io.weft.policy.proto.protobuf.FloatValue;
import io.weft.policy.proto.protobuf.Struct;
import io.weft.policy.proto.protobuf.UInt64Value;
import io.weft.policy.proto.protobuf.Value;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

/** What a cluster says of load balancing, in both forms, and what a route adds to it. */
class HonouredLoadBalancingTest {

    private static LoadBalancing balancing(Consumer<Cluster.Builder> change) {
        ParseOutcome outcome = parse(cluster(change));
        assertThat(outcome).isInstanceOf(Accepted.class);
        assertThat(((Accepted) outcome).unhonoured()).isEmpty();
        return ((io.weft.policy.model.Cluster) ((Accepted) outcome).resource()).loadBalancing();
    }

    private static LoadBalancing.Algorithm typed(MessageLite policy) {
        return balancing(c -> c.setLoadBalancingPolicy(policies(policy))).algorithm();
    }

    private static LoadBalancingPolicy policies(MessageLite policy) {
        return LoadBalancingPolicy.newBuilder()
                .addPolicies(LoadBalancingPolicy.Policy.newBuilder()
                        .setTypedExtensionConfig(TypedExtensionConfig.newBuilder().setName("lb").setTypedConfig(any(policy))))
                .build();
    }

    private static UInt64Value uint64(long value) {
        return UInt64Value.newBuilder().setValue(value).build();
    }

    private static Percent percent(double value) {
        return Percent.newBuilder().setValue(value).build();
    }

    private static RuntimeDouble runtime(double value) {
        return RuntimeDouble.newBuilder().setDefaultValue(value).build();
    }

    private static Struct struct(String key, String value) {
        return Struct.newBuilder().putFields(key, Value.newBuilder().setStringValue(value).build()).build();
    }

    @Test
    void theOldPoliciesWithTheirDefaults() {
        assertThat(balancing(c -> {})).isEqualTo(LoadBalancing.of(LoadBalancing.RoundRobin.DEFAULT));
        assertThat(balancing(c -> c.setLbPolicy(LbPolicy.RANDOM)).algorithm()).isEqualTo(LoadBalancing.Random.DEFAULT);
        assertThat(balancing(c -> c.setLbPolicy(LbPolicy.LEAST_REQUEST)).algorithm())
                .isEqualTo(LoadBalancing.LeastRequest.of(2, 1));
        assertThat(balancing(c -> c.setLbPolicy(LbPolicy.RING_HASH)).algorithm()).isEqualTo(LoadBalancing.RingHash.DEFAULT);
        assertThat(balancing(c -> c.setLbPolicy(LbPolicy.MAGLEV)).algorithm()).isEqualTo(LoadBalancing.Maglev.DEFAULT);
    }

    @Test
    void theOldPoliciesInEveryDetail() {
        assertThat(balancing(c -> c.setLbPolicy(LbPolicy.LEAST_REQUEST)
                                .setLeastRequestLbConfig(Cluster.LeastRequestLbConfig.newBuilder()
                                        .setChoiceCount(uint32(5))
                                        .setActiveRequestBias(runtime(0.5))
                                        .setSlowStartConfig(Cluster.SlowStartConfig.newBuilder()
                                                .setSlowStartWindow(seconds(60))
                                                .setAggression(runtime(2))
                                                .setMinWeightPercent(percent(25)))))
                        .algorithm())
                .isEqualTo(new LoadBalancing.LeastRequest(
                        OptionalInt.of(5), 0.5, Optional.of(new SlowStart(Duration.ofSeconds(60), 2, 25)), ZoneAware.DEFAULT));
        assertThat(balancing(c -> c.setRoundRobinLbConfig(Cluster.RoundRobinLbConfig.newBuilder()
                                .setSlowStartConfig(Cluster.SlowStartConfig.newBuilder().setSlowStartWindow(seconds(3)))))
                        .algorithm())
                .isEqualTo(new LoadBalancing.RoundRobin(
                        Optional.of(new SlowStart(Duration.ofSeconds(3), 1, 10)), ZoneAware.DEFAULT));
        CommonLbConfig weighted = CommonLbConfig.newBuilder()
                .setLocalityWeightedLbConfig(CommonLbConfig.LocalityWeightedLbConfig.getDefaultInstance())
                .setConsistentHashingLbConfig(
                        CommonLbConfig.ConsistentHashingLbConfig.newBuilder().setHashBalanceFactor(uint32(125)))
                .build();
        assertThat(balancing(c -> c.setLbPolicy(LbPolicy.RING_HASH)
                                .setCommonLbConfig(weighted)
                                .setRingHashLbConfig(Cluster.RingHashLbConfig.newBuilder()
                                        .setHashFunction(Cluster.RingHashLbConfig.HashFunction.MURMUR_HASH_2)
                                        .setMinimumRingSize(uint64(7))
                                        .setMaximumRingSize(uint64(99))))
                        .algorithm())
                .isEqualTo(new LoadBalancing.RingHash(
                        HashFunction.MURMUR_HASH_2, 7, 99, new ConsistentHashing(false, 125), true));
        assertThat(balancing(c -> c.setLbPolicy(LbPolicy.MAGLEV)
                                .setCommonLbConfig(weighted)
                                .setMaglevLbConfig(Cluster.MaglevLbConfig.newBuilder().setTableSize(uint64(997))))
                        .algorithm())
                .isEqualTo(new LoadBalancing.Maglev(997, new ConsistentHashing(false, 125), true));
        assertThat(balancing(c -> c.setLbPolicy(LbPolicy.MAGLEV)
                                .clearEdsClusterConfig()
                                .setType(Cluster.DiscoveryType.STRICT_DNS)
                                .setLoadAssignment(assignment(e -> {}))
                                .setCommonLbConfig(CommonLbConfig.newBuilder().setConsistentHashingLbConfig(
                                        CommonLbConfig.ConsistentHashingLbConfig.newBuilder().setUseHostnameForHashing(true))))
                        .algorithm())
                .isEqualTo(new LoadBalancing.Maglev(65_537, new ConsistentHashing(true, 0), false));
    }

    @Test
    void whatIsCommonToAllOldPolicies() {
        CommonLbConfig zones = CommonLbConfig.newBuilder()
                .setZoneAwareLbConfig(CommonLbConfig.ZoneAwareLbConfig.newBuilder()
                        .setRoutingEnabled(percent(50))
                        .setMinClusterSize(uint64(3))
                        .setFailTrafficOnPanic(true))
                .build();
        assertThat(balancing(c -> c.setCommonLbConfig(zones)).algorithm())
                .isEqualTo(new LoadBalancing.RoundRobin(Optional.empty(), new ZoneAware(50, 3, true, false)));
        assertThat(balancing(c -> c.setLbPolicy(LbPolicy.RANDOM).setCommonLbConfig(CommonLbConfig.newBuilder()
                                .setLocalityWeightedLbConfig(CommonLbConfig.LocalityWeightedLbConfig.getDefaultInstance())))
                        .algorithm())
                .isEqualTo(new LoadBalancing.Random(new LocalityWeighted()));
        LoadBalancing common = balancing(c -> c.setCommonLbConfig(CommonLbConfig.newBuilder()
                .setHealthyPanicThreshold(percent(12.5))
                .setOverrideHostStatus(HealthStatusSet.newBuilder()
                        .addStatuses(HealthStatus.DRAINING)
                        .addStatuses(HealthStatus.UNKNOWN))));
        assertThat(common.panicThreshold()).isEqualTo(13);
        assertThat(common.overrideHost()).isEqualTo(Set.of(Health.DRAINING, Health.HEALTHY));
        assertThat(balancing(c -> c.setCommonLbConfig(
                                CommonLbConfig.newBuilder().setOverrideHostStatus(HealthStatusSet.getDefaultInstance())))
                        .overrideHost())
                .isEmpty();
    }

    @Test
    void thePoliciesAsExtensions() {
        LocalityLbConfig weighted = LocalityLbConfig.newBuilder()
                .setLocalityWeightedLbConfig(LocalityLbConfig.LocalityWeightedLbConfig.getDefaultInstance())
                .build();
        SlowStartConfig slow = SlowStartConfig.newBuilder().setSlowStartWindow(seconds(9)).build();
        Optional<SlowStart> slowStart = Optional.of(new SlowStart(Duration.ofSeconds(9), 1, 10));
        assertThat(typed(RoundRobin.newBuilder().setLocalityLbConfig(weighted).setSlowStartConfig(slow).build()))
                .isEqualTo(new LoadBalancing.RoundRobin(slowStart, new LocalityWeighted()));
        assertThat(typed(Random.newBuilder()
                        .setLocalityLbConfig(LocalityLbConfig.newBuilder()
                                .setZoneAwareLbConfig(LocalityLbConfig.ZoneAwareLbConfig.newBuilder()
                                        .setForceLocalityDirectRouting(true)))
                        .build()))
                .isEqualTo(new LoadBalancing.Random(new ZoneAware(100, 6, false, true)));
        assertThat(typed(LeastRequest.newBuilder()
                        .setSelectionMethod(LeastRequest.SelectionMethod.FULL_SCAN)
                        .setSlowStartConfig(slow)
                        .setActiveRequestBias(runtime(0))
                        .build()))
                .isEqualTo(new LoadBalancing.LeastRequest(OptionalInt.empty(), 0, slowStart, ZoneAware.DEFAULT));
        assertThat(typed(RingHash.newBuilder()
                        .setHashFunction(RingHash.HashFunction.MURMUR_HASH_2)
                        .setMinimumRingSize(uint64(1))
                        .setConsistentHashingLbConfig(ConsistentHashingLbConfig.newBuilder().setHashBalanceFactor(uint32(100)))
                        .setLocalityWeightedLbConfig(LocalityLbConfig.LocalityWeightedLbConfig.getDefaultInstance())
                        .build()))
                .isEqualTo(new LoadBalancing.RingHash(HashFunction.MURMUR_HASH_2, 1, LoadBalancing.RingHash.MAX_SIZE,
                        new ConsistentHashing(false, 100), true));
        assertThat(typed(Maglev.newBuilder()
                        .setTableSize(uint64(11))
                        .setConsistentHashingLbConfig(ConsistentHashingLbConfig.newBuilder().setUseHostnameForHashing(true))
                        .build()))
                .isEqualTo(new LoadBalancing.Maglev(11, new ConsistentHashing(true, 0), false));
    }

    @Test
    void clientSideWeightsAloneAndBelowWeightedLocalities() {
        ClientSideWeightedRoundRobin config = ClientSideWeightedRoundRobin.newBuilder()
                .setBlackoutPeriod(seconds(1))
                .setWeightExpirationPeriod(seconds(2))
                .setWeightUpdatePeriod(millis(1))
                .setErrorUtilizationPenalty(FloatValue.newBuilder().setValue(1.5f))
                .addMetricNamesForComputingUtilization("named_metrics.queue")
                .build();
        assertThat(typed(config)).isEqualTo(new LoadBalancing.ClientSideWeightedRoundRobin(
                Duration.ofSeconds(1), Duration.ofSeconds(2), Duration.ofMillis(100), 1.5f, List.of("named_metrics.queue"),
                ZoneAware.DEFAULT));
        assertThat(typed(WrrLocality.newBuilder()
                        .setEndpointPickingPolicy(policies(ClientSideWeightedRoundRobin.getDefaultInstance()))
                        .build()))
                .isEqualTo(new LoadBalancing.ClientSideWeightedRoundRobin(Duration.ofSeconds(10), Duration.ofSeconds(180),
                        Duration.ofSeconds(1), 0, List.of(), new LocalityWeighted()));
    }

    @Test
    void ofExtensionsTheFirstThatIsKnownCounts() {
        LoadBalancingPolicy list = LoadBalancingPolicy.newBuilder()
                .addPolicies(LoadBalancingPolicy.Policy.newBuilder()
                        .setTypedExtensionConfig(TypedExtensionConfig.newBuilder().setTypedConfig(any("x.FromTheFuture"))))
                .addAllPolicies(policies(Random.getDefaultInstance()).getPoliciesList())
                .addAllPolicies(policies(Maglev.getDefaultInstance()).getPoliciesList())
                .build();
        Accepted accepted = (Accepted) parse(cluster(c -> c.setLoadBalancingPolicy(list)));

        assertThat(((io.weft.policy.model.Cluster) accepted.resource()).loadBalancing().algorithm())
                .isEqualTo(LoadBalancing.Random.DEFAULT);
        assertThat(accepted.unhonoured()).extracting(unhonoured -> unhonoured.path())
                .containsExactly("load_balancing_policy.policies[0].typed_extension_config (x.FromTheFuture)");
    }

    @Test
    void endpointsThatARequestNames() {
        Accepted accepted = (Accepted) parse(cluster(c -> c.setLoadBalancingPolicy(overrideHost(
                ByteString.copyFromUtf8("\n\b\n\u0006X-Host"), ByteString.copyFromUtf8("\n\u0002\u0012\u0000")))));

        assertThat(((io.weft.policy.model.Cluster) accepted.resource()).loadBalancing().algorithm())
                .isEqualTo(new LoadBalancing.OverrideHost(List.of("x-host"), LoadBalancing.Random.DEFAULT));
        assertThat(accepted.unhonoured()).extracting(unhonoured -> unhonoured.path()).containsExactly(
                "load_balancing_policy.policies[0].typed_extension_config.typed_config.override_host_sources[1].metadata");
    }

    /** The API artifact has no class for it: sources are field 1, the fallback is field 3. */
    private static LoadBalancingPolicy overrideHost(ByteString... sources) {
        ByteString fallback = policies(Random.getDefaultInstance()).toByteString();
        ByteString config = ByteString.copyFrom(List.of(sources))
                .concat(ByteString.copyFrom(new byte[] {3 << 3 | 2, (byte) fallback.size()}))
                .concat(fallback);
        return LoadBalancingPolicy.newBuilder()
                .addPolicies(LoadBalancingPolicy.Policy.newBuilder().setTypedExtensionConfig(TypedExtensionConfig.newBuilder()
                        .setTypedConfig(any("envoy.extensions.load_balancing_policies.override_host.v3.OverrideHost").toBuilder()
                                .setValue(config))))
                .build();
    }

    @Test
    void subsetsInBothForms() {
        SubsetBalancing expected = new SubsetBalancing(
                Fallback.DEFAULT_SUBSET,
                Map.of("version", "v1"),
                List.of(
                        new Selector(List.of("stage", "version"), SelectorFallback.KEYS_SUBSET, List.of("stage"), false),
                        new Selector(List.of("stage"), SelectorFallback.NOT_DEFINED, List.of(), true)),
                false,
                true,
                true,
                true,
                true,
                true);
        LbSubsetConfig config = LbSubsetConfig.newBuilder()
                .setFallbackPolicy(LbSubsetConfig.LbSubsetFallbackPolicy.DEFAULT_SUBSET)
                .setDefaultSubset(struct("version", "v1"))
                .addSubsetSelectors(LbSubsetSelector.newBuilder()
                        .addKeys("version")
                        .addKeys("stage")
                        .setFallbackPolicy(LbSubsetSelector.LbSubsetSelectorFallbackPolicy.KEYS_SUBSET)
                        .addFallbackKeysSubset("stage"))
                .addSubsetSelectors(LbSubsetSelector.newBuilder().addKeys("stage").setSingleHostPerSubset(true))
                .setLocalityWeightAware(true)
                .setScaleLocalityWeight(true)
                .setPanicModeAny(true)
                .setListAsAny(true)
                .setMetadataFallbackPolicy(LbSubsetConfig.LbSubsetMetadataFallbackPolicy.FALLBACK_LIST)
                .build();
        assertThat(balancing(c -> c.setLbSubsetConfig(config)).subsets()).contains(expected);

        LoadBalancing typed = balancing(c -> c.setLoadBalancingPolicy(policies(Subset.newBuilder()
                .setFallbackPolicy(Subset.LbSubsetFallbackPolicy.DEFAULT_SUBSET)
                .setDefaultSubset(struct("version", "v1"))
                .addSubsetSelectors(Subset.LbSubsetSelector.newBuilder()
                        .addKeys("version")
                        .addKeys("stage")
                        .setFallbackPolicy(Subset.LbSubsetSelector.LbSubsetSelectorFallbackPolicy.KEYS_SUBSET)
                        .addFallbackKeysSubset("stage"))
                .addSubsetSelectors(Subset.LbSubsetSelector.newBuilder().addKeys("stage").setSingleHostPerSubset(true))
                .setLocalityWeightAware(true)
                .setScaleLocalityWeight(true)
                .setPanicModeAny(true)
                .setListAsAny(true)
                .setMetadataFallbackPolicy(Subset.LbSubsetMetadataFallbackPolicy.FALLBACK_LIST)
                .setSubsetLbPolicy(policies(Random.getDefaultInstance()))
                .build())));
        assertThat(typed.subsets()).contains(expected);
        assertThat(typed.algorithm()).isEqualTo(LoadBalancing.Random.DEFAULT);
        assertThat(balancing(c -> c.setLoadBalancingPolicy(policies(Subset.newBuilder()
                                .setAllowRedundantKeys(true)
                                .setSubsetLbPolicy(policies(Random.getDefaultInstance()))
                                .build())))
                        .subsets())
                .get()
                .matches(SubsetBalancing::allowRedundantKeys);
    }

    @Test
    void whatARouteHashes() {
        Forward forward = forward(withAction(a -> a
                .addHashPolicy(policy().setTerminal(true).setHeader(
                        io.weft.policy.proto.envoy.config.route.v3.RouteAction.HashPolicy.Header.newBuilder()
                                .setHeaderName("X-User")
                                .setRegexRewrite(RegexMatchAndSubstitute.newBuilder()
                                        .setPattern(regex("@.*"))
                                        .setSubstitution(""))))
                .addHashPolicy(policy().setCookie(Cookie.newBuilder()
                        .setName("session")
                        .setTtl(millis(1500 % 1000).toBuilder().setSeconds(1))
                        .setPath("/p")
                        .addAttributes(CookieAttribute.newBuilder().setName("SameSite").setValue("Strict"))))
                .addHashPolicy(policy().setCookie(Cookie.newBuilder().setName("given")))
                .addHashPolicy(policy().setConnectionProperties(
                        io.weft.policy.proto.envoy.config.route.v3.RouteAction.HashPolicy.ConnectionProperties.newBuilder()
                                .setSourceIp(true)))
                .addHashPolicy(policy().setConnectionProperties(
                        io.weft.policy.proto.envoy.config.route.v3.RouteAction.HashPolicy.ConnectionProperties
                                .getDefaultInstance()))
                .addHashPolicy(policy().setQueryParameter(
                        io.weft.policy.proto.envoy.config.route.v3.RouteAction.HashPolicy.QueryParameter.newBuilder()
                                .setName("q")))
                .addHashPolicy(policy().setFilterState(
                        io.weft.policy.proto.envoy.config.route.v3.RouteAction.HashPolicy.FilterState.newBuilder()
                                .setKey("k")))));

        assertThat(forward.hashPolicies()).containsExactly(
                new HashPolicy.Header("x-user", Optional.of(new ReplaceRegex("@.*", "")), true),
                new HashPolicy.Cookie("session", Optional.of(Duration.ofSeconds(1)), "/p",
                        List.of(Map.entry("SameSite", "Strict")), false),
                new HashPolicy.Cookie("given", Optional.empty(), "", List.of(), false),
                new HashPolicy.SourceAddress(false),
                new HashPolicy.QueryParameter("q", false),
                new HashPolicy.FilterState("k", false));
    }

    private static io.weft.policy.proto.envoy.config.route.v3.RouteAction.HashPolicy.Builder policy() {
        return io.weft.policy.proto.envoy.config.route.v3.RouteAction.HashPolicy.newBuilder();
    }

    @Test
    void whichEndpointsARouteAndAWeightedClusterMean() {
        Metadata metadata = Metadata.newBuilder().putFilterMetadata("envoy.lb", struct("version", "v1")).build();

        assertThat(forward(withAction(a -> a.setMetadataMatch(metadata))).metadataMatch()).isEqualTo(Map.of("version", "v1"));
        assertThat(forward(weighted(w -> w.setClusters(0, weight("v1", 90).toBuilder().setMetadataMatch(metadata)))).clusters().weighted())
                .extracting(RouteAction.WeightedCluster::metadataMatch)
                .containsExactly(Map.of("version", "v1"), Map.of());
    }

    private static Forward forward(io.weft.policy.proto.envoy.config.route.v3.RouteConfiguration routes) {
        Accepted accepted = (Accepted) parse(routes);
        assertThat(accepted.unhonoured()).isEmpty();
        return (Forward) ((RouteConfiguration) accepted.resource()).virtualHosts().get(0).routes().get(0).action();
    }
}
