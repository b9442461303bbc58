package io.weft.it.client;

import static io.weft.it.harness.Routes.answer;
import static io.weft.it.harness.Routes.retried;
import static io.weft.it.harness.Routes.split;
import static io.weft.it.harness.Routes.to;
import static io.weft.it.harness.Routes.whenHeader;
import static io.weft.it.harness.Routes.whenPrefix;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.google.protobuf.Any;
import com.google.protobuf.UInt32Value;
import com.google.protobuf.util.Durations;
import io.envoyproxy.envoy.config.cluster.v3.CircuitBreakers;
import io.envoyproxy.envoy.config.cluster.v3.Cluster;
import io.envoyproxy.envoy.config.cluster.v3.OutlierDetection;
import io.envoyproxy.envoy.config.core.v3.HeaderValue;
import io.envoyproxy.envoy.config.core.v3.HeaderValueOption;
import io.envoyproxy.envoy.config.core.v3.Http2ProtocolOptions;
import io.envoyproxy.envoy.config.core.v3.TransportSocket;
import io.envoyproxy.envoy.config.route.v3.Route;
import io.envoyproxy.envoy.config.route.v3.RouteAction.RequestMirrorPolicy;
import io.envoyproxy.envoy.config.route.v3.VirtualHost;
import io.envoyproxy.envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext;
import io.envoyproxy.envoy.extensions.upstreams.http.v3.HttpProtocolOptions;
import io.grpc.Status;
import io.weft.driver.GrpcClient;
import io.weft.it.GrpcLibrary;
import io.weft.it.harness.Authority;
import io.weft.it.harness.Certified;
import io.weft.it.harness.FaultyAgent;
import io.weft.it.harness.GrpcUpstream;
import io.weft.it.harness.GrpcUpstream.Answer;
import io.weft.it.harness.GrpcUpstream.Fail;
import io.weft.it.harness.GrpcUpstream.Hang;
import io.weft.it.harness.GrpcUpstream.Received;
import io.weft.it.harness.Jdk;
import io.weft.it.harness.JvmProcess;
import io.weft.it.harness.Library;
import io.weft.it.harness.MeshTlsSockets;
import io.weft.it.harness.Policy;
import io.weft.it.harness.PolicyServer;
import io.weft.it.harness.Testbed;
import io.weft.it.server.Relay;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.AfterTestExecutionCallback;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.AfterParameterizedClassInvocation;
import org.junit.jupiter.params.BeforeParameterizedClassInvocation;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.ArgumentsSource;

/** gRPC-Java as a client, with each of its transports, in its oldest and its newest version: real servers, the real agent. */
@ParameterizedClass(name = "{arguments}")
@ArgumentsSource(GrpcLibrary.Clients.class)
class GrpcClientIT {
    private static final String GENERATION = "generation.test";
    private static final Authority MESH = new Authority("mesh");
    private static final Certified SHOP = MESH.certify("spiffe://mesh/shop");
    private static final String ORDERS = "spiffe://mesh/orders";
    private static final List<String> KINDS = List.of("UNARY", "SERVER_STREAMING", "CLIENT_STREAMING", "BIDI_STREAMING");
    private static final GrpcUpstream.Reaction UNAVAILABLE =
            new Fail(Status.UNAVAILABLE.withDescription("come back later"), false);

    @Parameter(0)
    Jdk jdk;

    @Parameter(1)
    GrpcLibrary library;

    private static Testbed stage;
    private static PolicyServer policies;
    private static JvmProcess meshed;
    private static JvmProcess plain;
    private static int generation;

    @RegisterExtension
    final Testbed testbed = new Testbed();

    @RegisterExtension
    final AfterTestExecutionCallback report = context -> {
        if (context.getExecutionException().isPresent()) {
            stage.report();
        }
    };

    private GrpcUpstream a;
    private GrpcUpstream b;

    @BeforeParameterizedClassInvocation
    static void start(Jdk jdk, GrpcLibrary library) {
        stage = new Testbed();
        policies = stage.policyServer();
        generation = 0;
        policies.serve(numbered(Policy.empty()));
        Library jars = library.jars();
        plain = stage.jvm(library + " without", jdk).classPath(jars).driver(GrpcClient.class);
        meshed = stage.jvm(library + " in the mesh", jdk).classPath(jars).mesh(policies.uri(), "shop").driver(GrpcClient.class);
    }

    @AfterParameterizedClassInvocation
    static void stop() throws Exception {
        stage.close();
    }

    @BeforeEach
    void startUpstreams() {
        a = testbed.grpcUpstream("a");
        b = testbed.grpcUpstream("b");
    }

    @AfterEach
    void policiesWereAccepted() {
        assertThat(policies.refusals()).isEmpty();
    }

    private static Policy numbered(Policy policy) {
        return policy.virtualHost(GENERATION, answer(200, "generation " + generation));
    }

    /** Returns when the client in the mesh obeys the policy. */
    private static void serve(Policy policy) {
        generation++;
        policies.serve(numbered(policy));
        String wanted = "generation " + generation;
        await().pollDelay(Duration.ZERO).pollInterval(Duration.ofMillis(10)).atMost(Duration.ofSeconds(30))
                .until(() -> meshed.ask(Map.of("target", "dns:///" + GENERATION, "deadline", "20000")).get("description").contains(wanted));
    }

    private static Map<String, String> form(String target, String... more) {
        Map<String, String> form = new LinkedHashMap<>(Map.of("target", target));
        for (int i = 0; i < more.length; i += 2) {
            form.put(more[i], more[i + 1]);
        }
        return form;
    }

    private static Map<String, String> call(String... more) {
        return meshed.ask(form("dns:///orders", more));
    }

    private static Policy orders(Route route, GrpcUpstream... endpoints) {
        return cluster("orders", cluster -> {}, Policy.empty().virtualHost("orders", route), endpoints);
    }

    /** The first connection of a JVM takes its time, on a machine that is busy. */
    private static Policy cluster(String name, Consumer<Cluster.Builder> more, Policy policy, GrpcUpstream... endpoints) {
        InetSocketAddress[] addresses = Stream.of(endpoints).map(GrpcUpstream::address).toArray(InetSocketAddress[]::new);
        return policy.cluster(name, more.andThen(cluster -> cluster.setConnectTimeout(Durations.fromSeconds(20))), addresses);
    }

    private static String path(String kind) {
        return "/test.Echo/" + kind;
    }

    /** Those that are too late for one call are not for the next. */
    @Test
    void aConnectionThatTakesLongerThanACallMayIsThereForTheNext() throws IOException {
        Route limited = to("orders").toBuilder()
                .setRoute(to("orders").getRoute().toBuilder().setTimeout(Durations.fromMillis(300))).build();
        try (ServerSocket slow = new ServerSocket(0, 50, InetAddress.getLoopbackAddress())) {
            handOn(slow, 700, a.address());
            serve(Policy.empty()
                    .cluster("orders", cluster -> cluster.setConnectTimeout(Durations.fromSeconds(20)), (InetSocketAddress) slow.getLocalSocketAddress())
                    .virtualHost("orders", limited));

            assertThat(call()).containsEntry("code", "UNAVAILABLE").containsEntry("description", "upstream request timeout");
            await().atMost(Duration.ofSeconds(10)).until(() -> call().get("code").equals("OK"));
        }
    }

    @Test
    void aConnectionOnWhichNothingIsSaidIsGivenUpAlsoWhereNoCallMayWaitForSoLong() throws IOException {
        Route limited = to("orders").toBuilder()
                .setRoute(to("orders").getRoute().toBuilder().setTimeout(Durations.fromMillis(300))).build();
        try (ServerSocket silent = new ServerSocket(0, 50, InetAddress.getLoopbackAddress())) {
            AtomicInteger connections = new AtomicInteger();
            daemon(() -> {
                // The first one leads nowhere.
                for (Socket socket = silent.accept(); ; socket = silent.accept()) {
                    if (connections.getAndIncrement() > 0) {
                        join(socket, a.address());
                    }
                }
            });
            serve(Policy.empty()
                    .cluster("orders", cluster -> cluster.setConnectTimeout(Durations.fromMillis(1_000)), (InetSocketAddress) silent.getLocalSocketAddress())
                    .virtualHost("orders", limited));

            await().atMost(Duration.ofSeconds(10)).until(() -> call().get("code").equals("OK"));
        }
    }

    /** From each connection to that address, beginning so many milliseconds late. */
    private static void handOn(ServerSocket listening, long millis, InetSocketAddress to) {
        daemon(() -> {
            for (Socket socket = listening.accept(); ; socket = listening.accept()) {
                Socket accepted = socket;
                daemon(() -> {
                    Thread.sleep(millis);
                    join(accepted, to);
                });
            }
        });
    }

    private static void join(Socket one, InetSocketAddress to) throws IOException {
        Socket other = new Socket(to.getAddress(), to.getPort());
        daemon(() -> one.getInputStream().transferTo(other.getOutputStream()));
        daemon(() -> other.getInputStream().transferTo(one.getOutputStream()));
    }

    private interface Task {
        void run() throws Exception;
    }

    private static void daemon(Task task) {
        Thread thread = new Thread(() -> {
            try {
                task.run();
            } catch (Exception over) {
                Thread.currentThread().interrupt();
            }
        });
        thread.setDaemon(true);
        thread.start();
    }

    /** Where the resolver leads is not known to be the service's. */
    @Test
    void aChannelWithANameResolverOfItsOwnIsNotLedAndMakesNoCallThatMustBeSecured() throws Exception {
        Map<String, String> own = form("own://127.0.0.1:" + a.address().getPort() + "/orders");
        serve(orders(to("orders"), b));
        assertThat(meshed.ask(own)).containsEntry("body", "a:hello");
        meshed.awaitStderr(line -> line.contains("name resolver of their own go out without the mesh: orders"));

        serve(overTls(SHOP, b));
        Map<String, String> refused = meshed.ask(own);
        assertThat(refused).containsEntry("code", "UNAVAILABLE");
        assertThat(refused.get("description")).contains("mesh TLS is not supported", "dns:///orders");
        assertThat(a.calls()).hasSize(1);
    }

    @Test
    void everyKindOfCallGoesToTheServiceWhoseNameNobodyElseKnows() {
        serve(orders(to("orders"), a));

        assertThat(call("kind", "UNARY").get("body")).isEqualTo("a:hello");
        assertThat(call("kind", "SERVER_STREAMING").get("body")).isEqualTo("a:hello|a:hello|a:hello");
        assertThat(call("kind", "CLIENT_STREAMING", "messages", "5").get("body")).isEqualTo("a:hello");
        String inOrder = IntStream.range(0, 300).mapToObj(i -> "a:m" + i).collect(Collectors.joining("|"));
        assertThat(call("kind", "BIDI_STREAMING", "message", "m#", "messages", "300", "wait", "300").get("body")).isEqualTo(inOrder);
        assertThat(a.calls()).extracting(Received::path).containsExactlyElementsOf(KINDS.stream().map(GrpcClientIT::path).toList());
        assertThat(a.calls()).extracting(Received::authority).containsOnly("orders");
        assertThat(a.calls().get(2).messages()).hasSize(5);
        assertThat(a.connections()).as("one for all of them").isEqualTo(1);
        assertThat(meshed.ask(form("orders", "kind", "UNARY")).get("body")).as("a plain target").isEqualTo("a:hello");
    }

    @Test
    void anEndpointMayHaveAnAddressOfIpv6AndSoMayATarget() throws Exception {
        try (Relay there = Relay.overIpv6To(a.address().getPort())) {
            serve(Policy.empty().service("orders", there.address()));
            assertThat(call()).containsEntry("body", "a:hello");

            String literal = "[::1]:" + there.port();
            assertThat(meshed.ask(form(literal))).isEqualTo(plain.ask(form(literal))).containsEntry("body", "a:hello");
            serve(cluster("b", only -> {}, Policy.empty(), b).virtualHost(there.port(),
                    VirtualHost.newBuilder().setName("named").addDomains(literal).addRoutes(to("b")).build()));
            assertThat(meshed.ask(form(literal))).containsEntry("body", "b:hello");
        }
        GrpcUpstream secured = testbed.grpcUpstream("secured", MESH.certify(ORDERS).trusting(MESH));
        try (Relay there = Relay.overIpv6To(secured.address().getPort())) {
            serve(overTls(SHOP, there.address()));
            assertThat(call()).containsEntry("body", "secured:hello");
            assertThat(there.isAllTls()).isTrue();
        }
    }

    @Test
    void theAppSeesWhatItSawWithoutTheMesh() {
        String target = "127.0.0.1:" + a.address().getPort();
        serve(orders(to("orders"), a));
        GrpcUpstream.Reaction headers = new Answer(List.of("x-one", "1"), List.of("x-two", "2"));
        List<GrpcUpstream.Reaction> reactions = List.of(
                GrpcUpstream.OK,
                headers,
                new Fail(Status.NOT_FOUND.withDescription("no such order: 7 %"), false),
                new Fail(Status.ABORTED, true));
        for (GrpcUpstream.Reaction reaction : reactions) {
            a.react(received -> reaction);
            for (String kind : KINDS) {
                Map<String, String> without = plain.ask(form(target, "kind", kind, "gzip", "", "header.x-mine", "7", "peer", ""));
                assertThat(call("kind", kind, "gzip", "", "header.x-mine", "7", "peer", "")).as("%s, %s", kind, reaction).isEqualTo(without);
                assertThat(without.get("peer")).isEqualTo(target);
                assertThat(without.get("seen")).isEqualTo("first starts,second starts,second ends,first ends");
                Received last = a.calls().get(a.calls().size() - 1);
                Received before = a.calls().get(a.calls().size() - 2);
                assertThat(sent(last)).isEqualTo(sent(before));
                // Of a call that has failed by its headers, messages may come too late.
                if (reaction instanceof Answer) {
                    assertThat(last.messages()).isEqualTo(before.messages());
                }
            }
        }
    }

    private static List<String> sent(Received received) {
        return received.headers().keys().stream()
                .filter(name -> !name.endsWith("-bin"))
                .map(name -> name + "=" + received.header(name))
                .sorted()
                .toList();
    }

    @Test
    void aTargetThatNoPolicyNamesIsNotTouched() {
        String target = "127.0.0.1:" + a.address().getPort();
        serve(orders(to("orders"), b));

        for (String untouched : List.of(target, "dns:///" + target)) {
            assertThat(meshed.ask(form(untouched))).isEqualTo(plain.ask(form(untouched)));
            assertThat(meshed.ask(form(untouched, "do", "authority"))).isEqualTo(plain.ask(form(untouched, "do", "authority")));
            assertThat(meshed.ask(form(untouched, "do", "state"))).isEqualTo(plain.ask(form(untouched, "do", "state"))).containsValue("READY");
            assertThat(meshed.ask(form(untouched, "do", "shutdown", "kind", "BIDI_STREAMING")))
                    .isEqualTo(plain.ask(form(untouched, "do", "shutdown", "kind", "BIDI_STREAMING")));
        }
        assertThat(b.calls()).isEmpty();
    }

    @Test
    void whatIsSecuredByTheAppAndWhatStaysInTheProcessIsTheAppsOwn() {
        serve(orders(to("orders"), a));

        Map<String, String> secured = meshed.ask(form("127.0.0.1:" + a.address().getPort(), "tls", "", "override", "orders"));
        assertThat(secured.get("code")).isEqualTo("UNAVAILABLE");
        assertThat(meshed.ask(form("here", "inprocess", "", "override", "orders")).get("body")).isEqualTo("in process");
        assertThat(a.calls()).isEmpty();
    }

    @Test
    void eachCallIsRoutedAndBalancedByItself() {
        Policy routed = Policy.empty()
                .virtualHost("orders", whenHeader("x-canary", "yes", to("b")), whenPrefix("/test.Echo/SERVER", to("b")), to("both"));
        serve(cluster("both", both -> {}, cluster("b", only -> {}, routed, b), a, b));

        assertThat(call("header.x-canary", "yes", "times", "4")).containsEntry("body.b:hello", "4");
        assertThat(call("kind", "SERVER_STREAMING").get("body")).startsWith("b:");
        assertThat(call("times", "10")).containsEntry("body.a:hello", "5").containsEntry("body.b:hello", "5");
        assertThat(call("kind", "BIDI_STREAMING", "times", "4")).containsEntry("body.a:hello", "2").containsEntry("body.b:hello", "2");

        Policy shared = Policy.empty().virtualHost("orders", split(Map.of("a", 1, "b", 0)));
        serve(cluster("a", all -> {}, cluster("b", none -> {}, shared, b), a));
        assertThat(call("times", "10")).as("another policy, the same channel").containsEntry("body.a:hello", "10");
    }

    @Test
    void whatHasFailedBeforeItAnsweredIsSentAgain() {
        serve(orders(retried("unavailable", 2, to("orders")), a, b));
        a.react(received -> UNAVAILABLE);

        for (String kind : List.of("UNARY", "SERVER_STREAMING", "BIDI_STREAMING")) {
            for (int i = 0; i < 4; i++) {
                String messages = kind.equals("BIDI_STREAMING") ? "3" : "1";
                assertThat(call("kind", kind, "message", "m#", "messages", messages).get("code")).as(kind).isEqualTo("OK");
            }
        }
        assertThat(a.calls()).isNotEmpty();
        assertThat(b.calls()).hasSize(12);
        assertThat(b.calls()).filteredOn(received -> received.path().endsWith("BIDI_STREAMING"))
                .allSatisfy(received -> assertThat(received.messages()).containsExactly("m0", "m1", "m2"));

        b.react(received -> new Fail(Status.UNAVAILABLE.withDescription("too late"), true));
        assertThat(call()).as("after the headers of an answer").containsEntry("description", "too late");
        a.react(received -> new Fail(Status.NOT_FOUND, false));
        b.react(received -> new Fail(Status.NOT_FOUND, false));
        int before = a.calls().size() + b.calls().size();
        assertThat(call()).as("no condition of the policy's").containsEntry("code", "NOT_FOUND");
        assertThat(a.calls().size() + b.calls().size()).isEqualTo(before + 1);
    }

    @Test
    void theLastAnswerIsTheApps() {
        serve(orders(retried("unavailable", 2, to("orders")), a));
        a.react(received -> UNAVAILABLE);

        assertThat(call()).containsEntry("code", "UNAVAILABLE").containsEntry("description", "come back later");
        assertThat(a.calls()).hasSize(3);
        assertThat(a.calls()).extracting(received -> received.header("grpc-previous-rpc-attempts")).as("it is not the library's retry")
                .containsOnlyNulls();
    }

    @Test
    void whatIsLongerThanTheBufferIsNotSentAgain() {
        Route limited = retried("unavailable", 2, to("orders")).toBuilder().setPerRequestBufferLimitBytes(UInt32Value.of(1_000)).build();
        serve(orders(limited, a));
        a.react(received -> UNAVAILABLE);

        assertThat(call("message", "x".repeat(900)).get("code")).isEqualTo("UNAVAILABLE");
        assertThat(a.calls()).hasSize(3);
        assertThat(call("message", "x".repeat(1_000)).get("code")).isEqualTo("UNAVAILABLE");
        assertThat(a.calls()).hasSize(4);
    }

    @Test
    void whereNobodyListensAnotherOneIsTried() {
        a.close();
        serve(orders(retried("connect-failure", 1, to("orders")), a, b));
        assertThat(call("times", "6")).containsEntry("body.b:hello", "6");

        serve(orders(to("orders"), a));
        assertThat(call()).containsEntry("code", "UNAVAILABLE");
        assertThat(meshed.ask(form("dns:///orders", "kind", "CLIENT_STREAMING"))).containsEntry("code", "UNAVAILABLE");
    }

    @Test
    void theRetriesOfTheAppsOwnServiceConfigStay() {
        serve(orders(to("orders"), a));
        a.react(received -> received.number() < 3 ? UNAVAILABLE : GrpcUpstream.OK);

        assertThat(call("config", "4").get("body")).isEqualTo("a:hello");
        assertThat(a.calls()).hasSize(3);
        assertThat(a.calls().get(2).header("grpc-previous-rpc-attempts")).isEqualTo("2");
    }

    @Test
    void timeIsLimitedByPolicyAndByTheApp() {
        Route hasty = to("orders").toBuilder()
                .setRoute(to("orders").getRoute().toBuilder().setTimeout(Durations.fromMillis(300))).build();
        serve(orders(hasty, a));
        a.react(received -> new Hang());
        assertThat(call()).containsEntry("code", "UNAVAILABLE").containsEntry("description", "upstream request timeout");
        assertThat(call("kind", "CLIENT_STREAMING")).containsEntry("code", "UNAVAILABLE");
        await().until(() -> a.cancellations() == 2);

        Route patient = to("orders").toBuilder()
                .setRoute(to("orders").getRoute().toBuilder().setTimeout(Durations.fromSeconds(0))).build();
        serve(orders(patient, a));
        Map<String, String> late = call("deadline", "1000");
        assertThat(late).containsEntry("code", "DEADLINE_EXCEEDED");
        // The second where the server, which keeps to the deadline too, was a moment faster.
        assertThat(late.get("description")).containsAnyOf("deadline exceeded after", "cancelled at or after deadline");
        assertThat(call("kind", "BIDI_STREAMING", "cancel", "100")).containsEntry("code", "CANCELLED").containsEntry("description", "enough");
        await().until(() -> a.cancellations() == 4);
        assertThat(a.calls().get(2).headers().keys()).contains("grpc-timeout");
    }

    @Test
    void anAttemptThatTakesTooLongIsFollowedByAnother() {
        // More than one, for a machine that is busy.
        Route route = retried("5xx", 5, to("orders"));
        serve(orders(route.toBuilder().setRoute(route.getRoute().toBuilder().setRetryPolicy(
                route.getRoute().getRetryPolicy().toBuilder().setPerTryTimeout(Durations.fromMillis(500)))).build(), a));
        a.react(received -> received.number() == 1 ? new Hang() : GrpcUpstream.OK);

        assertThat(call().get("body")).isEqualTo("a:hello");
        assertThat(a.calls()).hasSizeGreaterThan(1);
        await().until(() -> a.cancellations() > 0);
    }

    @Test
    void howSlowlyTheAppReadsIsNotTheServersFault() {
        Route route = retried("5xx", 5, to("orders"));
        serve(orders(route.toBuilder().setRoute(route.getRoute().toBuilder().setRetryPolicy(
                route.getRoute().getRetryPolicy().toBuilder().setPerTryIdleTimeout(Durations.fromMillis(700)))).build(), a));

        assertThat(call("kind", "SERVER_STREAMING", "slow", "1400")).containsEntry("code", "OK").containsEntry("body", "a:hello|a:hello|a:hello");
    }

    @Test
    void headersAreChangedOnTheWireAndTheAppsOwnAreAsTheyWere() {
        Route route = to("orders").toBuilder()
                .setRoute(to("orders").getRoute().toBuilder().setHostRewriteLiteral("orders.internal").setPrefixRewrite("/other.Service/"))
                .setMatch(to("orders").getMatch().toBuilder().setPrefix("/test.Echo/"))
                .addRequestHeadersToAdd(header("x-added", "by the mesh"))
                .addRequestHeadersToRemove("x-secret")
                .addResponseHeadersToAdd(header("x-answered", "by the mesh"))
                .build();
        serve(orders(route, a));

        Map<String, String> answer = call("header.x-secret", "1", "header.x-kept", "2");

        assertThat(answer).containsEntry("body", "a:hello").containsEntry("header.x-answered", "by the mesh");
        Received received = a.calls().get(0);
        assertThat(received.path()).isEqualTo("/other.Service/UNARY");
        assertThat(received.authority()).isEqualTo("orders.internal");
        assertThat(received.header("x-added")).isEqualTo("by the mesh");
        assertThat(received.header("x-secret")).isNull();
        assertThat(received.header("x-kept")).isEqualTo("2");
        a.react(call -> UNAVAILABLE);
        assertThat(call()).as("an answer that is all trailers").containsEntry("trailer.x-answered", "by the mesh");
    }

    @Test
    void aMirrorGetsACopyOfACallWithOneMessage() {
        Route.Builder route = to("orders").toBuilder();
        route.getRouteBuilder().addRequestMirrorPolicies(RequestMirrorPolicy.newBuilder().setCluster("shadow"));
        HttpProtocolOptions http2 = HttpProtocolOptions.newBuilder()
                .setExplicitHttpConfig(HttpProtocolOptions.ExplicitHttpConfig.newBuilder()
                        .setHttp2ProtocolOptions(Http2ProtocolOptions.getDefaultInstance()))
                .build();
        serve(cluster("shadow", cluster -> cluster.putTypedExtensionProtocolOptions(
                        "envoy.extensions.upstreams.http.v3.HttpProtocolOptions", Any.pack(http2)),
                orders(route.build(), a), b));

        assertThat(call("message", "both", "header.x-mine", "7").get("body")).isEqualTo("a:both");

        await().untilAsserted(() -> assertThat(b.calls()).hasSize(1).first().satisfies(copy -> {
            assertThat(copy.path()).isEqualTo(path("UNARY"));
            assertThat(copy.authority()).isEqualTo("orders-shadow");
            assertThat(copy.header("x-mine")).isEqualTo("7");
            assertThat(copy.messages()).containsExactly("both");
        }));
        assertThat(a.calls()).hasSize(1).first().satisfies(call -> assertThat(call.messages()).containsExactly("both"));
    }

    private static HeaderValueOption header(String name, String value) {
        return HeaderValueOption.newBuilder().setHeader(HeaderValue.newBuilder().setKey(name).setValue(value)).build();
    }

    @Test
    void whatTheMeshAnswersItselfIsAStatusAsEnvoyHasIt() {
        serve(Policy.empty()
                .virtualHost("orders",
                        whenHeader("x-status", "403", answer(403, "not for you: 100 %")),
                        whenHeader("x-status", "429", answer(429, "")),
                        whenHeader("x-status", "404", answer(404, "nowhere")))
                .cluster("nobody")
                .virtualHost("empty", to("nobody")));

        assertThat(call("header.x-status", "403"))
                .containsEntry("code", "PERMISSION_DENIED").containsEntry("description", "not for you: 100 %");
        assertThat(call("header.x-status", "429")).containsEntry("code", "UNAVAILABLE");
        assertThat(call("header.x-status", "404", "kind", "BIDI_STREAMING")).containsEntry("code", "UNIMPLEMENTED");
        assertThat(call()).as("no route").containsEntry("code", "UNIMPLEMENTED");
        assertThat(meshed.ask(form("empty"))).containsEntry("code", "UNAVAILABLE");
    }

    @Test
    void aServerThatFailsIsLeftAloneAndTooManyCallsAreRefused() {
        Policy routed = Policy.empty().virtualHost("orders", to("orders"));
        serve(cluster("orders", cluster -> cluster.setOutlierDetection(OutlierDetection.newBuilder()
                        .setConsecutive5Xx(UInt32Value.of(2))
                        .setBaseEjectionTime(Durations.fromSeconds(300))
                        .setMaxEjectionPercent(UInt32Value.of(50))),
                routed, a, b));
        a.react(received -> UNAVAILABLE);
        call("times", "4");
        assertThat(call("times", "6")).as("by the status of the call").containsEntry("body.b:hello", "6");

        serve(cluster("orders", cluster -> cluster.setCircuitBreakers(CircuitBreakers.newBuilder().addThresholds(
                        CircuitBreakers.Thresholds.newBuilder().setMaxRequests(UInt32Value.of(0)))),
                routed, b));
        assertThat(call()).containsEntry("code", "UNAVAILABLE");
    }

    @Test
    void theChannelsStateIsThatOfItsConnections() {
        serve(cluster("orders", cluster -> {}, Policy.empty().virtualHost("state", to("orders")), a));
        assertThat(meshed.ask(form("state", "do", "state"))).containsEntry("state", "IDLE");
        assertThat(meshed.ask(form("state", "do", "connect")).get("states")).startsWith("IDLE").endsWith("READY");
        assertThat(meshed.ask(form("state")).get("body")).isEqualTo("a:hello");
        assertThat(a.connections()).isEqualTo(1);
        a.drain();
        await().until(() -> meshed.ask(form("state", "do", "state")).get("state").equals("IDLE"));
    }

    @Test
    void aServerThatStopsInGoodOrderLosesNoCall() throws Exception {
        serve(orders(retried("connect-failure,refused-stream", 2, to("orders")), a, b));
        CompletableFuture<Map<String, String>> load = CompletableFuture.supplyAsync(() -> call("times", "200"));
        await().until(() -> a.calls().size() > 20);
        a.drain();

        assertThat(load.get(60, TimeUnit.SECONDS)).containsEntry("code.OK", "200");
        await().until(() -> a.openConnections() == 0);
    }

    @Test
    void aConnectionThatNoCallNeedsIsClosedAfterTheChannelsIdleTime() {
        serve(orders(to("orders"), a));
        for (int i = 1; i <= 2; i++) {
            assertThat(call("idle", "1").get("body")).isEqualTo("a:hello");
            assertThat(a.connections()).isEqualTo(i);
            await().until(() -> a.openConnections() == 0);
        }
    }

    @Test
    void theChannelEndsWhenItsCallsHaveAndNotBefore() {
        String target = "127.0.0.1:" + b.address().getPort();
        serve(orders(to("orders"), b));
        for (String how : List.of("shutdown", "shutdownNow")) {
            assertThat(call("do", how, "kind", "BIDI_STREAMING")).isEqualTo(plain.ask(form(target, "do", how, "kind", "BIDI_STREAMING")))
                    .containsEntry("terminated.then", "true");
        }
        await().until(() -> b.openConnections() == 0);
    }

    /** With HTTP/2 by ALPN, on which the server insists. */
    private static Policy overTls(Certified own, GrpcUpstream endpoint) throws Exception {
        return overTls(own, endpoint.address());
    }

    private static Policy overTls(Certified own, InetSocketAddress endpoint) throws Exception {
        UpstreamTlsContext.Builder context = MeshTlsSockets.upstream(MESH, own, ORDERS).getTypedConfig()
                .unpack(UpstreamTlsContext.class).toBuilder();
        context.getCommonTlsContextBuilder().clearAlpnProtocols().addAlpnProtocols("h2");
        TransportSocket tls = TransportSocket.newBuilder()
                .setName("envoy.transport_sockets.tls").setTypedConfig(Any.pack(context.build())).build();
        return Policy.empty().virtualHost("orders", to("orders"))
                .cluster("orders", cluster -> cluster.setTransportSocket(tls).setConnectTimeout(Durations.fromSeconds(20)), endpoint);
    }

    @Test
    void whatPolicyWantsSecuredGoesOverMeshTlsAndNothingToAnybodyElse() throws Exception {
        GrpcUpstream orders = testbed.grpcUpstream("orders", MESH.certify(ORDERS).trusting(MESH));
        GrpcUpstream neighbour = testbed.grpcUpstream("neighbour", MESH.certify("spiffe://mesh/users").trusting(MESH));
        serve(orders(to("orders"), a));
        Map<String, String> inPlaintext = call();
        serve(overTls(SHOP, orders));

        Map<String, String> secured = call();
        assertThat(secured.get("body")).isEqualTo("orders:hello");
        assertThat(secured.keySet()).isEqualTo(inPlaintext.keySet());
        String long100 = "x".repeat(100_000);
        assertThat(call("kind", "BIDI_STREAMING", "messages", "3", "message", long100).get("body"))
                .isEqualTo(String.join("|", Collections.nCopies(3, "orders:" + long100)));
        assertThat(orders.connections()).isEqualTo(1);

        serve(overTls(MESH.certify("spiffe://mesh/shop"), orders));
        await().untilAsserted(() -> assertThat(orders.openConnections()).as("of the certificate that was replaced").isZero());
        assertThat(call().get("body")).isEqualTo("orders:hello");
        assertThat(orders.connections()).isEqualTo(2);

        serve(overTls(SHOP, neighbour));
        assertThat(call()).as("somebody else").containsEntry("code", "UNAVAILABLE");
        assertThat(neighbour.calls()).isEmpty();
        serve(overTls(SHOP, a));
        int before = a.calls().size();
        assertThat(call()).as("somebody who speaks no TLS").containsEntry("code", "UNAVAILABLE");
        assertThat(a.calls()).hasSize(before);
    }

    @Test
    void afterAFaultNothingGoesOutInPlaintext() throws Exception {
        int port = a.address().getPort();
        policies.serve(numbered(overTls(SHOP, a).virtualHost(
                port, VirtualHost.newBuilder().setName("orders").addDomains("*").addRoutes(to("orders")).build())));
        Path agent = FaultyAgent.make(
                testbed.temporaryFolder().resolve("faulty-agent.jar"), "io.weft.instrumentation.grpc.MeshStream#<init>", "BIDI_STREAMING");
        JvmProcess faulty = testbed.jvm(library + " with a faulty agent", jdk).agentIs(agent).classPath(library.jars())
                .mesh(policies.uri(), "shop").driver(GrpcClient.class);

        for (String kind : List.of("UNARY", "BIDI_STREAMING")) {
            Map<String, String> failure = faulty.ask(form("127.0.0.1:" + port, "kind", kind));
            assertThat(failure).as(kind).containsEntry("code", "UNAVAILABLE");
            assertThat(failure.get("description")).contains("the mesh could not send the request");
        }
        assertThat(a.connections()).isZero();
        Map<String, String> elsewhere = form("127.0.0.1:" + b.address().getPort(), "kind", "BIDI_STREAMING");
        assertThat(faulty.ask(elsewhere)).as("what no policy names is the app's own").containsEntry("code", "OK");
    }
}
