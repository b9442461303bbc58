package io.weft.policy.parse;

import static io.weft.policy.parse.Samples.*;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import com.google.protobuf.MessageLite;
import io.weft.policy.parse.ParseOutcome.Refused;
import io.weft.policy.proto.envoy.config.cluster.v3.CircuitBreakers;
import io.weft.policy.proto.envoy.config.cluster.v3.CircuitBreakers.Thresholds;
import io.weft.policy.proto.envoy.config.cluster.v3.Cluster;
import io.weft.policy.proto.envoy.config.cluster.v3.Cluster.DiscoveryType;
import io.weft.policy.proto.envoy.config.cluster.v3.Cluster.LbPolicy;
import io.weft.policy.proto.envoy.config.cluster.v3.Cluster.LbSubsetConfig.LbSubsetSelector;
import io.weft.policy.proto.envoy.config.cluster.v3.LoadBalancingPolicy;
import io.weft.policy.proto.envoy.config.cluster.v3.OutlierDetection;
import io.weft.policy.proto.envoy.config.core.v3.Address;
import io.weft.policy.proto.envoy.config.core.v3.CidrRange;
import io.weft.policy.proto.envoy.config.core.v3.ConfigSource;
import io.weft.policy.proto.envoy.config.core.v3.DataSource;
import io.weft.policy.proto.envoy.config.core.v3.EnvoyInternalAddress;
import io.weft.policy.proto.envoy.config.core.v3.ExtensionConfigSource;
import io.weft.policy.proto.envoy.config.core.v3.HeaderValue;
import io.weft.policy.proto.envoy.config.core.v3.HeaderValueOption;
import io.weft.policy.proto.envoy.config.core.v3.HealthCheck;
import io.weft.policy.proto.envoy.config.core.v3.HttpProtocolOptions;
import io.weft.policy.proto.envoy.config.core.v3.KeyValueMutation;
import io.weft.policy.proto.envoy.config.core.v3.Pipe;
import io.weft.policy.proto.envoy.config.core.v3.RuntimeDouble;
import io.weft.policy.proto.envoy.config.core.v3.RuntimeFractionalPercent;
import io.weft.policy.proto.envoy.config.core.v3.SocketAddress;
import io.weft.policy.proto.envoy.config.core.v3.SubstitutionFormatString;
import io.weft.policy.proto.envoy.config.core.v3.TrafficDirection;
import io.weft.policy.proto.envoy.config.core.v3.TypedExtensionConfig;
import io.weft.policy.proto.envoy.config.endpoint.v3.ClusterLoadAssignment;
import io.weft.policy.proto.envoy.config.endpoint.v3.LedsClusterLocalityConfig;
import io.weft.policy.proto.envoy.config.endpoint.v3.LocalityLbEndpoints;
import io.weft.policy.proto.envoy.config.listener.v3.AdditionalAddress;
import io.weft.policy.proto.envoy.config.listener.v3.FilterChainMatch;
import io.weft.policy.proto.envoy.config.listener.v3.ListenerFilter;
import io.weft.policy.proto.envoy.config.route.v3.ClusterSpecifierPlugin;
import io.weft.policy.proto.envoy.config.route.v3.DirectResponseAction;
import io.weft.policy.proto.envoy.config.route.v3.FilterAction;
import io.weft.policy.proto.envoy.config.route.v3.FilterConfig;
import io.weft.policy.proto.envoy.config.route.v3.HedgePolicy;
import io.weft.policy.proto.envoy.config.route.v3.InternalRedirectPolicy;
import io.weft.policy.proto.envoy.config.route.v3.RateLimit;
import io.weft.policy.proto.envoy.config.route.v3.RedirectAction;
import io.weft.policy.proto.envoy.config.route.v3.RetryPolicy.RateLimitedRetryBackOff;
import io.weft.policy.proto.envoy.config.route.v3.RetryPolicy.ResetHeader;
import io.weft.policy.proto.envoy.config.route.v3.RetryPolicy.RetryBackOff;
import io.weft.policy.proto.envoy.config.route.v3.RetryPolicy.RetryHostPredicate;
import io.weft.policy.proto.envoy.config.route.v3.RetryPolicy.RetryPriority;
import io.weft.policy.proto.envoy.config.route.v3.Route;
import io.weft.policy.proto.envoy.config.route.v3.RouteAction;
import io.weft.policy.proto.envoy.config.route.v3.RouteAction.RequestMirrorPolicy;
import io.weft.policy.proto.envoy.config.route.v3.RouteMatch;
import io.weft.policy.proto.envoy.config.route.v3.Vhds;
import io.weft.policy.proto.envoy.config.route.v3.VirtualHost.TlsRequirementType;
import io.weft.policy.proto.envoy.config.route.v3.WeightedCluster;
import io.weft.policy.proto.envoy.extensions.common.ratelimit.v3.LocalRateLimitDescriptor;
import io.weft.policy.proto.envoy.extensions.common.ratelimit.v3.RateLimitDescriptor;
import io.weft.policy.proto.envoy.extensions.filters.common.fault.v3.FaultDelay;
import io.weft.policy.proto.envoy.extensions.filters.common.set_filter_state.v3.FilterStateValue;
import io.weft.policy.proto.envoy.extensions.filters.http.buffer.v3.Buffer;
import io.weft.policy.proto.envoy.extensions.filters.http.fault.v3.FaultAbort;
import io.weft.policy.proto.envoy.extensions.filters.http.fault.v3.HTTPFault;
import io.weft.policy.proto.envoy.extensions.filters.http.header_mutation.v3.HeaderMutation;
import io.weft.policy.proto.envoy.extensions.filters.http.header_mutation.v3.Mutations;
import io.weft.policy.proto.envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit;
import io.weft.policy.proto.envoy.extensions.filters.http.router.v3.Router;
import io.weft.policy.proto.envoy.extensions.filters.http.set_filter_state.v3.Config;
import io.weft.policy.proto.envoy.extensions.filters.http.stateful_session.v3.StatefulSession;
import io.weft.policy.proto.envoy.extensions.filters.http.stateful_session.v3.StatefulSessionPerRoute;
import io.weft.policy.proto.envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager;
import io.weft.policy.proto.envoy.extensions.filters.network.http_connection_manager.v3.HttpFilter;
import io.weft.policy.proto.envoy.extensions.filters.network.http_connection_manager.v3.LocalReplyConfig;
import io.weft.policy.proto.envoy.extensions.filters.network.http_connection_manager.v3.Rds;
import io.weft.policy.proto.envoy.extensions.filters.network.http_connection_manager.v3.ScopedRoutes;
import io.weft.policy.proto.envoy.extensions.http.stateful_session.cookie.v3.CookieBasedSessionState;
import io.weft.policy.proto.envoy.extensions.http.stateful_session.header.v3.HeaderBasedSessionState;
import io.weft.policy.proto.envoy.extensions.load_balancing_policies.client_side_weighted_round_robin.v3.ClientSideWeightedRoundRobin;
import io.weft.policy.proto.envoy.extensions.load_balancing_policies.common.v3.ConsistentHashingLbConfig;
import io.weft.policy.proto.envoy.extensions.load_balancing_policies.common.v3.LocalityLbConfig;
import io.weft.policy.proto.envoy.extensions.load_balancing_policies.common.v3.SlowStartConfig;
import io.weft.policy.proto.envoy.extensions.load_balancing_policies.least_request.v3.LeastRequest;
import io.weft.policy.proto.envoy.extensions.load_balancing_policies.maglev.v3.Maglev;
import io.weft.policy.proto.envoy.extensions.load_balancing_policies.random.v3.Random;
import io.weft.policy.proto.envoy.extensions.load_balancing_policies.ring_hash.v3.RingHash;
import io.weft.policy.proto.envoy.extensions.load_balancing_policies.subset.v3.Subset;
import io.weft.policy.proto.envoy.extensions.load_balancing_policies.wrr_locality.v3.WrrLocality;
import io.weft.policy.proto.envoy.extensions.retry.priority.previous_priorities.v3.PreviousPrioritiesConfig;
import io.weft.policy.proto.envoy.type.matcher.v3.FilterStateMatcher;
import io.weft.policy.proto.envoy.type.matcher.v3.MetadataMatcher;
import io.weft.policy.proto.envoy.type.matcher.v3.RegexMatchAndSubstitute;
import io.weft.policy.proto.envoy.type.matcher.v3.StringMatcher;
import io.weft.policy.proto.envoy.type.metadata.v3.MetadataKey;
import io.weft.policy.proto.envoy.type.v3.CodecClientType;
import io.weft.policy.proto.envoy.type.v3.FractionalPercent;
import io.weft.policy.proto.envoy.type.v3.Int64Range;
import io.weft.policy.proto.envoy.type.v3.Percent;
import io.weft.policy.proto.envoy.type.v3.TokenBucket;
import io.weft.policy.proto.protobuf.Any;
import io.weft.policy.proto.protobuf.Duration;
import io.weft.policy.proto.protobuf.FloatValue;
import io.weft.policy.proto.protobuf.Struct;
import io.weft.policy.proto.protobuf.UInt32Value;
import io.weft.policy.proto.protobuf.UInt64Value;
import io.weft.policy.proto.xds.type.matcher.v3.Matcher;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Every path that the parser refuses, one case each: the path and a part of the reason. */
@SuppressWarnings("deprecation") // what older control planes send is refused, too
class RefusedTest {

    record Case(String path, String reason, MessageLite resource) {
        @Override
        public String toString() {
            return resource.getClass().getSimpleName() + " " + path + ": " + reason;
        }
    }

    @ParameterizedTest
    @MethodSource({"clusters", "loadBalancing", "outliers", "circuitBreakers", "healthChecks", "assignments", "addresses", "listeners", "managers", "httpFilters"})
    @MethodSource({"configurations", "hosts", "routes", "matches", "actions", "weightedClusters", "retries", "headers"})
    void namesTheFieldAndTheReason(Case refused) {
        ParseOutcome outcome = parse(refused.resource());

        assertThat(outcome).isInstanceOf(Refused.class);
        Refused refusal = (Refused) outcome;
        assertThat(refusal.path()).isEqualTo(refused.path());
        assertThat(refusal.reason()).contains(refused.reason());
        assertThat(refusal.message()).startsWith(refusal.type().label()).contains(refused.path() + ": ");
    }

    @Test
    void theMessageNamesTheResource() {
        assertThat(((Refused) parse(cluster(c -> c.setLbPolicy(LbPolicy.CLUSTER_PROVIDED)))).message())
                .startsWith("Cluster 'orders': lb_policy: CLUSTER_PROVIDED is only for");
    }

    static Stream<Case> clusters() {
        return Stream.of(
                new Case("name", "must not be empty", cluster(c -> c.clearName())),
                new Case("transport_socket", "plaintext", cluster(c -> c.setTransportSocket(UNKNOWN_SOCKET))),
                new Case("transport_socket_matches[1].transport_socket", "plaintext", cluster(c -> c
                        .addTransportSocketMatches(transportSocket("plain", RAW_BUFFER))
                        .addTransportSocketMatches(transportSocket("quic", UNKNOWN_SOCKET)))),
                new Case("transport_socket_matches[0].name", "must not be empty",
                        cluster(c -> c.addTransportSocketMatches(transportSocket("", RAW_BUFFER)))),
                new Case("upstream_config", "not supported",
                        cluster(c -> c.setUpstreamConfig(TypedExtensionConfig.newBuilder().setName("x")))),
                new Case("filters[0]", "not supported", cluster(c -> c.addFilters(
                        io.weft.policy.proto.envoy.config.cluster.v3.Filter.newBuilder().setName("x")))),
                new Case("typed_extension_protocol_options[\"http\"].http_filters[0].typed_config", "not enforced",
                        cluster(c -> c.putTypedExtensionProtocolOptions("http", any(
                                io.weft.policy.proto.envoy.extensions.upstreams.http.v3.HttpProtocolOptions.newBuilder()
                                        .addHttpFilters(httpFilter("rbac.v3.RBAC"))
                                        .build())))),
                new Case("typed_extension_protocol_options[\"http\"]", "not a valid", cluster(c ->
                        c.putTypedExtensionProtocolOptions("http",
                                any("envoy.extensions.upstreams.http.v3.HttpProtocolOptions").toBuilder()
                                        .setValue(ByteString.copyFromUtf8("\n"))
                                        .build()))),
                new Case("connect_timeout", "greater than zero", cluster(c -> c.setConnectTimeout(seconds(0)))),
                new Case("connect_timeout", "not a valid duration", cluster(c ->
                        c.setConnectTimeout(Duration.newBuilder().setSeconds(1).setNanos(-1)))),
                new Case("cluster_type", "custom", cluster(c ->
                        c.setClusterType(Cluster.CustomClusterType.newBuilder().setName("envoy.clusters.aggregate")))),
                new Case("load_assignment", "one endpoint", cluster(c -> c.clearEdsClusterConfig()
                        .setType(DiscoveryType.LOGICAL_DNS)
                        .setLoadAssignment(ClusterLoadAssignment.newBuilder().setClusterName("orders")))),
                new Case("dns_failure_refresh_rate.base_interval", "missing", cluster(c -> c.clearEdsClusterConfig()
                        .setType(DiscoveryType.STRICT_DNS)
                        .setLoadAssignment(assignment(e -> {}))
                        .setDnsFailureRefreshRate(Cluster.RefreshRate.newBuilder().setMaxInterval(seconds(1))))),
                new Case("dns_failure_refresh_rate.max_interval", "less than", cluster(c -> c.clearEdsClusterConfig()
                        .setType(DiscoveryType.STRICT_DNS)
                        .setLoadAssignment(assignment(e -> {}))
                        .setDnsFailureRefreshRate(Cluster.RefreshRate.newBuilder()
                                .setBaseInterval(seconds(2)).setMaxInterval(seconds(1))))),
                new Case("type", "unknown", cluster(c -> c.clearEdsClusterConfig().setTypeValue(99))),
                new Case("eds_cluster_config", "only for", cluster(c -> c.setType(DiscoveryType.STATIC))),
                new Case("eds_cluster_config", "missing", cluster(c -> c.clearEdsClusterConfig())),
                new Case("eds_cluster_config.eds_config", "only ads", cluster(c -> c.setEdsClusterConfig(
                        Cluster.EdsClusterConfig.newBuilder().setEdsConfig(ConfigSource.newBuilder().setPath("/eds"))))),
                new Case("load_assignment", "only for", cluster(c -> c.setLoadAssignment(assignment(e -> {})))),
                new Case("load_assignment", "missing",
                        cluster(c -> c.clearEdsClusterConfig().setType(DiscoveryType.STRICT_DNS))),
                new Case("load_assignment.endpoints[0].lb_endpoints[0].endpoint.address.socket_address.address",
                        "STRICT_DNS", staticCluster(e -> e.setEndpoint(endpointAt(address("orders.local", 80))))),
                new Case("dns_refresh_rate", "more than 1ms", cluster(c -> c.clearEdsClusterConfig()
                        .setType(DiscoveryType.STRICT_DNS)
                        .setLoadAssignment(assignment(e -> {}))
                        .setDnsRefreshRate(millis(1)))),
                new Case("original_dst_lb_config", "only for",
                        cluster(c -> c.setOriginalDstLbConfig(Cluster.OriginalDstLbConfig.getDefaultInstance()))),
                new Case("lb_policy", "CLUSTER_PROVIDED",
                        cluster(c -> c.clearEdsClusterConfig().setType(DiscoveryType.ORIGINAL_DST))),
                new Case("transport_socket", "must be plaintext", withCommonTls(context -> {}).toBuilder()
                        .clearEdsClusterConfig().setType(DiscoveryType.ORIGINAL_DST).setLbPolicy(LbPolicy.CLUSTER_PROVIDED).build()),
                originalDestination("use_http_header", Cluster.OriginalDstLbConfig.newBuilder().setUseHttpHeader(true)),
                originalDestination("upstream_port_override",
                        Cluster.OriginalDstLbConfig.newBuilder().setUpstreamPortOverride(uint32(80))),
                originalDestination("metadata_key",
                        Cluster.OriginalDstLbConfig.newBuilder().setMetadataKey(MetadataKey.getDefaultInstance())),
                new Case("common_lb_config.healthy_panic_threshold", "0 to 100", cluster(c -> c.setCommonLbConfig(
                        Cluster.CommonLbConfig.newBuilder().setHealthyPanicThreshold(Percent.newBuilder().setValue(101))))),
                new Case("common_lb_config.healthy_panic_threshold", "0 to 100", cluster(c -> c.setCommonLbConfig(
                        Cluster.CommonLbConfig.newBuilder()
                                .setHealthyPanicThreshold(Percent.newBuilder().setValue(Double.NaN))))));
    }

    private static Case originalDestination(String field, Cluster.OriginalDstLbConfig.Builder config) {
        return new Case("original_dst_lb_config." + field, "not supported", cluster(c -> c.clearEdsClusterConfig()
                .setType(DiscoveryType.ORIGINAL_DST)
                .setLbPolicy(LbPolicy.CLUSTER_PROVIDED)
                .setOriginalDstLbConfig(config)));
    }

    private static Case typed(String field, String reason, Any policy) {
        return new Case("load_balancing_policy.policies[0].typed_extension_config.typed_config" + field, reason,
                cluster(c -> c.setLoadBalancingPolicy(policies(policy))));
    }

    private static LoadBalancingPolicy policies(Any policy) {
        return LoadBalancingPolicy.newBuilder()
                .addPolicies(LoadBalancingPolicy.Policy.newBuilder()
                        .setTypedExtensionConfig(TypedExtensionConfig.newBuilder().setName("lb").setTypedConfig(policy)))
                .build();
    }

    private static Cluster.LbSubsetConfig subsets(Consumer<LbSubsetSelector.Builder> change) {
        LbSubsetSelector.Builder selector = LbSubsetSelector.newBuilder();
        change.accept(selector);
        return Cluster.LbSubsetConfig.newBuilder().addSubsetSelectors(selector).build();
    }

    private static UInt64Value uint64(long value) {
        return UInt64Value.newBuilder().setValue(value).build();
    }

    static Stream<Case> loadBalancing() {
        return Stream.of(
                new Case("lb_policy", "only for", cluster(c -> c.setLbPolicy(LbPolicy.CLUSTER_PROVIDED))),
                new Case("load_balancing_policy", "missing",
                        cluster(c -> c.setLbPolicy(LbPolicy.LOAD_BALANCING_POLICY_CONFIG))),
                new Case("lb_policy", "unknown", cluster(c -> c.setLbPolicyValue(42))),
                new Case("lb_subset_config", "CLUSTER_PROVIDED", cluster(c -> c.setLbPolicy(LbPolicy.CLUSTER_PROVIDED)
                        .setLbSubsetConfig(subsets(s -> s.addKeys("version"))))),
                new Case("load_balancing_policy.policies", "no policy",
                        cluster(c -> c.setLoadBalancingPolicy(LoadBalancingPolicy.getDefaultInstance()))),
                new Case("load_balancing_policy.policies", "x.FromTheFuture",
                        cluster(c -> c.setLoadBalancingPolicy(policies(any("x.FromTheFuture"))))),
                new Case("lb_subset_config", "cannot be combined", cluster(c -> c
                        .setLoadBalancingPolicy(policies(any(Random.getDefaultInstance())))
                        .setLbSubsetConfig(subsets(s -> s.addKeys("version"))))),
                new Case("common_lb_config.zone_aware_lb_config", "cannot be combined", cluster(c -> c
                        .setLoadBalancingPolicy(policies(any(Random.getDefaultInstance())))
                        .setCommonLbConfig(Cluster.CommonLbConfig.newBuilder().setZoneAwareLbConfig(
                                Cluster.CommonLbConfig.ZoneAwareLbConfig.getDefaultInstance())))),
                new Case("common_lb_config.locality_weighted_lb_config", "cannot be combined", cluster(c -> c
                        .setLoadBalancingPolicy(policies(any(Random.getDefaultInstance())))
                        .setCommonLbConfig(Cluster.CommonLbConfig.newBuilder().setLocalityWeightedLbConfig(
                                Cluster.CommonLbConfig.LocalityWeightedLbConfig.getDefaultInstance())))),
                new Case("common_lb_config.consistent_hashing_lb_config", "cannot be combined", cluster(c -> c
                        .setLoadBalancingPolicy(policies(any(Random.getDefaultInstance())))
                        .setCommonLbConfig(Cluster.CommonLbConfig.newBuilder().setConsistentHashingLbConfig(
                                Cluster.CommonLbConfig.ConsistentHashingLbConfig.getDefaultInstance())))),
                typed("", "not a valid", any("envoy.extensions.load_balancing_policies.random.v3.Random").toBuilder()
                        .setValue(ByteString.copyFromUtf8("\n"))
                        .build()),
                typed("", "only for", any("envoy.extensions.load_balancing_policies.cluster_provided.v3.ClusterProvided")),
                typed(".locality_lb_config", "empty", any(Random.newBuilder()
                        .setLocalityLbConfig(LocalityLbConfig.getDefaultInstance())
                        .build())),
                typed(".table_size", "prime", any(Maglev.newBuilder().setTableSize(uint64(65_536)).build())),
                typed(".table_size", "prime", any(Maglev.newBuilder().setTableSize(uint64(5_000_077)).build())),
                typed(".minimum_ring_size", "1 to", any(RingHash.newBuilder().setMinimumRingSize(uint64(0)).build())),
                typed(".maximum_ring_size", "1 to", any(RingHash.newBuilder().setMaximumRingSize(uint64(8_388_609)).build())),
                typed(".minimum_ring_size", "more than", any(RingHash.newBuilder().setMaximumRingSize(uint64(10)).build())),
                typed(".hash_function", "unknown", any(RingHash.newBuilder().setHashFunctionValue(9).build())),
                typed(".consistent_hashing_lb_config.hash_balance_factor", "100 or more", any(Maglev.newBuilder()
                        .setConsistentHashingLbConfig(ConsistentHashingLbConfig.newBuilder().setHashBalanceFactor(uint32(99)))
                        .build())),
                typed(".selection_method", "unknown", any(LeastRequest.newBuilder().setSelectionMethodValue(9).build())),
                typed(".slow_start_config.aggression", "greater than 0", any(LeastRequest.newBuilder()
                        .setSlowStartConfig(SlowStartConfig.newBuilder()
                                .setSlowStartWindow(seconds(1))
                                .setAggression(RuntimeDouble.getDefaultInstance()))
                        .build())),
                typed(".enable_oob_load_report", "not supported", any(ClientSideWeightedRoundRobin.newBuilder()
                        .setEnableOobLoadReport(bool(true))
                        .build())),
                typed(".error_utilization_penalty", "0 or more", any(ClientSideWeightedRoundRobin.newBuilder()
                        .setErrorUtilizationPenalty(FloatValue.newBuilder().setValue(-1))
                        .build())),
                typed(".endpoint_picking_policy", "missing", any(WrrLocality.getDefaultInstance())),
                typed(".endpoint_picking_policy.policies[0].typed_extension_config.typed_config", "as in Envoy",
                        any(WrrLocality.newBuilder()
                                .setEndpointPickingPolicy(policies(any(Random.getDefaultInstance())))
                                .build())),
                typed(".override_host_sources", "empty",
                        any("envoy.extensions.load_balancing_policies.override_host.v3.OverrideHost")),
                typed(".override_host_sources[0].header", "must not be empty",
                        any("envoy.extensions.load_balancing_policies.override_host.v3.OverrideHost").toBuilder()
                                .setValue(ByteString.copyFromUtf8("\n\u0000"))
                                .build()),
                typed(".fallback_policy", "missing",
                        any("envoy.extensions.load_balancing_policies.override_host.v3.OverrideHost").toBuilder()
                                .setValue(ByteString.copyFromUtf8("\n\u0003\n\u0001h"))
                                .build()),
                typed("", "not a valid", any("envoy.extensions.load_balancing_policies.override_host.v3.OverrideHost").toBuilder()
                        .setValue(ByteString.copyFromUtf8("\n\u0009"))
                        .build()),
                typed(".subset_lb_policy", "missing", any(Subset.getDefaultInstance())),
                typed(".subset_lb_policy.policies[0].typed_extension_config.typed_config", "inside another", any(Subset.newBuilder()
                        .setSubsetLbPolicy(policies(any(WrrLocality.getDefaultInstance())))
                        .build())),
                new Case("common_lb_config.consistent_hashing_lb_config.use_hostname_for_hashing", "STRICT_DNS", cluster(c -> c
                        .setLbPolicy(LbPolicy.MAGLEV)
                        .setCommonLbConfig(Cluster.CommonLbConfig.newBuilder().setConsistentHashingLbConfig(
                                Cluster.CommonLbConfig.ConsistentHashingLbConfig.newBuilder().setUseHostnameForHashing(true))))),
                new Case("ring_hash_lb_config.hash_function", "unknown", cluster(c -> c.setLbPolicy(LbPolicy.RING_HASH)
                        .setRingHashLbConfig(Cluster.RingHashLbConfig.newBuilder().setHashFunctionValue(9)))),
                new Case("maglev_lb_config.table_size", "prime", cluster(c -> c.setLbPolicy(LbPolicy.MAGLEV)
                        .setMaglevLbConfig(Cluster.MaglevLbConfig.newBuilder().setTableSize(uint64(10))))),
                new Case("lb_subset_config.fallback_policy", "unknown", cluster(c -> c.setLbSubsetConfig(
                        subsets(s -> s.addKeys("version")).toBuilder().setFallbackPolicyValue(9)))),
                new Case("lb_subset_config.metadata_fallback_policy", "unknown", cluster(c -> c.setLbSubsetConfig(
                        subsets(s -> s.addKeys("version")).toBuilder().setMetadataFallbackPolicyValue(9)))),
                new Case("lb_subset_config.subset_selectors[0].keys", "empty",
                        cluster(c -> c.setLbSubsetConfig(subsets(s -> {})))),
                new Case("lb_subset_config.subset_selectors[0].fallback_policy", "unknown",
                        cluster(c -> c.setLbSubsetConfig(subsets(s -> s.addKeys("version").setFallbackPolicyValue(9))))),
                new Case("lb_subset_config.subset_selectors[0].fallback_keys_subset", "only for",
                        cluster(c -> c.setLbSubsetConfig(subsets(s -> s.addKeys("version").addFallbackKeysSubset("version"))))),
                new Case("lb_subset_config.subset_selectors[0].fallback_keys_subset", "not all",
                        cluster(c -> c.setLbSubsetConfig(subsets(s -> s.addKeys("version")
                                .addFallbackKeysSubset("version")
                                .setFallbackPolicy(LbSubsetSelector.LbSubsetSelectorFallbackPolicy.KEYS_SUBSET))))),
                new Case("least_request_lb_config.choice_count", "2 or more", cluster(c -> c
                        .setLbPolicy(LbPolicy.LEAST_REQUEST)
                        .setLeastRequestLbConfig(Cluster.LeastRequestLbConfig.newBuilder().setChoiceCount(uint32(1))))),
                new Case("least_request_lb_config.active_request_bias", "0 or more", cluster(c -> c
                        .setLbPolicy(LbPolicy.LEAST_REQUEST)
                        .setLeastRequestLbConfig(Cluster.LeastRequestLbConfig.newBuilder()
                                .setActiveRequestBias(RuntimeDouble.newBuilder().setDefaultValue(-1))))));
    }

    static Stream<Case> outliers() {
        return Stream.of(
                outlier("interval", "greater than zero", OutlierDetection.newBuilder().setInterval(seconds(0))),
                outlier("base_ejection_time", "greater", OutlierDetection.newBuilder().setBaseEjectionTime(seconds(-1))),
                outlier("max_ejection_time", "greater", OutlierDetection.newBuilder().setMaxEjectionTime(seconds(0))),
                outlier("max_ejection_time", "less than base",
                        OutlierDetection.newBuilder().setMaxEjectionTime(seconds(1))),
                outlier("max_ejection_percent", "0 to 100",
                        OutlierDetection.newBuilder().setMaxEjectionPercent(uint32(101))),
                outlier("enforcing_consecutive_5xx", "0 to 100",
                        OutlierDetection.newBuilder().setEnforcingConsecutive5Xx(uint32(-1))),
                outlier("enforcing_success_rate", "0 to 100",
                        OutlierDetection.newBuilder().setEnforcingSuccessRate(uint32(101))),
                outlier("failure_percentage_threshold", "0 to 100",
                        OutlierDetection.newBuilder().setFailurePercentageThreshold(uint32(101))),
                outlier("max_ejection_time_jitter", "negative",
                        OutlierDetection.newBuilder().setMaxEjectionTimeJitter(seconds(-1))),
                outlier("monitors", "built in",
                        OutlierDetection.newBuilder().addMonitors(TypedExtensionConfig.getDefaultInstance())));
    }

    static Stream<Case> circuitBreakers() {
        return Stream.of(
                breakers("thresholds[0].priority", "is unknown",
                        CircuitBreakers.newBuilder().addThresholds(Thresholds.newBuilder().setPriorityValue(9))),
                breakers("thresholds[0].retry_budget.budget_percent", "0 to 100",
                        CircuitBreakers.newBuilder().addThresholds(Thresholds.newBuilder()
                                .setRetryBudget(Thresholds.RetryBudget.newBuilder()
                                        .setBudgetPercent(Percent.newBuilder().setValue(101))))),
                breakers("per_host_thresholds[0].max_retries", "not for a host",
                        CircuitBreakers.newBuilder().addPerHostThresholds(Thresholds.newBuilder().setMaxRetries(uint32(1)))));
    }

    private static HealthCheck.Builder check() {
        return HealthCheck.newBuilder()
                .setTimeout(seconds(1))
                .setInterval(seconds(1))
                .setUnhealthyThreshold(uint32(1))
                .setHealthyThreshold(uint32(1));
    }

    private static HealthCheck.Builder http(Consumer<HealthCheck.HttpHealthCheck.Builder> change) {
        HealthCheck.HttpHealthCheck.Builder http = HealthCheck.HttpHealthCheck.newBuilder().setPath("/");
        change.accept(http);
        return check().setHttpHealthCheck(http);
    }

    static Stream<Case> healthChecks() {
        return Stream.of(
                checks("timeout", "missing", check().clearTimeout()),
                checks("interval", "greater than zero", check().setInterval(seconds(0))),
                checks("unhealthy_threshold", "missing", check().clearUnhealthyThreshold()),
                checks("alt_port", "0 to 65535", check().setAltPort(uint32(70_000))),
                checks("custom_health_check", "not supported",
                        check().setCustomHealthCheck(HealthCheck.CustomHealthCheck.getDefaultInstance())),
                checks("http_health_check.path", "must not be empty", http(h -> h.clearPath())),
                checks("http_health_check.send", "not for method GET", http(h -> h.setSend(
                        HealthCheck.Payload.newBuilder().setText("00")))),
                checks("http_health_check.receive[0].text", "hexadecimal", http(h -> h.addReceive(
                        HealthCheck.Payload.newBuilder().setText("0g")))),
                checks("http_health_check.expected_statuses[0].end", "600", http(h -> h.addExpectedStatuses(
                        Int64Range.newBuilder().setStart(200).setEnd(601)))),
                checks("http_health_check.codec_client_type", "HTTP3", http(h -> h.setCodecClientType(CodecClientType.HTTP3))));
    }

    private static Case checks(String field, String reason, HealthCheck.Builder check) {
        return new Case("health_checks[0]." + field, reason, cluster(c -> c.addHealthChecks(check)));
    }

    private static Case breakers(String field, String reason, CircuitBreakers.Builder breakers) {
        return new Case("circuit_breakers." + field, reason, cluster(c -> c.setCircuitBreakers(breakers)));
    }

    private static Case outlier(String field, String reason, OutlierDetection.Builder detection) {
        return new Case("outlier_detection." + field, reason, cluster(c -> c.setOutlierDetection(detection)));
    }

    static Stream<Case> assignments() {
        ClusterLoadAssignment sample = assignment(e -> {});
        LocalityLbEndpoints locality = sample.getEndpoints(0);
        return Stream.of(
                new Case("cluster_name", "must not be empty", sample.toBuilder().clearClusterName().build()),
                new Case("named_endpoints", "not supported",
                        sample.toBuilder().putNamedEndpoints("a", endpointAt(address("10.0.0.1", 1))).build()),
                new Case("policy.drop_overloads[0]", "not supported", sample.toBuilder()
                        .setPolicy(ClusterLoadAssignment.Policy.newBuilder().addDropOverloads(
                                ClusterLoadAssignment.Policy.DropOverload.newBuilder()
                                        .setCategory("c")
                                        .setDropPercentage(FractionalPercent.newBuilder().setNumerator(1))))
                        .build()),
                new Case("policy.overprovisioning_factor", "greater than zero", sample.toBuilder()
                        .setPolicy(ClusterLoadAssignment.Policy.newBuilder().setOverprovisioningFactor(uint32(0)))
                        .build()),
                inLocality("leds_cluster_locality_config", "not supported", locality.toBuilder()
                        .setLedsClusterLocalityConfig(LedsClusterLocalityConfig.getDefaultInstance())),
                inLocality("load_balancer_endpoints", "not supported", locality.toBuilder()
                        .setLoadBalancerEndpoints(LocalityLbEndpoints.LbEndpointList.getDefaultInstance())),
                inLocality("priority", "0 to 128", locality.toBuilder().setPriority(129)),
                inLocality("load_balancing_weight", "1 or more",
                        locality.toBuilder().setLoadBalancingWeight(uint32(0))),
                new Case("endpoints[1].load_balancing_weight", "together", sample.toBuilder()
                        .setEndpoints(0, locality.toBuilder().setLoadBalancingWeight(uint32(Integer.MAX_VALUE)))
                        .addEndpoints(locality.toBuilder().setLoadBalancingWeight(uint32(1)))
                        .build()),
                new Case("endpoints[0].lb_endpoints[0].endpoint", "missing", assignment(e -> e.clearEndpoint())),
                new Case("endpoints[0].lb_endpoints[0].endpoint", "missing", assignment(e -> e.setEndpointName("a"))),
                new Case("endpoints[0].lb_endpoints[0].load_balancing_weight", "1 or more",
                        assignment(e -> e.setLoadBalancingWeight(uint32(0)))),
                new Case("endpoints[0].lb_endpoints[0].load_balancing_weight", "at most",
                        assignment(e -> e.setLoadBalancingWeight(uint32(-1)))),
                inLocality("lb_endpoints[1].load_balancing_weight", "together", locality.toBuilder()
                        .setLbEndpoints(0, endpoint(e -> e.setLoadBalancingWeight(uint32(Integer.MAX_VALUE))))
                        .addLbEndpoints(endpoint(e -> e.setEndpoint(endpointAt(address("10.0.0.2", 1)))))),
                new Case("endpoints[0].lb_endpoints[0].health_status", "unknown",
                        assignment(e -> e.setHealthStatusValue(77))));
    }

    private static Case inLocality(String field, String reason, LocalityLbEndpoints.Builder locality) {
        return new Case("endpoints[0]." + field, reason, assignment(e -> {}).toBuilder().setEndpoints(0, locality).build());
    }

    static Stream<Case> addresses() {
        String at = "endpoints[0].lb_endpoints[0].endpoint.address";
        return Stream.of(
                new Case(at, "missing", assignment(e -> e.setEndpoint(e.getEndpoint().toBuilder().clearAddress()))),
                new Case(at, "empty", withAddress(Address.newBuilder())),
                new Case(at + ".pipe", "not supported",
                        withAddress(Address.newBuilder().setPipe(Pipe.newBuilder().setPath("/s")))),
                new Case(at + ".envoy_internal_address", "not supported", withAddress(
                        Address.newBuilder().setEnvoyInternalAddress(EnvoyInternalAddress.getDefaultInstance()))),
                socket("address", "must not be empty", socket().clearAddress()),
                socket("address", "not an IP address", socket().setAddress("orders")),
                socket("address", "not an IP address", socket().setAddress("10.0.0.256")),
                socket("address", "not an IP address", socket().setAddress("10.0.0")),
                socket("address", "not an IP address", socket().setAddress("10.0.0.1.")),
                socket("address", "not an IP address", socket().setAddress("::g")),
                socket("address", "not an IP address", socket().setAddress(":::")),
                socket("address", "not an IP address", socket().setAddress("fe80::1%eth0")),
                socket("protocol", "TCP", socket().setProtocol(SocketAddress.Protocol.UDP)),
                socket("resolver_name", "not supported", socket().setResolverName("r")),
                socket("network_namespace_filepath", "not supported", socket().setNetworkNamespaceFilepath("/n")),
                socket("named_port", "port_value", socket().setNamedPort("http")),
                socket("port_value", "missing", socket().clearPortValue()),
                socket("port_value", "0 to 65535", socket().setPortValue(65_536)),
                socket("port_value", "0 to 65535", socket().setPortValue(-1)));
    }

    private static SocketAddress.Builder socket() {
        return SocketAddress.newBuilder().setAddress("10.0.0.1").setPortValue(80);
    }

    private static Case socket(String field, String reason, SocketAddress.Builder address) {
        return new Case("endpoints[0].lb_endpoints[0].endpoint.address.socket_address." + field, reason,
                withAddress(Address.newBuilder().setSocketAddress(address)));
    }

    private static ClusterLoadAssignment withAddress(Address.Builder address) {
        return assignment(e -> e.setEndpoint(endpointAt(address.build())));
    }

    static Stream<Case> listeners() {
        String manager = "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager";
        return Stream.of(
                new Case("name", "must not be empty", listener(l -> l.clearName())),
                new Case("address", "missing", listener(l -> l.clearAddress())),
                new Case("address.socket_address.port_value", "missing", listener(l -> l.setAddress(
                        Address.newBuilder().setSocketAddress(SocketAddress.newBuilder().setAddress("::"))))),
                new Case("additional_addresses[0]", "same port", listener(l -> l.addAdditionalAddresses(
                        AdditionalAddress.newBuilder().setAddress(address("::", 81))))),
                new Case("additional_addresses[0]", "0.0.0.0 and ::", listener(l -> l.addAdditionalAddresses(
                        AdditionalAddress.newBuilder().setAddress(address("10.0.0.1", 80))))),
                new Case("filter_chain_matcher", "not supported",
                        listener(l -> l.setFilterChainMatcher(Matcher.getDefaultInstance()))),
                new Case("listener_filters[0]", "proxy_protocol", listener(l -> l.addListenerFilters(ListenerFilter.newBuilder()
                        .setName("envoy.filters.listener.proxy_protocol")
                        .setTypedConfig(any("envoy.extensions.filters.listener.proxy_protocol.v3.ProxyProtocol"))))),
                new Case("api_listener.api_listener", "must be " + manager, apiListener(any("x.Y"))),
                new Case("api_listener.api_listener", "not a valid",
                        apiListener(any(manager).toBuilder().setValue(ByteString.copyFromUtf8("\n")).build())),
                new Case("api_listener.api_listener.http_filters", "router",
                        apiListener(any(manager(m -> m.clearHttpFilters())))),
                new Case("filter_chains[0].transport_socket", "plaintext", withChain(c -> c.setTransportSocket(TLS))),
                new Case("filter_chains[0].transport_socket", "plaintext",
                        withChain(c -> c.clearFilters().setTransportSocket(TLS))),
                new Case("filter_chains[0].transport_socket", "plaintext", withChain(c -> c.setTransportSocket(TLS))
                        .toBuilder()
                        .setTrafficDirection(TrafficDirection.INBOUND)
                        .setAddress(Address.newBuilder().setPipe(Pipe.newBuilder().setPath("/s")))
                        .build()),
                new Case("default_filter_chain.transport_socket", "plaintext",
                        listener(l -> l.setDefaultFilterChain(chain(m -> {}).toBuilder().setTransportSocket(TLS)))),
                new Case("filter_chains[0].use_proxy_proto", "not supported",
                        withChain(c -> c.setUseProxyProto(bool(true)))),
                new Case("filter_chains[0].filters[0].config_discovery", "typed_config", withChain(c -> c.setFilters(0,
                        c.getFilters(0).toBuilder().setConfigDiscovery(ExtensionConfigSource.getDefaultInstance())))),
                new Case("filter_chains[0].filters[0].typed_config", "last filter",
                        withChain(c -> c.addFilters(filter("tcp", any("a.TcpProxy"))))),
                new Case("filter_chains[0].filters[0]", "not enforced", withChain(c -> c.clearFilters()
                        .addFilters(filter("rbac", any("envoy.extensions.filters.network.rbac.v3.RBAC")))
                        .addFilters(filter("tcp", any("envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy"))))),
                new Case("filter_chains[0].filters[0]", "in front of HTTP", withChain(c -> c.clearFilters()
                        .addFilters(filter("limit", any("envoy.extensions.filters.network.local_ratelimit.v3.LocalRateLimit")))
                        .addFilters(filter("http", any(manager(m -> {})))))),
                new Case("filter_chains[1]", "second filter chain", listener(l -> l.addFilterChains(chain(m -> {})))),
                new Case("default_filter_chain", "second filter chain",
                        listener(l -> l.setDefaultFilterChain(chain(m -> {})))),
                chainMatch("destination_port", FilterChainMatch.newBuilder().setDestinationPort(uint32(81))),
                chainMatch("prefix_ranges", FilterChainMatch.newBuilder().addPrefixRanges(CidrRange.getDefaultInstance())),
                chainMatch("address_suffix", FilterChainMatch.newBuilder().setAddressSuffix("x")),
                chainMatch("suffix_len", FilterChainMatch.newBuilder().setSuffixLen(uint32(1))),
                chainMatch("direct_source_prefix_ranges",
                        FilterChainMatch.newBuilder().addDirectSourcePrefixRanges(CidrRange.getDefaultInstance())),
                chainMatch("source_type",
                        FilterChainMatch.newBuilder().setSourceType(FilterChainMatch.ConnectionSourceType.EXTERNAL)),
                chainMatch("source_prefix_ranges",
                        FilterChainMatch.newBuilder().addSourcePrefixRanges(CidrRange.getDefaultInstance())),
                chainMatch("source_ports", FilterChainMatch.newBuilder().addSourcePorts(1)));
    }

    private static Case chainMatch(String field, FilterChainMatch.Builder match) {
        return new Case("filter_chains[0].filter_chain_match." + field, "outbound",
                withChain(c -> c.setFilterChainMatch(match)));
    }

    static Stream<Case> managers() {
        String at = "filter_chains[0].filters[0].typed_config";
        return Stream.of(
                new Case(at, "not a valid", withChain(c -> c.setFilters(0, filter("http",
                        any(manager(m -> {})).toBuilder().setValue(ByteString.copyFromUtf8("\n")).build())))),
                new Case(at, "has no routes", withManager(m -> m.clearRds())),
                new Case(at + ".scoped_routes", "not supported",
                        withManager(m -> m.setScopedRoutes(ScopedRoutes.getDefaultInstance()))),
                new Case(at + ".rds.config_source", "only ads",
                        withManager(m -> m.setRds(Rds.newBuilder().setRouteConfigName("80")))),
                new Case(at + ".rds.route_config_name", "must not be empty",
                        withManager(m -> m.setRds(Rds.newBuilder().setConfigSource(ADS)))),
                new Case(at + ".route_config.virtual_hosts[0].domains", "at least one", withManager(m ->
                        m.setRouteConfig(withHost(h -> h.clearDomains())))),
                new Case(at + ".early_header_mutation_extensions", "on the route", withManager(m ->
                        m.addEarlyHeaderMutationExtensions(TypedExtensionConfig.getDefaultInstance()))),
                new Case(at + ".strip_matching_host_port", "ignore_port",
                        withManager(m -> m.setStripMatchingHostPort(true))),
                new Case(at + ".strip_any_host_port", "ignore_port", withManager(m -> m.setStripAnyHostPort(true))),
                new Case(at + ".local_reply_config", "leave it out", withManager(m ->
                        m.setLocalReplyConfig(LocalReplyConfig.getDefaultInstance()))),
                new Case(at + ".strip_trailing_host_dot", "dot", withManager(m -> m.setStripTrailingHostDot(true))),
                new Case(at + ".path_with_escaped_slashes_action", "unknown",
                        withManager(m -> m.setPathWithEscapedSlashesActionValue(17))),
                new Case(at + ".xff_num_trusted_hops", "at most", withManager(m -> m.setXffNumTrustedHops(-1))),
                new Case(at + ".original_ip_detection_extensions", "use_remote_address", withManager(m ->
                        m.addOriginalIpDetectionExtensions(TypedExtensionConfig.newBuilder().setName("x")))),
                new Case(at + ".max_request_headers_kb", "1 to 8192", withManager(m -> m.setMaxRequestHeadersKb(uint32(8193))).toBuilder()
                        .setTrafficDirection(TrafficDirection.INBOUND).build()),
                new Case(at + ".common_http_protocol_options.headers_with_underscores_action", "ALLOW", withManager(m ->
                        m.setCommonHttpProtocolOptions(HttpProtocolOptions.newBuilder().setHeadersWithUnderscoresAction(
                                HttpProtocolOptions.HeadersWithUnderscoresAction.REJECT_REQUEST)))),
                new Case(at + ".upgrade_configs[0].filters", "not supported", withManager(m -> m.addUpgradeConfigs(
                        HttpConnectionManager.UpgradeConfig.newBuilder().addFilters(httpFilter("x.Y"))))));
    }

    static Stream<Case> httpFilters() {
        String at = "filter_chains[0].filters[0].typed_config.http_filters";
        HttpFilter router = router(Router.getDefaultInstance());
        return Stream.of(
                new Case(at, "is empty", withManager(m -> m.clearHttpFilters())),
                new Case(at + "[0].name", "must not be empty",
                        withManager(m -> m.setHttpFilters(0, router.toBuilder().clearName()))),
                new Case(at + "[0]", "last HTTP filter must be the router",
                        withManager(m -> m.setHttpFilters(0, httpFilter("lua.v3.Lua")))),
                new Case(at + "[0].typed_config", "must be the last", withManager(m -> m.addHttpFilters(router))),
                new Case(at + "[0].disabled", "cannot be disabled",
                        withManager(m -> m.setHttpFilters(0, router.toBuilder().setDisabled(true)))),
                new Case(at + "[0].typed_config", "not a valid", withManager(m -> m.setHttpFilters(0, router.toBuilder()
                        .setTypedConfig(router.getTypedConfig().toBuilder().setValue(ByteString.copyFromUtf8("\n")))))),
                new Case(at + "[0].typed_config.upstream_http_filters[0].typed_config", "required", withManager(m ->
                        m.setHttpFilters(0, router(Router.newBuilder().addUpstreamHttpFilters(httpFilter("x.Y")).build())))),
                required("ext_authz.v3.ExtAuthz", "not enforced"),
                required("ext_authz.v3.ExtAuthz", "not enforced"),
                required("ratelimit.v3.RateLimit", "is required but not supported"),
                inFilter("max_request_bytes", "greater than zero", Buffer.getDefaultInstance()),
                inFilter("stat_prefix", "empty", LocalRateLimit.getDefaultInstance()),
                limited("descriptors[0].entries", "is empty", l -> l.addDescriptors(LocalRateLimitDescriptor.getDefaultInstance())),
                limited("descriptors[0].entries[0].key", "empty", l -> l.addDescriptors(descriptor("", "v"))),
                limited("max_dynamic_descriptors", "at least 1", l -> l.setMaxDynamicDescriptors(uint32(0))),
                limited("descriptors[0].token_bucket", "is missing", l -> l.addDescriptors(descriptor("k", "v"))),
                limited("descriptors[1].entries", "another", l -> l
                        .addDescriptors(descriptor("k", "v").setTokenBucket(l.getTokenBucket()))
                        .addDescriptors(descriptor("k", "v").setTokenBucket(l.getTokenBucket()))),
                limited("rate_limits[0].actions[0]", "use generic_key", l -> l.addRateLimits(RateLimit.newBuilder()
                        .addActions(RateLimit.Action.newBuilder().setSourceCluster(RateLimit.Action.SourceCluster.getDefaultInstance())))),
                limited("rate_limits[0].actions[0].generic_key.descriptor_value", "command operator", l -> l.addRateLimits(
                        RateLimit.newBuilder().addActions(RateLimit.Action.newBuilder()
                                .setGenericKey(RateLimit.Action.GenericKey.newBuilder().setDescriptorValue("%REQ(x)%"))))),
                limited("rate_limits[0].hits_addend.number", "must be 1", l -> l.addRateLimits(
                        RateLimit.newBuilder().setHitsAddend(RateLimit.HitsAddend.getDefaultInstance()))),
                limited("rate_limits[0].hits_addend.format", "use number", l -> l.addRateLimits(
                        RateLimit.newBuilder().setHitsAddend(RateLimit.HitsAddend.newBuilder().setFormat("%REQ(x)%")))),
                limited("rate_limits[0].actions[0].masked_remote_address.v4_prefix_mask_len", "0 to 32", l -> l.addRateLimits(
                        RateLimit.newBuilder().addActions(RateLimit.Action.newBuilder().setMaskedRemoteAddress(
                                RateLimit.Action.MaskedRemoteAddress.newBuilder().setV4PrefixMaskLen(uint32(33)))))),
                inFilter("on_request_headers[0].object_key", "must not be empty", state(v -> v.clearObjectKey())),
                inFilter("on_request_headers[0].object_key", "set factory_key", state(v -> v.clearFactoryKey())),
                inFilter("on_request_headers[0].factory_key", "'envoy.network.upstream_server_name' makes an object that means nothing here",
                        state(v -> v.setFactoryKey("envoy.network.upstream_server_name"))),
                inFilter("on_request_headers[0].format_string", "is missing", state(v -> v.clearFormatString())),
                inFilter("on_request_headers[0].format_string", "says nothing",
                        state(v -> v.setFormatString(SubstitutionFormatString.getDefaultInstance()))),
                inFilter("on_request_headers[0].format_string.json_format", "use text_format_source",
                        state(v -> v.setFormatString(SubstitutionFormatString.newBuilder().setJsonFormat(Struct.getDefaultInstance())))),
                inFilter("on_request_headers[0].format_string.formatters", "need none",
                        state(v -> v.setFormatString(v.getFormatString().toBuilder().addFormatters(TypedExtensionConfig.getDefaultInstance())))),
                limit("token_bucket.max_tokens", "greater than zero", l -> l.setTokenBucket(TokenBucket.getDefaultInstance())),
                limit("token_bucket.fill_interval", "0.05s", l -> l.setTokenBucket(TokenBucket.newBuilder()
                        .setMaxTokens(1)
                        .setFillInterval(Duration.newBuilder().setNanos(1_000_000)))),
                inFilter("delay.fixed_delay", "greater than zero", HTTPFault.newBuilder()
                        .setDelay(FaultDelay.newBuilder().setFixedDelay(Duration.getDefaultInstance()))
                        .build()),
                inFilter("abort.http_status", "200 to 599", HTTPFault.newBuilder()
                        .setAbort(FaultAbort.newBuilder().setHttpStatus(600))
                        .build()),
                inFilter("mutations.query_parameter_mutations", "not supported", HeaderMutation.newBuilder()
                        .setMutations(Mutations.newBuilder().addQueryParameterMutations(KeyValueMutation.getDefaultInstance()))
                        .build()),
                required("lua.v3.Lua", "is_optional"),
                new Case(at + "[0].typed_config", "not a valid", withManager(m -> m.addHttpFilters(0, httpFilter("fault.v3.HTTPFault")
                        .toBuilder()
                        .setTypedConfig(any(HTTP_FILTERS + "fault.v3.HTTPFault").toBuilder()
                                .setValue(ByteString.copyFromUtf8("x")))))),
                new Case(at + "[0].typed_config.session_state.typed_config", "use cookie or header",
                        withManager(m -> m.addHttpFilters(0, session(state(any("x.Envelope")))))),
                new Case(at + "[0].typed_config.session_state.typed_config.cookie.name", "must not be empty",
                        withManager(m -> m.addHttpFilters(0, session(state(any(CookieBasedSessionState.getDefaultInstance())))))),
                new Case(at + "[0].typed_config.session_state.typed_config.name", "must not be empty",
                        withManager(m -> m.addHttpFilters(0, session(state(any(HeaderBasedSessionState.getDefaultInstance())))))),
                new Case("typed_per_filter_config[\"s\"].disabled", "must be true", Samples.routes(r ->
                        r.putTypedPerFilterConfig("s", any(StatefulSessionPerRoute.getDefaultInstance())))),
                new Case(at + "[0].config_discovery", "required", withManager(m -> m.addHttpFilters(0, HttpFilter.newBuilder()
                        .setName("late")
                        .setConfigDiscovery(ExtensionConfigSource.getDefaultInstance())))));
    }

    private static HttpFilter session(StatefulSession.Builder session) {
        return httpFilter("").toBuilder().setTypedConfig(any(session.build())).build();
    }

    private static StatefulSession.Builder state(Any state) {
        return StatefulSession.newBuilder().setSessionState(TypedExtensionConfig.newBuilder().setName("s").setTypedConfig(state));
    }

    private static Case inFilter(String field, String reason, MessageLite config) {
        return new Case("filter_chains[0].filters[0].typed_config.http_filters[0].typed_config." + field, reason,
                withManager(m -> m.addHttpFilters(0, httpFilter("x").toBuilder().setTypedConfig(any(config)))));
    }

    private static Case limit(String field, String reason, Consumer<LocalRateLimit.Builder> change) {
        LocalRateLimit.Builder limit = LocalRateLimit.newBuilder().setStatPrefix("s");
        change.accept(limit);
        return inFilter(field, reason, limit.build());
    }

    static Config state(Consumer<FilterStateValue.Builder> change) {
        FilterStateValue.Builder value = FilterStateValue.newBuilder()
                .setObjectKey("k")
                .setFactoryKey("envoy.string")
                .setFormatString(SubstitutionFormatString.newBuilder().setTextFormatSource(inline("v")));
        change.accept(value);
        return Config.newBuilder().addOnRequestHeaders(value).build();
    }

    private static Case limited(String field, String reason, Consumer<LocalRateLimit.Builder> change) {
        return limit(field, reason, limit -> change.accept(limit.setTokenBucket(TokenBucket.newBuilder()
                .setMaxTokens(1)
                .setFillInterval(Duration.newBuilder().setSeconds(1)))));
    }

    private static LocalRateLimitDescriptor.Builder descriptor(String key, String value) {
        return LocalRateLimitDescriptor.newBuilder().addEntries(RateLimitDescriptor.Entry.newBuilder().setKey(key).setValue(value));
    }

    private static Case required(String type, String reason) {
        return new Case("filter_chains[0].filters[0].typed_config.http_filters[0].typed_config", reason,
                withManager(m -> m.addHttpFilters(0, httpFilter(type))));
    }

    static Stream<Case> configurations() {
        return Stream.of(
                new Case("name", "must not be empty", Samples.routes(r -> r.clearName())),
                new Case("virtual_hosts[0].cors", "typed_per_filter_config", withHost(h -> h.setCors(
                        io.weft.policy.proto.envoy.config.route.v3.CorsPolicy.getDefaultInstance()))),
                new Case("virtual_hosts[0].routes[0].route.cors", "typed_per_filter_config", withAction(a -> a.setCors(
                        io.weft.policy.proto.envoy.config.route.v3.CorsPolicy.getDefaultInstance()))),
                new Case("vhds.config_source", "only ads", Samples.routes(r -> r.setVhds(Vhds.getDefaultInstance()))),
                new Case("request_mirror_policies", "beside vhds", Samples.partialRoutes(r -> r.addRequestMirrorPolicies(
                        RequestMirrorPolicy.newBuilder().setCluster("mirror")))),
                new Case("max_direct_response_body_size_bytes", "beside vhds", Samples.partialRoutes(r -> r.setMaxDirectResponseBodySizeBytes(
                        UInt32Value.newBuilder().setValue(1)))),
                new Case("filter_chains[0].filters[0].typed_config.route_config.vhds", "by rds alone",
                        withManager(m -> m.setRouteConfig(Samples.partialRoutes(r -> {})))),
                new Case("name", "<route configuration>/<virtual host>", Samples.host(h -> {})),
                new Case("ignore_path_parameters_in_path_matching", "not supported",
                        Samples.routes(r -> r.setIgnorePathParametersInPathMatching(true))),
                new Case("cluster_specifier_plugins[0]", "not supported",
                        Samples.routes(r -> r.addClusterSpecifierPlugins(ClusterSpecifierPlugin.getDefaultInstance()))),
                new Case("typed_per_filter_config[\"envoy.filters.http.fault\"]", "required", Samples.routes(r ->
                        r.putTypedPerFilterConfig("envoy.filters.http.fault", any("x.Y")))),
                new Case("typed_per_filter_config[\"authz\"].config", "not enforced", Samples.routes(r ->
                        r.putTypedPerFilterConfig("authz", any(FilterConfig.newBuilder()
                                .setConfig(any(HTTP_FILTERS + "ext_authz.v3.ExtAuthzPerRoute"))
                                .build())))),
                new Case("typed_per_filter_config[\"x\"]", "not a valid", Samples.routes(r -> r.putTypedPerFilterConfig("x",
                        any("envoy.config.route.v3.FilterConfig").toBuilder()
                                .setValue(ByteString.copyFromUtf8("\n"))
                                .build()))),
                new Case("virtual_hosts[1].domains[1]", "virtual_hosts[0]", Samples.routes(r -> r.addVirtualHosts(
                        host(h -> h.clearDomains().addDomains("other").addDomains("ORDERS"))))),
                new Case("virtual_hosts[0].domains[1]", "virtual_hosts[0]", withHost(h -> h.addDomains("orders"))));
    }

    static Stream<Case> hosts() {
        String at = "virtual_hosts[0]";
        return Stream.of(
                new Case(at + ".name", "must not be empty", withHost(h -> h.clearName())),
                new Case(at + ".domains", "at least one", withHost(h -> h.clearDomains())),
                new Case(at + ".domains[0]", "NUL, CR or LF", withHost(h -> h.setDomains(0, "a\r"))),
                new Case(at + ".matcher", "use routes", withHost(h -> h.setMatcher(Matcher.getDefaultInstance()))),
                new Case(at + ".require_tls", "who is external",
                        withHost(h -> h.setRequireTls(TlsRequirementType.EXTERNAL_ONLY))),
                new Case(at + ".retry_policy_typed_config", "use retry_policy",
                        withHost(h -> h.setRetryPolicyTypedConfig(Any.getDefaultInstance()))),
                new Case(at + ".retry_policy.retry_back_off.base_interval", "missing", withHost(h -> h.setRetryPolicy(
                        io.weft.policy.proto.envoy.config.route.v3.RetryPolicy.newBuilder()
                                .setRetryBackOff(RetryBackOff.getDefaultInstance())))),
                new Case(at + ".typed_per_filter_config[\"x\"]", "required",
                        withHost(h -> h.putTypedPerFilterConfig("x", any("x.Y")))));
    }

    static Stream<Case> routes() {
        String at = "virtual_hosts[0].routes[0]";
        return Stream.of(
                new Case(at + ".match", "missing", withRoute(r -> r.clearMatch())),
                new Case(at, "no action", withRoute(r -> r.clearRoute())),
                new Case(at + ".filter_action", "not supported",
                        withRoute(r -> r.setFilterAction(FilterAction.getDefaultInstance()))),
                new Case(at + ".typed_per_filter_config[\"x\"]", "required",
                        withRoute(r -> r.putTypedPerFilterConfig("x", any("x.Y")))),
                new Case(at + ".redirect.port_redirect", "0 to 65535",
                        withRoute(r -> r.setRedirect(RedirectAction.newBuilder().setPortRedirect(65_536)))),
                new Case(at + ".redirect.regex_rewrite.pattern", "missing", withRoute(r ->
                        r.setRedirect(RedirectAction.newBuilder().setRegexRewrite(RegexMatchAndSubstitute.getDefaultInstance())))),
                new Case(at + ".redirect.host_redirect", "NUL, CR or LF",
                        withRoute(r -> r.setRedirect(RedirectAction.newBuilder().setHostRedirect("a\n")))),
                new Case(at + ".redirect.path_redirect", "NUL, CR or LF",
                        withRoute(r -> r.setRedirect(RedirectAction.newBuilder().setPathRedirect("/\n")))),
                new Case(at + ".redirect.prefix_rewrite", "NUL, CR or LF",
                        withRoute(r -> r.setRedirect(RedirectAction.newBuilder().setPrefixRewrite("/\0")))),
                new Case(at + ".redirect.response_code", "unknown",
                        withRoute(r -> r.setRedirect(RedirectAction.newBuilder().setResponseCodeValue(9)))),
                new Case(at + ".direct_response.status", "200 to 599",
                        withRoute(r -> r.setDirectResponse(DirectResponseAction.newBuilder().setStatus(199)))),
                new Case(at + ".direct_response.status", "200 to 599",
                        withRoute(r -> r.setDirectResponse(DirectResponseAction.newBuilder().setStatus(600)))),
                directBody("", "inline_string", DataSource.newBuilder()),
                directBody(".filename", "inline_string", DataSource.newBuilder().setFilename("/etc/passwd")),
                directBody(".environment_variable", "inline_string", DataSource.newBuilder().setEnvironmentVariable("E")),
                directBody(".inline_bytes", "UTF-8",
                        DataSource.newBuilder().setInlineBytes(ByteString.copyFrom(new byte[] {(byte) 0xff}))),
                directBody("", "max_direct_response_body_size_bytes",
                        DataSource.newBuilder().setInlineString("x".repeat(4097))));
    }

    private static Case directBody(String field, String reason, DataSource.Builder body) {
        return new Case("virtual_hosts[0].routes[0].direct_response.body" + field, reason, withRoute(r ->
                r.setDirectResponse(DirectResponseAction.newBuilder().setStatus(200).setBody(body))));
    }

    static Stream<Case> matches() {
        String at = "virtual_hosts[0].routes[0].match";
        return Stream.of(
                new Case(at, "no path", withMatch(m -> m.clearPrefix())),
                new Case(at + ".connect_matcher", "CONNECT",
                        withMatch(m -> m.setConnectMatcher(RouteMatch.ConnectMatcher.getDefaultInstance()))),
                new Case(at + ".path_match_policy.typed_config", "not supported",
                        withMatch(m -> m.setPathMatchPolicy(TypedExtensionConfig.getDefaultInstance()))),
                new Case(at + ".path_match_policy.typed_config", "not a valid", withMatch(m -> m.setPathMatchPolicy(
                        TypedExtensionConfig.newBuilder().setTypedConfig(
                                any("envoy.extensions.path.match.uri_template.v3.UriTemplateMatchConfig").toBuilder()
                                        .setValue(ByteString.copyFromUtf8("\n")))))),
                new Case(at + ".path_match_policy.typed_config.path_template", "begin with a slash",
                        withMatch(m -> m.setPathMatchPolicy(template("a")))),
                new Case(at + ".path_separated_prefix", "not end in one",
                        withMatch(m -> m.setPathSeparatedPrefix("/api/"))),
                new Case(at + ".path_separated_prefix", "longer than a slash",
                        withMatch(m -> m.setPathSeparatedPrefix("/"))),
                new Case(at + ".path_separated_prefix", "no ? or #", withMatch(m -> m.setPathSeparatedPrefix("/a?b"))),
                new Case(at + ".path_separated_prefix", "no ? or #", withMatch(m -> m.setPathSeparatedPrefix("/a#b"))),
                new Case(at + ".safe_regex.regex", "must not be empty", withMatch(m -> m.setSafeRegex(regex("")))),
                new Case(at + ".safe_regex.regex", "RE2", withMatch(m -> m.setSafeRegex(regex("(?=a)")))),
                new Case(at + ".runtime_fraction.default_value", "missing",
                        withMatch(m -> m.setRuntimeFraction(RuntimeFractionalPercent.getDefaultInstance()))),
                new Case(at + ".runtime_fraction.default_value.denominator", "none of", withMatch(m ->
                        m.setRuntimeFraction(RuntimeFractionalPercent.newBuilder()
                                .setDefaultValue(FractionalPercent.newBuilder().setDenominatorValue(5))))),
                new Case(at + ".tls_context", "certificate",
                        withMatch(m -> m.setTlsContext(RouteMatch.TlsContextMatchOptions.getDefaultInstance()))),
                new Case(at + ".dynamic_metadata", "not supported",
                        withMatch(m -> m.addDynamicMetadata(MetadataMatcher.getDefaultInstance()))),
                new Case(at + ".filter_state", "not supported",
                        withMatch(m -> m.addFilterState(FilterStateMatcher.getDefaultInstance()))),
                new Case(at + ".headers[0].name", "must not be empty", withHeader(h -> h.clearName())),
                new Case(at + ".headers[0].name", "NUL, CR or LF", withHeader(h -> h.setName("a\n"))),
                new Case(at + ".headers[0].safe_regex_match.regex", "RE2",
                        withHeader(h -> h.setSafeRegexMatch(regex("(")))),
                new Case(at + ".headers[0].prefix_match", "must not be empty", withHeader(h -> h.setPrefixMatch(""))),
                new Case(at + ".headers[0].suffix_match", "must not be empty", withHeader(h -> h.setSuffixMatch(""))),
                new Case(at + ".headers[0].contains_match", "must not be empty",
                        withHeader(h -> h.setContainsMatch(""))),
                string("", "no pattern", StringMatcher.newBuilder()),
                string(".prefix", "must not be empty", StringMatcher.newBuilder().setPrefix("")),
                string(".suffix", "must not be empty", StringMatcher.newBuilder().setSuffix("")),
                string(".contains", "must not be empty", StringMatcher.newBuilder().setContains("")),
                string(".safe_regex.regex", "RE2", StringMatcher.newBuilder().setSafeRegex(regex("[")).setIgnoreCase(true)),
                string(".custom", "not supported", StringMatcher.newBuilder().setCustom(
                        io.weft.policy.proto.xds.core.v3.TypedExtensionConfig.getDefaultInstance())),
                new Case(at + ".query_parameters[0].name", "must not be empty", withQuery(q -> q.clearName())),
                new Case(at + ".query_parameters[0].name", "1024", withQuery(q -> q.setName("ü".repeat(513)))),
                new Case(at + ".query_parameters[0].present_match", "before this one",
                        withQuery(q -> q.setPresentMatch(false))),
                new Case(at + ".query_parameters[0].string_match", "no pattern",
                        withQuery(q -> q.setStringMatch(StringMatcher.getDefaultInstance()))));
    }

    private static Case string(String field, String reason, StringMatcher.Builder matcher) {
        return new Case("virtual_hosts[0].routes[0].match.headers[0].string_match" + field, reason,
                withHeader(h -> h.setStringMatch(matcher)));
    }

    static Stream<Case> actions() {
        String at = "virtual_hosts[0].routes[0].route";
        return Stream.of(
                new Case(at, "no cluster", withAction(a -> a.clearCluster())),
                new Case(at + ".cluster", "must not be empty", withAction(a -> a.setCluster(""))),
                new Case(at + ".cluster_header", "must not be empty", withAction(a -> a.setClusterHeader(""))),
                new Case(at + ".cluster_not_found_response_code", "unknown",
                        withAction(a -> a.setClusterNotFoundResponseCodeValue(9))),
                new Case(at + ".cluster_specifier_plugin", "not supported",
                        withAction(a -> a.setClusterSpecifierPlugin("x"))),
                new Case(at + ".inline_cluster_specifier_plugin", "not supported",
                        withAction(a -> a.setInlineClusterSpecifierPlugin(ClusterSpecifierPlugin.getDefaultInstance()))),
                new Case(at + ".timeout", "negative", withAction(a -> a.setTimeout(seconds(-1)))),
                new Case(at + ".retry_policy_typed_config", "use retry_policy",
                        withAction(a -> a.setRetryPolicyTypedConfig(Any.getDefaultInstance()))),
                new Case(at + ".internal_redirect_policy", "own client",
                        withAction(a -> a.setInternalRedirectPolicy(InternalRedirectPolicy.getDefaultInstance()))),
                new Case(at + ".internal_redirect_action", "own client", withAction(a -> a.setInternalRedirectAction(
                        RouteAction.InternalRedirectAction.HANDLE_INTERNAL_REDIRECT))),
                new Case(at + ".path_rewrite_policy", "path_match_policy",
                        withAction(a -> a.setPathRewritePolicy(templateRewrite("/a")))),
                new Case(at + ".path_rewrite_policy", "set one",
                        withAction(a -> a.setPathRewritePolicy(templateRewrite("/a")).setPrefixRewrite("/b"))),
                new Case(at + ".path_rewrite_policy.typed_config", "not supported",
                        templated("/{x}", TypedExtensionConfig.getDefaultInstance())),
                new Case(at + ".path_rewrite_policy.typed_config.path_template_rewrite", "'y' is not a variable",
                        templated("/{x}", templateRewrite("/{y}"))),
                new Case(at + ".prefix_rewrite", "path_rewrite_policy", withRoute(r -> r
                        .setMatch(RouteMatch.newBuilder().setPathMatchPolicy(template("/{x}")))
                        .setRoute(RouteAction.newBuilder().setCluster("orders").setPrefixRewrite("/b")))),
                new Case(at + ".prefix_rewrite", "NUL, CR or LF", withAction(a -> a.setPrefixRewrite("/\r"))),
                new Case(at + ".regex_rewrite", "set one", withAction(a ->
                        a.setPrefixRewrite("/").setRegexRewrite(RegexMatchAndSubstitute.getDefaultInstance()))),
                regexRewrite(".pattern", "missing", RegexMatchAndSubstitute.newBuilder()),
                regexRewrite(".pattern.regex", "RE2", RegexMatchAndSubstitute.newBuilder().setPattern(regex("a**"))),
                regexRewrite(".substitution", "has 1",
                        RegexMatchAndSubstitute.newBuilder().setPattern(regex("(a)")).setSubstitution("\\2")),
                regexRewrite(".substitution", "digit or a backslash",
                        RegexMatchAndSubstitute.newBuilder().setPattern(regex("a")).setSubstitution("\\x")),
                regexRewrite(".substitution", "digit or a backslash",
                        RegexMatchAndSubstitute.newBuilder().setPattern(regex("a")).setSubstitution("\\\\\\")),
                regexRewrite(".substitution", "NUL, CR or LF",
                        RegexMatchAndSubstitute.newBuilder().setPattern(regex("a")).setSubstitution("\n")),
                new Case(at + ".host_rewrite_literal", "NUL, CR or LF",
                        withAction(a -> a.setHostRewriteLiteral("a\n"))),
                new Case(at + ".host_rewrite_header", "must not be empty",
                        withAction(a -> a.setHostRewriteHeader(""))),
                new Case(at + ".host_rewrite_path_regex.pattern", "missing",
                        withAction(a -> a.setHostRewritePathRegex(RegexMatchAndSubstitute.getDefaultInstance()))));
    }

    private static Case regexRewrite(String field, String reason, RegexMatchAndSubstitute.Builder rewrite) {
        return new Case("virtual_hosts[0].routes[0].route.regex_rewrite" + field, reason,
                withAction(a -> a.setRegexRewrite(rewrite)));
    }

    static Stream<Case> weightedClusters() {
        String at = "virtual_hosts[0].routes[0].route.weighted_clusters";
        WeightedCluster.ClusterWeight v1 = weight("v1", 1);
        return Stream.of(
                new Case(at + ".clusters", "at least one", weighted(w -> w.clearClusters())),
                new Case(at + ".header_name", "NUL, CR or LF", weighted(w -> w.setHeaderName("x\n"))),
                new Case(at + ".clusters", "have no weight", weighted(w -> w.clearClusters().addClusters(weight("v1", 0)))),
                new Case(at + ".clusters", "together", weighted(w -> w.addClusters(weight("v3", Integer.MAX_VALUE)))),
                new Case(at + ".clusters[1].weight", "at most", weighted(w -> w.setClusters(1, weight("v2", -1)))),
                new Case(at + ".clusters[1].weight", "missing",
                        weighted(w -> w.setClusters(1, v1.toBuilder().clearWeight()))),
                new Case(at + ".clusters[0].name", "must not be empty",
                        weighted(w -> w.setClusters(0, v1.toBuilder().clearName()))),
                new Case(at + ".clusters[0].cluster_header", "set one",
                        weighted(w -> w.setClusters(0, v1.toBuilder().setClusterHeader("x")))),
                new Case(at + ".clusters[0].host_rewrite_literal", "NUL, CR or LF",
                        weighted(w -> w.setClusters(0, v1.toBuilder().setHostRewriteLiteral("x\r")))),
                new Case(at + ".clusters[0].request_headers_to_remove[0]", "host",
                        weighted(w -> w.setClusters(0, v1.toBuilder().addRequestHeadersToRemove("Host")))),
                new Case(at + ".clusters[0].typed_per_filter_config[\"x\"]", "required",
                        weighted(w -> w.setClusters(0, v1.toBuilder().putTypedPerFilterConfig("x", any("x.Y"))))));
    }

    static Stream<Case> retries() {
        String at = "virtual_hosts[0].routes[0].route.retry_policy";
        String mirrors = "virtual_hosts[0].routes[0].route.request_mirror_policies[0]";
        return Stream.of(
                new Case(at + ".retry_host_predicate[0]", "'canary' is not supported; use previous_hosts", withRetry(r ->
                        r.addRetryHostPredicate(RetryHostPredicate.newBuilder().setName("canary")))),
                new Case(at + ".retry_priority", "previous_priorities", withRetry(r -> r.setRetryPriority(
                        RetryPriority.newBuilder().setName("mine")))),
                new Case(at + ".retry_priority.typed_config.update_frequency", "above zero", withRetry(r -> r.setRetryPriority(
                        priorities(PreviousPrioritiesConfig.getDefaultInstance())))),
                new Case("virtual_hosts[0].routes[0].route.hedge_policy.initial_requests", "at least 1", withAction(a ->
                        a.setHedgePolicy(HedgePolicy.newBuilder().setInitialRequests(uint32(0))))),
                new Case(mirrors + ".cluster", "must not be empty", withAction(a ->
                        a.addRequestMirrorPolicies(RequestMirrorPolicy.getDefaultInstance()))),
                new Case(mirrors + ".cluster_header", "set one", withAction(a ->
                        a.addRequestMirrorPolicies(RequestMirrorPolicy.newBuilder().setCluster("a").setClusterHeader("b")))),
                new Case(mirrors + ".request_headers_mutations[0].remove", "cannot be added or removed", withAction(a ->
                        a.addRequestMirrorPolicies(RequestMirrorPolicy.newBuilder().setCluster("a")
                                .addRequestHeadersMutations(io.weft.policy.proto.envoy.config.common.mutation_rules.v3.HeaderMutation
                                        .newBuilder().setRemove("host"))))),
                new Case("request_mirror_policies[0].runtime_fraction.default_value", "missing", Samples.routes(r ->
                        r.addRequestMirrorPolicies(RequestMirrorPolicy.newBuilder().setCluster("a")
                                .setRuntimeFraction(RuntimeFractionalPercent.getDefaultInstance())))),
                new Case("virtual_hosts[0].request_mirror_policies[0].host_rewrite_literal", "CR or LF", withHost(h ->
                        h.addRequestMirrorPolicies(RequestMirrorPolicy.newBuilder().setCluster("a").setHostRewriteLiteral("a\r")))),
                new Case(at + ".retry_back_off.base_interval", "missing",
                        withRetry(r -> r.setRetryBackOff(RetryBackOff.getDefaultInstance()))),
                new Case(at + ".retry_back_off.base_interval", "greater than zero",
                        withRetry(r -> r.setRetryBackOff(RetryBackOff.newBuilder().setBaseInterval(seconds(0))))),
                new Case(at + ".retry_back_off.max_interval", "less than base", withRetry(r -> r.setRetryBackOff(
                        RetryBackOff.newBuilder().setBaseInterval(seconds(2)).setMaxInterval(seconds(1))))),
                new Case(at + ".retry_back_off.max_interval", "greater than zero", withRetry(r -> r.setRetryBackOff(
                        RetryBackOff.newBuilder().setBaseInterval(seconds(2)).setMaxInterval(seconds(0))))),
                new Case(at + ".retriable_status_codes[1]", "at most",
                        withRetry(r -> r.addRetriableStatusCodes(503).addRetriableStatusCodes(-1))),
                new Case(at + ".rate_limited_retry_back_off.reset_headers", "is empty", withRetry(r ->
                        r.setRateLimitedRetryBackOff(RateLimitedRetryBackOff.getDefaultInstance()))),
                new Case(at + ".rate_limited_retry_back_off.reset_headers[0].name", "must not be empty", withRetry(r ->
                        r.setRateLimitedRetryBackOff(RateLimitedRetryBackOff.newBuilder()
                                .addResetHeaders(ResetHeader.getDefaultInstance())))),
                new Case(at + ".rate_limited_retry_back_off.max_interval", "greater than zero", withRetry(r ->
                        r.setRateLimitedRetryBackOff(RateLimitedRetryBackOff.newBuilder()
                                .addResetHeaders(ResetHeader.newBuilder().setName("x"))
                                .setMaxInterval(seconds(0))))),
                new Case(at + ".retriable_request_headers[0].name", "must not be empty", withRetry(r ->
                        r.addRetriableRequestHeaders(
                                io.weft.policy.proto.envoy.config.route.v3.HeaderMatcher.getDefaultInstance()))));
    }

    static Stream<Case> headers() {
        List<HeaderValueOption> tooMany = Stream.generate(() -> header("a", "b")).limit(1001).toList();
        return Stream.of(
                added("", "more than 1000", r -> r.addAllRequestHeadersToAdd(tooMany)),
                added("[0].header", "missing", r -> r.addRequestHeadersToAdd(HeaderValueOption.getDefaultInstance())),
                added("[0].header.key", "must not be empty", r -> r.addRequestHeadersToAdd(header("", "x"))),
                added("[0].header.key", "NUL, CR or LF", r -> r.addRequestHeadersToAdd(header("a\n", "x"))),
                added("[0].header.key", "longer", r -> r.addRequestHeadersToAdd(header("a".repeat(16_385), "x"))),
                added("[0].header.key", "path rewrite", r -> r.addRequestHeadersToAdd(header(":path", "/"))),
                added("[0].header.key", "host_rewrite", r -> r.addRequestHeadersToAdd(header("HOST", "x"))),
                added("[0].header.value", "NUL, CR or LF", r -> r.addRequestHeadersToAdd(header("a", "x\ny"))),
                added("[0].header.value", "longer", r -> r.addRequestHeadersToAdd(header("a", "x".repeat(16_385)))),
                added("[0].header.value", "command operator", r -> r.addRequestHeadersToAdd(header("a", "%NONE(b)%"))),
                added("[0].header.value", "command operator", r -> r.addRequestHeadersToAdd(header("a", "50%"))),
                added("[0].header.raw_value", "set one", r -> r.addRequestHeadersToAdd(HeaderValueOption.newBuilder()
                        .setHeader(HeaderValue.newBuilder()
                                .setKey("a")
                                .setValue("b")
                                .setRawValue(ByteString.copyFromUtf8("b"))))),
                added("[0].header.raw_value", "ASCII", r -> r.addRequestHeadersToAdd(HeaderValueOption.newBuilder()
                        .setHeader(HeaderValue.newBuilder().setKey("a").setRawValue(ByteString.copyFromUtf8("ü"))))),
                added("[0].append", "append_action only", r -> r.addRequestHeadersToAdd(header("a", "b").toBuilder()
                        .setAppend(bool(true))
                        .setAppendAction(HeaderValueOption.HeaderAppendAction.ADD_IF_ABSENT))),
                added("[0].append_action", "unknown",
                        r -> r.addRequestHeadersToAdd(header("a", "b").toBuilder().setAppendActionValue(9))),
                new Case("virtual_hosts[0].routes[0].response_headers_to_add[0].header.value", "command operator",
                        withRoute(r -> r.addResponseHeadersToAdd(header("a", "%PROTOCOLS%")))),
                new Case("virtual_hosts[0].routes[0].response_headers_to_remove[0]", "must not be empty",
                        withRoute(r -> r.addResponseHeadersToRemove(""))),
                new Case("virtual_hosts[0].request_headers_to_remove[0]", "cannot be",
                        withHost(h -> h.addRequestHeadersToRemove(":authority"))),
                new Case("response_headers_to_remove[0]", "NUL, CR or LF",
                        Samples.routes(r -> r.addResponseHeadersToRemove("a\0"))));
    }

    private static Case added(String field, String reason, java.util.function.Consumer<Route.Builder> change) {
        return new Case("virtual_hosts[0].routes[0].request_headers_to_add" + field, reason, withRoute(change));
    }
}
