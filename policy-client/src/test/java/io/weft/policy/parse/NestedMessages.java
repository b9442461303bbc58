package io.weft.policy.parse;

import static io.weft.policy.parse.EveryFieldDecidedTest.HONOURED;
import static io.weft.policy.parse.EveryFieldDecidedTest.subject;
import static io.weft.policy.parse.Samples.*;

import io.weft.policy.parse.EveryFieldDecidedTest.Subject;
import io.weft.policy.proto.envoy.config.cluster.v3.CircuitBreakers;
import io.weft.policy.proto.envoy.config.cluster.v3.Cluster;
import io.weft.policy.proto.envoy.config.core.v3.Address;
import io.weft.policy.proto.envoy.config.core.v3.AggregatedConfigSource;
import io.weft.policy.proto.envoy.config.core.v3.ConfigSource;
import io.weft.policy.proto.envoy.config.core.v3.HeaderValueOption;
import io.weft.policy.proto.envoy.config.core.v3.HealthCheck;
import io.weft.policy.proto.envoy.config.core.v3.Locality;
import io.weft.policy.proto.envoy.config.core.v3.RuntimeDouble;
import io.weft.policy.proto.envoy.config.core.v3.RuntimeFractionalPercent;
import io.weft.policy.proto.envoy.config.endpoint.v3.ClusterLoadAssignment;
import io.weft.policy.proto.envoy.config.endpoint.v3.LocalityLbEndpoints;
import io.weft.policy.proto.envoy.config.listener.v3.AdditionalAddress;
import io.weft.policy.proto.envoy.config.listener.v3.ListenerFilter;
import io.weft.policy.proto.envoy.config.rbac.v3.Permission;
import io.weft.policy.proto.envoy.config.rbac.v3.Principal;
import io.weft.policy.proto.envoy.config.route.v3.DirectResponseAction;
import io.weft.policy.proto.envoy.config.route.v3.RetryPolicy.RateLimitedRetryBackOff;
import io.weft.policy.proto.envoy.config.route.v3.RetryPolicy.ResetHeader;
import io.weft.policy.proto.envoy.config.route.v3.RetryPolicy.RetryBackOff;
import io.weft.policy.proto.envoy.config.route.v3.RouteAction.HashPolicy;
import io.weft.policy.proto.envoy.config.route.v3.RouteAction.MaxStreamDuration;
import io.weft.policy.proto.envoy.extensions.filters.http.jwt_authn.v3.JwtClaimToHeader;
import io.weft.policy.proto.envoy.extensions.filters.http.jwt_authn.v3.JwtHeader;
import io.weft.policy.proto.envoy.extensions.filters.http.jwt_authn.v3.JwtRequirement;
import io.weft.policy.proto.envoy.extensions.filters.network.http_connection_manager.v3.Rds;
import io.weft.policy.proto.envoy.extensions.transport_sockets.tls.v3.CertificateProviderPluginInstance;
import io.weft.policy.proto.envoy.extensions.transport_sockets.tls.v3.CertificateValidationContext;
import io.weft.policy.proto.envoy.extensions.transport_sockets.tls.v3.CommonTlsContext.CombinedCertificateValidationContext;
import io.weft.policy.proto.envoy.extensions.transport_sockets.tls.v3.SdsSecretConfig;
import io.weft.policy.proto.envoy.extensions.transport_sockets.tls.v3.SubjectAltNameMatcher;
import io.weft.policy.proto.envoy.type.matcher.v3.PathMatcher;
import io.weft.policy.proto.envoy.type.matcher.v3.RegexMatchAndSubstitute;
import io.weft.policy.proto.envoy.type.matcher.v3.StringMatcher;
import io.weft.policy.proto.envoy.type.v3.FractionalPercent;
import io.weft.policy.proto.envoy.type.v3.Int32Range;
import io.weft.policy.proto.envoy.type.v3.Int64Range;
import io.weft.policy.proto.envoy.type.v3.Percent;
import io.weft.policy.proto.xds.type.matcher.v3.Matcher;
import java.util.function.Consumer;
import java.util.stream.Stream;

/** The messages inside those of {@link EveryFieldDecidedTest}, each where it is used most. */
final class NestedMessages {
    private static final Permission ANYTHING = Permission.newBuilder().setAny(true).build();
    private static final Principal ANYBODY = Principal.newBuilder().setAny(true).build();
    private static final StringMatcher TEXT = StringMatcher.newBuilder().setExact("x").build();

    private NestedMessages() {}

    static Stream<Subject> all() {
        return Stream.of(clusters(), listeners(), routes(), access(), matchers(), tokens(), tls()).flatMap(stream -> stream);
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
                subject(Rds.newBuilder().setRouteConfigName("r").setConfigSource(ADS), rds -> withManager(m -> m.setRds(rds))));
    }

    private static <B extends com.google.protobuf.MessageLite.Builder> Subject hashed(B base, java.util.function.BiConsumer<HashPolicy.Builder, B> set) {
        return subject(base, changed -> withAction(a -> {
            HashPolicy.Builder policy = HashPolicy.newBuilder();
            set.accept(policy, changed);
            a.addHashPolicy(policy);
        }));
    }

    private static Stream<Subject> routes() {
        RetryBackOff backOff = RetryBackOff.newBuilder().setBaseInterval(seconds(1)).build();
        return Stream.of(
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

    private static Stream<Subject> access() {
        return Stream.of(
                permitted(Permission.Set.newBuilder().addRules(ANYTHING)),
                subject(Principal.Set.newBuilder().addIds(ANYBODY), changed -> AccessControlTest.withRules(
                        AccessControlTest.rules(ANYTHING, Principal.newBuilder().setAndIds(changed).build()))),
                subject(io.weft.policy.proto.envoy.config.core.v3.CidrRange.newBuilder().setAddressPrefix("10.0.0.0").setPrefixLen(uint32(8)),
                        changed -> permission(p -> p.setDestinationIp(changed))),
                subject(Int32Range.newBuilder().setStart(1).setEnd(100), changed -> permission(p -> p.setDestinationPortRange(changed))),
                subject(PathMatcher.newBuilder().setPath(TEXT), changed -> permission(p -> p.setUrlPath(changed))));
    }

    private static Stream<Subject> matchers() {
        var predicate = AccessControlTest.single(AccessControlTest.input("ssl.v3.UriSanInput"), "v");
        var matcher = AccessControlTest.list(predicate);
        return Stream.of(
                subject(matcher.getMatcherList().toBuilder(), list -> AccessControlTest.withMatcher(matcher.toBuilder().setMatcherList(list).build())),
                subject(matcher.getMatcherList().getMatchers(0).toBuilder(), changed -> AccessControlTest.withMatcher(
                        matcher.toBuilder().setMatcherList(matcher.getMatcherList().toBuilder().setMatchers(0, changed)).build())),
                subject(Matcher.MatcherList.Predicate.PredicateList.newBuilder().addPredicate(predicate).addPredicate(predicate), list ->
                        AccessControlTest.withMatcher(AccessControlTest.list(Matcher.MatcherList.Predicate.newBuilder().setOrMatcher(list).build()))),
                subject(matcher.getMatcherList().getMatchers(0).getOnMatch().toBuilder(), changed -> AccessControlTest.withMatcher(
                        matcher.toBuilder().setOnNoMatch(changed).build())));
    }

    private static Stream<Subject> tokens() {
        return Stream.of(
                subject(JwtHeader.newBuilder().setName("x"), header -> JwtParserTest.withProvider(JwtParserTest.provider().addFromHeaders(header))),
                subject(JwtClaimToHeader.newBuilder().setHeaderName("x").setClaimName("y"), claim ->
                        JwtParserTest.withProvider(JwtParserTest.provider().addClaimToHeaders(claim))),
                subject(JwtRequirement.newBuilder().setProviderName("p"), requirement -> JwtParserTest.withFilter(
                        JwtParserTest.jwt().putRequirementMap("r", requirement.build()))));
    }

    private static Stream<Subject> tls() {
        SdsSecretConfig secret = SdsSecretConfig.newBuilder().setName("ca").setSdsConfig(ADS).build();
        return Stream.of(
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
