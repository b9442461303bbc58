package io.weft.policy.parse;

import static io.weft.policy.parse.Samples.*;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import com.google.protobuf.MessageLite;
import io.weft.policy.model.FilterOverrides;
import io.weft.policy.model.HttpFilter.TokenAuthentication;
import io.weft.policy.model.HttpFilter.TokenRequirementOfRoute;
import io.weft.policy.model.JwtAuthentication;
import io.weft.policy.model.JwtAuthentication.ClaimHeader;
import io.weft.policy.model.JwtAuthentication.Claims;
import io.weft.policy.model.JwtAuthentication.Forwarding;
import io.weft.policy.model.JwtAuthentication.HeaderLocation;
import io.weft.policy.model.JwtAuthentication.InlineKeys;
import io.weft.policy.model.JwtAuthentication.Locations;
import io.weft.policy.model.JwtAuthentication.OfProvider;
import io.weft.policy.model.JwtAuthentication.PayloadHeader;
import io.weft.policy.model.JwtAuthentication.PayloadMetadata;
import io.weft.policy.model.JwtAuthentication.RemoteKeys;
import io.weft.policy.model.JwtAuthentication.Requirement;
import io.weft.policy.model.JwtAuthentication.Retries;
import io.weft.policy.model.Listener;
import io.weft.policy.model.RouteConfiguration;
import io.weft.policy.model.StringMatch;
import io.weft.policy.model.Unhonoured;
import io.weft.policy.parse.ParseOutcome.Accepted;
import io.weft.policy.parse.ParseOutcome.Refused;
import io.weft.policy.proto.envoy.config.core.v3.BackoffStrategy;
import io.weft.policy.proto.envoy.config.core.v3.DataSource;
import io.weft.policy.proto.envoy.config.core.v3.HttpUri;
import io.weft.policy.proto.envoy.config.core.v3.RetryPolicy;
import io.weft.policy.proto.envoy.config.core.v3.RuntimeFractionalPercent;
import io.weft.policy.proto.envoy.config.core.v3.WatchedDirectory;
import io.weft.policy.proto.envoy.config.route.v3.RouteMatch;
import io.weft.policy.proto.envoy.extensions.filters.http.jwt_authn.v3.FilterStateRule;
import io.weft.policy.proto.envoy.extensions.filters.http.jwt_authn.v3.JwksAsyncFetch;
import io.weft.policy.proto.envoy.extensions.filters.http.jwt_authn.v3.JwtCacheConfig;
import io.weft.policy.proto.envoy.extensions.filters.http.jwt_authn.v3.JwtClaimToHeader;
import io.weft.policy.proto.envoy.extensions.filters.http.jwt_authn.v3.JwtHeader;
import io.weft.policy.proto.envoy.extensions.filters.http.jwt_authn.v3.JwtProvider;
import io.weft.policy.proto.envoy.extensions.filters.http.jwt_authn.v3.JwtRequirement;
import io.weft.policy.proto.envoy.extensions.filters.http.jwt_authn.v3.JwtRequirementAndList;
import io.weft.policy.proto.envoy.extensions.filters.http.jwt_authn.v3.JwtRequirementOrList;
import io.weft.policy.proto.envoy.extensions.filters.http.jwt_authn.v3.PerRouteConfig;
import io.weft.policy.proto.envoy.extensions.filters.http.jwt_authn.v3.ProviderWithAudiences;
import io.weft.policy.proto.envoy.extensions.filters.http.jwt_authn.v3.RemoteJwks;
import io.weft.policy.proto.envoy.extensions.filters.http.jwt_authn.v3.RequirementRule;
import io.weft.policy.proto.envoy.type.matcher.v3.StringMatcher;
import io.weft.policy.proto.protobuf.Empty;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** JWT authentication, from the message to the records. */
class JwtParserTest {
    private static final String FILTER = "filter_chains[0].filters[0].typed_config.http_filters[0].typed_config";

    static JwtProvider.Builder provider() {
        return JwtProvider.newBuilder().setLocalJwks(DataSource.newBuilder().setInlineString("{}"));
    }

    static RemoteJwks.Builder remote() {
        return RemoteJwks.newBuilder().setHttpUri(
                HttpUri.newBuilder().setUri("https://idp.local/keys").setCluster("idp").setTimeout(seconds(2)));
    }

    static io.weft.policy.proto.envoy.config.listener.v3.Listener withFilter(MessageLite.Builder filter) {
        return withJwt(filter.build());
    }

    static io.weft.policy.proto.envoy.config.listener.v3.Listener withJwt(MessageLite jwt) {
        return withManager(manager -> manager.addHttpFilters(
                0,
                io.weft.policy.proto.envoy.extensions.filters.network.http_connection_manager.v3.HttpFilter.newBuilder()
                        .setName("f")
                        .setTypedConfig(any(jwt))));
    }

    static io.weft.policy.proto.envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication.Builder jwt() {
        return io.weft.policy.proto.envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication.newBuilder();
    }

    static io.weft.policy.proto.envoy.config.listener.v3.Listener withProvider(JwtProvider.Builder provider) {
        return withJwt(jwt().putProviders("p", provider.build()).build());
    }

    private static JwtAuthentication honoured(MessageLite listener) {
        ParseOutcome outcome = parse(listener);
        assertThat(outcome).isInstanceOf(Accepted.class);
        assertThat(((Accepted) outcome).unhonoured()).isEmpty();
        Listener parsed = (Listener) ((Accepted) outcome).resource();
        return ((TokenAuthentication) parsed.filterChains().get(0).http().filters().get(0).filter()).jwt();
    }

    private static JwtAuthentication.Provider honoured(JwtProvider.Builder provider) {
        return honoured(withProvider(provider)).providers().get("p");
    }

    @Test
    void aProviderThatSaysLittleHasEnvoysDefaults() {
        assertThat(honoured(provider())).isEqualTo(new JwtAuthentication.Provider(
                new Claims("", List.of(), Optional.empty(), Duration.ofSeconds(60), false, Optional.empty()),
                new InlineKeys("{}"),
                new Locations(List.of(new HeaderLocation("authorization", "Bearer ")), List.of("access_token"), List.of()),
                new Forwarding(false, Optional.empty(), List.of(), Optional.empty())));
    }

    @Test
    void whatAProviderSays() {
        assertThat(honoured(provider()
                        .setIssuer("i")
                        .addAudiences("a")
                        .setSubjects(StringMatcher.newBuilder().setPrefix("s"))
                        .setClockSkewSeconds(5)
                        .setRequireExpiration(true)
                        .setMaxLifetime(seconds(9))
                        .setForward(true)
                        .addFromHeaders(JwtHeader.newBuilder().setName("X-A").setValuePrefix("p "))
                        .addFromParams("q")
                        .addFromCookies("c")
                        .setForwardPayloadHeader("X-P")
                        .setPadForwardPayloadHeader(true)
                        .addClaimToHeaders(JwtClaimToHeader.newBuilder().setHeaderName("X-C").setClaimName("a.b"))
                        .setPayloadInMetadata("payload")
                        .setNormalizePayloadInMetadata(JwtProvider.NormalizePayload.newBuilder().addSpaceDelimitedClaims("scope"))))
                .isEqualTo(new JwtAuthentication.Provider(
                        new Claims("i", List.of("a"), Optional.of(new StringMatch.Prefix("s", false)), Duration.ofSeconds(5), true,
                                Optional.of(Duration.ofSeconds(9))),
                        new InlineKeys("{}"),
                        new Locations(List.of(new HeaderLocation("x-a", "p ")), List.of("q"), List.of("c")),
                        new Forwarding(
                                true,
                                Optional.of(new PayloadHeader("x-p", true)),
                                List.of(new ClaimHeader("x-c", List.of("a", "b"))),
                                Optional.of(new PayloadMetadata("payload", List.of("scope"))))));
    }

    @Test
    void whereKeysComeFrom() {
        assertThat(honoured(provider().setLocalJwks(DataSource.newBuilder().setFilename("/keys"))).keys())
                .isEqualTo(new JwtAuthentication.FileKeys("/keys"));
        assertThat(honoured(provider().setLocalJwks(DataSource.newBuilder().setInlineBytes(ByteString.copyFromUtf8("k")))).keys())
                .isEqualTo(new InlineKeys("k"));
        assertThat(honoured(provider().setRemoteJwks(remote())).keys()).isEqualTo(new RemoteKeys(
                "https://idp.local/keys", "idp", Duration.ofSeconds(2), Duration.ofMinutes(10), Duration.ofSeconds(1), Retries.NONE));
        assertThat(honoured(provider().setRemoteJwks(remote()
                                .setCacheDuration(seconds(30))
                                .setAsyncFetch(JwksAsyncFetch.newBuilder().setFailedRefetchDuration(seconds(3)))
                                .setRetryPolicy(RetryPolicy.newBuilder()
                                        .setNumRetries(uint32(4))
                                        .setRetryBackOff(BackoffStrategy.newBuilder().setBaseInterval(seconds(2))))))
                        .keys())
                .isEqualTo(new RemoteKeys("https://idp.local/keys", "idp", Duration.ofSeconds(2), Duration.ofSeconds(30),
                        Duration.ofSeconds(3), new Retries(4, Duration.ofSeconds(2), Duration.ofSeconds(20))));
    }

    private static JwtRequirement named(String provider) {
        return JwtRequirement.newBuilder().setProviderName(provider).build();
    }

    private static RequirementRule.Builder rule(JwtRequirement requirement) {
        return RequirementRule.newBuilder().setMatch(RouteMatch.newBuilder().setPrefix("/")).setRequires(requirement);
    }

    private static io.weft.policy.proto.envoy.config.listener.v3.Listener withRule(RequirementRule.Builder rule) {
        return withJwt(jwt().putProviders("p", provider().build()).addRules(rule).build());
    }

    private static Requirement requirement(JwtRequirement requirement) {
        return honoured(withRule(rule(requirement))).rules().get(0).requirement();
    }

    @Test
    void requirements() {
        Requirement p = new OfProvider("p", List.of());

        assertThat(requirement(named("p"))).isEqualTo(p);
        assertThat(requirement(JwtRequirement.newBuilder()
                        .setProviderAndAudiences(ProviderWithAudiences.newBuilder().setProviderName("p").addAudiences("a"))
                        .build()))
                .isEqualTo(new OfProvider("p", List.of("a")));
        assertThat(requirement(JwtRequirement.newBuilder()
                        .setRequiresAny(JwtRequirementOrList.newBuilder().addRequirements(named("p")).addRequirements(named("p")))
                        .build()))
                .isEqualTo(new JwtAuthentication.RequiresAny(List.of(p, p)));
        assertThat(requirement(JwtRequirement.newBuilder()
                        .setRequiresAll(JwtRequirementAndList.newBuilder().addRequirements(named("p")).addRequirements(named("p")))
                        .build()))
                .isEqualTo(new JwtAuthentication.RequiresAll(List.of(p, p)));
        assertThat(requirement(JwtRequirement.newBuilder().setAllowMissing(Empty.getDefaultInstance()).build()))
                .isEqualTo(new JwtAuthentication.AllowMissing());
        assertThat(requirement(JwtRequirement.newBuilder().setAllowMissingOrFailed(Empty.getDefaultInstance()).build()))
                .isEqualTo(new JwtAuthentication.AllowMissingOrFailed());
        assertThat(requirement(JwtRequirement.getDefaultInstance())).isEqualTo(new JwtAuthentication.NotRequired());
    }

    @Test
    void rulesNameRequirementsAndSoDoRoutes() {
        var jwt = jwt().putProviders("p", provider().build())
                .putRequirementMap("r", named("p"))
                .addRules(RequirementRule.newBuilder().setMatch(RouteMatch.newBuilder().setPrefix("/a")).setRequirementName("r"))
                .addRules(RequirementRule.newBuilder().setMatch(RouteMatch.newBuilder().setPrefix("/b")))
                .setBypassCorsPreflight(true)
                .setStripFailureResponse(true);
        JwtAuthentication parsed = honoured(withJwt(jwt.build()));

        assertThat(parsed.rules()).extracting(JwtAuthentication.Rule::requirement)
                .containsExactly(new OfProvider("p", List.of()), new JwtAuthentication.NotRequired());
        assertThat(parsed.requirements()).isEqualTo(Map.of("r", new OfProvider("p", List.of())));
        assertThat(parsed.bypassCorsPreflight()).isTrue();
        assertThat(parsed.stripFailureResponse()).isTrue();

        assertThat(override(PerRouteConfig.newBuilder().setDisabled(true))).isEqualTo(new FilterOverrides.Disabled());
        assertThat(override(PerRouteConfig.newBuilder().setRequirementName("r")))
                .isEqualTo(new FilterOverrides.Configured(new TokenRequirementOfRoute("r")));
    }

    private static FilterOverrides.Override override(PerRouteConfig.Builder config) {
        ParseOutcome outcome = parse(routes(r -> r.putTypedPerFilterConfig("f", any(config.build()))));
        return ((RouteConfiguration) ((Accepted) outcome).resource()).filters().byFilter().get("f");
    }

    @Test
    void whatHasNoEffectIsNamed() {
        ParseOutcome outcome = parse(withProvider(provider()
                .setJwtCacheConfig(JwtCacheConfig.getDefaultInstance())));

        assertThat(((Accepted) outcome).unhonoured()).extracting(Unhonoured::path).containsExactly(
                FILTER + ".providers[\"p\"].jwt_cache_config");
    }

    private record Case(String path, String reason, MessageLite resource) {
        @Override
        public String toString() {
            return path + ": " + reason;
        }
    }

    private static Case of(String path, String reason, JwtProvider.Builder provider) {
        return new Case(FILTER + ".providers[\"p\"]" + path, reason, withProvider(provider));
    }

    private static Case uri(String path, String reason, HttpUri.Builder uri) {
        return of(".remote_jwks.http_uri." + path, reason, provider().setRemoteJwks(remote().setHttpUri(uri)));
    }

    static Stream<Case> refused() {
        HttpUri uri = remote().getHttpUri();
        return Stream.of(
                new Case(FILTER + ".filter_state_rules", "use rules",
                        withJwt(jwt().setFilterStateRules(FilterStateRule.getDefaultInstance()).build())),
                of("", "no keys", provider().clearLocalJwks()),
                of(".local_jwks", "empty", provider().setLocalJwks(DataSource.getDefaultInstance())),
                of(".local_jwks.environment_variable", "not supported",
                        provider().setLocalJwks(DataSource.newBuilder().setEnvironmentVariable("X"))),
                of(".local_jwks.watched_directory", "not supported", provider().setLocalJwks(DataSource.newBuilder()
                        .setFilename("/keys")
                        .setWatchedDirectory(WatchedDirectory.getDefaultInstance()))),
                of(".clear_route_cache", "the route is chosen before", provider().setClearRouteCache(true)),
                of(".header_in_metadata", "nothing is written there", provider().setHeaderInMetadata("h")),
                of(".failed_status_in_metadata", "nothing is written there", provider().setFailedStatusInMetadata("f")),
                of(".subjects", "no pattern", provider().setSubjects(StringMatcher.getDefaultInstance())),
                of(".from_headers[0].name", "empty", provider().addFromHeaders(JwtHeader.getDefaultInstance())),
                of(".claim_to_headers[0].claim_name", "empty",
                        provider().addClaimToHeaders(JwtClaimToHeader.newBuilder().setHeaderName("x"))),
                of(".claim_to_headers[0].header_name", "empty",
                        provider().addClaimToHeaders(JwtClaimToHeader.newBuilder().setClaimName("x"))),
                of(".remote_jwks.http_uri", "missing", provider().setRemoteJwks(remote().clearHttpUri())),
                of(".remote_jwks.cache_duration", "greater than zero",
                        provider().setRemoteJwks(remote().setCacheDuration(seconds(0)))),
                of(".remote_jwks.retry_policy.retry_back_off.base_interval", "missing", provider().setRemoteJwks(remote()
                        .setRetryPolicy(RetryPolicy.newBuilder().setRetryBackOff(BackoffStrategy.getDefaultInstance())))),
                of(".remote_jwks.retry_policy.retry_back_off.max_interval", "below", provider().setRemoteJwks(remote()
                        .setRetryPolicy(RetryPolicy.newBuilder().setRetryBackOff(BackoffStrategy.newBuilder()
                                .setBaseInterval(seconds(2))
                                .setMaxInterval(seconds(1)))))),
                uri("uri", "no URI", uri.toBuilder().setUri("http://a b")),
                uri("uri", "must begin with", uri.toBuilder().setUri("idp.local/keys")),
                uri("cluster", "empty", uri.toBuilder().setCluster("")),
                uri("timeout", "missing", uri.toBuilder().clearTimeout()),
                new Case(FILTER + ".rules[0].match", "missing", withRule(rule(named("p")).clearMatch())),
                new Case(FILTER + ".rules[0].match.runtime_fraction", "chance", withRule(rule(named("p")).setMatch(RouteMatch.newBuilder()
                        .setPrefix("/")
                        .setRuntimeFraction(RuntimeFractionalPercent.getDefaultInstance())))),
                new Case(FILTER + ".rules[0].requires.provider_name", "not in providers", withRule(rule(named("x")))),
                new Case(FILTER + ".rules[0].requires.requires_any.requirements", "two", withRule(rule(JwtRequirement.newBuilder()
                        .setRequiresAny(JwtRequirementOrList.newBuilder().addRequirements(named("p")))
                        .build()))),
                new Case(FILTER + ".rules[0].requirement_name", "not in requirement_map",
                        withRule(rule(named("p")).setRequirementName("x"))),
                new Case("typed_per_filter_config[\"f\"]", "empty",
                        routes(r -> r.putTypedPerFilterConfig("f", any(PerRouteConfig.getDefaultInstance())))));
    }

    @ParameterizedTest
    @MethodSource("refused")
    void namesTheFieldAndTheReason(Case refused) {
        ParseOutcome outcome = parse(refused.resource());

        assertThat(outcome).isInstanceOf(Refused.class);
        assertThat(((Refused) outcome).path()).isEqualTo(refused.path());
        assertThat(((Refused) outcome).reason()).contains(refused.reason());
    }
}
