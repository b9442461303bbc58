package io.weft.policy.parse;

import static io.weft.policy.parse.Samples.*;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import com.google.protobuf.MessageLite;
import io.weft.policy.model.CircuitBreakers.RetryBudget;
import io.weft.policy.model.CircuitBreakers.Thresholds;
import io.weft.policy.model.ClientAddress;
import io.weft.policy.model.Cluster;
import io.weft.policy.model.EndpointAssignment;
import io.weft.policy.model.EndpointAssignment.Health;
import io.weft.policy.model.EndpointAssignment.LbEndpoint;
import io.weft.policy.model.EndpointAssignment.Locality;
import io.weft.policy.model.FilterOverrides;
import io.weft.policy.model.Format;
import io.weft.policy.model.HeaderChanges;
import io.weft.policy.model.HeaderChanges.Action;
import io.weft.policy.model.HeaderChanges.Addition;
import io.weft.policy.model.HeaderMatch;
import io.weft.policy.model.HealthCheck;
import io.weft.policy.model.HealthCheck.Intervals;
import io.weft.policy.model.HealthCheck.Jitter;
import io.weft.policy.model.HealthCheck.Payload;
import io.weft.policy.model.HealthCheck.Statuses;
import io.weft.policy.model.HedgePolicy;
import io.weft.policy.model.HostPort;
import io.weft.policy.model.HttpConnectionManager;
import io.weft.policy.model.HttpVersion;
import io.weft.policy.model.Listener;
import io.weft.policy.model.LoadBalancing;
import io.weft.policy.model.MirrorPolicy;
import io.weft.policy.model.OutlierDetection;
import io.weft.policy.model.OutlierDetection.Consecutive;
import io.weft.policy.model.OutlierDetection.EjectionTime;
import io.weft.policy.model.OutlierDetection.FailurePercentage;
import io.weft.policy.model.OutlierDetection.SuccessRate;
import io.weft.policy.model.PartialRoutes;
import io.weft.policy.model.PathNormalization;
import io.weft.policy.model.PathNormalization.EscapedSlashes;
import io.weft.policy.model.QueryMatch;
import io.weft.policy.model.Resending;
import io.weft.policy.model.Resilience;
import io.weft.policy.model.Resource;
import io.weft.policy.model.RetryPolicy;
import io.weft.policy.model.RetryPolicy.BackOff;
import io.weft.policy.model.RetryPolicy.Conditions;
import io.weft.policy.model.RetryPolicy.HostSelection;
import io.weft.policy.model.RetryPolicy.On;
import io.weft.policy.model.RetryPolicy.PerTry;
import io.weft.policy.model.RetryPolicy.RateLimitedBackOff;
import io.weft.policy.model.RetryPolicy.ResetFormat;
import io.weft.policy.model.Route;
import io.weft.policy.model.RouteAction;
import io.weft.policy.model.RouteAction.GrpcTimeout;
import io.weft.policy.model.RouteAction.StreamDuration;
import io.weft.policy.model.RouteAction.Timeouts;
import io.weft.policy.model.RouteConfiguration;
import io.weft.policy.model.RouteMatch;
import io.weft.policy.model.StringMatch;
import io.weft.policy.model.TransportSockets;
import io.weft.policy.model.VirtualHost;
import io.weft.policy.model.VirtualHost.AttemptCount;
import io.weft.policy.parse.ParseOutcome.Accepted;
import io.weft.policy.proto.envoy.config.cluster.v3.CircuitBreakers;
import io.weft.policy.proto.envoy.config.cluster.v3.Cluster.DiscoveryType;
import io.weft.policy.proto.envoy.config.cluster.v3.Cluster.DnsLookupFamily;
import io.weft.policy.proto.envoy.config.cluster.v3.Cluster.EdsClusterConfig;
import io.weft.policy.proto.envoy.config.cluster.v3.Cluster.LbPolicy;
import io.weft.policy.proto.envoy.config.cluster.v3.Cluster.RefreshRate;
import io.weft.policy.proto.envoy.config.common.mutation_rules.v3.HeaderMutation;
import io.weft.policy.proto.envoy.config.core.v3.ConfigSource;
import io.weft.policy.proto.envoy.config.core.v3.DataSource;
import io.weft.policy.proto.envoy.config.core.v3.HeaderValue;
import io.weft.policy.proto.envoy.config.core.v3.HeaderValueOption;
import io.weft.policy.proto.envoy.config.core.v3.HeaderValueOption.HeaderAppendAction;
import io.weft.policy.proto.envoy.config.core.v3.HealthCheck.GrpcHealthCheck;
import io.weft.policy.proto.envoy.config.core.v3.HealthCheck.HttpHealthCheck;
import io.weft.policy.proto.envoy.config.core.v3.HealthCheck.TcpHealthCheck;
import io.weft.policy.proto.envoy.config.core.v3.HealthStatus;
import io.weft.policy.proto.envoy.config.core.v3.Http2ProtocolOptions;
import io.weft.policy.proto.envoy.config.core.v3.Metadata;
import io.weft.policy.proto.envoy.config.core.v3.RequestMethod;
import io.weft.policy.proto.envoy.config.core.v3.RoutingPriority;
import io.weft.policy.proto.envoy.config.core.v3.RuntimeFractionalPercent;
import io.weft.policy.proto.envoy.config.core.v3.SelfConfigSource;
import io.weft.policy.proto.envoy.config.core.v3.TrafficDirection;
import io.weft.policy.proto.envoy.config.endpoint.v3.ClusterLoadAssignment;
import io.weft.policy.proto.envoy.config.endpoint.v3.LocalityLbEndpoints;
import io.weft.policy.proto.envoy.config.listener.v3.FilterChainMatch;
import io.weft.policy.proto.envoy.config.listener.v3.ListenerFilter;
import io.weft.policy.proto.envoy.config.route.v3.DirectResponseAction;
import io.weft.policy.proto.envoy.config.route.v3.NonForwardingAction;
import io.weft.policy.proto.envoy.config.route.v3.RedirectAction;
import io.weft.policy.proto.envoy.config.route.v3.RetryPolicy.RateLimitedRetryBackOff;
import io.weft.policy.proto.envoy.config.route.v3.RetryPolicy.ResetHeader;
import io.weft.policy.proto.envoy.config.route.v3.RetryPolicy.ResetHeaderFormat;
import io.weft.policy.proto.envoy.config.route.v3.RetryPolicy.RetryBackOff;
import io.weft.policy.proto.envoy.config.route.v3.RetryPolicy.RetryHostPredicate;
import io.weft.policy.proto.envoy.config.route.v3.RouteAction.MaxStreamDuration;
import io.weft.policy.proto.envoy.config.route.v3.RouteAction.RequestMirrorPolicy;
import io.weft.policy.proto.envoy.config.route.v3.VirtualHost.TlsRequirementType;
import io.weft.policy.proto.envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager.PathWithEscapedSlashesAction;
import io.weft.policy.proto.envoy.extensions.retry.host.omit_host_metadata.v3.OmitHostMetadataConfig;
import io.weft.policy.proto.envoy.extensions.retry.priority.previous_priorities.v3.PreviousPrioritiesConfig;
import io.weft.policy.proto.envoy.extensions.upstreams.http.v3.HttpProtocolOptions;
import io.weft.policy.proto.envoy.type.matcher.v3.RegexMatchAndSubstitute;
import io.weft.policy.proto.envoy.type.matcher.v3.StringMatcher;
import io.weft.policy.proto.envoy.type.v3.CodecClientType;
import io.weft.policy.proto.envoy.type.v3.FractionalPercent;
import io.weft.policy.proto.envoy.type.v3.FractionalPercent.DenominatorType;
import io.weft.policy.proto.envoy.type.v3.Int64Range;
import io.weft.policy.proto.protobuf.ListValue;
import io.weft.policy.proto.protobuf.NullValue;
import io.weft.policy.proto.protobuf.Struct;
import io.weft.policy.proto.protobuf.UInt64Value;
import io.weft.policy.proto.protobuf.Value;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What is honoured arrives in the records with Envoy's meaning and Envoy's defaults, and nothing of it is reported. */
@SuppressWarnings("deprecation") // what older control planes send is honoured, too
class HonouredTest {

    private static <T extends Resource> T honoured(Class<T> type, MessageLite message) {
        ParseOutcome outcome = parse(message);
        assertThat(outcome).isInstanceOf(Accepted.class);
        assertThat(((Accepted) outcome).unhonoured()).isEmpty();
        return type.cast(((Accepted) outcome).resource());
    }

    private static Route route(io.weft.policy.proto.envoy.config.route.v3.RouteConfiguration routes) {
        return honoured(RouteConfiguration.class, routes).virtualHosts().get(0).routes().get(0);
    }

    private static RouteAction.Forward forward(io.weft.policy.proto.envoy.config.route.v3.RouteConfiguration routes) {
        return (RouteAction.Forward) route(routes).action();
    }

    @Test
    void aClusterThatSaysLittleHasEnvoysDefaults() {
        assertThat(honoured(Cluster.class, cluster(c -> {}))).isEqualTo(new Cluster(
                "orders",
                new Cluster.Eds("orders"),
                LoadBalancing.of(LoadBalancing.RoundRobin.DEFAULT),
                Resilience.DEFAULT,
                TransportSockets.PLAINTEXT,
                HttpVersion.HTTP_1_1,
                false,
                Map.of()));
    }

    @Test
    void loadIsReportedToWhereTheClusterComesFrom() {
        ConfigSource self = ConfigSource.newBuilder().setSelf(SelfConfigSource.getDefaultInstance()).build();
        assertThat(honoured(Cluster.class, cluster(c -> c.setLrsServer(self))).reportsLoad()).isTrue();
    }

    @Test
    void theTagsOfASubsetAreToldBesideItsCluster() {
        Struct tags = Struct.newBuilder().putFields("version", Value.newBuilder().setStringValue("v2").build()).build();
        assertThat(honoured(Cluster.class, cluster(c -> c.setMetadata(Metadata.newBuilder().putFilterMetadata("io.kuma.tags", tags)))).tags())
                .isEqualTo(Map.of("version", "v2"));
    }

    @Test
    void whatTheAgentItselfSpeaksToACluster() {
        assertThat(version(cluster(c -> {}))).isEqualTo(HttpVersion.HTTP_1_1);
        assertThat(version(cluster(c -> c.setHttp2ProtocolOptions(Http2ProtocolOptions.getDefaultInstance()))))
                .isEqualTo(HttpVersion.HTTP_2);
        assertThat(version(cluster(c -> c.putTypedExtensionProtocolOptions("http", any(HttpProtocolOptions.newBuilder()
                        .setExplicitHttpConfig(HttpProtocolOptions.ExplicitHttpConfig.newBuilder()
                                .setHttp2ProtocolOptions(Http2ProtocolOptions.getDefaultInstance()))
                        .build())))))
                .isEqualTo(HttpVersion.HTTP_2);
    }

    /** The options as a whole are reported: to the app's own client they say nothing. */
    private static HttpVersion version(MessageLite cluster) {
        return ((Cluster) ((Accepted) parse(cluster)).resource()).http();
    }

    private static HttpConnectionManager.Edge edge(
            Consumer<io.weft.policy.proto.envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager.Builder>
                    change) {
        return honoured(Listener.class, withManager(change)).filterChains().get(0).http().edge();
    }

    @Test
    void whatIsMadeOfAPathAndOfTheClientsAddress() {
        assertThat(edge(m -> {})).isEqualTo(HttpConnectionManager.Edge.NONE);
        assertThat(edge(m -> m.setNormalizePath(bool(true)).setMergeSlashes(true)
                        .setUseRemoteAddress(bool(true)).setXffNumTrustedHops(2)))
                .isEqualTo(new HttpConnectionManager.Edge(
                        new PathNormalization(true, true, EscapedSlashes.KEEP), new ClientAddress(true, 2)));
        assertThat(Arrays.stream(PathWithEscapedSlashesAction.values())
                        .filter(action -> action != PathWithEscapedSlashesAction.UNRECOGNIZED)
                        .map(action -> edge(m -> m.setPathWithEscapedSlashesAction(action)).paths().escapedSlashes()))
                .containsExactly(
                        EscapedSlashes.KEEP,
                        EscapedSlashes.KEEP,
                        EscapedSlashes.REJECT,
                        EscapedSlashes.UNESCAPE_AND_REDIRECT,
                        EscapedSlashes.UNESCAPE_AND_FORWARD);
    }

    @Test
    void whereAClustersEndpointsComeFrom() {
        assertThat(honoured(Cluster.class, cluster(c -> c.setEdsClusterConfig(
                        EdsClusterConfig.newBuilder().setEdsConfig(ADS).setServiceName("orders-eds")))).discovery())
                .isEqualTo(new Cluster.Eds("orders-eds"));

        assertThat(honoured(Cluster.class, staticCluster(e -> {})).discovery()).isInstanceOfSatisfying(
                Cluster.Static.class,
                it -> assertThat(it.assignment()).isEqualTo(honoured(EndpointAssignment.class, assignment(e -> {}))));

        assertThat(honoured(Cluster.class, cluster(c -> c.clearEdsClusterConfig()
                        .setType(DiscoveryType.STRICT_DNS)
                        .setDnsRefreshRate(seconds(7))
                        .setLoadAssignment(assignment(e -> e.setEndpoint(endpointAt(address("orders.local", 80))))))).discovery())
                .isInstanceOfSatisfying(Cluster.StrictDns.class, it -> {
                    assertThat(it.resolution()).isEqualTo(new Cluster.Resolution(
                            Duration.ofSeconds(7), Duration.ZERO, Duration.ofSeconds(7), Duration.ofSeconds(7), Cluster.AddressFamily.AUTO));
                    assertThat(it.assignment().localities().get(0).endpoints().get(0).address())
                            .isEqualTo(new HostPort("orders.local", 80));
                });

        assertThat(honoured(Cluster.class, cluster(c -> c.clearEdsClusterConfig()
                        .setType(DiscoveryType.LOGICAL_DNS)
                        .setDnsLookupFamily(DnsLookupFamily.V4_ONLY)
                        .setDnsJitter(seconds(1))
                        .setDnsFailureRefreshRate(RefreshRate.newBuilder().setBaseInterval(seconds(2)))
                        .setLoadAssignment(assignment(e -> e.setEndpoint(endpointAt(address("orders.local", 80))))))).discovery())
                .isInstanceOfSatisfying(Cluster.LogicalDns.class, it -> assertThat(it.resolution()).isEqualTo(new Cluster.Resolution(
                        Duration.ofSeconds(5), Duration.ofSeconds(1), Duration.ofSeconds(2), Duration.ofSeconds(20),
                        Cluster.AddressFamily.V4_ONLY)));

        assertThat(honoured(Cluster.class, cluster(c -> c.clearEdsClusterConfig()
                        .setType(DiscoveryType.ORIGINAL_DST)
                        .setLbPolicy(LbPolicy.CLUSTER_PROVIDED))).discovery())
                .isEqualTo(new Cluster.OriginalDestination());
    }

    @Test
    void rawBufferIsPlaintext() {
        honoured(Cluster.class, cluster(c -> c.setTransportSocket(RAW_BUFFER)));
    }

    private static Resilience resilience(
            Consumer<io.weft.policy.proto.envoy.config.cluster.v3.Cluster.Builder> change) {
        return honoured(Cluster.class, cluster(change)).resilience();
    }

    /** Of a cluster of which not all is honoured. */
    private static Resilience inPart(MessageLite cluster) {
        return ((Cluster) ((Accepted) parse(cluster)).resource()).resilience();
    }

    @Test
    void timesOfACluster() {
        assertThat(inPart(cluster(c -> c.setConnectTimeout(seconds(2)))).connectTimeout()).isEqualTo(Duration.ofSeconds(2));
        assertThat(inPart(cluster(c -> c.putTypedExtensionProtocolOptions(
                                "envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
                                any(io.weft.policy.proto.envoy.extensions.upstreams.http.v3.HttpProtocolOptions.newBuilder()
                                        .setCommonHttpProtocolOptions(
                                                io.weft.policy.proto.envoy.config.core.v3.HttpProtocolOptions.newBuilder()
                                                        .setMaxStreamDuration(seconds(3)))
                                        .build()))))
                        .maxStreamDuration())
                .isEqualTo(Duration.ofSeconds(3));
    }

    @Test
    void thresholdsOfEachPriority() {
        CircuitBreakers.Thresholds thresholds = CircuitBreakers.Thresholds.newBuilder()
                .setMaxConnections(uint32(-1))
                .setMaxRequests(uint32(7))
                .setMaxRetries(uint32(0))
                .build();
        CircuitBreakers.Thresholds high = CircuitBreakers.Thresholds.newBuilder()
                .setPriority(RoutingPriority.HIGH)
                .setRetryBudget(CircuitBreakers.Thresholds.RetryBudget.getDefaultInstance())
                .build();
        assertThat(resilience(c -> c.setCircuitBreakers(CircuitBreakers.newBuilder()
                        .addThresholds(thresholds)
                        .addThresholds(thresholds.toBuilder().setMaxRequests(uint32(8)))
                        .addThresholds(high)
                        .addPerHostThresholds(CircuitBreakers.Thresholds.newBuilder().setMaxConnections(uint32(9)))))
                        .circuitBreakers())
                .isEqualTo(new io.weft.policy.model.CircuitBreakers(
                        new Thresholds(Integer.MAX_VALUE, 1024, 7, 0, Optional.empty(), 9),
                        new Thresholds(1024, 1024, 1024, 3, Optional.of(new RetryBudget(20, 3)), Integer.MAX_VALUE)));
        assertThat(forward(withAction(a -> a.setPriority(RoutingPriority.HIGH))).priority())
                .isEqualTo(io.weft.policy.model.RoutingPriority.HIGH);
    }

    private static io.weft.policy.proto.envoy.config.core.v3.HealthCheck.Builder check() {
        return io.weft.policy.proto.envoy.config.core.v3.HealthCheck.newBuilder()
                .setTimeout(seconds(1))
                .setInterval(seconds(2))
                .setUnhealthyThreshold(uint32(3))
                .setHealthyThreshold(uint32(4));
    }

    private static HealthCheck healthCheck(io.weft.policy.proto.envoy.config.core.v3.HealthCheck.Builder check) {
        return resilience(c -> c.addHealthChecks(check)).healthCheck().orElseThrow();
    }

    private static Payload payload(String text) {
        return new Payload(text);
    }

    private static io.weft.policy.proto.envoy.config.core.v3.HealthCheck.Payload hex(String digits) {
        return io.weft.policy.proto.envoy.config.core.v3.HealthCheck.Payload.newBuilder().setText(digits).build();
    }

    @Test
    void healthChecks() {
        Duration two = Duration.ofSeconds(2);
        Duration minute = Duration.ofSeconds(60);
        assertThat(healthCheck(check().setTcpHealthCheck(TcpHealthCheck.newBuilder().setSend(hex("50494e47")).addReceive(hex("4F4b")))))
                .isEqualTo(new HealthCheck(
                        Duration.ofSeconds(1),
                        new Intervals(two, minute, minute, two, two, two, Jitter.NONE),
                        3,
                        4,
                        true,
                        0,
                        new HealthCheck.Tcp(payload("PING"), List.of(payload("OK")))));
        assertThat(healthCheck(check().setNoTrafficInterval(seconds(3))
                                .setUnhealthyInterval(seconds(4))
                                .setHealthyEdgeInterval(seconds(5))
                                .setInitialJitter(seconds(6))
                                .setIntervalJitter(seconds(7))
                                .setIntervalJitterPercent(8)
                                .setReuseConnection(bool(false))
                                .setAltPort(uint32(81))
                                .setGrpcHealthCheck(GrpcHealthCheck.newBuilder().setServiceName("orders").setAuthority("a"))))
                .isEqualTo(new HealthCheck(
                        Duration.ofSeconds(1),
                        new Intervals(
                                two, Duration.ofSeconds(3), Duration.ofSeconds(3), Duration.ofSeconds(4), Duration.ofSeconds(4),
                                Duration.ofSeconds(5), new Jitter(Duration.ofSeconds(6), Duration.ofSeconds(7), 8)),
                        3,
                        4,
                        false,
                        81,
                        new HealthCheck.Grpc("orders", "a", HeaderChanges.NONE)));
        assertThat(healthCheck(check().setHttpHealthCheck(HttpHealthCheck.newBuilder()
                                .setHost("h")
                                .setPath("/health")
                                .setMethod(RequestMethod.POST)
                                .setSend(hex("61"))
                                .addExpectedStatuses(Int64Range.newBuilder().setStart(200).setEnd(300))
                                .addRetriableStatuses(Int64Range.newBuilder().setStart(500).setEnd(501))
                                .setCodecClientType(CodecClientType.HTTP2)))
                        .protocol())
                .isEqualTo(new HealthCheck.Http(
                        HttpVersion.HTTP_2, "h", "/health", "POST", List.of(new Statuses(200, 300)), List.of(new Statuses(500, 501)),
                        HeaderChanges.NONE, payload("a"), List.of(), 1024, Optional.empty()));
        assertThat(((HealthCheck.Http) healthCheck(check().setHttpHealthCheck(HttpHealthCheck.newBuilder().setPath("/"))).protocol())
                        .expected())
                .containsExactly(new Statuses(200, 201));
    }

    private static OutlierDetection outliers(
            Consumer<io.weft.policy.proto.envoy.config.cluster.v3.OutlierDetection.Builder> change) {
        var detection = io.weft.policy.proto.envoy.config.cluster.v3.OutlierDetection.newBuilder();
        change.accept(detection);
        return resilience(c -> c.setOutlierDetection(detection)).outlierDetection().orElseThrow();
    }

    @Test
    void outlierDetection() {
        assertThat(outliers(o -> {})).isEqualTo(new OutlierDetection(
                new Consecutive(5, 100),
                new Consecutive(5, 0),
                new Consecutive(5, 100),
                new SuccessRate(5, 100, 1_900, 100, 100),
                new FailurePercentage(85, 5, 50, 0, 0),
                false,
                Duration.ofSeconds(10),
                new EjectionTime(Duration.ofSeconds(30), Duration.ofSeconds(300), Duration.ZERO),
                10,
                false,
                true));
        assertThat(outliers(o -> o.setConsecutive5Xx(uint32(1))
                        .setEnforcingConsecutive5Xx(uint32(2))
                        .setConsecutiveGatewayFailure(uint32(3))
                        .setEnforcingConsecutiveGatewayFailure(uint32(4))
                        .setConsecutiveLocalOriginFailure(uint32(5))
                        .setEnforcingConsecutiveLocalOriginFailure(uint32(6))
                        .setSuccessRateMinimumHosts(uint32(7))
                        .setSuccessRateRequestVolume(uint32(8))
                        .setSuccessRateStdevFactor(uint32(9))
                        .setEnforcingSuccessRate(uint32(10))
                        .setEnforcingLocalOriginSuccessRate(uint32(11))
                        .setFailurePercentageThreshold(uint32(12))
                        .setFailurePercentageMinimumHosts(uint32(13))
                        .setFailurePercentageRequestVolume(uint32(14))
                        .setEnforcingFailurePercentage(uint32(15))
                        .setEnforcingFailurePercentageLocalOrigin(uint32(16))
                        .setSplitExternalLocalOriginErrors(true)
                        .setInterval(seconds(17))
                        .setBaseEjectionTime(seconds(600))
                        .setMaxEjectionTimeJitter(seconds(18))
                        .setMaxEjectionPercent(uint32(19))
                        .setAlwaysEjectOneHost(bool(true))
                        .setSuccessfulActiveHealthCheckUnejectHost(bool(false))))
                .isEqualTo(new OutlierDetection(
                        new Consecutive(1, 2),
                        new Consecutive(3, 4),
                        new Consecutive(5, 6),
                        new SuccessRate(7, 8, 9, 10, 11),
                        new FailurePercentage(12, 13, 14, 15, 16),
                        true,
                        Duration.ofSeconds(17),
                        new EjectionTime(Duration.ofSeconds(600), Duration.ofSeconds(600), Duration.ofSeconds(18)),
                        19,
                        true,
                        false));
    }

    @Test
    void endpointsWithTheirWeightsPrioritiesLocalitiesAndLabels() {
        Struct labels = Struct.newBuilder()
                .putFields("version", Value.newBuilder().setStringValue("v1").build())
                .putFields("shard", Value.newBuilder().setNumberValue(3).build())
                .putFields("canary", Value.newBuilder().setBoolValue(true).build())
                .putFields("none", Value.newBuilder().setNullValue(NullValue.NULL_VALUE).build())
                .putFields("list", Value.newBuilder()
                        .setListValue(ListValue.newBuilder().addValues(Value.newBuilder().setStringValue("a")))
                        .build())
                .putFields("nested", Value.newBuilder().setStructValue(Struct.getDefaultInstance()).build())
                .build();
        ClusterLoadAssignment assignment = ClusterLoadAssignment.newBuilder()
                .setClusterName("orders")
                .setPolicy(ClusterLoadAssignment.Policy.newBuilder().setOverprovisioningFactor(uint32(200))
                        .setWeightedPriorityHealth(true))
                .addEndpoints(LocalityLbEndpoints.newBuilder()
                        .setLocality(io.weft.policy.proto.envoy.config.core.v3.Locality.newBuilder()
                                .setRegion("r")
                                .setZone("z")
                                .setSubZone("s"))
                        .setPriority(1)
                        .setLoadBalancingWeight(uint32(9))
                        .addLbEndpoints(endpoint(e -> e.setLoadBalancingWeight(uint32(4))
                                .setEndpoint(endpointAt(address("10.0.0.1", 8080)).toBuilder().setHostname("orders-1"))
                                .setMetadata(Metadata.newBuilder().putFilterMetadata("envoy.lb", labels))))
                        .addLbEndpoints(endpoint(e -> {})))
                .addEndpoints(LocalityLbEndpoints.getDefaultInstance())
                .build();

        EndpointAssignment parsed = honoured(EndpointAssignment.class, assignment);

        assertThat(parsed.overprovisioningFactor()).isEqualTo(200);
        assertThat(parsed.weightedPriorityHealth()).isTrue();
        assertThat(parsed.localities()).containsExactly(
                new EndpointAssignment.LocalityEndpoints(
                        new Locality("r", "z", "s"),
                        1,
                        9,
                        // The second has the first one's address.
                        List.of(new LbEndpoint(
                                new HostPort("10.0.0.1", 8080),
                                "orders-1",
                                4,
                                Health.HEALTHY,
                                Map.of("version", "v1", "shard", 3.0, "canary", true, "nested", Map.of(), "none",
                                        Optional.empty(), "list", List.of("a")),
                                Map.of()))),
                new EndpointAssignment.LocalityEndpoints(Locality.UNKNOWN, 0, 0, List.of()));
    }

    @ParameterizedTest
    @CsvSource({
        "UNKNOWN,HEALTHY", "HEALTHY,HEALTHY", "DEGRADED,DEGRADED", "UNHEALTHY,UNHEALTHY", "TIMEOUT,UNHEALTHY",
        "DRAINING,DRAINING"
    })
    void health(HealthStatus status, Health health) {
        assertThat(honoured(EndpointAssignment.class, assignment(e -> e.setHealthStatus(status)))
                        .localities().get(0).endpoints().get(0).health())
                .isEqualTo(health);
    }

    @ParameterizedTest
    @ValueSource(strings = {"10.0.0.1", "255.255.255.255", "0.0.0.0", "::1", "::", "2001:db8::a", "::ffff:10.0.0.1"})
    void literals(String address) {
        assertThat(honoured(EndpointAssignment.class, assignment(e -> e.setEndpoint(endpointAt(address(address, 1)))))
                        .localities().get(0).endpoints().get(0).address().host())
                .isEqualTo(address);
    }

    @Test
    void aSidecarsListener() {
        Listener listener = honoured(Listener.class, listener(l -> l
                .addListenerFilters(ListenerFilter.newBuilder()
                        .setName("tls")
                        .setTypedConfig(any("envoy.extensions.filters.listener.tls_inspector.v3.TlsInspector")))
                .setFilterChains(0, l.getFilterChains(0).toBuilder()
                        .setName("http")
                        .setTransportSocket(RAW_BUFFER)
                        .setFilterChainMatch(FilterChainMatch.newBuilder()
                                .setDestinationPort(uint32(80))
                                .setTransportProtocol("raw_buffer")
                                .addApplicationProtocols("h2c")))));

        assertThat(listener.kind()).isEqualTo(Listener.Kind.OUTBOUND);
        assertThat(listener.address()).isEqualTo(new HostPort("0.0.0.0", 80));
        assertThat(listener.filterChains()).singleElement().satisfies(chain -> {
            assertThat(chain.name()).isEqualTo("http");
            assertThat(chain.http())
                    .isEqualTo(new HttpConnectionManager("outbound", new HttpConnectionManager.Named("80"), List.of(), HttpConnectionManager.Edge.NONE,
                            new HttpConnectionManager.StreamLimits(Duration.ofMinutes(5), Duration.ZERO, 0)));
        });
    }

    @Test
    void routesInline() {
        assertThat(honoured(Listener.class, withManager(m -> m.setRouteConfig(routes(r -> r.clearName()))))
                        .filterChains().get(0).http().routes())
                .isInstanceOfSatisfying(HttpConnectionManager.Inline.class,
                        inline -> assertThat(inline.configuration().virtualHosts()).hasSize(1));
    }

    @Test
    void anInboundListenerKeepsAllItsChains() {
        Listener listener = honoured(Listener.class, listener(l -> l.setTrafficDirection(TrafficDirection.INBOUND)
                .addFilterChains(chain(m -> {}).toBuilder()
                        .setFilterChainMatch(FilterChainMatch.newBuilder().setDestinationPort(uint32(8080))))));

        assertThat(listener.kind()).isEqualTo(Listener.Kind.INBOUND);
        assertThat(listener.filterChains()).hasSize(2);
    }

    @Test
    void aListenerWithoutDirectionIsForClients() {
        assertThat(honoured(Listener.class, listener(l -> l.clearTrafficDirection())).kind())
                .isEqualTo(Listener.Kind.OUTBOUND);
    }

    @Test
    void anApiListener() {
        Listener listener = honoured(Listener.class, apiListener(any(manager(m -> {}))));

        assertThat(listener.kind()).isEqualTo(Listener.Kind.API);
        assertThat(listener.name()).isEqualTo("orders:80");
        assertThat(listener.address()).isEqualTo(new HostPort("", 0));
        assertThat(listener.filterChains()).hasSize(1);
    }

    @Test
    void paths() {
        assertThat(route(withMatch(m -> m.setPrefix("/a"))).match().path()).isEqualTo(new RouteMatch.Prefix("/a"));
        assertThat(route(withMatch(m -> m.setPath("/a"))).match().path()).isEqualTo(new RouteMatch.Exact("/a"));
        assertThat(route(withMatch(m -> m.setPathSeparatedPrefix("/a"))).match().path())
                .isEqualTo(new RouteMatch.SeparatedPrefix("/a"));
        assertThat(route(withMatch(m -> m.setSafeRegex(regex("/a.*")))).match().path())
                .isEqualTo(new RouteMatch.Regex("/a.*"));
        assertThat(route(withMatch(m -> {})).match().caseSensitive()).isTrue();
        assertThat(route(withMatch(m -> m.setCaseSensitive(bool(false)))).match().caseSensitive()).isFalse();
    }

    @Test
    void headersInTheOldAndTheNewForm() {
        assertThat(route(withHeader(h -> {})).match().headers())
                .containsExactly(new HeaderMatch("x-canary", new HeaderMatch.Present(true), false, false));
        assertThat(headerTest(h -> h.setPresentMatch(false))).isEqualTo(new HeaderMatch.Present(false));
        assertThat(headerTest(h -> h.setExactMatch("yes"))).isEqualTo(value(new StringMatch.Exact("yes", false)));
        assertThat(headerTest(h -> h.setExactMatch(""))).isEqualTo(new HeaderMatch.Value(new StringMatch.Contains("", false)));
        assertThat(headerTest(h -> h.setPrefixMatch("y"))).isEqualTo(value(new StringMatch.Prefix("y", false)));
        assertThat(headerTest(h -> h.setSuffixMatch("y"))).isEqualTo(value(new StringMatch.Suffix("y", false)));
        assertThat(headerTest(h -> h.setContainsMatch("y"))).isEqualTo(value(new StringMatch.Contains("y", false)));
        assertThat(headerTest(h -> h.setSafeRegexMatch(regex("y+")))).isEqualTo(value(new StringMatch.Regex("y+")));
        assertThat(headerTest(h -> h.setRangeMatch(Int64Range.newBuilder().setStart(-1).setEnd(5))))
                .isEqualTo(new HeaderMatch.Range(-1, 5));
        assertThat(headerTest(h -> h.setStringMatch(StringMatcher.newBuilder().setExact("").setIgnoreCase(true))))
                .isEqualTo(value(new StringMatch.Exact("", true)));
        assertThat(headerTest(h -> h.setStringMatch(StringMatcher.newBuilder().setPrefix("y").setIgnoreCase(true))))
                .isEqualTo(value(new StringMatch.Prefix("y", true)));
        assertThat(headerTest(h -> h.setStringMatch(StringMatcher.newBuilder().setSuffix("y"))))
                .isEqualTo(value(new StringMatch.Suffix("y", false)));
        assertThat(headerTest(h -> h.setStringMatch(StringMatcher.newBuilder().setContains("y"))))
                .isEqualTo(value(new StringMatch.Contains("y", false)));
        assertThat(headerTest(h -> h.setStringMatch(StringMatcher.newBuilder().setSafeRegex(regex("y")))))
                .isEqualTo(value(new StringMatch.Regex("y")));
        assertThat(route(withHeader(h -> h.setInvertMatch(true).setTreatMissingHeaderAsEmpty(true))).match().headers())
                .containsExactly(new HeaderMatch("x-canary", new HeaderMatch.Present(true), true, true));
    }

    private static HeaderMatch.Test headerTest(
            Consumer<io.weft.policy.proto.envoy.config.route.v3.HeaderMatcher.Builder> change) {
        return route(withHeader(change)).match().headers().get(0).test();
    }

    private static HeaderMatch.Value value(StringMatch match) {
        return new HeaderMatch.Value(match);
    }

    @Test
    void queryParametersGrpcAndFractions() {
        assertThat(route(withQuery(q -> {})).match().query()).containsExactly(new QueryMatch("q", Optional.empty()));
        assertThat(route(withQuery(q -> q.setPresentMatch(true))).match().query())
                .containsExactly(new QueryMatch("q", Optional.empty()));
        assertThat(route(withQuery(q -> q.setStringMatch(StringMatcher.newBuilder().setExact("v")))).match().query())
                .containsExactly(new QueryMatch("q", Optional.of(new StringMatch.Exact("v", false))));
        assertThat(route(withMatch(m -> m.setGrpc(
                                io.weft.policy.proto.envoy.config.route.v3.RouteMatch.GrpcRouteMatchOptions.getDefaultInstance())))
                        .match().grpc())
                .isTrue();
        assertThat(fraction(5, DenominatorType.HUNDRED)).contains(new RouteMatch.Fraction(5, 100));
        assertThat(fraction(5, DenominatorType.TEN_THOUSAND)).contains(new RouteMatch.Fraction(5, 10_000));
        assertThat(fraction(-1, DenominatorType.MILLION)).contains(new RouteMatch.Fraction(1_000_000, 1_000_000));
    }

    private static Optional<RouteMatch.Fraction> fraction(int numerator, DenominatorType denominator) {
        return route(withMatch(m -> m.setRuntimeFraction(RuntimeFractionalPercent.newBuilder()
                        .setRuntimeKey("k")
                        .setDefaultValue(FractionalPercent.newBuilder().setNumerator(numerator).setDenominator(denominator)))))
                .match()
                .runtimeFraction();
    }

    @Test
    void whereARouteForwards() {
        assertThat(forward(withAction(a -> {}))).isEqualTo(new RouteAction.Forward(
                RouteAction.ClusterChoice.of(RouteAction.WeightedCluster.of("orders", 1)),
                RouteAction.Rewrite.NONE,
                Resending.NONE,
                Timeouts.of(Duration.ofSeconds(15)),
                List.of(),
                Map.of(), io.weft.policy.model.RoutingPriority.DEFAULT));
        assertThat(forward(weighted(w -> w.addClusters(weight("off", 0)))).clusters()).isEqualTo(RouteAction.ClusterChoice.of(
                RouteAction.WeightedCluster.of("v1", 90),
                RouteAction.WeightedCluster.of("v2", 10),
                RouteAction.WeightedCluster.of("off", 0)));
        assertThat(forward(withAction(a -> a.setPrefixRewrite("/b").setHostRewriteLiteral("h"))).rewrite())
                .isEqualTo(new RouteAction.Rewrite(
                        Optional.of(new RouteAction.ReplaceMatched("/b")), Optional.of(new RouteAction.HostLiteral("h")), false));
        assertThat(forward(withAction(a -> a.setAutoHostRewrite(bool(false))
                                .setRegexRewrite(RegexMatchAndSubstitute.newBuilder()
                                        .setPattern(regex("/(a)"))
                                        .setSubstitution("/\\1\\0\\\\"))))
                        .rewrite())
                .isEqualTo(new RouteAction.Rewrite(
                        Optional.of(new RouteAction.ReplaceRegex("/(a)", "/\\1\\0\\\\")), Optional.empty(), false));
    }

    @Test
    void whereARequestItselfSaysWhereItGoes() {
        assertThat(forward(withAction(a -> a.setClusterHeader("X-Cluster"))).clusters()).isEqualTo(RouteAction.ClusterChoice.of(
                new RouteAction.WeightedCluster(
                        new RouteAction.InHeader("x-cluster"), 1, HeaderChanges.NONE, Optional.empty(), FilterOverrides.NONE, Map.of())));
        RouteAction.ClusterChoice choice = forward(weighted(w -> w.setHeaderName("X-Value").addClusters(
                        weight("", 5).toBuilder().setClusterHeader("X-C").setHostRewriteLiteral("h")))).clusters();
        assertThat(choice.valueHeader()).contains("x-value");
        assertThat(choice.weighted()).contains(new RouteAction.WeightedCluster(
                new RouteAction.InHeader("x-c"), 5, HeaderChanges.NONE, Optional.of("h"), FilterOverrides.NONE, Map.of()));
        assertThat(forward(withAction(a -> a.setClusterNotFoundResponseCode(
                        io.weft.policy.proto.envoy.config.route.v3.RouteAction.ClusterNotFoundResponseCode.NOT_FOUND)))
                        .clusters()
                        .notFoundStatus())
                .isEqualTo(404);
    }

    @Test
    void hostsFromHeadersAndPaths() {
        assertThat(forward(withAction(a -> a.setHostRewriteHeader("X-Host").setAppendXForwardedHost(true))).rewrite())
                .isEqualTo(new RouteAction.Rewrite(
                        Optional.empty(), Optional.of(new RouteAction.HostFromHeader("x-host")), true));
        assertThat(forward(withAction(a -> a.setAutoHostRewrite(bool(true)))).rewrite())
                .isEqualTo(new RouteAction.Rewrite(Optional.empty(), Optional.of(new RouteAction.HostOfEndpoint()), false));
        assertThat(forward(withAction(a -> a.setHostRewritePathRegex(RegexMatchAndSubstitute.newBuilder()
                                .setPattern(regex("^/(.+)/.+$"))
                                .setSubstitution("\\1"))))
                        .rewrite()
                        .host())
                .contains(new RouteAction.HostFromPath(new RouteAction.ReplaceRegex("^/(.+)/.+$", "\\1")));
    }

    @Test
    void templatesAreRegularExpressions() {
        Route route = route(templated("/users/{id}/**", templateRewrite("/u/{id}")));
        RouteMatch.Regex match = (RouteMatch.Regex) route.match().path();
        assertThat("/users/17/a/b").matches(match.regex());
        assertThat("/users/17").doesNotMatch(match.regex());
        assertThat(((RouteAction.Forward) route.action()).rewrite().path())
                .contains(new RouteAction.ReplaceRegex("^" + match.regex() + "$", "/u/\\1"));
    }

    @Test
    void whatVirtualHostsSayOfTlsAndAttempts() {
        assertThat(honoured(RouteConfiguration.class, withHost(h -> h.setRequireTls(TlsRequirementType.ALL)))
                        .virtualHosts().get(0).requireTls())
                .isTrue();
        assertThat(honoured(RouteConfiguration.class, withHost(h -> h.setIncludeRequestAttemptCount(true)))
                        .virtualHosts().get(0).attemptCount())
                .isEqualTo(new AttemptCount(true, false));
        assertThat(honoured(RouteConfiguration.class, withHost(h -> h.setIncludeAttemptCountInResponse(true)))
                        .virtualHosts().get(0).attemptCount())
                .isEqualTo(new AttemptCount(false, true));
    }

    @Test
    void redirectsDirectResponsesAndWhatIsForServers() {
        assertThat(route(withRoute(r -> r.setRedirect(RedirectAction.newBuilder().setHttpsRedirect(true)))).action())
                .isEqualTo(new RouteAction.Redirect(
                        Optional.of("https"), Optional.empty(), 0, Optional.empty(), Optional.empty(), false, 301));
        assertThat(route(withRoute(r -> r.setRedirect(RedirectAction.newBuilder()
                                .setSchemeRedirect("http")
                                .setHostRedirect("h")
                                .setPortRedirect(81)
                                .setPathRedirect("/p")
                                .setStripQuery(true)
                                .setResponseCode(RedirectAction.RedirectResponseCode.PERMANENT_REDIRECT))))
                        .action())
                .isEqualTo(new RouteAction.Redirect(
                        Optional.of("http"), Optional.of("h"), 81, Optional.of("/p"), Optional.empty(), true, 308));
        assertThat(route(withRoute(r -> r.setRedirect(RedirectAction.newBuilder().setPrefixRewrite("/p")))).action())
                .isInstanceOfSatisfying(RouteAction.Redirect.class, it -> assertThat(it.rewrite()).contains(new RouteAction.ReplaceMatched("/p")));
        assertThat(direct(DataSource.newBuilder().setInlineString("grüezi"))).isEqualTo("grüezi");
        assertThat(direct(DataSource.newBuilder().setInlineBytes(ByteString.copyFromUtf8("ü")))).isEqualTo("ü");
        assertThat(route(withRoute(r -> r.setNonForwardingAction(NonForwardingAction.getDefaultInstance()))).action())
                .isEqualTo(new RouteAction.NonForwarding());
    }

    private static String direct(DataSource.Builder body) {
        RouteAction action = route(withRoute(r ->
                        r.setDirectResponse(DirectResponseAction.newBuilder().setStatus(418).setBody(body))))
                .action();
        assertThat(((RouteAction.DirectResponse) action).status()).isEqualTo(418);
        return ((RouteAction.DirectResponse) action).body();
    }

    @Test
    void aLargerDirectResponseWhereItIsAllowed() {
        String body = "x".repeat(5000);
        assertThat(route(withRoute(r -> r.setDirectResponse(DirectResponseAction.newBuilder()
                                .setStatus(200)
                                .setBody(DataSource.newBuilder().setInlineString(body))))
                        .toBuilder()
                        .setMaxDirectResponseBodySizeBytes(uint32(5000))
                        .build())
                .action()).isEqualTo(new RouteAction.DirectResponse(200, body));
    }

    private static HttpConnectionManager.StreamLimits limits(io.weft.policy.proto.envoy.config.listener.v3.Listener listener) {
        return honoured(Listener.class, listener).filterChains().get(0).http().limits();
    }

    @Test
    void howLongAConnectionMayLastOverWhichRequestsComeIn() {
        Listener listener = honoured(Listener.class, withManager(m -> m.setCommonHttpProtocolOptions(
                        io.weft.policy.proto.envoy.config.core.v3.HttpProtocolOptions.newBuilder()
                                .setMaxConnectionDuration(seconds(9))
                                .setMaxRequestsPerConnection(uint32(4))))
                .toBuilder().setTrafficDirection(TrafficDirection.INBOUND).build());
        assertThat(listener.filterChains().get(0).http().edge().connection())
                .isEqualTo(new HttpConnectionManager.ConnectionLimits(Duration.ofSeconds(9), 4));
    }

    @Test
    void howLongARequestMayTakeWhereItsRouteDoesNotSay() {
        assertThat(limits(withManager(m -> {}))).as("Envoy's default")
                .isEqualTo(new HttpConnectionManager.StreamLimits(Duration.ofMinutes(5), Duration.ZERO, 0));
        assertThat(limits(withManager(m -> m.setStreamIdleTimeout(seconds(0)).setCommonHttpProtocolOptions(
                        io.weft.policy.proto.envoy.config.core.v3.HttpProtocolOptions.newBuilder().setMaxStreamDuration(seconds(7))))))
                .isEqualTo(new HttpConnectionManager.StreamLimits(Duration.ZERO, Duration.ofSeconds(7), 0));
        assertThat(limits(withManager(m -> m.setMaxRequestHeadersKb(uint32(9))).toBuilder()
                        .setTrafficDirection(TrafficDirection.INBOUND).build()))
                .isEqualTo(new HttpConnectionManager.StreamLimits(Duration.ZERO, Duration.ZERO, 9 * 1024));
        assertThat(limits(apiListener(any(manager(m -> {}))))).as("of a client without a proxy")
                .isEqualTo(HttpConnectionManager.StreamLimits.NONE);
    }

    @Test
    void timeouts() {
        assertThat(forward(withAction(a -> a.setTimeout(seconds(0)))).timeouts()).isEqualTo(Timeouts.NONE);
        assertThat(forward(withAction(a -> a.setIdleTimeout(seconds(4)))).timeouts().idle()).contains(Duration.ofSeconds(4));
        assertThat(forward(withAction(a -> a.setMaxGrpcTimeout(seconds(0)).setGrpcTimeoutOffset(seconds(1)))).timeouts().grpc())
                .contains(new GrpcTimeout(Duration.ZERO, Duration.ofSeconds(1)));
        assertThat(forward(withAction(a -> a.setMaxStreamDuration(MaxStreamDuration.getDefaultInstance()))).timeouts()
                        .streamDuration())
                .contains(new StreamDuration(Optional.empty(), Optional.empty()));
        assertThat(forward(withAction(a -> a.setMaxStreamDuration(MaxStreamDuration.newBuilder()
                                .setMaxStreamDuration(seconds(9))
                                .setGrpcTimeoutHeaderMax(seconds(8))
                                .setGrpcTimeoutHeaderOffset(seconds(1)))))
                        .timeouts()
                        .streamDuration())
                .contains(new StreamDuration(
                        Optional.of(Duration.ofSeconds(9)),
                        Optional.of(new GrpcTimeout(Duration.ofSeconds(8), Duration.ofSeconds(1)))));
        assertThat(forward(withRetry(r -> r.setPerTryTimeout(seconds(2)).setPerTryIdleTimeout(seconds(1)))).resending().retry())
                .hasValueSatisfying(retry -> assertThat(retry.perTry())
                        .isEqualTo(new PerTry(Duration.ofSeconds(2), Duration.ofSeconds(1))));
    }

    @Test
    void retries() {
        assertThat(forward(withRetry(r -> {})).resending().retry()).contains(new RetryPolicy(
                Conditions.on(On.SERVER_ERROR_5XX), 1, PerTry.NO_LIMIT, BackOff.DEFAULT, Optional.empty(), HostSelection.ANY));
        assertThat(forward(withRetry(r -> r.setRetryOn("connect-failure, refused-stream,retriable-status-codes,unavailable")
                                .addRetriableStatusCodes(503)
                                .setNumRetries(uint32(0))
                                .setRetryBackOff(RetryBackOff.newBuilder().setBaseInterval(millis(100)))
                                .setHostSelectionRetryMaxAttempts(5)
                                .addRetryHostPredicate(RetryHostPredicate.newBuilder()
                                        .setName("envoy.retry_host_predicates.previous_hosts")
                                        .setTypedConfig(any("envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate")))
                                .addRetryHostPredicate(RetryHostPredicate.newBuilder()
                                        .setName("envoy.retry_host_predicates.omit_canary_hosts"))
                                .addRetryHostPredicate(RetryHostPredicate.newBuilder()
                                        .setName("labels")
                                        .setTypedConfig(any(OmitHostMetadataConfig.newBuilder()
                                                .setMetadataMatch(Metadata.newBuilder().putFilterMetadata("envoy.lb",
                                                        Struct.newBuilder()
                                                                .putFields("stage", Value.newBuilder().setStringValue("new").build())
                                                                .build()))
                                                .build())))
                                .addRetriableRequestHeaders(
                                        io.weft.policy.proto.envoy.config.route.v3.HeaderMatcher.newBuilder()
                                                .setName(":method")
                                                .setExactMatch("GET"))))
                        .resending().retry())
                .contains(new RetryPolicy(
                        new Conditions(
                                Set.of(On.CONNECT_FAILURE, On.REFUSED_STREAM, On.RETRIABLE_STATUS_CODES, On.UNAVAILABLE),
                                Set.of(503),
                                List.of(),
                                List.of(new HeaderMatch(":method", value(new StringMatch.Exact("GET", false)), false, false))),
                        0,
                        PerTry.NO_LIMIT,
                        new BackOff(Duration.ofMillis(100), Duration.ofSeconds(1)),
                        Optional.empty(),
                        new HostSelection(true, true, List.of(Map.of("stage", "new")), 5)));
        assertThat(forward(withRetry(r -> r.setRetryOn("envoy-ratelimited,retriable-headers")
                                .addRetriableHeaders(io.weft.policy.proto.envoy.config.route.v3.HeaderMatcher.newBuilder()
                                        .setName("X-Busy")
                                        .setExactMatch("1"))
                                .setRateLimitedRetryBackOff(RateLimitedRetryBackOff.newBuilder()
                                        .addResetHeaders(ResetHeader.newBuilder().setName("Retry-After"))
                                        .addResetHeaders(ResetHeader.newBuilder()
                                                .setName("x-reset")
                                                .setFormat(ResetHeaderFormat.UNIX_TIMESTAMP)))))
                        .resending().retry())
                .hasValueSatisfying(retry -> {
                    assertThat(retry.conditions()).isEqualTo(new Conditions(
                            Set.of(On.ENVOY_RATELIMITED, On.RETRIABLE_HEADERS),
                            Set.of(),
                            List.of(new HeaderMatch("x-busy", value(new StringMatch.Exact("1", false)), false, false)),
                            List.of()));
                    assertThat(retry.rateLimitedBackOff()).contains(new RateLimitedBackOff(
                            List.of(
                                    new RetryPolicy.ResetHeader("retry-after", ResetFormat.SECONDS),
                                    new RetryPolicy.ResetHeader("x-reset", ResetFormat.UNIX_TIMESTAMP)),
                            Duration.ofSeconds(300)));
                });
        assertThat(forward(withRetry(r -> r.setRetryBackOff(RetryBackOff.newBuilder()
                                .setBaseInterval(io.weft.policy.proto.protobuf.Duration.newBuilder().setNanos(1))
                                .setMaxInterval(seconds(1))))).resending().retry())
                .hasValueSatisfying(retry -> assertThat(retry.backOff())
                        .isEqualTo(new BackOff(Duration.ofMillis(1), Duration.ofSeconds(1))));
        assertThat(honoured(RouteConfiguration.class, withHost(h -> h.setRetryPolicy(
                        io.weft.policy.proto.envoy.config.route.v3.RetryPolicy.newBuilder().setRetryOn("reset"))))
                        .virtualHosts().get(0).resending().retry())
                .hasValueSatisfying(retry -> assertThat(retry.conditions().on()).containsExactly(On.RESET));
    }

    @Test
    void prioritiesThatRetriesLeaveOut() {
        assertThat(forward(withRetry(r -> r.setRetryPriority(
                        priorities(PreviousPrioritiesConfig.newBuilder().setUpdateFrequency(2).build())))).resending().retry())
                .hasValueSatisfying(retry -> assertThat(retry.hostSelection().previousPriorities()).hasValue(2));
    }

    private static MirrorPolicy mirror(RequestMirrorPolicy.Builder policy) {
        return forward(withAction(a -> a.addRequestMirrorPolicies(policy))).resending().mirrors().get(0);
    }

    @Test
    void mirroring() {
        assertThat(mirror(RequestMirrorPolicy.newBuilder().setCluster("shadow"))).isEqualTo(new MirrorPolicy(
                new RouteAction.Named("shadow"), new RouteMatch.Fraction(100, 100), List.of(), new MirrorPolicy.Shadow()));
        assertThat(mirror(RequestMirrorPolicy.newBuilder()
                        .setClusterHeader("X-Shadow")
                        .setDisableShadowHostSuffixAppend(true)
                        .setRuntimeFraction(RuntimeFractionalPercent.newBuilder()
                                .setDefaultValue(FractionalPercent.newBuilder().setNumerator(5)))
                        .addRequestHeadersMutations(HeaderMutation.newBuilder().setRemove("X-Secret"))
                        .addRequestHeadersMutations(HeaderMutation.newBuilder().setAppend(header("x-copy", "1")))))
                .isEqualTo(new MirrorPolicy(
                        new RouteAction.InHeader("x-shadow"),
                        new RouteMatch.Fraction(5, 100),
                        List.of(
                                new HeaderChanges(List.of(), List.of("x-secret"), List.of(), List.of()),
                                new HeaderChanges(
                                        List.of(new Addition("x-copy", Format.of("1"), Action.APPEND_IF_EXISTS_OR_ADD, false)),
                                        List.of(), List.of(), List.of())),
                        new MirrorPolicy.Same()));
        assertThat(mirror(RequestMirrorPolicy.newBuilder().setCluster("shadow").setHostRewriteLiteral("h:1")).host())
                .isEqualTo(new MirrorPolicy.Literal("h:1"));
    }

    @Test
    void virtualHostsThatComeByThemselves() {
        assertThat(honoured(PartialRoutes.class, Samples.partialRoutes(r -> r.setIgnorePortInHostMatching(true))).configuration())
                .satisfies(routes -> {
                    assertThat(routes.virtualHosts()).isEmpty();
                    assertThat(routes.ignorePortInHostMatching()).isTrue();
                });
        VirtualHost host = honoured(VirtualHost.class, host(h -> h.setName("80/kri/orders").setRequireTls(TlsRequirementType.ALL)));
        assertThat(host.name()).isEqualTo("orders");
        assertThat(host.requireTls()).isTrue();
    }

    @Test
    void theMostSpecificMirrorsCountAlone() {
        RouteConfiguration routes = honoured(RouteConfiguration.class, Samples.routes(config -> config
                .addRequestMirrorPolicies(RequestMirrorPolicy.newBuilder().setCluster("of-all"))
                .addVirtualHosts(host(h -> h.clearDomains()
                        .addDomains("other")
                        .addRequestMirrorPolicies(RequestMirrorPolicy.newBuilder().setCluster("of-host"))))));

        assertThat(routes.virtualHosts().get(0).resending().mirrors()).containsExactly(MirrorPolicy.to("of-all"));
        assertThat(routes.virtualHosts().get(1).resending().mirrors()).containsExactly(MirrorPolicy.to("of-host"));
    }

    @Test
    void hedging() {
        assertThat(forward(withAction(a -> a.setHedgePolicy(
                        io.weft.policy.proto.envoy.config.route.v3.HedgePolicy.newBuilder().setHedgeOnPerTryTimeout(true))))
                        .resending().hedge())
                .contains(new HedgePolicy(true));
        assertThat(honoured(RouteConfiguration.class, withHost(h -> h.setHedgePolicy(
                        io.weft.policy.proto.envoy.config.route.v3.HedgePolicy.newBuilder().setHedgeOnPerTryTimeout(true))))
                        .virtualHosts().get(0).resending().hedge())
                .contains(new HedgePolicy(true));
    }

    @Test
    void howMuchOfABodyIsKeptToSendItAgain() {
        assertThat(forward(withRoute(r -> r.setPerRequestBufferLimitBytes(uint32(-1)))).resending().bufferLimit())
                .hasValue(4_294_967_295L);
        assertThat(forward(withRoute(r -> r.setPerRequestBufferLimitBytes(uint32(5)).setRequestBodyBufferLimit(uint64(7))))
                        .resending().bufferLimit())
                .hasValue(7);
        assertThat(honoured(RouteConfiguration.class, withHost(h -> h.setRequestBodyBufferLimit(uint64(-1))))
                        .virtualHosts().get(0).resending().bufferLimit())
                .hasValue(Long.MAX_VALUE);
        assertThat(honoured(RouteConfiguration.class, withHost(h -> h.setPerRequestBufferLimitBytes(uint32(0))))
                        .virtualHosts().get(0).resending().bufferLimit())
                .hasValue(0);
    }

    private static UInt64Value uint64(long value) {
        return UInt64Value.newBuilder().setValue(value).build();
    }

    @Test
    void headerChangesOfEveryLevel() {
        RouteConfiguration routes = honoured(RouteConfiguration.class, Samples.routes(config -> config
                .addRequestHeadersToAdd(header("X-Level", "config"))
                .setVirtualHosts(0, host(host -> host
                        .addResponseHeadersToRemove("Server")
                        .setRoutes(0, Samples.route(route -> route
                                .addRequestHeadersToAdd(header("a", "100%%").toBuilder().setAppend(bool(false)))
                                .addRequestHeadersToAdd(header("b", "").toBuilder().setKeepEmptyValue(true))
                                .addRequestHeadersToAdd(header("dropped", ""))
                                .addRequestHeadersToAdd(header("c", "1").toBuilder()
                                        .setAppendAction(HeaderAppendAction.ADD_IF_ABSENT))
                                .addResponseHeadersToAdd(header("d", "2").toBuilder()
                                        .setAppendAction(HeaderAppendAction.OVERWRITE_IF_EXISTS))
                                .addResponseHeadersToAdd(HeaderValueOption.newBuilder()
                                        .setAppendAction(HeaderAppendAction.OVERWRITE_IF_EXISTS_OR_ADD)
                                        .setHeader(HeaderValue.newBuilder()
                                                .setKey("e")
                                                .setRawValue(ByteString.copyFromUtf8("raw"))))
                                .addRequestHeadersToRemove("X-Gone")))))));

        assertThat(routes.headers().requestAdd())
                .containsExactly(new Addition("x-level", Format.of("config"), Action.APPEND_IF_EXISTS_OR_ADD, false));
        assertThat(routes.virtualHosts().get(0).headers().responseRemove()).containsExactly("server");
        HeaderChanges changes = routes.virtualHosts().get(0).routes().get(0).headers();
        assertThat(changes.requestAdd()).containsExactly(
                new Addition("a", Format.of("100%"), Action.OVERWRITE_IF_EXISTS_OR_ADD, false),
                new Addition("b", Format.of(""), Action.APPEND_IF_EXISTS_OR_ADD, true),
                new Addition("c", Format.of("1"), Action.ADD_IF_ABSENT, false));
        assertThat(changes.responseAdd()).containsExactly(
                new Addition("d", Format.of("2"), Action.OVERWRITE_IF_EXISTS, false),
                new Addition("e", Format.of("raw"), Action.OVERWRITE_IF_EXISTS_OR_ADD, false));
        assertThat(changes.requestRemove()).containsExactly("x-gone");
    }

    @Test
    void portsIgnoredInHosts() {
        assertThat(honoured(RouteConfiguration.class, Samples.routes(r -> r.setIgnorePortInHostMatching(true)))
                        .ignorePortInHostMatching())
                .isTrue();
    }
}
