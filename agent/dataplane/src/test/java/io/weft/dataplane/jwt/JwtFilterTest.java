package io.weft.dataplane.jwt;

import static org.assertj.core.api.Assertions.assertThat;

import io.weft.dataplane.Fixtures;
import io.weft.dataplane.InboundExchange.Step;
import io.weft.dataplane.Incoming;
import io.weft.dataplane.SeededRandomness;
import io.weft.dataplane.SimulatedTime;
import io.weft.policy.model.JwtAuthentication;
import io.weft.policy.model.JwtAuthentication.AllowMissing;
import io.weft.policy.model.JwtAuthentication.AllowMissingOrFailed;
import io.weft.policy.model.JwtAuthentication.ClaimHeader;
import io.weft.policy.model.JwtAuthentication.Claims;
import io.weft.policy.model.JwtAuthentication.Forwarding;
import io.weft.policy.model.JwtAuthentication.HeaderLocation;
import io.weft.policy.model.JwtAuthentication.InlineKeys;
import io.weft.policy.model.JwtAuthentication.Keys;
import io.weft.policy.model.JwtAuthentication.Locations;
import io.weft.policy.model.JwtAuthentication.NotRequired;
import io.weft.policy.model.JwtAuthentication.OfProvider;
import io.weft.policy.model.JwtAuthentication.PayloadHeader;
import io.weft.policy.model.JwtAuthentication.PayloadMetadata;
import io.weft.policy.model.JwtAuthentication.Provider;
import io.weft.policy.model.JwtAuthentication.RemoteKeys;
import io.weft.policy.model.JwtAuthentication.Requirement;
import io.weft.policy.model.JwtAuthentication.RequiresAll;
import io.weft.policy.model.JwtAuthentication.RequiresAny;
import io.weft.policy.model.JwtAuthentication.Retries;
import io.weft.policy.model.JwtAuthentication.Rule;
import io.weft.policy.model.Rbac;
import io.weft.policy.model.RouteMatch;
import io.weft.policy.model.StringMatch;
import io.weft.policy.model.ValueMatch;
import java.io.File;
import java.io.FileOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Tokens in requests that come in, from the policy to the answer. The clock stands at {@link #NOW}. */
class JwtFilterTest {
    private static final long NOW = 1_893_499_200; // 2030-01-01T12:00:00Z
    private static final Tokens ISSUER = Tokens.issuer("ES256", "1");
    private static final Tokens OTHER = Tokens.issuer("ES256", "2");
    private static final Locations DEFAULT_LOCATIONS =
            new Locations(List.of(new HeaderLocation("authorization", "Bearer ")), List.of("access_token"), List.of());
    private static final Forwarding TAKE_AWAY = new Forwarding(false, Optional.empty(), List.of(), Optional.empty());
    private static final Requirement A = new OfProvider("a", List.of());
    private static final Requirement B = new OfProvider("b", List.of());

    private static Claims claims(String issuer, String... audiences) {
        return new Claims(issuer, List.of(audiences), Optional.empty(), Duration.ofSeconds(60), false, Optional.empty());
    }

    private static Provider provider(Claims claims, Keys keys) {
        return new Provider(claims, keys, DEFAULT_LOCATIONS, TAKE_AWAY);
    }

    private static final Provider PROVIDER_A = provider(claims("a"), new InlineKeys(ISSUER.jwks()));
    private static final Provider PROVIDER_B = new Provider(
            claims("b"),
            new InlineKeys(OTHER.jwks()),
            new Locations(List.of(new HeaderLocation("x-b", "")), List.of(), List.of("b")),
            TAKE_AWAY);

    private static Fixtures.App app(JwtAuthentication jwt) {
        return Fixtures.app(jwt);
    }

    private static Fixtures.App app(Requirement requirement, Map<String, Provider> providers) {
        RouteMatch all = new RouteMatch(new RouteMatch.Prefix("/"), true, List.of(), List.of(), Optional.empty(), false);
        return app(new JwtAuthentication(providers, List.of(new Rule(all, requirement)), Map.of(), false, false));
    }

    private static Fixtures.App app(Provider provider) {
        return app(A, Map.of("a", provider));
    }

    private static Fixtures.App app(Requirement requirement) {
        return app(requirement, Map.of("a", PROVIDER_A, "b", PROVIDER_B));
    }

    private static String token(String payload) {
        return ISSUER.token(payload);
    }

    private static final String GOOD_A = token("{\"iss\":\"a\"}");
    private static final String GOOD_B = OTHER.token("{\"iss\":\"b\"}");
    private static final String EXPIRED_A = token("{\"iss\":\"a\",\"exp\":1}");

    private static Incoming bearer(String token) {
        return Incoming.get("/").with("authorization", "Bearer " + token);
    }

    private static String refusal(Fixtures.App app, Incoming request) {
        Step step = app.enter(request).next();
        return step == Step.PROCEED ? "" : request.reply().status() + " " + new String(request.reply().body(), StandardCharsets.UTF_8);
    }

    @Test
    void aGoodTokenLetsTheRequestInAndIsTakenOutOfIt() {
        Incoming request = bearer(GOOD_A);

        assertThat(refusal(app(PROVIDER_A), request)).isEmpty();
        assertThat(request.requestChanges().remove()).containsExactly("authorization");
    }

    @Test
    void aRefusalIsAnsweredAsEnvoyAnswersIt() {
        Incoming missing = Incoming.get("/items?page=2");
        assertThat(refusal(app(PROVIDER_A), missing)).isEqualTo("401 Jwt is missing");
        assertThat(missing.reply().headers()).containsExactly(
                Map.entry("www-authenticate", "Bearer realm=\"http://orders/items?page=2\""),
                Map.entry("content-length", "14"),
                Map.entry("content-type", "text/plain"));

        Incoming expired = bearer(EXPIRED_A).with("x-forwarded-proto", "https");
        assertThat(refusal(app(PROVIDER_A), expired)).isEqualTo("401 Jwt is expired");
        assertThat(expired.reply().header("www-authenticate"))
                .isEqualTo("Bearer realm=\"https://orders/\", error=\"invalid_token\"");

        Incoming grpc = bearer(EXPIRED_A).with("content-type", "application/grpc");
        assertThat(refusal(app(PROVIDER_A), grpc)).isEqualTo("200 ");
        assertThat(grpc.reply().header("grpc-status")).isEqualTo("16");
        assertThat(grpc.reply().header("grpc-message")).isEqualTo("Jwt is expired");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "{\"iss\":\"a\",\"exp\":1893499140} | ''",
        "{\"iss\":\"a\",\"exp\":1893499139} | 401 Jwt is expired",
        "{\"iss\":\"a\",\"nbf\":1893499260} | ''",
        "{\"iss\":\"a\",\"nbf\":1893499261} | 401 Jwt not yet valid",
        "{\"iss\":\"x\"} | 401 Jwt issuer is not configured",
        "{} | 401 Jwt issuer is not configured",
        "{\"iss\":1} | 401 Jwt payload [iss] field is not a string",
        "{\"iss\":\"a\",\"sub\":1} | 401 Jwt payload [sub] field is not a string",
        "{\"iss\":\"a\",\"exp\":\"1\"} | 401 Jwt payload [exp] field is not an integer",
        "{\"iss\":\"a\",\"exp\":-1} | 401 Jwt payload [exp] field is not a positive 64 bit integer",
        "{\"iss\":\"a\",\"nbf\":1e30} | 401 Jwt payload [nbf] field is not a positive 64 bit integer",
        "{\"iss\":\"a\",\"iat\":true} | 401 Jwt payload [iat] field is not an integer",
        "{\"iss\":\"a\",\"jti\":1} | 401 Jwt payload [jti] field is not a string",
        "{\"iss\":\"a\",\"aud\":1} | 401 Jwt payload [aud] field is not a string or string list",
        "{\"iss\":\"a\",\"iss\":\"a\"} | 401 Jwt payload is an invalid JSON",
        "[] | 401 Jwt payload is an invalid JSON",
    })
    void claimsAreChecked(String payload, String refusal) {
        assertThat(refusal(app(PROVIDER_A), bearer(token(payload)))).isEqualTo(refusal);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "{\"alg\":\"none\"} | 401 Jwt header [alg] is not supported",
        "{} | 401 Jwt header [alg] field is required and must be a string",
        "{\"alg\":1} | 401 Jwt header [alg] field is required and must be a string",
        "{\"alg\":\"ES256\",\"kid\":1} | 401 Jwt header [kid] field is not a string",
        "x | 401 Jwt header is an invalid JSON",
        "{\"alg\":\"RS256\"} | 401 Jwks doesn't have key to match kid or alg from Jwt",
    })
    void headersAreChecked(String header, String refusal) {
        assertThat(refusal(app(PROVIDER_A), bearer(ISSUER.token(header, "{\"iss\":\"a\"}")))).isEqualTo(refusal);
    }

    @ParameterizedTest
    @ValueSource(strings = {"a", "a.b", "a.b.c.d", "a..c", ".b.c", "a.b."})
    void aTokenHasThreeParts(String token) {
        assertThat(refusal(app(PROVIDER_A), bearer(token)))
                .isEqualTo("401 Jwt is not in the form of Header.Payload.Signature with two dots and 3 sections");
    }

    @Test
    void eachPartIsBase64() {
        String[] parts = GOOD_A.split("\\.");
        Fixtures.App app = app(PROVIDER_A);

        assertThat(refusal(app, bearer("a!." + parts[1] + "." + parts[2]))).isEqualTo("401 Jwt header is an invalid Base64url encoded");
        assertThat(refusal(app, bearer(parts[0] + ".a!." + parts[2]))).isEqualTo("401 Jwt payload is an invalid Base64url encoded");
        assertThat(refusal(app, bearer(parts[0] + "." + parts[1] + ".a!")))
                .isEqualTo("401 Jwt signature is an invalid Base64url encoded");
    }

    @Test
    void aTokenOfAnotherIssuersKeyIsNotGood() {
        assertThat(refusal(app(PROVIDER_A), bearer(OTHER.token("{\"alg\":\"ES256\",\"kid\":\"1\"}", "{\"iss\":\"a\"}"))))
                .isEqualTo("401 Jwt verification fails");
    }

    @Test
    void audiencesSubjectsAndLifetimes() {
        Provider audience = provider(claims("a", "https://orders/"), new InlineKeys(ISSUER.jwks()));
        assertThat(refusal(app(audience), bearer(token("{\"iss\":\"a\",\"aud\":[\"x\",\"orders\"]}")))).isEmpty();
        assertThat(refusal(app(audience), bearer(token("{\"iss\":\"a\",\"aud\":\"x\"}"))))
                .isEqualTo("403 Audiences in Jwt are not allowed");
        assertThat(refusal(app(audience), bearer(GOOD_A))).isEqualTo("403 Audiences in Jwt are not allowed");
        assertThat(refusal(
                        app(new OfProvider("a", List.of("x")), Map.of("a", audience)),
                        bearer(token("{\"iss\":\"a\",\"aud\":\"x\"}"))))
                .isEmpty();

        Provider strict = provider(
                new Claims("a", List.of(), Optional.of(new StringMatch.Prefix("spiffe://mesh/", false)), Duration.ZERO, true,
                        Optional.of(Duration.ofHours(1))),
                new InlineKeys(ISSUER.jwks()));
        assertThat(refusal(app(strict), bearer(token("{\"iss\":\"a\",\"sub\":\"spiffe://mesh/x\",\"exp\":" + (NOW + 3_599) + "}"))))
                .isEmpty();
        assertThat(refusal(app(strict), bearer(token("{\"iss\":\"a\",\"sub\":\"spiffe://mesh/x\",\"exp\":" + (NOW + 3_600) + "}"))))
                .startsWith("401");
        assertThat(refusal(app(strict), bearer(token("{\"iss\":\"a\",\"sub\":\"x\",\"exp\":" + (NOW + 10) + "}")))).startsWith("401");
        assertThat(refusal(app(strict), bearer(token("{\"iss\":\"a\",\"sub\":\"spiffe://mesh/x\"}")))).startsWith("401");
    }

    @Test
    void aTokenIsFoundInHeadersParametersAndCookiesAndAllOfThemMustBeGood() {
        Provider everywhere = new Provider(
                claims("a"),
                new InlineKeys(ISSUER.jwks()),
                new Locations(List.of(new HeaderLocation("x-token", "JWT=")), List.of("t"), List.of("c")),
                TAKE_AWAY);

        Incoming header = Incoming.get("/").with("x-token", "JWT= " + GOOD_A);
        assertThat(refusal(app(everywhere), header)).isEmpty();
        assertThat(header.requestChanges().remove()).containsExactly("x-token");

        Incoming parameter = Incoming.get("/p?a=1&t=" + GOOD_A + "&b=2");
        assertThat(refusal(app(everywhere), parameter)).isEmpty();
        assertThat(parameter.requestChanges().path()).isEqualTo("/p?a=1&b=2");

        Incoming cookie = Incoming.get("/").with("cookie", "a=b; c=\"" + GOOD_A + "\"");
        assertThat(refusal(app(everywhere), cookie)).isEmpty();

        assertThat(refusal(app(everywhere), Incoming.get("/?t=" + GOOD_A).with("cookie", "c=" + EXPIRED_A)))
                .isEqualTo("401 Jwt is expired");
        assertThat(refusal(app(everywhere), bearer(GOOD_A))).isEqualTo("401 Jwt is missing");
    }

    @Test
    void theAppIsGivenThePayloadAndClaimsAndNobodyElseCanGiveThem() {
        Provider telling = new Provider(claims("a"), new InlineKeys(ISSUER.jwks()), DEFAULT_LOCATIONS, new Forwarding(
                true,
                Optional.of(new PayloadHeader("x-payload", true)),
                List.of(
                        new ClaimHeader("x-user", List.of("user", "name")),
                        new ClaimHeader("x-age", List.of("age")),
                        new ClaimHeader("x-ratio", List.of("ratio")),
                        new ClaimHeader("x-admin", List.of("admin")),
                        new ClaimHeader("x-list", List.of("list")),
                        new ClaimHeader("x-evil", List.of("evil"))),
                Optional.empty()));
        String payload = "{\"iss\":\"a\",\"user\":{\"name\":\"ada\"},\"age\":36,\"ratio\":-0.5,\"admin\":true,\"list\":[1],\"evil\":\"x\\r\\ny\"}";
        Incoming request = bearer(token(payload)).with("x-user", "root").with("x-list", "forged");

        assertThat(refusal(app(telling), request)).isEmpty();
        assertThat(request.requestChanges().set()).contains(
                Map.entry("x-user", "ada"),
                Map.entry("x-age", "36"),
                Map.entry("x-ratio", "-0.500000"),
                Map.entry("x-admin", "true"));
        assertThat(request.requestChanges().remove()).contains("x-list", "x-evil").doesNotContain("authorization");
        assertThat(request.requestChanges().set()).anySatisfy(header -> {
            assertThat(header.getKey()).isEqualTo("x-payload");
            assertThat(header.getValue().length() % 4).isZero();
        });
    }

    private static ValueMatch text(String exact) {
        return new ValueMatch.Text(new StringMatch.Exact(exact, false));
    }

    private static Rbac.Rule claim(ValueMatch value, String... path) {
        List<String> all = new ArrayList<>(List.of("payload"));
        all.addAll(List.of(path));
        return new Rbac.Metadata(JwtAuthentication.METADATA, all, value, false);
    }

    /** Who may come without a token, but needs one that says what the rule asks for. */
    private static String decision(Rbac.Action action, Rbac.Rule rule, Incoming request) {
        Provider telling = new Provider(claims(""), new InlineKeys(ISSUER.jwks()), DEFAULT_LOCATIONS, new Forwarding(
                false, Optional.empty(), List.of(), Optional.of(new PayloadMetadata("payload", List.of("scope")))));
        RouteMatch all = new RouteMatch(new RouteMatch.Prefix("/"), true, List.of(), List.of(), Optional.empty(), false);
        Requirement optional = new RequiresAny(List.of(A, new AllowMissing()));
        Rbac.Policy policy = new Rbac.Policy("p", List.of(new Rbac.Any()), List.of(rule));
        return refusal(Fixtures.app(
                new JwtAuthentication(Map.of("a", telling), List.of(new Rule(all, optional)), Map.of(), false, false),
                new Rbac(Optional.of(new Rbac.Policies(action, List.of(policy))), Optional.empty())), request);
    }

    private static final String CLAIMS = """
            {"iss":"a","sub":"ada","groups":["users","admins"],"scope":"read  write","org":{"unit":"x"},"age":36,"vip":true,"nick":null}""";

    static Stream<Arguments> claimsThatAreSo() {
        return Stream.of(
                Arguments.of(claim(text("a"), "iss")),
                Arguments.of(claim(new ValueMatch.OneOf(text("admins")), "groups")),
                Arguments.of(claim(new ValueMatch.Or(List.of(text("admins"), new ValueMatch.OneOf(text("users")))), "groups")),
                Arguments.of(claim(new ValueMatch.OneOf(text("write")), "scope")),
                Arguments.of(claim(text("x"), "org", "unit")),
                Arguments.of(claim(new ValueMatch.Exactly(36), "age")),
                Arguments.of(claim(new ValueMatch.Between(36, 37), "age")),
                Arguments.of(claim(new ValueMatch.Bool(true), "vip")),
                Arguments.of(claim(new ValueMatch.Null(), "nick")),
                Arguments.of(claim(new ValueMatch.Present(), "nick")));
    }

    @ParameterizedTest
    @MethodSource("claimsThatAreSo")
    void accessByClaims(Rbac.Rule rule) {
        assertThat(decision(Rbac.Action.ALLOW, rule, bearer(token(CLAIMS)))).isEmpty();
        assertThat(decision(Rbac.Action.DENY, rule, bearer(token(CLAIMS)))).isEqualTo("403 RBAC: access denied");
        assertThat(decision(Rbac.Action.ALLOW, rule, Incoming.get("/"))).as("no token").isEqualTo("403 RBAC: access denied");
        assertThat(decision(Rbac.Action.ALLOW, rule, bearer(token("{\"iss\":\"b\"}")))).as("says nothing of it")
                .isEqualTo("403 RBAC: access denied");
    }

    static Stream<Arguments> claimsThatAreNotSo() {
        return Stream.of(
                Arguments.of(claim(text("admins"), "groups")),
                Arguments.of(claim(new ValueMatch.OneOf(text("a")), "iss")),
                Arguments.of(claim(text("x"), "org")),
                Arguments.of(claim(text("x"), "sub", "unit")),
                Arguments.of(claim(new ValueMatch.Between(35, 36), "age")),
                Arguments.of(claim(new ValueMatch.Exactly(35), "age")),
                Arguments.of(claim(new ValueMatch.Bool(false), "vip")),
                Arguments.of(claim(new ValueMatch.Null(), "none")),
                Arguments.of(claim(new ValueMatch.Present(), "none")),
                Arguments.of(claim(new ValueMatch.Never(), "iss")),
                Arguments.of(claim(new ValueMatch.OneOf(text("")), "scope")),
                Arguments.of(new Rbac.Metadata(JwtAuthentication.METADATA, List.of("payload", "iss"), text("a"), true)),
                Arguments.of(new Rbac.Metadata("other", List.of("payload", "iss"), text("a"), false)));
    }

    @ParameterizedTest
    @MethodSource("claimsThatAreNotSo")
    void noAccessByOthers(Rbac.Rule rule) {
        assertThat(decision(Rbac.Action.ALLOW, rule, bearer(token(CLAIMS)))).isEqualTo("403 RBAC: access denied");
    }

    @Test
    void requirementsAreCombined() {
        Requirement any = new RequiresAny(List.of(A, B));
        Requirement all = new RequiresAll(List.of(A, B));
        Requirement optional = new RequiresAny(List.of(A, new AllowMissing()));

        assertThat(refusal(app(any), bearer(GOOD_A))).isEmpty();
        assertThat(refusal(app(any), Incoming.get("/").with("x-b", GOOD_B))).isEmpty();
        assertThat(refusal(app(any), Incoming.get("/"))).isEqualTo("401 Jwt is missing");
        assertThat(refusal(app(any), bearer(EXPIRED_A))).isEqualTo("401 Jwt is expired");
        assertThat(refusal(app(all), bearer(GOOD_A))).isEqualTo("401 Jwt is missing");
        assertThat(refusal(app(all), bearer(GOOD_A).with("x-b", GOOD_B))).isEmpty();
        assertThat(refusal(app(optional), Incoming.get("/"))).isEmpty();
        assertThat(refusal(app(optional), bearer(EXPIRED_A))).isEqualTo("401 Jwt is expired");
        assertThat(refusal(app(new AllowMissing()), Incoming.get("/"))).isEmpty();
        assertThat(refusal(app(new AllowMissing()), bearer(GOOD_A).with("x-b", GOOD_B))).isEmpty();
        assertThat(refusal(app(new AllowMissing()), bearer(GOOD_A).with("x-b", EXPIRED_A))).startsWith("401");
        assertThat(refusal(app(new AllowMissing()), bearer(token("{\"iss\":\"x\"}")))).isEqualTo("401 Jwt issuer is not configured");
        assertThat(refusal(app(new AllowMissingOrFailed()), bearer(EXPIRED_A))).isEmpty();
        assertThat(refusal(app(new NotRequired()), bearer(EXPIRED_A))).isEmpty();
    }

    @Test
    void theFirstRuleThatMatchesDecidesAndWithoutOneNoTokenIsNeeded() {
        RouteMatch health = new RouteMatch(new RouteMatch.Exact("/health"), true, List.of(), List.of(), Optional.empty(), false);
        RouteMatch api = new RouteMatch(new RouteMatch.Prefix("/api"), true, List.of(), List.of(), Optional.empty(), false);
        Fixtures.App app = app(new JwtAuthentication(
                Map.of("a", PROVIDER_A), List.of(new Rule(health, new NotRequired()), new Rule(api, A)), Map.of(), false, true));

        assertThat(refusal(app, Incoming.get("/health"))).isEmpty();
        assertThat(refusal(app, Incoming.get("/other"))).isEmpty();
        Incoming stripped = Incoming.get("/api");
        assertThat(refusal(app, stripped)).isEqualTo("401 ");
        assertThat(stripped.reply().headers()).isEmpty();
    }

    @Test
    void aRouteAsksForARequirementByName() {
        JwtAuthentication jwt = new JwtAuthentication(Map.of("a", PROVIDER_A), List.of(), Map.of("login", A), false, false);

        assertThat(refusal(Fixtures.app(jwt, "login"), Incoming.get("/"))).isEqualTo("401 Jwt is missing");
        assertThat(refusal(Fixtures.app(jwt, "login"), bearer(GOOD_A))).isEmpty();
        assertThat(refusal(Fixtures.app(jwt, "other"), bearer(GOOD_A))).isEqualTo(
                "403 Failed JWT authentication: Wrong requirement_name: other. It should be one of [login]");
    }

    @Test
    void aPreflightRequestMayNeedNoToken() {
        RouteMatch all = new RouteMatch(new RouteMatch.Prefix("/"), true, List.of(), List.of(), Optional.empty(), false);
        Fixtures.App app = app(new JwtAuthentication(Map.of("a", PROVIDER_A), List.of(new Rule(all, A)), Map.of(), true, false));

        assertThat(refusal(app, new Incoming("OPTIONS", "/").with("origin", "x").with("access-control-request-method", "GET")))
                .isEmpty();
        assertThat(refusal(app, new Incoming("OPTIONS", "/").with("origin", "x"))).isEqualTo("401 Jwt is missing");
        assertThat(refusal(app, Incoming.get("/").with("origin", "x").with("access-control-request-method", "GET")))
                .isEqualTo("401 Jwt is missing");
    }

    @Test
    void keysAreReadFromAFile(@TempDir Path directory) throws IOException {
        File file = directory.resolve("keys.json").toFile();
        try (FileOutputStream out = new FileOutputStream(file)) {
            out.write(ISSUER.jwks().getBytes(StandardCharsets.UTF_8));
        }

        assertThat(refusal(app(provider(claims("a"), new JwtAuthentication.FileKeys(file.getPath()))), bearer(GOOD_A))).isEmpty();
    }

    @Test
    void withoutKeysNoTokenIsGood(@TempDir Path directory) {
        Fixtures.App missing = Fixtures.faulty(
                provider(claims("a"), new JwtAuthentication.FileKeys(directory.resolve("none").toString())));

        assertThat(refusal(missing, bearer(GOOD_A))).isEqualTo("401 Jwks doesn't have any valid public key");
        assertThat(missing.faults()).hasSize(1);
        assertThat(refusal(app(provider(claims("a"), new InlineKeys("x"))), bearer(GOOD_A)))
                .isEqualTo("401 Jwks doesn't have any valid public key");
    }

    // Keys that are fetched.

    private static final RemoteKeys REMOTE = new RemoteKeys(
            "http://idp.local/keys?v=1", "idp", Duration.ofSeconds(2), Duration.ofMinutes(10), Duration.ofSeconds(1), Retries.NONE);

    private static Fixtures.App fetching(RemoteKeys keys) {
        return app(provider(claims("a"), keys));
    }

    @Test
    void aRequestWaitsForTheFirstKeysAndNoLonger() {
        Fixtures.App app = fetching(REMOTE);
        Incoming request = bearer(GOOD_A);
        assertThat(app.enter(request).next()).isEqualTo(Step.WAIT);
        assertThat(app.enter(Incoming.get("/")).next()).isEqualTo(Step.REPLY);

        app.time().advance(Duration.ZERO);
        assertThat(app.fetches()).containsExactly("GET http://idp.local/keys?v=1 from 127.0.0.1:1001");
        assertThat(request.next()).isEqualTo(Step.WAIT);
        app.answer(ISSUER.jwks());
        assertThat(request.next()).isEqualTo(Step.PROCEED);
        assertThat(refusal(app, bearer(GOOD_A))).isEmpty();
    }

    @Test
    void aFailedFetchIsToldAndTriedAgain() {
        Fixtures.App app = fetching(REMOTE);
        app.time().advance(Duration.ZERO);
        app.answer(null);

        assertThat(refusal(app, bearer(GOOD_A))).isEqualTo("401 Jwks remote fetch is failed");
        app.time().advance(Duration.ofSeconds(1));
        app.answer("no keys");
        assertThat(refusal(app, bearer(GOOD_A))).isEqualTo("401 Jwks remote fetch is failed");
        app.time().advance(Duration.ofSeconds(1));
        app.answer(ISSUER.jwks());
        assertThat(refusal(app, bearer(GOOD_A))).isEmpty();
    }

    @Test
    void keysAreFetchedAgainBeforeTheyAreTooOldAndGoodOnesStayWhileThereAreNoOthers() {
        Fixtures.App app = fetching(REMOTE);
        app.time().advance(Duration.ZERO);
        app.answer(ISSUER.jwks());

        app.time().advance(Duration.ofSeconds(594));
        assertThat(app.fetches()).hasSize(1);
        app.time().advance(Duration.ofSeconds(1));
        assertThat(app.fetches()).hasSize(2);
        app.answer(null);
        assertThat(refusal(app, bearer(GOOD_A))).isEmpty();

        app.time().advance(Duration.ofSeconds(1));
        app.answer(OTHER.jwks());
        assertThat(refusal(app, bearer(GOOD_A))).isEqualTo("401 Jwks doesn't have key to match kid or alg from Jwt");
        assertThat(refusal(app, bearer(OTHER.token("{\"iss\":\"a\"}")))).isEmpty();
    }

    @Test
    void aFetchIsRetriedWithBackoff() {
        Fixtures.App app = fetching(new RemoteKeys(
                REMOTE.uri(), REMOTE.cluster(), REMOTE.timeout(), REMOTE.cache(), Duration.ofMinutes(1),
                new Retries(2, Duration.ofSeconds(1), Duration.ofSeconds(10))));
        List<Integer> fetches = new ArrayList<>();
        app.time().advance(Duration.ZERO);
        for (int i = 0; i < 3; i++) {
            app.answer(null);
            app.time().advance(Duration.ofSeconds(2));
            fetches.add(app.fetches().size());
        }

        assertThat(fetches).containsExactly(2, 3, 3);
    }

    @Test
    void aFetchThatCannotEvenBeginIsOneThatFailed() {
        SimulatedTime time = new SimulatedTime();
        AtomicInteger fetches = new AtomicInteger();
        RemoteKeySource source = new RemoteKeySource(REMOTE, (keys, onBody) -> {
            if (fetches.getAndIncrement() == 0) {
                throw new IllegalStateException("a fault of the agent");
            }
            onBody.accept(ISSUER.jwks());
        }, time, new SeededRandomness(1));
        source.start();

        assertThat(source.pending()).isFalse();
        assertThat(source.keys().isEmpty()).isTrue();
        time.advance(Duration.ofSeconds(1));
        assertThat(source.keys().isEmpty()).isFalse();
    }

    @Test
    void nobodyWaitsForKeysThatAFaultKeepsFromComing() {
        SimulatedTime time = new SimulatedTime();
        RemoteKeys retried = new RemoteKeys(
                REMOTE.uri(), REMOTE.cluster(), REMOTE.timeout(), REMOTE.cache(), REMOTE.refetch(),
                new Retries(2, Duration.ofSeconds(1), Duration.ofSeconds(10)));
        RemoteKeySource source = new RemoteKeySource(retried, (keys, onBody) -> onBody.accept(null), time, () -> {
            throw new IllegalStateException("a fault of the agent");
        });
        source.start();

        assertThat(source.pending()).isFalse();
        assertThat(time.pending()).as("tried again").isEqualTo(1);
    }

    @Test
    void withoutTheClusterThereAreNoKeys() {
        Fixtures.App app = fetching(new RemoteKeys(
                REMOTE.uri(), "nobody", REMOTE.timeout(), REMOTE.cache(), REMOTE.refetch(), Retries.NONE));
        app.time().advance(Duration.ZERO);

        assertThat(app.fetches()).isEmpty();
        assertThat(refusal(app, bearer(GOOD_A))).isEqualTo("401 Jwks remote fetch is failed");
    }

    @Test
    void aFaultIsARefusal() {
        Fixtures.App app = Fixtures.faulty(PROVIDER_A);
        Incoming unreadable = new Incoming("GET", "/") {
            @Override
            public String header(String name) {
                if (name.equals("authorization")) {
                    throw new IllegalStateException("a fault of the agent");
                }
                return super.header(name);
            }
        };

        assertThat(refusal(app, unreadable)).isEqualTo("401 Jwt verification fails");
        assertThat(app.faults()).hasSize(1);
    }
}
