package io.weft.policy.parse;

import static io.weft.policy.parse.Samples.*;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import com.google.protobuf.GeneratedMessageLite;
import com.google.protobuf.MessageLite;
import io.weft.policy.model.Unhonoured;
import io.weft.policy.parse.ParseOutcome.Accepted;
import io.weft.policy.proto.envoy.config.accesslog.v3.AccessLog;
import io.weft.policy.proto.envoy.config.accesslog.v3.AccessLogFilter;
import io.weft.policy.proto.envoy.config.accesslog.v3.AndFilter;
import io.weft.policy.proto.envoy.config.accesslog.v3.ComparisonFilter;
import io.weft.policy.proto.envoy.config.accesslog.v3.DurationFilter;
import io.weft.policy.proto.envoy.config.accesslog.v3.GrpcStatusFilter;
import io.weft.policy.proto.envoy.config.accesslog.v3.LogTypeFilter;
import io.weft.policy.proto.envoy.config.accesslog.v3.MetadataFilter;
import io.weft.policy.proto.envoy.config.accesslog.v3.NotHealthCheckFilter;
import io.weft.policy.proto.envoy.config.accesslog.v3.OrFilter;
import io.weft.policy.proto.envoy.config.accesslog.v3.ResponseFlagFilter;
import io.weft.policy.proto.envoy.config.accesslog.v3.RuntimeFilter;
import io.weft.policy.proto.envoy.config.accesslog.v3.StatusCodeFilter;
import io.weft.policy.proto.envoy.config.cluster.v3.CircuitBreakers;
import io.weft.policy.proto.envoy.config.cluster.v3.Cluster;
import io.weft.policy.proto.envoy.config.cluster.v3.Cluster.LbSubsetConfig.LbSubsetSelector;
import io.weft.policy.proto.envoy.config.cluster.v3.LoadBalancingPolicy;
import io.weft.policy.proto.envoy.config.cluster.v3.OutlierDetection;
import io.weft.policy.proto.envoy.config.core.v3.ConfigSource;
import io.weft.policy.proto.envoy.config.core.v3.DataSource;
import io.weft.policy.proto.envoy.config.core.v3.HealthCheck;
import io.weft.policy.proto.envoy.config.core.v3.RuntimeUInt32;
import io.weft.policy.proto.envoy.config.core.v3.SelfConfigSource;
import io.weft.policy.proto.envoy.config.core.v3.SocketAddress;
import io.weft.policy.proto.envoy.config.core.v3.SubstitutionFormatString;
import io.weft.policy.proto.envoy.config.core.v3.TrafficDirection;
import io.weft.policy.proto.envoy.config.core.v3.TypedExtensionConfig;
import io.weft.policy.proto.envoy.config.endpoint.v3.ClusterLoadAssignment;
import io.weft.policy.proto.envoy.config.endpoint.v3.LocalityLbEndpoints;
import io.weft.policy.proto.envoy.config.listener.v3.FilterChainMatch;
import io.weft.policy.proto.envoy.config.route.v3.DirectResponseAction;
import io.weft.policy.proto.envoy.config.route.v3.RateLimit;
import io.weft.policy.proto.envoy.config.route.v3.RedirectAction;
import io.weft.policy.proto.envoy.extensions.access_loggers.file.v3.FileAccessLog;
import io.weft.policy.proto.envoy.extensions.access_loggers.stream.v3.StdoutAccessLog;
import io.weft.policy.proto.envoy.extensions.common.ratelimit.v3.LocalRateLimitDescriptor;
import io.weft.policy.proto.envoy.extensions.common.ratelimit.v3.RateLimitDescriptor;
import io.weft.policy.proto.envoy.extensions.filters.common.fault.v3.FaultDelay;
import io.weft.policy.proto.envoy.extensions.filters.common.fault.v3.FaultRateLimit;
import io.weft.policy.proto.envoy.extensions.filters.http.buffer.v3.Buffer;
import io.weft.policy.proto.envoy.extensions.filters.http.buffer.v3.BufferPerRoute;
import io.weft.policy.proto.envoy.extensions.filters.http.cors.v3.CorsPolicy;
import io.weft.policy.proto.envoy.extensions.filters.http.fault.v3.FaultAbort;
import io.weft.policy.proto.envoy.extensions.filters.http.fault.v3.HTTPFault;
import io.weft.policy.proto.envoy.extensions.filters.http.header_mutation.v3.HeaderMutation;
import io.weft.policy.proto.envoy.extensions.filters.http.header_mutation.v3.Mutations;
import io.weft.policy.proto.envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit;
import io.weft.policy.proto.envoy.extensions.filters.http.router.v3.Router;
import io.weft.policy.proto.envoy.extensions.filters.http.stateful_session.v3.StatefulSession;
import io.weft.policy.proto.envoy.extensions.filters.http.stateful_session.v3.StatefulSessionPerRoute;
import io.weft.policy.proto.envoy.extensions.http.stateful_session.cookie.v3.CookieBasedSessionState;
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
import io.weft.policy.proto.envoy.extensions.retry.priority.previous_priorities.v3.PreviousPrioritiesConfig;
import io.weft.policy.proto.envoy.extensions.transport_sockets.tls.v3.CertificateValidationContext;
import io.weft.policy.proto.envoy.extensions.transport_sockets.tls.v3.CommonTlsContext;
import io.weft.policy.proto.envoy.extensions.transport_sockets.tls.v3.TlsParameters;
import io.weft.policy.proto.envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext;
import io.weft.policy.proto.envoy.type.http.v3.Cookie;
import io.weft.policy.proto.envoy.type.v3.HttpStatus;
import io.weft.policy.proto.envoy.type.v3.TokenBucket;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Sets each field of each message that the parser reads, one at a time: the outcome must change, that is the field is honoured,
 * reported or refused, unless it is listed here as one that means nothing to a client. A field that a new version of Envoy's API
 * brings fails here until somebody has decided.
 */
class EveryFieldDecidedTest {
    /** For a field that other tests show to be honoured. */
    static final String HONOURED = "The value that is tried here is what holds without it.";

    /** A message, the resource around it, and the fields of it that mean nothing, each with the reason. */
    record Subject(MessageLite.Builder base, Function<MessageLite.Builder, MessageLite> resource, Map<String, String> nothing) {
        @Override
        public String toString() {
            return base.getClass().getEnclosingClass().getSimpleName();
        }
    }

    private static <B extends MessageLite.Builder> Subject policy(B base, String... nothing) {
        return subject(base, policy -> cluster(c -> c.setLoadBalancingPolicy(policies(policy.build()))), nothing);
    }

    private static <B extends MessageLite.Builder> Subject policy(B base, Function<B, MessageLite.Builder> policy) {
        return subject(base, config -> cluster(c -> c.setLoadBalancingPolicy(policies(policy.apply(config).build()))));
    }

    private static TypedExtensionConfig session(Cookie.Builder cookie) {
        return TypedExtensionConfig.newBuilder()
                .setName("state")
                .setTypedConfig(any(CookieBasedSessionState.newBuilder().setCookie(cookie).build()))
                .build();
    }

    private static LoadBalancingPolicy policies(MessageLite policy) {
        return LoadBalancingPolicy.newBuilder()
                .addPolicies(LoadBalancingPolicy.Policy.newBuilder()
                        .setTypedExtensionConfig(TypedExtensionConfig.newBuilder().setName("lb").setTypedConfig(any(policy))))
                .build();
    }

    @SuppressWarnings("unchecked")
    static <B extends MessageLite.Builder> Subject subject(
            B base, Function<? super B, MessageLite> resource, String... nothing) {
        return new Subject(base, (Function<MessageLite.Builder, MessageLite>) resource, reasons(nothing));
    }

    /** @param nothing names, a reason (it ends with a full stop) in front of those that it is for */
    private static Map<String, String> reasons(String... nothing) {
        Map<String, String> reasons = new TreeMap<>();
        String reason = "Says nothing about traffic.";
        for (String text : nothing) {
            if (text.endsWith(".")) {
                reason = text;
            } else {
                reasons.put(text, reason);
            }
        }
        return reasons;
    }

    private static final TokenBucket BUCKET =
            TokenBucket.newBuilder().setMaxTokens(7).setFillInterval(seconds(60)).build();
    private static final LocalRateLimitDescriptor DESCRIPTOR = LocalRateLimitDescriptor.newBuilder()
            .addEntries(RateLimitDescriptor.Entry.newBuilder().setKey("k").setValue("v"))
            .setTokenBucket(BUCKET)
            .build();
    private static final RateLimit.Action GENERIC_KEY = RateLimit.Action.newBuilder()
            .setGenericKey(RateLimit.Action.GenericKey.newBuilder().setDescriptorValue("v"))
            .build();
    private static final Function<MessageLite.Builder, MessageLite> HTTP_FILTER = filter ->
            withManager(m -> m.addHttpFilters(0, httpFilter("").toBuilder().setTypedConfig(any(filter.build()))));
    private static final Function<MessageLite.Builder, MessageLite> OVERRIDE =
            filter -> routes(r -> r.putTypedPerFilterConfig("filter", any(filter.build())));

    /** Access control and authentication: what is passed over here lets somebody in. */
    static Stream<Subject> security() {
        var permission = io.weft.policy.proto.envoy.config.rbac.v3.Permission.newBuilder().setAny(true).build();
        var principal = io.weft.policy.proto.envoy.config.rbac.v3.Principal.newBuilder().setAny(true).build();
        var rules = AccessControlTest.rules(permission, principal);
        var predicate = AccessControlTest.single(AccessControlTest.input("ssl.v3.UriSanInput"), "v");
        return Stream.of(
                subject(io.weft.policy.proto.envoy.extensions.filters.http.rbac.v3.RBAC.newBuilder(), JwtParserTest::withFilter,
                        "Names of statistics; what a rule decided is always counted.",
                        "RulesStatPrefix", "ShadowRulesStatPrefix", "TrackPerRuleStats"),
                subject(io.weft.policy.proto.envoy.config.rbac.v3.RBAC.newBuilder(),
                        rbac -> AccessControlTest.withRules(rbac.build())),
                subject(rules.getPoliciesOrThrow("p").toBuilder(), policy -> AccessControlTest.withRules(
                        rules.toBuilder().putPolicies("p", policy.build()).build())),
                subject(permission.toBuilder(),
                        changed -> AccessControlTest.withRules(AccessControlTest.rules(changed.build(), principal)),
                        HONOURED,
                        "Any"),
                subject(principal.toBuilder(),
                        changed -> AccessControlTest.withRules(AccessControlTest.rules(permission, changed.build())),
                        "Any"),
                subject(io.weft.policy.proto.envoy.config.rbac.v3.Principal.Authenticated.newBuilder(),
                        changed -> AccessControlTest.withRules(AccessControlTest.rules(
                                permission,
                                io.weft.policy.proto.envoy.config.rbac.v3.Principal.newBuilder().setAuthenticated(changed).build()))),
                subject(io.weft.policy.proto.xds.type.matcher.v3.Matcher.newBuilder(),
                        matcher -> AccessControlTest.withMatcher(matcher.build())),
                subject(io.weft.policy.proto.xds.type.matcher.v3.Matcher.MatcherTree.newBuilder()
                                .setInput(AccessControlTest.input("ssl.v3.UriSanInput"))
                                .setPrefixMatchMap(io.weft.policy.proto.xds.type.matcher.v3.Matcher.MatcherTree.MatchMap.newBuilder()
                                        .putMap("k", AccessControlTest.act("a", io.weft.policy.proto.envoy.config.rbac.v3.RBAC.Action.ALLOW))),
                        tree -> AccessControlTest.withMatcher(AccessControlTest.tree(tree))),
                subject(predicate.toBuilder(), changed -> AccessControlTest.withMatcher(AccessControlTest.list(changed.build()))),
                subject(predicate.getSinglePredicate().toBuilder(), single -> AccessControlTest.withMatcher(
                        AccessControlTest.list(predicate.toBuilder().setSinglePredicate(single).build()))),
                subject(predicate.getSinglePredicate().getValueMatch().toBuilder(), text -> AccessControlTest.withMatcher(
                        AccessControlTest.list(predicate.toBuilder()
                                .setSinglePredicate(predicate.getSinglePredicate().toBuilder().setValueMatch(text))
                                .build()))),
                subject(JwtParserTest.jwt(), JwtParserTest::withFilter,
                        "Names of statistics.",
                        "StatPrefix"),
                subject(JwtParserTest.provider(), JwtParserTest::withProvider,
                        "Only with forward_payload_header.",
                        "PadForwardPayloadHeader",
                        "Only with payload_in_metadata.",
                        "NormalizePayloadInMetadata"),
                subject(JwtParserTest.remote(), remote -> JwtParserTest.withProvider(JwtParserTest.provider().setRemoteJwks(remote)),
                        HONOURED,
                        "AsyncFetch"),
                subject(JwtParserTest.remote().getHttpUri().toBuilder(), uri -> JwtParserTest.withProvider(
                        JwtParserTest.provider().setRemoteJwks(JwtParserTest.remote().setHttpUri(uri)))),
                subject(io.weft.policy.proto.envoy.extensions.filters.http.jwt_authn.v3.JwksAsyncFetch.newBuilder(),
                        fetch -> JwtParserTest.withProvider(
                                JwtParserTest.provider().setRemoteJwks(JwtParserTest.remote().setAsyncFetch(fetch)))));
    }

    private static HealthCheck.Builder healthCheck() {
        return HealthCheck.newBuilder()
                .setTimeout(seconds(7))
                .setInterval(seconds(7))
                .setUnhealthyThreshold(uint32(7))
                .setHealthyThreshold(uint32(7))
                .setHttpHealthCheck(HealthCheck.HttpHealthCheck.newBuilder().setPath("/"));
    }

    static Stream<Subject> subjects() {
        return Stream.of(
                subject(cluster(c -> {}).toBuilder(), c -> c.build(),
                        "Statistics and the like.",
                        "AltStatName",
                        "Kuma's `io.kuma.tags` in it say to `weft status` and `weft explain` which instances of a service it stands for.",
                        "Metadata",
                        "When a proxy's hosts are warm or forgotten.",
                        "WaitForWarmOnInit", "CleanupInterval",
                        "A host that is no longer listed gets no more requests, whatever its health.",
                        "IgnoreHealthOnHostRemoval",
                        HONOURED,
                        "LbSubsetConfig", "CommonLbConfig", "CircuitBreakers", "RoundRobinLbConfig", "DnsRefreshRate"),
                subject(Cluster.CommonLbConfig.newBuilder(), config -> cluster(c -> c.setCommonLbConfig(config)),
                        "How a proxy batches what it is told.",
                        "UpdateMergeWindow",
                        HONOURED,
                        "ZoneAwareLbConfig"),
                subject(Cluster.LeastRequestLbConfig.newBuilder(),
                        config -> cluster(c -> c.setLbPolicy(Cluster.LbPolicy.LEAST_REQUEST).setLeastRequestLbConfig(config)),
                        HONOURED,
                        "SlowStartConfig"),
                subject(Cluster.RoundRobinLbConfig.newBuilder(),
                        config -> cluster(c -> c.setRoundRobinLbConfig(config)),
                        "SlowStartConfig"),
                subject(Cluster.LbSubsetConfig.newBuilder().addSubsetSelectors(LbSubsetSelector.newBuilder().addKeys("k")),
                        config -> cluster(c -> c.setLbSubsetConfig(config)),
                        HONOURED,
                        "DefaultSubset"),
                subject(LbSubsetSelector.newBuilder().addKeys("k"),
                        selector -> cluster(c -> c.setLbSubsetConfig(
                                Cluster.LbSubsetConfig.newBuilder().addSubsetSelectors(selector)))),
                subject(Cluster.RingHashLbConfig.newBuilder(),
                        config -> cluster(c -> c.setLbPolicy(Cluster.LbPolicy.RING_HASH).setRingHashLbConfig(config))),
                subject(Cluster.MaglevLbConfig.newBuilder(),
                        config -> cluster(c -> c.setLbPolicy(Cluster.LbPolicy.MAGLEV).setMaglevLbConfig(config))),
                subject(Cluster.SlowStartConfig.newBuilder().setSlowStartWindow(seconds(1)),
                        config -> cluster(c -> c.setRoundRobinLbConfig(
                                Cluster.RoundRobinLbConfig.newBuilder().setSlowStartConfig(config)))),
                subject(Cluster.CommonLbConfig.ZoneAwareLbConfig.newBuilder(),
                        config -> cluster(c -> c.setCommonLbConfig(
                                Cluster.CommonLbConfig.newBuilder().setZoneAwareLbConfig(config)))),
                subject(Cluster.CommonLbConfig.ConsistentHashingLbConfig.newBuilder(),
                        config -> cluster(c -> c.setLbPolicy(Cluster.LbPolicy.MAGLEV).setCommonLbConfig(
                                Cluster.CommonLbConfig.newBuilder().setConsistentHashingLbConfig(config)))),
                policy(RoundRobin.newBuilder(), "SlowStartConfig"),
                policy(LeastRequest.newBuilder(), "SlowStartConfig"),
                policy(Random.newBuilder()),
                policy(RingHash.newBuilder(), "ConsistentHashingLbConfig"),
                policy(Maglev.newBuilder(), "ConsistentHashingLbConfig"),
                policy(ClientSideWeightedRoundRobin.newBuilder()),
                policy(WrrLocality.newBuilder().setEndpointPickingPolicy(policies(ClientSideWeightedRoundRobin.getDefaultInstance()))),
                policy(Subset.newBuilder().setSubsetLbPolicy(policies(Random.getDefaultInstance())),
                        HONOURED,
                        "DefaultSubset"),
                policy(ConsistentHashingLbConfig.newBuilder(), config -> Maglev.newBuilder().setConsistentHashingLbConfig(config)),
                policy(SlowStartConfig.newBuilder().setSlowStartWindow(seconds(1)),
                        config -> RoundRobin.newBuilder().setSlowStartConfig(config)),
                policy(LocalityLbConfig.newBuilder(), config -> Random.newBuilder().setLocalityLbConfig(config)),
                policy(LocalityLbConfig.ZoneAwareLbConfig.newBuilder(), config -> Random.newBuilder()
                        .setLocalityLbConfig(LocalityLbConfig.newBuilder().setZoneAwareLbConfig(config))),
                subject(Cluster.OriginalDstLbConfig.newBuilder(), config -> cluster(c -> c.clearEdsClusterConfig()
                                .setType(Cluster.DiscoveryType.ORIGINAL_DST)
                                .setLbPolicy(Cluster.LbPolicy.CLUSTER_PROVIDED)
                                .setOriginalDstLbConfig(config)),
                        "Only with use_http_header, which is refused.",
                        "HttpHeaderName"),
                subject(CircuitBreakers.newBuilder(), breakers -> cluster(c -> c.setCircuitBreakers(breakers)),
                        HONOURED,
                        "Thresholds", "PerHostThresholds"),
                subject(CircuitBreakers.Thresholds.newBuilder().setMaxRequests(uint32(5)),
                        thresholds -> cluster(c -> c.setCircuitBreakers(CircuitBreakers.newBuilder().addThresholds(thresholds))),
                        "Statistics.",
                        "TrackRemaining"),
                subject(healthCheck(), check -> cluster(c -> c.addHealthChecks(check))),
                subject(HealthCheck.HttpHealthCheck.newBuilder().setPath("/health"),
                        http -> cluster(c -> c.addHealthChecks(healthCheck().setHttpHealthCheck(http)))),
                subject(HealthCheck.GrpcHealthCheck.newBuilder(),
                        grpc -> cluster(c -> c.addHealthChecks(healthCheck().setGrpcHealthCheck(grpc)))),
                subject(HealthCheck.TcpHealthCheck.newBuilder(),
                        tcp -> cluster(c -> c.addHealthChecks(healthCheck().setTcpHealthCheck(tcp)))),
                subject(OutlierDetection.newBuilder(), detection -> cluster(c -> c.setOutlierDetection(detection))),
                subject(Cluster.TransportSocketMatch.newBuilder().setName("tls").setTransportSocket(RAW_BUFFER),
                        match -> cluster(c -> c.addTransportSocketMatches(match)),
                        HONOURED,
                        "Match"),
                subject(UpstreamTlsContext.newBuilder(), context -> withTls(context.build()),
                        HONOURED,
                        "CommonTlsContext"),
                subject(CommonTlsContext.newBuilder(), common -> withCommonTls(c -> c.mergeFrom(common.build())),
                        HONOURED,
                        "TlsParams"),
                subject(TlsParameters.newBuilder(), parameters -> withCommonTls(c -> c.setTlsParams(parameters))),
                subject(CertificateValidationContext.newBuilder(),
                        validation -> withCommonTls(c -> c.setValidationContext(validation))),
                subject(assignment(e -> {}).toBuilder(), a -> a.build(), "Policy"),
                subject(ClusterLoadAssignment.Policy.newBuilder(),
                        policy -> assignment(e -> {}).toBuilder().setPolicy(policy).build(),
                        HONOURED,
                        "DropOverloads"),
                subject(assignment(e -> {}).getEndpoints(0).toBuilder(),
                        locality -> assignment(e -> {}).toBuilder().setEndpoints(0, locality).build(),
                        "Metadata",
                        HONOURED,
                        "Locality"),
                subject(endpoint(e -> {}).toBuilder(),
                        endpoint -> assignment(e -> {}).toBuilder()
                                .setEndpoints(0, LocalityLbEndpoints.newBuilder().addLbEndpoints(endpoint))
                                .build(),
                        HONOURED,
                        "Metadata"),
                subject(endpointAt(address("10.0.0.1", 8080)).toBuilder(),
                        endpoint -> assignment(e -> e.setEndpoint(endpoint))),
                subject(SocketAddress.newBuilder().setAddress("10.0.0.1").setPortValue(8080),
                        address -> assignment(e -> e.setEndpoint(endpointAt(
                                io.weft.policy.proto.envoy.config.core.v3.Address.newBuilder().setSocketAddress(address).build()))),
                        "How a socket is bound.",
                        "Ipv4Compat"),
                subject(listener(l -> {}).toBuilder(), l -> l.build(),
                        "Statistics and the like.",
                        "StatPrefix", "Metadata",
                        "How a proxy binds, accepts, inspects and drains its own socket.",
                        "DeprecatedV1", "DrainType", "ListenerFiltersTimeout", "ContinueOnListenerFiltersTimeout", "Transparent",
                        "Freebind", "SocketOptions", "TcpFastOpenQueueLength", "ConnectionBalanceConfig", "ReusePort",
                        "EnableReusePort", "TcpBacklogSize", "MaxConnectionsToAcceptPerSocketEvent", "BindToPort", "EnableMptcp",
                        "IgnoreGlobalConnLimit", "BypassOverloadManager"),
                subject(chain(m -> {}).toBuilder(), chain -> listener(l -> l.setFilterChains(0, chain)),
                        "Metadata",
                        HONOURED,
                        "FilterChainMatch"),
                subject(FilterChainMatch.newBuilder(), match -> withChain(c -> c.setFilterChainMatch(match))),
                subject(manager(m -> {}).toBuilder(),
                        manager -> listener(l -> l.setFilterChains(0, chain(m -> m.clear().mergeFrom(manager.build())))),
                        "What a proxy's listener speaks; the app's client speaks what it speaks.",
                        "CodecType", "Http1SafeMaxConnectionDuration", "StreamErrorOnInvalidHttpMessage",
                        "Upgrades pass; their filters are refused.",
                        "UpgradeConfigs",
                        // Empty; decided field by field below.
                        "CommonHttpProtocolOptions",
                        "AddProxyProtocolConnectionState"),
                subject(io.weft.policy.proto.envoy.config.core.v3.HttpProtocolOptions.newBuilder(),
                        options -> withManager(m -> m.setCommonHttpProtocolOptions(options))),
                subject(Router.newBuilder(), router -> withManager(m -> m.setHttpFilters(0, router(router.build()))),
                        "Statistics, and headers that only Envoy adds.",
                        "DynamicStats", "SuppressEnvoyHeaders", "SuppressGrpcRequestFailureCodeStats"),
                subject(routes(r -> {}).toBuilder(), r -> r.build(),
                        "Metadata",
                        HONOURED,
                        "MaxDirectResponseBodySizeBytes"),
                subject(host(h -> {}).toBuilder(), host -> routes(r -> r.setVirtualHosts(0, host)),
                        "Metadata",
                        "Statistics.",
                        "VirtualClusters"),
                subject(route(r -> {}).toBuilder(), route -> withHost(h -> h.setRoutes(0, route)),
                        "Metadata", "StatPrefix"),
                subject(route(r -> {}).getMatch().toBuilder(), match -> withRoute(r -> r.setMatch(match))),
                subject(route(r -> {}).getRoute().toBuilder(), action -> withRoute(r -> r.setRoute(action)),
                        HONOURED,
                        "MetadataMatch"),
                subject(io.weft.policy.proto.envoy.config.route.v3.RouteAction.HashPolicy.newBuilder()
                                .setHeader(io.weft.policy.proto.envoy.config.route.v3.RouteAction.HashPolicy.Header.newBuilder()
                                        .setHeaderName("x-user")),
                        policy -> withAction(a -> a.addHashPolicy(policy))),
                subject(io.weft.policy.proto.envoy.config.route.v3.RouteAction.HashPolicy.Cookie.newBuilder().setName("session"),
                        cookie -> withAction(a -> a.addHashPolicy(
                                io.weft.policy.proto.envoy.config.route.v3.RouteAction.HashPolicy.newBuilder().setCookie(cookie)))),
                subject(io.weft.policy.proto.envoy.config.route.v3.RetryPolicy.newBuilder().setRetryOn("5xx"),
                        policy -> withAction(a -> a.setRetryPolicy(policy))),
                subject(io.weft.policy.proto.envoy.config.route.v3.RouteAction.RequestMirrorPolicy.newBuilder().setCluster("shadow"),
                        mirror -> withAction(a -> a.addRequestMirrorPolicies(mirror))),
                subject(io.weft.policy.proto.envoy.config.route.v3.HedgePolicy.newBuilder(),
                        hedge -> withAction(a -> a.setHedgePolicy(hedge))),
                subject(PreviousPrioritiesConfig.newBuilder().setUpdateFrequency(2),
                        priorities -> withRetry(r -> r.setRetryPriority(priorities(priorities.build())))),
                subject(RedirectAction.newBuilder(), redirect -> withRoute(r -> r.setRedirect(redirect))),
                subject(DirectResponseAction.newBuilder().setStatus(503),
                        response -> withRoute(r -> r.setDirectResponse(response))),
                subject(io.weft.policy.proto.envoy.config.route.v3.HeaderMatcher.newBuilder().setName("x-canary"),
                        header -> withMatch(m -> m.addHeaders(header)),
                        HONOURED,
                        "PresentMatch"),
                subject(io.weft.policy.proto.envoy.config.route.v3.QueryParameterMatcher.newBuilder().setName("q"),
                        query -> withMatch(m -> m.addQueryParameters(query)),
                        "PresentMatch"),
                subject(io.weft.policy.proto.envoy.config.route.v3.WeightedCluster.newBuilder()
                                .addClusters(weight("v1", 90))
                                .addClusters(weight("v2", 10)),
                        clusters -> withAction(a -> a.setWeightedClusters(clusters)),
                        "Envoy no longer reads it, and there is no runtime.",
                        "TotalWeight", "RuntimeKeyPrefix"),
                subject(weight("v1", 90).toBuilder(), cluster -> weighted(w -> w.setClusters(0, cluster)), "MetadataMatch"),
                subject(LocalRateLimit.newBuilder().setStatPrefix("s").setTokenBucket(BUCKET), HTTP_FILTER,
                        "Statistics.",
                        "StatPrefix",
                        HONOURED,
                        "Status"),
                subject(DESCRIPTOR.toBuilder(), descriptor -> HTTP_FILTER.apply(
                        LocalRateLimit.newBuilder().setStatPrefix("s").setTokenBucket(BUCKET).addDescriptors(descriptor))),
                subject(RateLimit.newBuilder().addActions(GENERIC_KEY), limit -> HTTP_FILTER.apply(
                        LocalRateLimit.newBuilder().setStatPrefix("s").setTokenBucket(BUCKET).addRateLimits(limit))),
                subject(GENERIC_KEY.toBuilder(), action -> HTTP_FILTER.apply(
                        LocalRateLimit.newBuilder().setStatPrefix("s").setTokenBucket(BUCKET)
                                .addRateLimits(RateLimit.newBuilder().addActions(action)))),
                subject(HttpStatus.newBuilder().setCodeValue(503), status -> HTTP_FILTER.apply(
                        LocalRateLimit.newBuilder().setStatPrefix("s").setTokenBucket(BUCKET).setStatus(status))),
                subject(BUCKET.toBuilder(),
                        bucket -> HTTP_FILTER.apply(LocalRateLimit.newBuilder().setStatPrefix("s").setTokenBucket(bucket))),
                subject(HTTPFault.newBuilder(), HTTP_FILTER,
                        "There is no runtime.",
                        "DelayPercentRuntime", "AbortPercentRuntime", "DelayDurationRuntime", "AbortHttpStatusRuntime",
                        "MaxActiveFaultsRuntime", "ResponseRateLimitPercentRuntime", "AbortGrpcStatusRuntime",
                        "Statistics.",
                        "DisableDownstreamClusterStats"),
                subject(FaultDelay.newBuilder().setFixedDelay(seconds(1)),
                        delay -> HTTP_FILTER.apply(HTTPFault.newBuilder().setDelay(delay)),
                        HONOURED,
                        "Percentage"),
                subject(FaultAbort.newBuilder().setHttpStatus(503),
                        abort -> HTTP_FILTER.apply(HTTPFault.newBuilder().setAbort(abort)),
                        "Percentage"),
                subject(FaultRateLimit.newBuilder().setFixedLimit(FaultRateLimit.FixedLimit.newBuilder().setLimitKbps(8)),
                        rate -> HTTP_FILTER.apply(HTTPFault.newBuilder().setResponseRateLimit(rate)),
                        "Percentage"),
                subject(HeaderMutation.newBuilder(), HTTP_FILTER,
                        HONOURED,
                        "Mutations"),
                subject(Mutations.newBuilder(),
                        mutations -> HTTP_FILTER.apply(HeaderMutation.newBuilder().setMutations(mutations))),
                subject(CorsPolicy.newBuilder(), OVERRIDE),
                subject(io.weft.policy.proto.envoy.extensions.filters.network.local_ratelimit.v3.LocalRateLimit.newBuilder()
                                .setStatPrefix("s")
                                .setTokenBucket(BUCKET),
                        limit -> listener(l -> l.setTrafficDirection(TrafficDirection.INBOUND)
                                .setFilterChains(0, l.getFilterChains(0).toBuilder().addFilters(0, filter("limit", any(limit.build()))))),
                        "Statistics.",
                        "StatPrefix"),
                subject(Buffer.newBuilder().setMaxRequestBytes(uint32(7)), HTTP_FILTER),
                subject(BufferPerRoute.newBuilder().setBuffer(Buffer.newBuilder().setMaxRequestBytes(uint32(7))), OVERRIDE),
                subject(StatefulSession.newBuilder().setSessionState(session(Cookie.newBuilder().setName("lb"))), HTTP_FILTER),
                subject(StatefulSessionPerRoute.newBuilder().setStatefulSession(
                        StatefulSession.newBuilder().setSessionState(session(Cookie.newBuilder().setName("lb")))), OVERRIDE),
                subject(Cookie.newBuilder().setName("lb"), cookie -> HTTP_FILTER.apply(
                        StatefulSession.newBuilder().setSessionState(session(cookie)))));
    }

    private static AccessLog.Builder accessLog() {
        return AccessLog.newBuilder().setName("log").setTypedConfig(any(file(SubstitutionFormatString.newBuilder()
                .setTextFormatSource(DataSource.newBuilder().setInlineString("x"))).build()));
    }

    private static FileAccessLog.Builder file(SubstitutionFormatString.Builder format) {
        return FileAccessLog.newBuilder().setPath("/a.log").setLogFormat(format);
    }

    private static <B extends MessageLite.Builder> Subject logger(B base, String... nothing) {
        return subject(base, logger -> withManager(m -> m.addAccessLog(accessLog().setTypedConfig(any(logger.build())))), nothing);
    }

    private static <B extends MessageLite.Builder> Subject logFilter(B base, Function<B, AccessLogFilter.Builder> filter, String... nothing) {
        return subject(base, changed -> withManager(m -> m.addAccessLog(accessLog().setFilter(filter.apply(changed)))), nothing);
    }

    static Stream<Subject> accessLogs() {
        RuntimeUInt32 value = RuntimeUInt32.newBuilder().setDefaultValue(500).build();
        ComparisonFilter comparison = ComparisonFilter.newBuilder().setValue(value).build();
        AccessLogFilter any = AccessLogFilter.newBuilder().setNotHealthCheckFilter(NotHealthCheckFilter.getDefaultInstance()).build();
        return Stream.of(
                subject(accessLog(), log -> withManager(m -> m.addAccessLog(log)),
                        "Only for people.", "Name"),
                logger(file(SubstitutionFormatString.newBuilder().setTextFormatSource(DataSource.newBuilder().setInlineString("x")))),
                logger(StdoutAccessLog.newBuilder()),
                subject(SubstitutionFormatString.newBuilder().setTextFormatSource(DataSource.newBuilder().setInlineString("x")),
                        format -> withManager(m -> m.addAccessLog(accessLog().setTypedConfig(any(file(format).build())))),
                        "Of a local reply.", "ContentType"),
                logFilter(AccessLogFilter.newBuilder(), filter -> filter),
                logFilter(StatusCodeFilter.newBuilder().setComparison(comparison),
                        filter -> AccessLogFilter.newBuilder().setStatusCodeFilter(filter)),
                logFilter(DurationFilter.newBuilder().setComparison(comparison),
                        filter -> AccessLogFilter.newBuilder().setDurationFilter(filter)),
                logFilter(comparison.toBuilder(), filter -> AccessLogFilter.newBuilder()
                        .setStatusCodeFilter(StatusCodeFilter.newBuilder().setComparison(filter))),
                logFilter(value.toBuilder(), filter -> AccessLogFilter.newBuilder()
                        .setStatusCodeFilter(StatusCodeFilter.newBuilder().setComparison(ComparisonFilter.newBuilder().setValue(filter))),
                        "There is no runtime.", "RuntimeKey"),
                logFilter(RuntimeFilter.newBuilder(), filter -> AccessLogFilter.newBuilder().setRuntimeFilter(filter),
                        "There is no runtime.", "RuntimeKey", HONOURED, "PercentSampled"),
                logFilter(AndFilter.newBuilder().addFilters(any).addFilters(any), filter -> AccessLogFilter.newBuilder().setAndFilter(filter)),
                logFilter(OrFilter.newBuilder().addFilters(any).addFilters(any), filter -> AccessLogFilter.newBuilder().setOrFilter(filter)),
                logFilter(io.weft.policy.proto.envoy.config.accesslog.v3.HeaderFilter.newBuilder().setHeader(
                                io.weft.policy.proto.envoy.config.route.v3.HeaderMatcher.newBuilder().setName("x")),
                        filter -> AccessLogFilter.newBuilder().setHeaderFilter(filter)),
                logFilter(ResponseFlagFilter.newBuilder(), filter -> AccessLogFilter.newBuilder().setResponseFlagFilter(filter)),
                logFilter(GrpcStatusFilter.newBuilder(), filter -> AccessLogFilter.newBuilder().setGrpcStatusFilter(filter)),
                logFilter(MetadataFilter.newBuilder(), filter -> AccessLogFilter.newBuilder().setMetadataFilter(filter),
                        "No filter here writes metadata but for what a token says, of which it is reported: the key is never found.", "Matcher"),
                logFilter(LogTypeFilter.newBuilder(), filter -> AccessLogFilter.newBuilder().setLogTypeFilter(filter)));
    }

    @ParameterizedTest
    @MethodSource({"subjects", "security", "accessLogs", "io.weft.policy.parse.NestedMessages#all"})
    void noFieldIsPassedOver(Subject subject) {
        Map<String, List<Effect>> effects = effects(subject);
        Set<String> withoutEffect = new TreeSet<>();
        effects.forEach((field, each) -> {
            if (each.stream().allMatch(effect -> effect.kind() == Kind.NOTHING)) {
                withoutEffect.add(field);
            }
        });

        assertThat(effects).isNotEmpty();
        assertThat(withoutEffect).isEqualTo(subject.nothing().keySet());
    }

    enum Kind { NOTHING, HONOURED, REPORTED, REFUSED }

    /** What one value of a field comes to. */
    record Effect(Kind kind, String path, String reason) {}

    /** By field, one for each value that is tried. */
    static Map<String, List<Effect>> effects(Subject subject) {
        ParseOutcome plain = parse(subject.resource().apply(copy(subject.base())));
        Map<String, List<Effect>> effects = new LinkedHashMap<>();
        for (Method setter : setters(subject.base().getClass())) {
            List<Effect> each = new ArrayList<>();
            for (Object value : samples(setter.getParameterTypes()[setter.getParameterCount() - 1])) {
                MessageLite.Builder changed = copy(subject.base());
                set(setter, changed, value);
                each.add(effect(plain, parse(subject.resource().apply(changed)), field(setter)));
            }
            effects.put(field(setter), each);
        }
        return effects;
    }

    private static Effect effect(ParseOutcome plain, ParseOutcome changed, String field) {
        if (sameOutcome(plain, changed)) {
            return new Effect(Kind.NOTHING, "", "");
        }
        if (changed instanceof ParseOutcome.Refused refused) {
            return new Effect(Kind.REFUSED, refused.path(), refused.reason());
        }
        boolean reported = plain instanceof Accepted x && x.resource().equals(((Accepted) changed).resource());
        return new Effect(reported || isReported(plain, (Accepted) changed, field) ? Kind.REPORTED : Kind.HONOURED, "", "");
    }

    /** The field is reported by its own path, and because of it the whole resource may be. */
    private static boolean isReported(ParseOutcome plain, Accepted changed, String field) {
        List<Unhonoured> before = plain instanceof Accepted x ? x.unhonoured() : List.of();
        return changed.unhonoured().stream()
                .filter(reported -> !before.contains(reported))
                .flatMap(reported -> Stream.of(reported.path().replaceFirst("[ \\[].*$", ""), reported.path().replaceFirst("\\[[^]]*]$", "")))
                .anyMatch(path -> path.substring(path.lastIndexOf('.') + 1).replace("_", "").equalsIgnoreCase(field));
    }

    private static boolean sameOutcome(ParseOutcome a, ParseOutcome b) {
        return a instanceof Accepted x
                && b instanceof Accepted y
                && x.resource().equals(y.resource())
                && x.unhonoured().equals(y.unhonoured());
    }

    private static MessageLite.Builder copy(MessageLite.Builder builder) {
        return ((GeneratedMessageLite.Builder<?, ?>) builder).clone();
    }

    /** One for each field: {@code setX(value)}, {@code addX(value)} or {@code putX(key, value)}. */
    private static List<Method> setters(Class<?> builder) {
        List<String> names = Arrays.stream(builder.getMethods()).map(Method::getName).toList();
        List<Method> setters = new ArrayList<>();
        for (Method method : builder.getDeclaredMethods()) {
            Class<?>[] types = method.getParameterTypes();
            String name = method.getName();
            boolean one = (name.startsWith("set") || name.startsWith("add")) && types.length == 1 && !Iterable.class.equals(types[0]);
            boolean pair = name.startsWith("put") && types.length == 2;
            boolean variant = types.length > 0 && MessageLite.Builder.class.isAssignableFrom(types[types.length - 1])
                    || name.endsWith("Bytes") && names.contains(name.substring(0, name.length() - 5))
                    || name.endsWith("Value") && names.contains(name.substring(0, name.length() - 5));
            if ((one || pair) && !variant) {
                setters.add(method);
            }
        }
        return setters;
    }

    private static String field(Method setter) {
        return setter.getName().substring(3);
    }

    private static void set(Method setter, MessageLite.Builder builder, Object value) {
        try {
            if (setter.getParameterCount() == 2) {
                setter.invoke(builder, "key", value);
            } else {
                setter.invoke(builder, value);
            }
        } catch (IllegalAccessException | InvocationTargetException e) {
            throw new AssertionError(setter.toString(), e);
        }
    }

    private static io.weft.policy.proto.protobuf.UInt64Value uint64(long value) {
        return io.weft.policy.proto.protobuf.UInt64Value.newBuilder().setValue(value).build();
    }

    /** Two where one could be the default. */
    private static List<?> samples(Class<?> type) {
        if (type == boolean.class) {
            return List.of(true);
        }
        if (type == int.class) {
            return List.of(1, 2);
        }
        if (type == long.class) {
            return List.of(1L, 2L);
        }
        if (type == double.class) {
            return List.of(1.0, 2.0);
        }
        if (type == String.class) {
            return List.of("/x");
        }
        if (type == ByteString.class) {
            return List.of(ByteString.copyFromUtf8("x"));
        }
        if (type.isEnum()) {
            return Arrays.stream(type.getEnumConstants()).filter(value -> !value.toString().equals("UNRECOGNIZED")).toList();
        }
        if (type == io.weft.policy.proto.protobuf.UInt32Value.class) {
            return List.of(uint32(1), uint32(2));
        }
        if (type == io.weft.policy.proto.protobuf.UInt64Value.class) {
            return List.of(uint64(1), uint64(2));
        }
        if (type == io.weft.policy.proto.protobuf.FloatValue.class) {
            return List.of(io.weft.policy.proto.protobuf.FloatValue.newBuilder().setValue(1).build());
        }
        if (type == io.weft.policy.proto.protobuf.BoolValue.class) {
            return List.of(bool(true), bool(false));
        }
        if (type == io.weft.policy.proto.protobuf.Duration.class) {
            return List.of(seconds(42));
        }
        if (type == ConfigSource.class) {
            return List.of(
                    ConfigSource.getDefaultInstance(),
                    ConfigSource.newBuilder().setSelf(SelfConfigSource.getDefaultInstance()).build());
        }
        try {
            return List.of(type.getMethod("getDefaultInstance").invoke(null));
        } catch (ReflectiveOperationException e) {
            throw new AssertionError(type.toString(), e);
        }
    }
}
