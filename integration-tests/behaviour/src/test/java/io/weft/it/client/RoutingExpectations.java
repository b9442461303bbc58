package io.weft.it.client;

import static io.weft.it.harness.Routes.answer;
import static io.weft.it.harness.Routes.split;
import static io.weft.it.harness.Routes.to;
import static io.weft.it.harness.Routes.whenHeader;
import static io.weft.it.harness.Routes.whenPrefix;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.awaitility.Awaitility.await;

import com.google.protobuf.Any;
import com.google.protobuf.BoolValue;
import com.google.protobuf.UInt32Value;
import io.envoyproxy.envoy.config.cluster.v3.CircuitBreakers;
import io.envoyproxy.envoy.config.cluster.v3.Cluster;
import io.envoyproxy.envoy.config.cluster.v3.LoadBalancingPolicy;
import io.envoyproxy.envoy.config.core.v3.Address;
import io.envoyproxy.envoy.config.core.v3.HeaderValue;
import io.envoyproxy.envoy.config.core.v3.HeaderValueOption;
import io.envoyproxy.envoy.config.core.v3.HeaderValueOption.HeaderAppendAction;
import io.envoyproxy.envoy.config.core.v3.SocketAddress;
import io.envoyproxy.envoy.config.core.v3.TypedExtensionConfig;
import io.envoyproxy.envoy.config.endpoint.v3.ClusterLoadAssignment;
import io.envoyproxy.envoy.config.endpoint.v3.Endpoint;
import io.envoyproxy.envoy.config.endpoint.v3.LbEndpoint;
import io.envoyproxy.envoy.config.endpoint.v3.LocalityLbEndpoints;
import io.envoyproxy.envoy.config.route.v3.RedirectAction;
import io.envoyproxy.envoy.config.route.v3.Route;
import io.envoyproxy.envoy.config.route.v3.VirtualHost;
import io.envoyproxy.envoy.extensions.load_balancing_policies.client_side_weighted_round_robin.v3.ClientSideWeightedRoundRobin;
import io.envoyproxy.envoy.type.matcher.v3.RegexMatchAndSubstitute;
import io.envoyproxy.envoy.type.matcher.v3.RegexMatcher;
import io.weft.driver.HttpAnswer;
import io.weft.driver.HttpCall.Way;
import io.weft.it.harness.JvmProcess.Tally;
import io.weft.it.harness.Policy;
import io.weft.it.harness.RecordedRequest;
import io.weft.it.harness.Upstream;
import io.weft.it.harness.Upstream.Respond;
import io.weft.it.server.Relay;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The mesh decides where a request goes and what is changed on its way; the app sees what it asked for. */
abstract class RoutingExpectations extends Expectations {
    private static final int SAMPLE = 1_500;
    private static final CircuitBreakers ONE_REQUEST = CircuitBreakers.newBuilder()
            .addThresholds(CircuitBreakers.Thresholds.newBuilder().setMaxRequests(UInt32Value.of(1)))
            .build();

    @Test
    void aServiceIsFoundByItsName() {
        stage().serve(Policy.empty().service("orders", a.address(), b.address()));

        Tally tally = stage().meshed.load("http://orders/a?b=c", Map.of("X-Tenant", "blue"), 20, 1);

        assertThat(tally.body("a")).isEqualTo(10);
        assertThat(tally.body("b")).isEqualTo(10);
        assertThat(a.requests()).allSatisfy(request -> {
            assertThat(request.line()).isEqualTo("GET /a?b=c HTTP/1.1");
            assertThat(request.header("host")).hasValue(stage().client.host("orders"));
            assertThat(request.headers()).contains("X-Tenant: blue");
        });
    }

    /** To Envoy, too, case makes no difference, nor does a port that is the scheme's. */
    @Test
    void aServiceIsFoundHoweverTheAppWritesItsName() {
        stage().serve(Policy.empty().cluster("orders", a.address())
                .virtualHost(80, VirtualHost.newBuilder().setName("orders").addDomains("orders").addDomains("orders:80").addRoutes(to("orders")).build()));

        for (String url : List.of("http://ORDERS/", "http://Orders:80/", "http://orders:80/a?b=c")) {
            assertThat(stage().send(Call.get(url)).body()).as(url).isEqualTo("a");
        }
    }

    /** As all have in a cluster without others. */
    @Test
    void anEndpointMayHaveAnAddressOfIpv6() throws IOException {
        try (Relay there = Relay.overIpv6To(a.address().getPort())) {
            stage().serve(Policy.empty().service("orders", there.address()));

            for (int i = 0; i < 3; i++) {
                assertThat(stage().send(Call.post("http://orders/a?b=c", "body")).body()).isEqualTo("a");
            }
            assertThat(a.connections()).isEqualTo(1);
            assertThat(a.requests()).allSatisfy(request -> assertThat(request.header("host")).hasValue(stage().client.host("orders")));
        }
    }

    @Test
    void connectionsAreKeptAliveForEachEndpoint() {
        stage().serve(Policy.empty().service("orders", a.address(), b.address()));

        stage().meshed.load("http://orders/", Map.of(), 50, 1);

        assertThat(a.connections()).isEqualTo(1);
        assertThat(b.connections()).isEqualTo(1);
    }

    /** The app knows one address, and has connections enough for that. */
    @Test
    void aHostHasMoreEndpointsThanTheAppWantsConnections() {
        Upstream c = testbed.upstream("c");
        stage().serve(Policy.empty()
                .cluster("orders", a.address(), b.address(), c.address())
                .virtualHost("orders", to("orders"))
                .virtualHost("local", answer(200, "here")));

        List<String> bodies = new ArrayList<>();
        for (int i = 0; i < 9; i++) {
            bodies.add(stage().send(Call.get("http://orders/").way(Way.FEW_CONNECTIONS)).body());
        }
        assertThat(bodies).containsOnly("a", "b", "c");
        assertThat(stage().send(Call.get("http://local/").way(Way.FEW_CONNECTIONS)).body()).isEqualTo("here");
    }

    @Test
    void weightsAreObeyedUnderLoad() {
        stage().serve(clusters().virtualHost("orders", split(Map.of("a", 75, "b", 25))));

        Tally tally = stage().meshed.load("http://orders/", Map.of(), SAMPLE, 8);

        assertThat(tally.status(200)).as(tally.toString()).isEqualTo(SAMPLE);
        assertThat(tally.body("b") / (double) SAMPLE).isCloseTo(0.25, within(4 * Math.sqrt(0.25 * 0.75 / SAMPLE)));
    }

    @Test
    void aHeaderChoosesTheRoute() {
        stage().serve(clusters().virtualHost("orders", whenHeader("x-canary", "yes", to("b")), to("a")));

        assertThat(stage().send(Call.get("http://orders/").header("X-Canary", "yes")).body()).isEqualTo("b");
        assertThat(stage().send(Call.get("http://orders/").header("X-Canary", "no")).body()).isEqualTo("a");
        assertThat(stage().send(Call.get("http://orders/")).body()).isEqualTo("a");
    }

    @Test
    void policyChangesUnderTrafficWithoutAFailedRequest() {
        stage().serve(clusters().virtualHost("orders", to("a")));
        CompletableFuture<List<Tally>> load = CompletableFuture.supplyAsync(this::loadUntilBothHaveAnswered);
        for (int i = 0; !load.isDone(); i++) {
            stage().push(clusters().virtualHost("orders", to(i % 2 == 0 ? "b" : "a")));
            sleep(50);
        }

        assertThat(load.join()).allSatisfy(tally -> assertThat(tally.status(200)).as(tally.toString()).isEqualTo(3_000));
    }

    /** A fast library may be done with its requests before it hears of a change. */
    private List<Tally> loadUntilBothHaveAnswered() {
        List<Tally> rounds = new CopyOnWriteArrayList<>();
        await().until(() -> {
            rounds.add(stage().meshed.load("http://orders/", Map.of(), 3_000, 4));
            return rounds.stream().anyMatch(tally -> tally.body("a") > 0) && rounds.stream().anyMatch(tally -> tally.body("b") > 0);
        });
        return rounds;
    }

    @Test
    void anEndpointThatIsNoMoreGetsNothing() {
        stage().serve(Policy.empty().service("orders", a.address(), b.address()));
        stage().meshed.load("http://orders/", Map.of(), 4, 1);

        stage().serve(Policy.empty().service("orders", b.address()));
        a.forgetRequests();

        assertThat(stage().meshed.load("http://orders/", Map.of(), 10, 1).body("b")).isEqualTo(10);
        assertThat(a.requests()).isEmpty();
    }

    @Test
    void headersAreChangedOnTheWireAndForTheApp() {
        Route route = to("a").toBuilder()
                .addRequestHeadersToAdd(header("x-added", "one", HeaderAppendAction.APPEND_IF_EXISTS_OR_ADD))
                .addRequestHeadersToAdd(header("x-set", "mesh", HeaderAppendAction.OVERWRITE_IF_EXISTS_OR_ADD))
                .addRequestHeadersToRemove("x-secret")
                .addResponseHeadersToAdd(header("x-mesh", "yes", HeaderAppendAction.OVERWRITE_IF_EXISTS_OR_ADD))
                .addResponseHeadersToAdd(header("x-many", "two", HeaderAppendAction.APPEND_IF_EXISTS_OR_ADD))
                .addResponseHeadersToRemove("x-internal")
                .build();
        stage().serve(clusters().virtualHost("orders", route));
        a.react(request -> new Respond(200, Map.of("x-many", "one", "x-internal", "1", "X-Mesh", "no"), "a"));

        HttpAnswer answer = stage().send(Call.post("http://orders/", "body")
                .header("X-Added", "zero").header("X-Set", "app").header("X-Secret", "s").header("X-Kept", "k"));

        assertThat(answer.body()).isEqualTo("a");
        assertThat(answer.headers()).containsEntry("x-mesh", "yes").containsEntry("x-many", "one, two").doesNotContainKey("x-internal");
        RecordedRequest request = a.requests().get(0);
        assertThat(request.headers().stream().map(String::toLowerCase)).contains("x-set: mesh", "x-added: zero", "x-added: one", "x-kept: k")
                .doesNotContain("x-set: app", "x-secret: s");
        assertThat(request.text()).isEqualTo("body");
    }

    @Test
    void pathAndHostAreRewrittenOnTheWireOnly() {
        Route prefix = to("a").toBuilder().setMatch(to("a").getMatch().toBuilder().setPrefix("/api/")).setRoute(
                to("a").getRoute().toBuilder().setPrefixRewrite("/v2/").setHostRewriteLiteral("inner.example")).build();
        Route regex = to("a").toBuilder().setMatch(to("a").getMatch().toBuilder().setPrefix("/item/")).setRoute(
                to("a").getRoute().toBuilder().setRegexRewrite(RegexMatchAndSubstitute.newBuilder()
                        .setPattern(RegexMatcher.newBuilder().setRegex("^/item/([0-9]+)(.*)$"))
                        .setSubstitution("\\2/of/\\1"))).build();
        stage().serve(clusters().virtualHost("orders", prefix, regex));

        HttpAnswer answer = stage().send(Call.post("http://orders/api/list?a=%20b&c=d", "body"));
        stage().send(Call.get("http://orders/item/12/x"));

        String query = stage().client.query("?a=%20b&c=d");
        assertThat(answer.seen().get("uri")).isEqualTo("http://orders/api/list" + query);
        assertThat(a.requests().get(0).line()).isEqualTo("POST /v2/list" + query + " HTTP/1.1");
        assertThat(a.requests().get(0).header("host")).hasValue("inner.example");
        assertThat(a.requests().get(0).text()).isEqualTo("body");
        assertThat(a.requests().get(1).line()).isEqualTo("GET /x/of/12 HTTP/1.1");
        assertThat(a.requests().get(1).header("host")).hasValue(stage().client.host("orders"));
    }

    @Test
    void theMeshRedirectsAndTheLibraryFollowsIfTheAppWantsIt() {
        Route redirect = Route.newBuilder().setMatch(to("a").getMatch()).setRedirect(RedirectAction.newBuilder()
                .setHostRedirect("stock").setPathRedirect("/new")).build();
        stage().serve(clusters().virtualHost("orders", redirect).virtualHost("stock", to("b")));

        HttpAnswer followed = stage().send(Call.get("http://orders/old").way(Way.FOLLOW_REDIRECTS));
        HttpAnswer notFollowed = stage().send(Call.get("http://orders/old"));

        assertThat(followed.body()).isEqualTo("b");
        assertThat(followed.seen().get("uri")).isEqualTo("http://stock/new");
        assertThat(asked(b)).singleElement().satisfies(request -> {
            assertThat(request.line()).isEqualTo("GET /new HTTP/1.1");
            assertThat(request.header("host")).hasValue(stage().client.host("stock"));
        });
        assertThat(notFollowed.status()).isEqualTo(301);
        assertThat(notFollowed.headers()).containsEntry("location", "http://stock/new");
        assertThat(notFollowed.seen().get("uri")).isEqualTo("http://orders/old");
    }

    @Test
    void anUpstreamRedirectsWithinTheMeshAndOutOfIt() {
        Upstream outside = testbed.upstream("outside");
        stage().serve(clusters().virtualHost("orders", to("a")).virtualHost("stock", to("b")));
        a.react(request -> switch (request.target()) {
            case "/within" -> new Respond(302, Map.of("Location", "http://stock/x"), "");
            case "/relative" -> new Respond(303, Map.of("Location", stage().client.relative("there")), "");
            case "/out" -> new Respond(302, Map.of("Location", "http://127.0.0.1:" + outside.address().getPort() + "/y"), "");
            default -> a.ok();
        });

        HttpAnswer within = stage().send(Call.get("http://orders/within").way(Way.FOLLOW_REDIRECTS));
        HttpAnswer relative = stage().send((stage().client.redirectsPostsOtherwise()
                ? Call.get("http://orders/relative")
                : Call.post("http://orders/relative", "body")).way(Way.FOLLOW_REDIRECTS));
        HttpAnswer out = stage().send(Call.get("http://orders/out").way(Way.FOLLOW_REDIRECTS));

        assertThat(within.body()).isEqualTo("b");
        assertThat(within.seen().get("uri")).isEqualTo("http://stock/x");
        assertThat(asked(b)).singleElement().satisfies(request -> assertThat(request.header("host")).hasValue(stage().client.host("stock")));
        assertThat(relative.body()).isEqualTo("a");
        assertThat(asked(a).get(2).line()).isEqualTo("GET " + stage().client.resolved("/there") + " HTTP/1.1");
        assertThat(asked(a).get(2).header("host")).hasValue(stage().client.host("orders"));
        assertThat(out.body()).isEqualTo("outside");
        assertThat(asked(outside)).singleElement().satisfies(request ->
                assertThat(request.header("host")).hasValue("127.0.0.1:" + outside.address().getPort()));
    }

    /** But for the question whether the server speaks HTTP/2, which Armeria asks where a redirect leads to a plain {@code http://}. */
    private static List<RecordedRequest> asked(Upstream upstream) {
        return upstream.requests().stream()
                .filter(request -> !request.line().startsWith("PRI ") && !request.line().equals("SM") && !request.line().startsWith("OPTIONS * "))
                .toList();
    }

    @Test
    void theMeshAnswersByItself() {
        Route gone410 = answer(410, "gone for good").toBuilder()
                .addResponseHeadersToAdd(header("x-why", "policy", HeaderAppendAction.OVERWRITE_IF_EXISTS_OR_ADD))
                .build();
        stage().serve(Policy.empty().virtualHost("orders",
                whenPrefix("/gone", gone410), whenPrefix("/none", answer(204, "")), whenPrefix("/ok", answer(200, "hello"))));

        HttpAnswer gone = stage().send(Call.post("http://orders/gone", "body"));
        assertThat(gone.status()).isEqualTo(410);
        assertThat(gone.body()).isEqualTo("gone for good");
        assertThat(gone.headers()).containsEntry("x-why", "policy").containsEntry("content-length", "13");
        assertThat(stage().send(Call.get("http://orders/none")).status()).isEqualTo(204);
        HttpAnswer head = stage().send(Call.get("http://orders/ok").method("HEAD"));
        assertThat(head.status()).isEqualTo(200);
        assertThat(head.body()).isEmpty();
        HttpAnswer noRoute = stage().send(Call.get("http://orders/else"));
        assertThat(noRoute.status()).isEqualTo(404);
        assertThat(noRoute.body()).isEmpty();
    }

    @Test
    void aServiceThatNobodyServesIsAnsweredWith503() {
        stage().serve(Policy.empty().service("orders").virtualHost("lost", to("nowhere")));

        HttpAnswer answer = stage().send(Call.post("http://orders/", "body").way(Way.STREAM));

        assertThat(answer.status()).isEqualTo(503);
        assertThat(answer.body()).isEqualTo("no healthy upstream");
        assertThat(stage().send(Call.get("http://lost/")).status()).isEqualTo(503);
    }

    @Test
    void aLimitOfRequestsIsGivenBackHoweverAResponseEnds() {
        Policy limited = Policy.empty()
                .cluster("limited", cluster -> cluster.setCircuitBreakers(ONE_REQUEST), a.address())
                .virtualHost("orders", to("limited"));
        stage().serve(limited);
        String large = "x".repeat(1 << 20);
        a.react(request -> switch (request.target()) {
            case "/204" -> Upstream.send(Upstream.Then.KEEP, "", "HTTP/1.1 204 No Content");
            case "/304" -> Upstream.send(Upstream.Then.KEEP, "", "HTTP/1.1 304 Not Modified", "ETag: \"x\"");
            case "/short" -> Upstream.send(Upstream.Then.CLOSE, "half", "HTTP/1.1 200 OK", "Content-Length: 8");
            case "/until-close" -> Upstream.send(Upstream.Then.CLOSE, "all", "HTTP/1.1 200 OK");
            case "/garbage" -> Upstream.send(Upstream.Then.CLOSE, "", "what is this");
            case "/reset" -> new Upstream.Reset();
            case "/large" -> new Respond(200, Map.of(), large);
            case "/redirect" -> new Respond(302, Map.of("Location", "/ok"), "moved");
            case "/challenge" -> request.header("authorization").isPresent() ? a.ok()
                    : new Respond(401, Map.of("WWW-Authenticate", "Basic realm=\"r\""), "who are you?");
            default -> a.ok();
        });
        assertFree();
        for (String path : new String[] {"/204", "/304", "/short", "/until-close", "/garbage", "/reset"}) {
            stage().meshed.ask(Call.get("http://orders" + path).form());
            assertFree();
        }
        stage().meshed.ask(Call.get("http://orders/ok").method("HEAD").form());
        assertFree();
        stage().send(Call.get("http://orders/large").way(Way.ABANDON));
        assertFree();
        stage().send(Call.get("http://orders/redirect").way(Way.FOLLOW_REDIRECTS));
        assertFree();
        stage().send(Call.get("http://orders/challenge").way(Way.AUTHENTICATE));
        assertFree();
        stage().send(Call.post("http://orders/ok", large).way(Way.STREAM));
        assertFree();
    }

    /** With its connection, too: that some libraries close and leave the response as it is. */
    @Test
    void aChallengeGivesItsPlaceBack() {
        stage().serve(Policy.empty()
                .cluster("limited", cluster -> cluster.setCircuitBreakers(ONE_REQUEST), a.address())
                .virtualHost("orders", to("limited")));
        a.react(request -> request.header("authorization").isPresent() ? a.ok()
                : Upstream.send(Upstream.Then.CLOSE, "who", "HTTP/1.1 401 Unauthorized", "WWW-Authenticate: Basic realm=\"r\"", "Connection: close",
                        "Content-Length: 3"));
        Call direct = Call.get("http://127.0.0.1:" + a.address().getPort() + "/").way(Way.AUTHENTICATE);
        String without = stage().plain.ask(direct.form()).get("status");

        HttpAnswer answer = stage().send(Call.get("http://orders/").way(Way.AUTHENTICATE));

        assertThat(answer.status()).as(answer.toString()).hasToString(without);
        a.react(request -> a.ok());
        assertFree();
    }

    /** In a moment: of a body that breaks off, HttpURLConnection has a thread of its own look for the rest. */
    private void assertFree() {
        await().untilAsserted(() -> {
            HttpAnswer answer = stage().send(Call.get("http://orders/ok"));
            assertThat(answer.status()).as(answer.toString()).isEqualTo(200);
        });
    }

    /** Of which the app knows nothing: it asks for the service. */
    @Test
    void anEndpointMayBeANameAndBeCalledByIt() {
        LbEndpoint localhost = LbEndpoint.newBuilder()
                .setEndpoint(Endpoint.newBuilder().setAddress(Address.newBuilder().setSocketAddress(
                        SocketAddress.newBuilder().setAddress("localhost").setPortValue(a.address().getPort()))))
                .build();
        Cluster orders = Cluster.newBuilder()
                .setName("orders")
                .setType(Cluster.DiscoveryType.STRICT_DNS)
                .setDnsLookupFamily(Cluster.DnsLookupFamily.V4_ONLY)
                .setLoadAssignment(ClusterLoadAssignment.newBuilder()
                        .setClusterName("orders")
                        .addEndpoints(LocalityLbEndpoints.newBuilder().addLbEndpoints(localhost)))
                .build();
        Route byItsName = to("orders").toBuilder()
                .setRoute(to("orders").getRoute().toBuilder().setAutoHostRewrite(BoolValue.of(true))).build();
        stage().serve(Policy.empty().cluster(orders).virtualHost("orders", byItsName));

        HttpAnswer answer = stage().send(Call.get("http://orders/"));
        assertThat(answer.body()).isEqualTo("a");
        assertThat(answer.seen().get("uri")).isEqualTo("http://orders/");
        assertThat(a.requests().get(0).header("host")).hasValue("localhost");
    }

    /** Where a cluster balances by it. */
    @Test
    void anEndpointIsAskedForItsLoadAndTheAppSeesNothingOfIt() {
        ClientSideWeightedRoundRobin byLoad = ClientSideWeightedRoundRobin.getDefaultInstance();
        stage().serve(Policy.empty()
                .cluster("orders", cluster -> cluster.setLoadBalancingPolicy(LoadBalancingPolicy.newBuilder()
                        .addPolicies(LoadBalancingPolicy.Policy.newBuilder().setTypedExtensionConfig(TypedExtensionConfig.newBuilder()
                                .setName("by-load").setTypedConfig(Any.pack(byLoad))))), a.address())
                .virtualHost("orders", to("orders")));
        a.react(request -> new Upstream.Respond(200, Map.of("endpoint-load-metrics", "TEXT eps=1"), "a"));

        HttpAnswer answer = stage().send(Call.get("http://orders/"));
        assertThat(a.requests().get(0).header("endpoint-load-metrics-format")).hasValue("TEXT");
        assertThat(answer.headers()).doesNotContainKey("endpoint-load-metrics");
        assertThat(stage().send(Call.get("http://orders/").header("endpoint-load-metrics-format", "TEXT")).headers())
                .containsEntry("endpoint-load-metrics", "TEXT eps=1");
    }

    @Test
    void requestsTakeNoThreadOfTheAgents() {
        stage().serve(Policy.empty().service("orders", a.address(), b.address()));
        stage().meshed.load("http://orders/", Map.of(), 10, 2);
        String before = agentThreads();

        stage().meshed.load("http://orders/", Map.of(), 200, 8);

        assertThat(agentThreads()).isEqualTo(before);
    }

    private String agentThreads() {
        return Stream.of(stage().meshed.ask(Map.of("threads", "")).get("names").split(","))
                .filter(name -> name.startsWith("weft"))
                .collect(Collectors.joining(","));
    }

    private Policy clusters() {
        return Policy.empty().cluster("a", a.address()).cluster("b", b.address());
    }

    private static HeaderValueOption header(String name, String value, HeaderAppendAction action) {
        return HeaderValueOption.newBuilder()
                .setHeader(HeaderValue.newBuilder().setKey(name).setValue(value))
                .setAppendAction(action)
                .build();
    }

    private static void sleep(long millis) {
        try {
            Thread.sleep(millis);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }
}
