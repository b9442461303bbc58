package io.weft.policy.parse;

import static io.weft.policy.parse.EveryFieldDecidedTest.HONOURED;
import static io.weft.policy.parse.EveryFieldDecidedTest.subject;
import static io.weft.policy.parse.Samples.*;

import com.google.protobuf.MessageLite;
import io.weft.policy.parse.EveryFieldDecidedTest.Subject;
import io.weft.policy.proto.envoy.config.cluster.v3.CircuitBreakers;
import io.weft.policy.proto.envoy.config.cluster.v3.Cluster;
import io.weft.policy.proto.envoy.config.cluster.v3.LoadBalancingPolicy;
import io.weft.policy.proto.envoy.config.common.mutation_rules.v3.HeaderMutation;
import io.weft.policy.proto.envoy.config.core.v3.Address;
import io.weft.policy.proto.envoy.config.core.v3.AggregatedConfigSource;
import io.weft.policy.proto.envoy.config.core.v3.BackoffStrategy;
import io.weft.policy.proto.envoy.config.core.v3.ConfigSource;
import io.weft.policy.proto.envoy.config.core.v3.GrpcService;
import io.weft.policy.proto.envoy.config.core.v3.HeaderValueOption;
import io.weft.policy.proto.envoy.config.core.v3.HealthCheck;
import io.weft.policy.proto.envoy.config.core.v3.HealthStatusSet;
import io.weft.policy.proto.envoy.config.core.v3.HttpService;
import io.weft.policy.proto.envoy.config.core.v3.HttpUri;
import io.weft.policy.proto.envoy.config.core.v3.Locality;
import io.weft.policy.proto.envoy.config.core.v3.Metadata;
import io.weft.policy.proto.envoy.config.core.v3.RuntimeDouble;
import io.weft.policy.proto.envoy.config.core.v3.RuntimeFeatureFlag;
import io.weft.policy.proto.envoy.config.core.v3.RuntimeFractionalPercent;
import io.weft.policy.proto.envoy.config.core.v3.SelfConfigSource;
import io.weft.policy.proto.envoy.config.core.v3.SubstitutionFormatString;
import io.weft.policy.proto.envoy.config.core.v3.TrafficDirection;
import io.weft.policy.proto.envoy.config.core.v3.TypedExtensionConfig;
import io.weft.policy.proto.envoy.config.endpoint.v3.ClusterLoadAssignment;
import io.weft.policy.proto.envoy.config.endpoint.v3.LocalityLbEndpoints;
import io.weft.policy.proto.envoy.config.listener.v3.AdditionalAddress;
import io.weft.policy.proto.envoy.config.listener.v3.ApiListener;
import io.weft.policy.proto.envoy.config.listener.v3.ListenerFilter;
import io.weft.policy.proto.envoy.config.rbac.v3.Permission;
import io.weft.policy.proto.envoy.config.rbac.v3.Principal;
import io.weft.policy.proto.envoy.config.rbac.v3.SourcedMetadata;
import io.weft.policy.proto.envoy.config.route.v3.DirectResponseAction;
import io.weft.policy.proto.envoy.config.route.v3.HeaderMatcher;
import io.weft.policy.proto.envoy.config.route.v3.QueryParameterMatcher;
import io.weft.policy.proto.envoy.config.route.v3.RateLimit;
import io.weft.policy.proto.envoy.config.route.v3.RateLimit.Action;
import io.weft.policy.proto.envoy.config.route.v3.RetryPolicy.RateLimitedRetryBackOff;
import io.weft.policy.proto.envoy.config.route.v3.RetryPolicy.ResetHeader;
import io.weft.policy.proto.envoy.config.route.v3.RetryPolicy.RetryBackOff;
import io.weft.policy.proto.envoy.config.route.v3.RouteAction.HashPolicy;
import io.weft.policy.proto.envoy.config.route.v3.RouteAction.MaxStreamDuration;
import io.weft.policy.proto.envoy.config.route.v3.RouteMatch;
import io.weft.policy.proto.envoy.config.route.v3.Vhds;
import io.weft.policy.proto.envoy.config.trace.v3.OpenTelemetryConfig;
import io.weft.policy.proto.envoy.config.trace.v3.Tracing.Http;
import io.weft.policy.proto.envoy.extensions.common.ratelimit.v3.LocalRateLimitDescriptor;
import io.weft.policy.proto.envoy.extensions.common.ratelimit.v3.RateLimitDescriptor;
import io.weft.policy.proto.envoy.extensions.filters.common.fault.v3.FaultRateLimit;
import io.weft.policy.proto.envoy.extensions.filters.common.set_filter_state.v3.FilterStateValue;
import io.weft.policy.proto.envoy.extensions.filters.http.fault.v3.HTTPFault;
import io.weft.policy.proto.envoy.extensions.filters.http.header_mutation.v3.Mutations;
import io.weft.policy.proto.envoy.extensions.filters.http.jwt_authn.v3.JwtClaimToHeader;
import io.weft.policy.proto.envoy.extensions.filters.http.jwt_authn.v3.JwtHeader;
import io.weft.policy.proto.envoy.extensions.filters.http.jwt_authn.v3.JwtRequirement;
import io.weft.policy.proto.envoy.extensions.filters.http.jwt_authn.v3.JwtRequirementAndList;
import io.weft.policy.proto.envoy.extensions.filters.http.jwt_authn.v3.JwtRequirementOrList;
import io.weft.policy.proto.envoy.extensions.filters.http.jwt_authn.v3.ProviderWithAudiences;
import io.weft.policy.proto.envoy.extensions.filters.http.jwt_authn.v3.RequirementRule;
import io.weft.policy.proto.envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit;
import io.weft.policy.proto.envoy.extensions.filters.http.set_filter_state.v3.Config;
import io.weft.policy.proto.envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager.Tracing;
import io.weft.policy.proto.envoy.extensions.filters.network.http_connection_manager.v3.Rds;
import io.weft.policy.proto.envoy.extensions.load_balancing_policies.random.v3.Random;
import io.weft.policy.proto.envoy.extensions.load_balancing_policies.subset.v3.Subset;
import io.weft.policy.proto.envoy.extensions.retry.priority.previous_priorities.v3.PreviousPrioritiesConfig;
import io.weft.policy.proto.envoy.extensions.transport_sockets.tls.v3.CertificateProviderPluginInstance;
import io.weft.policy.proto.envoy.extensions.transport_sockets.tls.v3.CertificateValidationContext;
import io.weft.policy.proto.envoy.extensions.transport_sockets.tls.v3.CommonTlsContext.CombinedCertificateValidationContext;
import io.weft.policy.proto.envoy.extensions.transport_sockets.tls.v3.SdsSecretConfig;
import io.weft.policy.proto.envoy.extensions.transport_sockets.tls.v3.SubjectAltNameMatcher;
import io.weft.policy.proto.envoy.extensions.transport_sockets.tls.v3.TlsCertificate;
import io.weft.policy.proto.envoy.type.matcher.v3.DoubleMatcher;
import io.weft.policy.proto.envoy.type.matcher.v3.FilterStateMatcher;
import io.weft.policy.proto.envoy.type.matcher.v3.ListMatcher;
import io.weft.policy.proto.envoy.type.matcher.v3.MetadataMatcher;
import io.weft.policy.proto.envoy.type.matcher.v3.OrMatcher;
import io.weft.policy.proto.envoy.type.matcher.v3.PathMatcher;
import io.weft.policy.proto.envoy.type.matcher.v3.RegexMatchAndSubstitute;
import io.weft.policy.proto.envoy.type.matcher.v3.StringMatcher;
import io.weft.policy.proto.envoy.type.matcher.v3.ValueMatcher;
import io.weft.policy.proto.envoy.type.tracing.v3.CustomTag;
import io.weft.policy.proto.envoy.type.v3.DoubleRange;
import io.weft.policy.proto.envoy.type.v3.FractionalPercent;
import io.weft.policy.proto.envoy.type.v3.Int32Range;
import io.weft.policy.proto.envoy.type.v3.Int64Range;
import io.weft.policy.proto.envoy.type.v3.Percent;
import io.weft.policy.proto.envoy.type.v3.TokenBucket;
import io.weft.policy.proto.protobuf.UInt64Value;
import io.weft.policy.proto.xds.type.matcher.v3.Matcher;
import io.weft.policy.proto.xds.type.matcher.v3.Matcher.MatcherTree.MatchMap;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.stream.Stream;

/** The messages inside those of {@link EveryFieldDecidedTest}, each where it is used most. */
final class NestedMessages {
    private static final Permission ANYTHING = Permission.newBuilder().setAny(true).build();
    private static final Principal ANYBODY = Principal.newBuilder().setAny(true).build();
    private static final TokenBucket BUCKET = TokenBucket.newBuilder().setMaxTokens(1).setFillInterval(seconds(1)).build();
    private static final StringMatcher TEXT = StringMatcher.newBuilder().setExact("x").build();

    private NestedMessages() {}

    static Stream<Subject> all() {
        return Stream.of(clusters(), balancing(), listeners(), filters(), routes(), limits(), access(), matchers(), tokens(), tls(),
                        tracing())
                .flatMap(stream -> stream);
    }

    private static Subject tag(MessageLite.Builder value, Function<MessageLite.Builder, CustomTag.Builder> tag) {
        return subject(value, changed -> withManager(m -> m.setTracing(Tracing.newBuilder().addCustomTags(tag.apply(changed).setTag("t")))));
    }

    private static MessageLite traced(OpenTelemetryConfig.Builder config) {
        return withManager(m -> m.setTracing(Tracing.newBuilder().setProvider(Http.newBuilder().setTypedConfig(any(config.build())))));
    }

    private static Stream<Subject> tracing() {
        return Stream.of(
                subject(OpenTelemetryConfig.newBuilder().setGrpcService(GrpcService.newBuilder().setEnvoyGrpc(
                                GrpcService.EnvoyGrpc.newBuilder().setClusterName("c"))), NestedMessages::traced,
                        "What the process itself is told counts.", "ServiceName"),
                subject(HttpService.newBuilder().setHttpUri(HttpUri.newBuilder().setUri("http://c/v1/traces").setCluster("c")),
                        service -> traced(OpenTelemetryConfig.newBuilder().setHttpService(service))),
                subject(Tracing.newBuilder(), tracing -> withManager(m -> m.setTracing(tracing))),
                subject(CustomTag.newBuilder().setTag("t").setLiteral(CustomTag.Literal.newBuilder().setValue("x")),
                        tag -> withManager(m -> m.setTracing(Tracing.newBuilder().addCustomTags(tag)))),
                tag(CustomTag.Literal.newBuilder().setValue("x"),
                        literal -> CustomTag.newBuilder().setLiteral((CustomTag.Literal.Builder) literal)),
                tag(CustomTag.Environment.newBuilder().setName("X"),
                        variable -> CustomTag.newBuilder().setEnvironment((CustomTag.Environment.Builder) variable)),
                tag(CustomTag.Header.newBuilder().setName("x"),
                        header -> CustomTag.newBuilder().setRequestHeader((CustomTag.Header.Builder) header)));
    }

    private static Stream<Subject> clusters() {
        return Stream.of(
                subject(Cluster.EdsClusterConfig.newBuilder().setEdsConfig(ADS), eds -> cluster(c -> c.setEdsClusterConfig(eds))),
                subject(CircuitBreakers.Thresholds.RetryBudget.newBuilder(), budget -> cluster(c -> c.setCircuitBreakers(
                        CircuitBreakers.newBuilder().addThresholds(CircuitBreakers.Thresholds.newBuilder().setRetryBudget(budget))))),
                subject(RuntimeDouble.newBuilder().setDefaultValue(1.5), bias -> cluster(c -> c.setLbPolicy(Cluster.LbPolicy.LEAST_REQUEST)
                                .setLeastRequestLbConfig(Cluster.LeastRequestLbConfig.newBuilder().setActiveRequestBias(bias))),
                        "There is no runtime.", "RuntimeKey"),
                subject(HealthCheck.Payload.newBuilder().setText("00"), payload -> cluster(c -> c.addHealthChecks(HealthCheck.newBuilder()
                        .setTimeout(seconds(1)).setInterval(seconds(1)).setUnhealthyThreshold(uint32(1)).setHealthyThreshold(uint32(1))
                        .setTcpHealthCheck(HealthCheck.TcpHealthCheck.newBuilder().setSend(payload))))),
                subject(ConfigSource.newBuilder().setAds(AggregatedConfigSource.getDefaultInstance()), source -> cluster(c ->
                                c.setEdsClusterConfig(Cluster.EdsClusterConfig.newBuilder().setEdsConfig(source))),
                        HONOURED, "Ads", "Self",
                        "Whoever names an older one speaks the newest, or there would be no stream.", "ResourceApiVersion",
                        "The stream has begun.", "InitialFetchTimeout",
                        "Nobody else is asked.", "Authorities"),
                subject(TLS.toBuilder(), socket -> cluster(c -> c.setTransportSocket(socket)),
                        "Only for people.", "Name"),
                subject(Percent.newBuilder(), percent -> cluster(c -> c.setCommonLbConfig(
                        Cluster.CommonLbConfig.newBuilder().setHealthyPanicThreshold(percent)))),
                subject(ClusterLoadAssignment.Policy.DropOverload.newBuilder().setCategory("x")
                                .setDropPercentage(FractionalPercent.newBuilder().setNumerator(7)), drop -> assignment(e -> {}).toBuilder()
                                .setPolicy(ClusterLoadAssignment.Policy.newBuilder().addDropOverloads(drop)).build()),
                subject(Locality.newBuilder().setZone("z"), locality -> ClusterLoadAssignment.newBuilder().setClusterName("orders")
                        .addEndpoints(LocalityLbEndpoints.newBuilder().setLocality(locality).addLbEndpoints(endpoint(e -> {}))).build()),
                subject(address("10.0.0.1", 8080).toBuilder(), (Address.Builder address) ->
                        assignment(e -> e.setEndpoint(endpointAt(address.build())))));
    }

    private static LoadBalancingPolicy policies(com.google.protobuf.MessageLite policy) {
        return LoadBalancingPolicy.newBuilder()
                .addPolicies(LoadBalancingPolicy.Policy.newBuilder().setTypedExtensionConfig(extension(policy)))
                .build();
    }

    private static TypedExtensionConfig.Builder extension(com.google.protobuf.MessageLite config) {
        return TypedExtensionConfig.newBuilder().setName("x").setTypedConfig(any(config));
    }

    private static Stream<Subject> balancing() {
        LoadBalancingPolicy random = policies(Random.getDefaultInstance());
        return Stream.of(
                subject(random.toBuilder(), policy -> cluster(c -> c.setLoadBalancingPolicy(policy)),
                        "The first that is supported counts, and there is one.", "Policies"),
                subject(random.getPolicies(0).toBuilder(), policy -> cluster(c ->
                        c.setLoadBalancingPolicy(LoadBalancingPolicy.newBuilder().addPolicies(policy)))),
                subject(extension(Random.getDefaultInstance()), extension -> cluster(c -> c.setLoadBalancingPolicy(
                                LoadBalancingPolicy.newBuilder().addPolicies(
                                        LoadBalancingPolicy.Policy.newBuilder().setTypedExtensionConfig(extension)))),
                        "Only for people.", "Name"),
                subject(Subset.LbSubsetSelector.newBuilder().addKeys("k"), selector -> cluster(c -> c.setLoadBalancingPolicy(policies(
                        Subset.newBuilder().setSubsetLbPolicy(random).addSubsetSelectors(selector).build())))),
                subject(HealthStatusSet.newBuilder(), statuses -> cluster(c -> c.setCommonLbConfig(
                        Cluster.CommonLbConfig.newBuilder().setOverrideHostStatus(statuses)))),
                subject(SelfConfigSource.newBuilder(), self -> cluster(c -> c.setEdsClusterConfig(
                                Cluster.EdsClusterConfig.newBuilder().setEdsConfig(ConfigSource.newBuilder().setSelf(self)))),
                        "Whoever names an older one speaks the newest, or there would be no stream.", "TransportApiVersion"),
                subject(Metadata.newBuilder(), metadata -> withAction(a -> a.setMetadataMatch(metadata))));
    }

    private static com.google.protobuf.MessageLite withFilter(com.google.protobuf.MessageLite config) {
        return withManager(m -> m.addHttpFilters(0, httpFilter("").toBuilder().setTypedConfig(any(config))));
    }

    private static Stream<Subject> filters() {
        return Stream.of(
                subject(Config.newBuilder(), config -> withFilter(config.build())),
                subject(FilterStateValue.newBuilder().setObjectKey("k").setFactoryKey("envoy.string")
                                .setFormatString(SubstitutionFormatString.newBuilder().setTextFormatSource(inline("x"))),
                        value -> withFilter(Config.newBuilder().addOnRequestHeaders(value).build())),
                subject(HeaderMutation.newBuilder().setRemove("x"), mutation -> withFilter(
                        io.weft.policy.proto.envoy.extensions.filters.http.header_mutation.v3.HeaderMutation.newBuilder()
                                .setMutations(Mutations.newBuilder().addRequestMutations(mutation))
                                .build())),
                subject(FaultRateLimit.FixedLimit.newBuilder().setLimitKbps(8), limit -> withFilter(HTTPFault.newBuilder()
                        .setResponseRateLimit(FaultRateLimit.newBuilder().setFixedLimit(limit))
                        .build())),
                subject(RuntimeFeatureFlag.newBuilder().setDefaultValue(bool(true)).setRuntimeKey("x"), flag -> withChain(c -> c.addFilters(0,
                                filter("limit", any(io.weft.policy.proto.envoy.extensions.filters.network.local_ratelimit.v3.LocalRateLimit.newBuilder()
                                        .setStatPrefix("x")
                                        .setTokenBucket(BUCKET)
                                        .setRuntimeEnabled(flag)
                                        .build())))).toBuilder().setTrafficDirection(TrafficDirection.INBOUND).build(),
                        "There is no runtime.", "RuntimeKey"));
    }

    private static com.google.protobuf.MessageLite limited(Consumer<LocalRateLimit.Builder> change) {
        LocalRateLimit.Builder limit = LocalRateLimit.newBuilder().setStatPrefix("x").setTokenBucket(BUCKET)
                .addDescriptors(LocalRateLimitDescriptor.newBuilder()
                        .addEntries(RateLimitDescriptor.Entry.newBuilder().setKey("k").setValue("w"))
                        .setTokenBucket(BUCKET));
        change.accept(limit);
        return withFilter(limit.build());
    }

    private static <B extends com.google.protobuf.MessageLite.Builder> Subject inAction(B base, BiConsumer<Action.Builder, B> set) {
        return subject(base, changed -> limited(limit -> {
            Action.Builder action = Action.newBuilder();
            set.accept(action, changed);
            limit.addRateLimits(RateLimit.newBuilder().addActions(action));
        }));
    }

    private static Stream<Subject> limits() {
        HeaderMatcher header = HeaderMatcher.newBuilder().setName("x").build();
        QueryParameterMatcher query = QueryParameterMatcher.newBuilder().setName("x").build();
        return Stream.of(
                inAction(Action.GenericKey.newBuilder().setDescriptorValue("x"), Action.Builder::setGenericKey),
                inAction(Action.RequestHeaders.newBuilder().setHeaderName("x").setDescriptorKey("k"), Action.Builder::setRequestHeaders),
                inAction(Action.QueryParameters.newBuilder().setQueryParameterName("x").setDescriptorKey("k"), Action.Builder::setQueryParameters),
                inAction(Action.HeaderValueMatch.newBuilder().setDescriptorValue("x").addHeaders(header), Action.Builder::setHeaderValueMatch),
                inAction(Action.QueryParameterValueMatch.newBuilder().setDescriptorValue("x").addQueryParameters(query),
                        Action.Builder::setQueryParameterValueMatch),
                inAction(Action.MaskedRemoteAddress.newBuilder(), Action.Builder::setMaskedRemoteAddress),
                subject(RateLimit.HitsAddend.newBuilder().setNumber(UInt64Value.newBuilder().setValue(3)), hits -> limited(limit ->
                        limit.addRateLimits(RateLimit.newBuilder()
                                .addActions(Action.newBuilder().setGenericKey(Action.GenericKey.newBuilder().setDescriptorValue("x")))
                                .setHitsAddend(hits)))),
                subject(RateLimitDescriptor.Entry.newBuilder().setKey("k").setValue("v"), entry -> limited(limit -> limit.addDescriptors(
                        LocalRateLimitDescriptor.newBuilder().addEntries(entry).setTokenBucket(BUCKET)))));
    }

    private static Stream<Subject> listeners() {
        return Stream.of(
                subject(filter("http", any(manager(m -> {}))).toBuilder(), filter -> withChain(c -> c.setFilters(0, filter)),
                        "Only for people.", "Name"),
                subject(AdditionalAddress.newBuilder().setAddress(address("10.0.0.1", 80)), address ->
                        listener(l -> l.addAdditionalAddresses(address))),
                subject(ListenerFilter.newBuilder().setName("inspector")
                                .setTypedConfig(any("envoy.extensions.filters.listener.tls_inspector.v3.TlsInspector")),
                        filter -> listener(l -> l.addListenerFilters(filter)),
                        "Only for people.", "Name",
                        "The agent finds out by itself what a connection is.", "FilterDisabled"),
                subject(httpFilter("cors.v3.Cors").toBuilder(), filter -> withManager(m -> m.addHttpFilters(0, filter)),
                        HONOURED, "IsOptional"),
                subject(ApiListener.newBuilder().setApiListener(any(manager(m -> {}))), api -> listener(l -> l.clearFilterChains().setApiListener(api))),
                subject(Rds.newBuilder().setRouteConfigName("r").setConfigSource(ADS), rds -> withManager(m -> m.setRds(rds))),
                subject(Vhds.newBuilder().setConfigSource(ADS), vhds -> Samples.partialRoutes(r -> r.setVhds(vhds))));
    }

    private static <B extends com.google.protobuf.MessageLite.Builder> Subject hashed(B base, BiConsumer<HashPolicy.Builder, B> set) {
        return subject(base, changed -> withAction(a -> {
            HashPolicy.Builder policy = HashPolicy.newBuilder();
            set.accept(policy, changed);
            a.addHashPolicy(policy);
        }));
    }

    private static Stream<Subject> routes() {
        RetryBackOff backOff = RetryBackOff.newBuilder().setBaseInterval(seconds(1)).build();
        return Stream.of(
                subject(priorities(PreviousPrioritiesConfig.newBuilder().setUpdateFrequency(2).build()).toBuilder(),
                        priority -> withRetry(r -> r.setRetryPriority(priority)),
                        "Only for people.", "Name"),
                subject(backOff.toBuilder(), changed -> withRetry(r -> r.setRetryBackOff(changed))),
                subject(RateLimitedRetryBackOff.newBuilder().addResetHeaders(ResetHeader.newBuilder().setName("x")),
                        changed -> withRetry(r -> r.setRateLimitedRetryBackOff(changed))),
                subject(ResetHeader.newBuilder().setName("x"), changed -> withRetry(r ->
                        r.setRateLimitedRetryBackOff(RateLimitedRetryBackOff.newBuilder().addResetHeaders(changed)))),
                subject(MaxStreamDuration.newBuilder(), changed -> withAction(a -> a.setMaxStreamDuration(changed))),
                hashed(HashPolicy.Header.newBuilder().setHeaderName("x"), HashPolicy.Builder::setHeader),
                hashed(HashPolicy.ConnectionProperties.newBuilder(), HashPolicy.Builder::setConnectionProperties),
                hashed(HashPolicy.QueryParameter.newBuilder().setName("x"), HashPolicy.Builder::setQueryParameter),
                hashed(HashPolicy.FilterState.newBuilder().setKey("x"), HashPolicy.Builder::setFilterState),
                subject(RegexMatchAndSubstitute.newBuilder().setPattern(regex("a")).setSubstitution("b"),
                        changed -> withAction(a -> a.setRegexRewrite(changed))),
                subject(RuntimeFractionalPercent.newBuilder().setDefaultValue(FractionalPercent.newBuilder().setNumerator(7)),
                        changed -> withMatch(m -> m.setRuntimeFraction(changed)),
                        "There is no runtime.", "RuntimeKey"),
                subject(FractionalPercent.newBuilder().setNumerator(7), changed -> withMatch(m ->
                        m.setRuntimeFraction(RuntimeFractionalPercent.newBuilder().setDefaultValue(changed)))),
                subject(inline("x").toBuilder(), body -> withRoute(r -> r.setDirectResponse(
                        DirectResponseAction.newBuilder().setStatus(200).setBody(body))),
                        HONOURED, "InlineBytes",
                        "Of a file, and those are refused.", "WatchedDirectory"),
                subject(HashPolicy.CookieAttribute.newBuilder().setName("SameSite").setValue("Lax"), attribute -> withAction(a ->
                        a.addHashPolicy(HashPolicy.newBuilder().setCookie(HashPolicy.Cookie.newBuilder()
                                .setName("x").setTtl(seconds(1)).addAttributes(attribute))))),
                subject(header("x", "y").getHeader().toBuilder(), value -> withRoute(r ->
                        r.addRequestHeadersToAdd(HeaderValueOption.newBuilder().setHeader(value)))),
                subject(header("x", "y").toBuilder(), changed -> withAction(a -> {}).toBuilder().addRequestHeadersToAdd(changed).build()),
                subject(Int64Range.newBuilder().setStart(1).setEnd(100), changed -> withHeader(h -> h.setRangeMatch(changed))),
                subject(TEXT.toBuilder(), changed -> withHeader(h -> h.setStringMatch(changed))),
                subject(regex("a").toBuilder(), changed -> withHeader(h ->
                        h.setStringMatch(StringMatcher.newBuilder().setSafeRegex(changed))),
                        "There is no other engine.", "GoogleRe2"));
    }

    private static Subject permitted(Permission.Set.Builder base) {
        return subject(base, changed -> permission(p -> p.setAndRules(changed)));
    }

    private static com.google.protobuf.MessageLite permission(Consumer<Permission.Builder> change) {
        Permission.Builder permission = Permission.newBuilder();
        change.accept(permission);
        return AccessControlTest.withRules(AccessControlTest.rules(permission.build(), ANYBODY));
    }

    private static <B extends com.google.protobuf.MessageLite.Builder> Subject claimed(B base, Function<B, ValueMatcher.Builder> value) {
        return subject(base, changed -> permission(p -> p.setMetadata(AccessControlTest.claim(value.apply(changed).build(), "k"))));
    }

    private static Stream<Subject> access() {
        return Stream.of(
                permitted(Permission.Set.newBuilder().addRules(ANYTHING)),
                subject(Principal.Set.newBuilder().addIds(ANYBODY), changed -> AccessControlTest.withRules(
                        AccessControlTest.rules(ANYTHING, Principal.newBuilder().setAndIds(changed).build()))),
                subject(io.weft.policy.proto.envoy.config.core.v3.CidrRange.newBuilder().setAddressPrefix("10.0.0.0").setPrefixLen(uint32(8)),
                        changed -> permission(p -> p.setDestinationIp(changed))),
                subject(Int32Range.newBuilder().setStart(1).setEnd(100), changed -> permission(p -> p.setDestinationPortRange(changed))),
                subject(SourcedMetadata.newBuilder().setMetadataMatcher(AccessControlTest.claim(AccessControlTest.text("a"), "k")),
                        changed -> permission(p -> p.setSourcedMetadata(changed))),
                subject(AccessControlTest.claim(AccessControlTest.text("a"), "k").toBuilder(), changed -> permission(p -> p.setMetadata(changed))),
                subject(MetadataMatcher.PathSegment.newBuilder().setKey("k"), changed -> permission(p -> p.setMetadata(
                        AccessControlTest.claim(AccessControlTest.text("a")).toBuilder().addPath(changed)))),
                claimed(ValueMatcher.newBuilder().setStringMatch(TEXT), changed -> changed),
                claimed(ListMatcher.newBuilder().setOneOf(AccessControlTest.text("a")),
                        changed -> ValueMatcher.newBuilder().setListMatch(changed)),
                claimed(OrMatcher.newBuilder().addValueMatchers(AccessControlTest.text("a")).addValueMatchers(AccessControlTest.text("b")),
                        changed -> ValueMatcher.newBuilder().setOrMatch(changed)),
                claimed(DoubleMatcher.newBuilder().setExact(1), changed -> ValueMatcher.newBuilder().setDoubleMatch(changed)),
                claimed(DoubleRange.newBuilder().setStart(1).setEnd(3), changed -> ValueMatcher.newBuilder()
                        .setDoubleMatch(DoubleMatcher.newBuilder().setRange(changed))),
                subject(FilterStateMatcher.newBuilder().setKey("k").setStringMatch(TEXT), changed -> AccessControlTest.withRules(
                        AccessControlTest.rules(ANYTHING, Principal.newBuilder().setFilterState(changed).build()))),
                subject(PathMatcher.newBuilder().setPath(TEXT), changed -> permission(p -> p.setUrlPath(changed))));
    }

    private static Stream<Subject> matchers() {
        var predicate = AccessControlTest.single(AccessControlTest.input("ssl.v3.UriSanInput"), "v");
        var matcher = AccessControlTest.list(predicate);
        MatchMap map = MatchMap.newBuilder()
                .putMap("k", AccessControlTest.act("a", io.weft.policy.proto.envoy.config.rbac.v3.RBAC.Action.ALLOW))
                .build();
        return Stream.of(
                subject(map.toBuilder(), changed -> AccessControlTest.withMatcher(AccessControlTest.tree(
                        Matcher.MatcherTree.newBuilder().setInput(AccessControlTest.input("ssl.v3.UriSanInput")).setExactMatchMap(changed)))),
                subject(AccessControlTest.input("ssl.v3.UriSanInput").toBuilder(), input -> AccessControlTest.withMatcher(
                                AccessControlTest.list(AccessControlTest.single(input.build(), "v"))),
                        "Only for people.", "Name"),
                subject(io.weft.policy.proto.xds.type.matcher.v3.RegexMatcher.newBuilder().setRegex("a"), regex -> AccessControlTest.withMatcher(
                                AccessControlTest.list(predicate.toBuilder()
                                        .setSinglePredicate(predicate.getSinglePredicate().toBuilder().setValueMatch(
                                                io.weft.policy.proto.xds.type.matcher.v3.StringMatcher.newBuilder().setSafeRegex(regex)))
                                        .build())),
                        "There is no other engine.", "GoogleRe2"),
                subject(matcher.getMatcherList().toBuilder(), list -> AccessControlTest.withMatcher(matcher.toBuilder().setMatcherList(list).build())),
                subject(matcher.getMatcherList().getMatchers(0).toBuilder(), changed -> AccessControlTest.withMatcher(
                        matcher.toBuilder().setMatcherList(matcher.getMatcherList().toBuilder().setMatchers(0, changed)).build())),
                subject(Matcher.MatcherList.Predicate.PredicateList.newBuilder().addPredicate(predicate).addPredicate(predicate), list ->
                        AccessControlTest.withMatcher(AccessControlTest.list(Matcher.MatcherList.Predicate.newBuilder().setOrMatcher(list).build()))),
                subject(matcher.getMatcherList().getMatchers(0).getOnMatch().toBuilder(), changed -> AccessControlTest.withMatcher(
                        matcher.toBuilder().setOnNoMatch(changed).build())));
    }

    private static <B extends com.google.protobuf.MessageLite.Builder> Subject required(B base, BiConsumer<JwtRequirement.Builder, B> set) {
        return subject(base, changed -> {
            JwtRequirement.Builder requirement = JwtRequirement.newBuilder();
            set.accept(requirement, changed);
            return JwtParserTest.withFilter(JwtParserTest.jwt().putRequirementMap("r", requirement.build()));
        });
    }

    private static Stream<Subject> tokens() {
        JwtRequirement first = JwtRequirement.newBuilder().setProviderName("p").build();
        return Stream.of(
                subject(RequirementRule.newBuilder().setMatch(RouteMatch.newBuilder().setPrefix("/")).setRequires(first), rule ->
                        JwtParserTest.withFilter(JwtParserTest.jwt().addRules(rule))),
                required(ProviderWithAudiences.newBuilder().setProviderName("p").addAudiences("a"), JwtRequirement.Builder::setProviderAndAudiences),
                required(JwtRequirementOrList.newBuilder().addRequirements(first).addRequirements(first), JwtRequirement.Builder::setRequiresAny),
                required(JwtRequirementAndList.newBuilder().addRequirements(first).addRequirements(first), JwtRequirement.Builder::setRequiresAll),
                subject(io.weft.policy.proto.envoy.config.core.v3.RetryPolicy.newBuilder(), retry -> JwtParserTest.withProvider(
                        JwtParserTest.provider().setRemoteJwks(JwtParserTest.remote().setRetryPolicy(retry)))),
                subject(BackoffStrategy.newBuilder().setBaseInterval(seconds(1)), backOff -> JwtParserTest.withProvider(
                        JwtParserTest.provider().setRemoteJwks(JwtParserTest.remote().setRetryPolicy(
                                io.weft.policy.proto.envoy.config.core.v3.RetryPolicy.newBuilder().setRetryBackOff(backOff))))),
                subject(JwtHeader.newBuilder().setName("x"), header -> JwtParserTest.withProvider(JwtParserTest.provider().addFromHeaders(header))),
                subject(JwtClaimToHeader.newBuilder().setHeaderName("x").setClaimName("y"), claim ->
                        JwtParserTest.withProvider(JwtParserTest.provider().addClaimToHeaders(claim))),
                subject(JwtRequirement.newBuilder().setProviderName("p"), requirement -> JwtParserTest.withFilter(
                        JwtParserTest.jwt().putRequirementMap("r", requirement.build()))));
    }

    private static Stream<Subject> tls() {
        SdsSecretConfig secret = SdsSecretConfig.newBuilder().setName("ca").setSdsConfig(ADS).build();
        Keys keys = Keys.of("EC");
        return Stream.of(
                subject(TlsCertificate.newBuilder().setCertificateChain(inline(keys.certificate())).setPrivateKey(inline(keys.pkcs8Key())),
                        certificate -> withCommonTls(c -> c.addTlsCertificates(certificate))),
                subject(SubjectAltNameMatcher.newBuilder().setSanType(SubjectAltNameMatcher.SanType.URI).setMatcher(TEXT), name ->
                                withCommonTls(c -> c.setValidationContext(
                                        CertificateValidationContext.newBuilder().addMatchTypedSubjectAltNames(name))),
                        "Only of names of another type, which is refused.", "Oid"),
                subject(CertificateProviderPluginInstance.newBuilder().setInstanceName("x"), instance ->
                        withCommonTls(c -> c.setTlsCertificateProviderInstance(instance))),
                subject(secret.toBuilder(), changed -> withCommonTls(c -> c.setValidationContextSdsSecretConfig(changed))),
                subject(CombinedCertificateValidationContext.newBuilder()
                                .setDefaultValidationContext(CertificateValidationContext.getDefaultInstance())
                                .setValidationContextSdsSecretConfig(secret),
                        changed -> withCommonTls(c -> c.setCombinedValidationContext(changed)),
                        HONOURED, "DefaultValidationContext"));
    }
}
