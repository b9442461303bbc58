package io.weft.it.client;

import static io.weft.it.harness.Routes.answer;
import static io.weft.it.harness.Routes.retried;
import static io.weft.it.harness.Routes.to;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.google.protobuf.UInt32Value;
import com.google.protobuf.util.Durations;
import io.envoyproxy.envoy.config.cluster.v3.Cluster;
import io.envoyproxy.envoy.config.cluster.v3.OutlierDetection;
import io.envoyproxy.envoy.config.core.v3.HeaderValue;
import io.envoyproxy.envoy.config.core.v3.HeaderValueOption;
import io.envoyproxy.envoy.config.route.v3.RetryPolicy;
import io.envoyproxy.envoy.config.route.v3.Route;
import io.netty.handler.codec.http2.Http2Error;
import io.weft.driver.ApacheHttpAsyncClient5;
import io.weft.driver.ArmeriaClient;
import io.weft.driver.HelidonHttp2Client;
import io.weft.driver.HttpAnswer;
import io.weft.driver.HttpCall.Way;
import io.weft.driver.OkHttp;
import io.weft.driver.VertxClient;
import io.weft.it.harness.Authority;
import io.weft.it.harness.Certified;
import io.weft.it.harness.Generations;
import io.weft.it.harness.Http2Upstream;
import io.weft.it.harness.Http2Upstream.Begin;
import io.weft.it.harness.Http2Upstream.Hang;
import io.weft.it.harness.Http2Upstream.Received;
import io.weft.it.harness.Http2Upstream.Reset;
import io.weft.it.harness.Http2Upstream.Respond;
import io.weft.it.harness.Http2Upstream.Vanish;
import io.weft.it.harness.Jdks;
import io.weft.it.harness.JvmProcess;
import io.weft.it.harness.JvmProcess.Tally;
import io.weft.it.harness.Library;
import io.weft.it.harness.MeshTlsSockets;
import io.weft.it.harness.Policy;
import io.weft.it.harness.PolicyServer;
import io.weft.it.harness.Testbed;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.AfterParameterizedClassInvocation;
import org.junit.jupiter.params.BeforeParameterizedClassInvocation;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/** Of clients that know that a server speaks HTTP/2: what is not the same over HTTP/1.1, where streams share a connection. */
@ParameterizedClass
@EnumSource
class Http2ClientsIT {
    private static final Authority MESH = new Authority("mesh");
    private static final String ORDERS = "spiffe://mesh/orders";

    enum Http2Client {
        APACHE_ASYNC_5_0("httpclient5-5.0", ApacheHttpAsyncClient5.class, "X-Client", "http2"),
        APACHE_ASYNC_5_6("httpclient5-5.6", ApacheHttpAsyncClient5.class, "X-Client", "http2"),
        OK_HTTP_3_12("okhttp-3.12", OkHttp.class, "X-Http", "2"),
        OK_HTTP_5("okhttp-5", OkHttp.class, "X-Http", "2"),
        VERTX_4_0("vertx-4.0", VertxClient.class, "X-Http", "prior-knowledge"),
        VERTX_5("vertx-5", VertxClient.class, "X-Http", "prior-knowledge"),
        ARMERIA_1_24("armeria-1.24", ArmeriaClient.class, "X-Http", "2"),
        ARMERIA_1_40("armeria-1.40", ArmeriaClient.class, "X-Http", "2"),
        HELIDON_4_5("helidon-4.5", HelidonHttp2Client.class, "X-Http", "prior-knowledge");

        private final String library;
        private final Class<?> driver;
        private final String header;
        private final String http2;

        /** @param header by which the driver is told to speak HTTP/2 */
        Http2Client(String library, Class<?> driver, String header, String http2) {
            this.library = library;
            this.driver = driver;
            this.header = header;
            this.http2 = http2;
        }

        /** What of {@code late}: Apache's ends its request there by itself. */
        String sentDespiteARefusal() {
            return driver == ApacheHttpAsyncClient5.class ? "" : "late";
        }

        /** OkHttp gives a connection no further request once a stream of it has ended otherwise than by its response or its call. */
        boolean keepsConnections() {
            return driver != OkHttp.class;
        }

        /** What others tell of as of a connection that did not come, these have as one that was lost. */
        boolean tellsNothingSaidFromLost() {
            return driver != OkHttp.class;
        }
    }

    private static final Testbed STAGE = new Testbed();
    private static PolicyServer policies;
    private static Generations generations;
    private static JvmProcess shop;

    @Parameter
    Http2Client client;

    @RegisterExtension
    final Testbed testbed = new Testbed();

    private final Http2Upstream a = testbed.closeAfterwards(Http2Upstream.start("a"));
    private final Http2Upstream b = testbed.closeAfterwards(Http2Upstream.start("b"));

    @BeforeParameterizedClassInvocation
    static void start(Http2Client client) {
        policies = STAGE.policyServer();
        generations = STAGE.closeAfterwards(new Generations());
        policies.serve(generations.next(Policy.empty()));
        shop = STAGE.jvm("shop", Jdks.newest()).classPath(Library.named(client.library)).mesh(policies.uri(), "shop").driver(client.driver);
    }

    @AfterParameterizedClassInvocation
    static void stop() throws Exception {
        STAGE.close();
    }

    @AfterEach
    void policiesWereAccepted() {
        assertThat(policies.refusals()).isEmpty();
    }

    @Test
    void requestsAreSharedOutOverAConnectionToEachEndpoint() {
        serve(Policy.empty().cluster("orders", a.address(), b.address()).virtualHost("orders", to("orders")));
        Tally tally = shop.load("http://orders/", Map.of(client.header, client.http2), 40, 1);

        assertThat(tally.body("a")).as(tally.toString()).isEqualTo(20);
        assertThat(tally.body("b")).as(tally.toString()).isEqualTo(20);
        assertThat(List.of(a.connections(), b.connections())).containsOnly(1);
        assertThat(a.requests()).extracting(request -> request.headers().get(":authority")).containsOnly("orders" + port());
    }

    /** Some say it even where it is the scheme's. */
    private String port() {
        return client == Http2Client.HELIDON_4_5 ? ":80" : "";
    }

    @Test
    void whatARouteChangesIsChangedOnTheWireAlone() {
        Route.Builder route = to("orders").toBuilder();
        route.getMatchBuilder().setPrefix("/shop/");
        route.getRouteBuilder().setPrefixRewrite("/").setHostRewriteLiteral("orders.internal");
        route.addRequestHeadersToAdd(added("x-added", "yes")).addRequestHeadersToRemove("x-secret").addResponseHeadersToAdd(added("x-answered", "yes"));
        serve(Policy.empty().cluster("orders", a.address()).virtualHost("orders", route.build()));

        HttpAnswer answer = send(Call.post("http://orders/shop/list?all=1", "the body").header("X-Secret", "1"));

        assertThat(answer.body()).isEqualTo("a");
        assertThat(answer.headers()).containsEntry("x-answered", "yes");
        assertThat(answer.seen().get("uri")).startsWith("http://orders/shop/list");
        assertThat(a.requests()).singleElement().satisfies(request -> {
            assertThat(request.headers()).containsEntry(":path", "/list?all=1").containsEntry(":authority", "orders.internal")
                    .containsEntry("x-added", "yes").containsEntry(":method", "POST").doesNotContainKeys("x-secret", "host");
            assertThat(request.body()).isEqualTo("the body");
        });
    }

    private static HeaderValueOption added(String name, String value) {
        return HeaderValueOption.newBuilder().setHeader(HeaderValue.newBuilder().setKey(name).setValue(value)).build();
    }

    @Test
    void aStatusIsRetriedWithTheSameBodyAndHost() {
        serveBoth(retried("5xx", 1, to("orders")));
        AtomicInteger count = new AtomicInteger();
        both(request -> count.getAndIncrement() % 2 == 0 ? new Respond(503, Map.of(), "not now") : a.ok());

        for (int i = 0; i < 3; i++) {
            assertThat(send(Call.post("http://orders/x", "the body").header("X-Tenant", "blue")).status()).isEqualTo(200);
        }
        assertThat(all()).hasSize(6).allSatisfy(request -> assertThat(request.body()).isEqualTo("the body"));
        assertThat(all()).extracting(request -> request.headers().get(":authority")).containsOnly("orders" + port());
        oneConnectionToEach();
    }

    @Test
    void aStreamWhoseResponseIsDroppedIsEnded() {
        serveBoth(retried("5xx", 1, to("orders")));
        AtomicInteger count = new AtomicInteger();
        both(request -> count.getAndIncrement() == 0 ? new Begin(503, "half") : a.ok());

        assertThat(send(Call.get("http://orders/")).status()).isEqualTo(200);
        await().untilAsserted(() -> assertThat(ended(a) + ended(b)).isPositive());
        oneConnectionToEach();
    }

    @Test
    void whatIsWrittenAsItGoesIsSentOnce() {
        serveBoth(retried("5xx", 1, to("orders")));
        both(request -> new Respond(503, Map.of(), "not now"));

        assertThat(send(Call.post("http://orders/", "only once").way(Way.STREAM)).status()).isEqualTo(503);
        assertThat(all()).extracting(Received::body).containsExactly("only once");
    }

    @Test
    void aDeadEndpointCostsNoRequest() {
        serveBoth(retried("connect-failure,reset", 2, to("orders")));
        shop.load("http://orders/", Map.of(client.header, client.http2), 10, 2);
        a.close();

        Tally tally = shop.load("http://orders/", Map.of(client.header, client.http2), 30, 2);
        assertThat(tally.body("b")).as(tally.toString()).isEqualTo(30);
    }

    @Test
    void aConnectionThatEndsInsteadOfAnAnswerIsLost() {
        serveBoth(retried("reset", 1, to("orders")));
        a.react(request -> new Vanish(null));
        for (int i = 0; i < 6; i++) {
            assertThat(send(Call.get("http://orders/")).body()).isEqualTo("b");
        }
        assertThat(a.requests()).isNotEmpty();
    }

    @Test
    void whoeverIsOnAConnectionHearsAtOnceThatItEnds() {
        serve(Policy.empty().cluster("orders", a.address()).virtualHost("orders", to("orders")));
        warmUp("a");
        for (Begin begun : new Begin[] {null, new Begin(200, "half")}) {
            a.forgetRequests();
            a.react(request -> a.requests().size() == 6 ? new Vanish(begun) : begun == null ? new Hang() : begun);

            long began = System.nanoTime();
            Tally tally = shop.load("http://orders/", Map.of(client.header, client.http2), 6, 6);
            assertThat(Duration.ofNanos(System.nanoTime() - began)).as(tally.toString()).isLessThan(Duration.ofSeconds(10));
            assertThat(tally.body("a")).as(tally.toString()).isZero();
        }
    }

    @Test
    void anAnswerIsOneThatCameAsAWholeBeforeTheConnectionEnded() {
        serve(Policy.empty().cluster("orders", a.address()).virtualHost("orders", retried("connect-failure,reset", 5, to("orders"))));
        a.react(request -> new Vanish(new Respond(204, Map.of(), "")));
        for (int i = 0; i < 20; i++) {
            assertThat(send(Call.get("http://orders/")).status()).isEqualTo(204);
        }
        // A request that finds a connection whose end has not come in yet is retried, and nobody has received it. Before the answer is read, OkHttp may find that it cannot
        // write any more.
        assertThat(a.requests().size()).isBetween(20, client == Http2Client.OK_HTTP_3_12 ? 30 : 20);
    }

    @Test
    void aConnectionThatEndsBeforeAnythingIsSaidIsNone() throws IOException {
        assumeTrue(client != Http2Client.VERTX_4_0, "Vert.x 4.0 tells nobody of it, without the mesh, too, and whoever asks waits for as long as it may");
        try (ServerSocket mute = new ServerSocket(0, 50, InetAddress.getByName("127.0.0.1"))) {
            Thread closing = new Thread(() -> closeAll(mute), "mute");
            closing.start();
            serve(Policy.empty().cluster("orders", (InetSocketAddress) mute.getLocalSocketAddress(), b.address())
                    .virtualHost("orders", retried(client.tellsNothingSaidFromLost() ? "connect-failure" : "reset", 1, to("orders"))));
            for (int i = 0; i < 4; i++) {
                assertThat(send(Call.get("http://orders/")).body()).isEqualTo("b");
            }
        }
    }

    private static void closeAll(ServerSocket mute) {
        while (true) {
            try {
                mute.accept().close();
            } catch (IOException closed) {
                return;
            }
        }
    }

    @Test
    void aStreamThatWasRefusedIsRetriedAsSuch() {
        serveBoth(retried("refused-stream", 1, to("orders")));
        a.react(request -> new Reset(Http2Error.REFUSED_STREAM, null));
        for (int i = 0; i < 6; i++) {
            assertThat(send(Call.get("http://orders/")).body()).isEqualTo("b");
        }
        assertThat(a.requests()).isNotEmpty();

        a.react(request -> new Reset(Http2Error.INTERNAL_ERROR, null));
        assertThat(List.of(ask(Call.get("http://orders/")), ask(Call.get("http://orders/")))).as("a reset is none")
                .anyMatch(answer -> answer.containsKey("error"));
    }

    @Test
    void anAttemptThatTakesTooLongEndsItsStreamAndNotTheConnection() {
        Route route = retried("5xx", 1, to("orders"));
        RetryPolicy perTry = route.getRoute().getRetryPolicy().toBuilder().setPerTryTimeout(Durations.fromMillis(300)).build();
        serveBoth(route.toBuilder().setRoute(route.getRoute().toBuilder().setRetryPolicy(perTry)).build());
        send(Call.get("http://orders/"));
        send(Call.get("http://orders/"));
        a.react(request -> new Hang());

        for (int i = 0; i < 4; i++) {
            assertThat(send(Call.post("http://orders/", "the body")).body()).isEqualTo("b");
        }
        await().untilAsserted(() -> assertThat(ended(a)).isGreaterThanOrEqualTo(a.requests().size() - 1));
        oneConnectionToEach();
    }

    @Test
    void aResponseThatStopsComingIsEndedInTime() {
        Route.Builder route = to("orders").toBuilder();
        route.getRouteBuilder().setTimeout(Durations.fromMillis(400));
        serve(Policy.empty().cluster("orders", a.address()).virtualHost("orders", route.build()));
        warmUp("a");
        int ended = ended(a);
        int connections = a.connections();
        a.react(request -> new Begin(200, "half"));

        long began = System.nanoTime();
        assertThat(ask(Call.get("http://orders/"))).containsKey("error");
        assertThat(Duration.ofNanos(System.nanoTime() - began)).isLessThan(Duration.ofSeconds(10));
        await().untilAsserted(() -> assertThat(ended(a)).isGreaterThan(ended));
        a.react(request -> a.ok());
        assertThat(send(Call.get("http://orders/")).body()).isEqualTo("a");
        if (client.keepsConnections()) {
            assertThat(a.connections()).isEqualTo(connections);
        }
    }

    /** Streams of that server which clients have ended by themselves, or with their connection where they do not keep that. */
    private int ended(Http2Upstream upstream) {
        return upstream.cancellations() + (client.keepsConnections() ? 0 : upstream.connections() - upstream.openConnections());
    }

    private void oneConnectionToEach() {
        if (client.keepsConnections()) {
            assertThat(List.of(a.connections(), b.connections())).containsOnly(1);
        }
    }

    /** The first request of a process, and its first handshake, may take longer than a limit allows. */
    private void warmUp(String body) {
        await().untilAsserted(() -> assertThat(send(Call.get("http://orders/")).body()).isEqualTo(body));
    }

    /** Over HTTP/1.1 some libraries stop sending. Its time begins with its end. */
    @Test
    void whatIsAnsweredEarlyIsSentToItsEnd() {
        Route.Builder route = to("orders").toBuilder();
        route.getRouteBuilder().setTimeout(Durations.fromMillis(300));
        serve(Policy.empty().cluster("orders", a.address()).virtualHost("orders", route.build()));
        warmUp("a");
        int connections = a.connections();
        for (int status : new int[] {200, 413}) {
            a.forgetRequests();
            a.beginEarly(status);
            HttpAnswer answer = send(Call.post("http://orders/", "late").way(Way.STREAM).way(Way.LATE));
            assertThat(answer.status()).isEqualTo(status);
            assertThat(answer.body()).isEqualTo("a");
            assertThat(a.requests()).extracting(Received::body).containsExactly(status == 413 ? client.sentDespiteARefusal() : "late");
        }
        assertThat(a.connections()).isEqualTo(connections);
    }

    /** Also where the library takes what came for all of it. */
    @Test
    void anEndpointWhoseResponseBreaksOffIsLeftOut() {
        OutlierDetection detection = OutlierDetection.newBuilder()
                .setConsecutive5Xx(UInt32Value.of(1)).setMaxEjectionPercent(UInt32Value.of(100)).setBaseEjectionTime(Durations.fromSeconds(300)).build();
        serve(Policy.empty().virtualHost("orders", to("orders"))
                .cluster("orders", cluster -> cluster.setOutlierDetection(detection), a.address(), b.address()));
        a.react(request -> new Reset(Http2Error.INTERNAL_ERROR, "half"));
        for (int i = 0; i < 2; i++) {
            ask(Call.get("http://orders/"));
        }
        assertThat(a.requests()).hasSize(1);
        for (int i = 0; i < 4; i++) {
            assertThat(send(Call.get("http://orders/")).body()).isEqualTo("b");
        }
    }

    @Test
    void streamsOfOneConnectionAreNoneOfEachOthersBusiness() {
        serve(Policy.empty().cluster("orders", a.address()).virtualHost("orders", to("orders")));
        send(Call.get("http://orders/"));
        a.react(request -> request.headers().containsKey("x-broken") ? new Reset(Http2Error.INTERNAL_ERROR, "half") : a.ok());
        for (int i = 0; i < 3; i++) {
            // Some take what came for all of it.
            assertThat(ask(Call.get("http://orders/").header("X-Broken", "")).get("body")).isNotEqualTo("a");
        }
        Tally tally = shop.load("http://orders/", Map.of(client.header, client.http2), 60, 6);
        assertThat(tally.body("a")).as(tally.toString()).isEqualTo(60);
        if (client.keepsConnections()) {
            assertThat(a.connections()).isEqualTo(1);
        }
    }

    @Test
    void theMeshAnswersByItself() {
        serve(Policy.empty().virtualHost("orders", answer(418, "a teapot")));
        HttpAnswer answer = send(Call.get("http://orders/"));
        assertThat(answer.status()).isEqualTo(418);
        assertThat(answer.body()).isEqualTo("a teapot");
    }

    @Test
    void connectionsAreSecuredAsPolicyWantsItNow() {
        Http2Upstream orders = testbed.closeAfterwards(Http2Upstream.start("orders", MESH.certify(ORDERS).trusting(MESH)));
        Certified own = MESH.certify("spiffe://mesh/shop");
        serve(secured(own, orders));
        warmUp("orders");
        int connections = orders.connections();
        for (int i = 0; i < 3; i++) {
            assertThat(send(Call.post("http://orders/", "the body")).body()).isEqualTo("orders");
        }
        assertThat(orders.connections()).isEqualTo(connections);

        serve(secured(MESH.certify("spiffe://mesh/shop"), orders));
        await().untilAsserted(() -> assertThat(orders.openConnections()).isZero());
        assertThat(send(Call.get("http://orders/")).body()).isEqualTo("orders");
        assertThat(orders.connections()).isEqualTo(connections + 1);

        int served = orders.requests().size();
        serve(Policy.empty().virtualHost("orders", to("orders")).cluster("orders", cluster -> cluster.setTransportSocket(
                MeshTlsSockets.upstream(MESH, own, "spiffe://mesh/somebody-else")), orders.address()));
        assertThat(ask(Call.get("http://orders/")).toString()).doesNotContain("status=200");
        assertThat(orders.requests()).hasSize(served);
    }

    @Test
    void aHandshakeThatTakesTooLongKeepsNoOtherWaiting() throws IOException {
        Http2Upstream orders = testbed.closeAfterwards(Http2Upstream.start("orders", MESH.certify(ORDERS).trusting(MESH)));
        Certified own = MESH.certify("spiffe://mesh/shop");
        AtomicBoolean mute = new AtomicBoolean(true);
        try (ServerSocket listening = new ServerSocket(0, 50, InetAddress.getLoopbackAddress())) {
            Thread accepting = new Thread(() -> accept(listening, mute, orders));
            accepting.setDaemon(true);
            accepting.start();
            InetSocketAddress address = new InetSocketAddress(listening.getInetAddress(), listening.getLocalPort());
            serve(secured(own, Duration.ofMillis(200), address));
            for (int i = 0; i < 3; i++) {
                assertThat(ask(Call.get("http://orders/"))).containsKey("error");
            }
            mute.set(false);
            serve(secured(own, Duration.ofSeconds(1), address));
            warmUp("orders");
        }
    }

    /** A connection that is mute is kept open and not answered. */
    private static void accept(ServerSocket listening, AtomicBoolean mute, Http2Upstream orders) {
        List<Socket> kept = new ArrayList<>();
        try {
            while (true) {
                Socket accepted = listening.accept();
                kept.add(accepted);
                if (!mute.get()) {
                    Socket served = new Socket(orders.address().getAddress(), orders.address().getPort());
                    hand(accepted, served);
                    hand(served, accepted);
                }
            }
        } catch (IOException over) {
            kept.clear();
        }
    }

    /** What is opened for a request is that request's, whatever becomes of the certificate meanwhile. */
    @Test
    void aRequestWhoseHandshakeOutlivesTheCertificateIsAnswered() throws Exception {
        Http2Upstream orders = testbed.closeAfterwards(Http2Upstream.start("orders", MESH.certify(ORDERS).trusting(MESH)));
        try (ServerSocket slow = new ServerSocket(0, 50, InetAddress.getLoopbackAddress())) {
            InetSocketAddress address = new InetSocketAddress(slow.getInetAddress(), slow.getLocalPort());
            serve(orAlso(MESH.certify("spiffe://mesh/shop"), orders, address));
            warmUp("orders");
            CompletableFuture<Map<String, String>> answer = CompletableFuture.supplyAsync(() -> ask(Call.get("http://slow/")));
            try (Socket waiting = slow.accept()) {
                policies.serve(generations.marked(orAlso(MESH.certify("spiffe://mesh/shop"), orders, address)));
                await().until(() -> orders.openConnections() == 0);
                try (Socket served = new Socket(orders.address().getAddress(), orders.address().getPort())) {
                    hand(waiting, served);
                    hand(served, waiting);
                    assertThat(answer.get(60, TimeUnit.SECONDS)).containsEntry("body", "orders");
                }
            }
        }
    }

    private static Policy orAlso(Certified own, Http2Upstream orders, InetSocketAddress slow) {
        return secured(own, Duration.ofSeconds(20), orders.address()).virtualHost("slow", to("slow")).cluster("slow",
                (Cluster.Builder cluster) -> cluster.setConnectTimeout(Durations.fromSeconds(20)).setTransportSocket(MeshTlsSockets.upstream(MESH, own, ORDERS)),
                slow);
    }

    private static void hand(Socket from, Socket to) {
        Thread thread = new Thread(() -> {
            try {
                from.getInputStream().transferTo(to.getOutputStream());
            } catch (IOException over) {
                return;
            }
        });
        thread.setDaemon(true);
        thread.start();
    }

    private static Policy secured(Certified own, Http2Upstream orders) {
        return secured(own, Duration.ofSeconds(1), orders.address());
    }

    private static Policy secured(Certified own, Duration connectTimeout, InetSocketAddress orders) {
        return Policy.empty().virtualHost("orders", to("orders")).cluster("orders",
                (Cluster.Builder cluster) -> cluster.setConnectTimeout(Durations.fromMillis(connectTimeout.toMillis()))
                        .setTransportSocket(MeshTlsSockets.upstream(MESH, own, ORDERS)),
                orders);
    }

    private void serveBoth(Route route) {
        serve(Policy.empty().cluster("orders", a.address(), b.address()).virtualHost("orders", route));
    }

    private static void serve(Policy policy) {
        policies.serve(generations.next(policy));
        await().pollDelay(Duration.ZERO).pollInterval(Duration.ofMillis(10)).atMost(Duration.ofSeconds(30)).until(() -> generations.isObeyedBy(shop));
    }

    private void both(Function<Received, Http2Upstream.Reaction> reaction) {
        a.react(reaction);
        b.react(reaction);
    }

    private List<Received> all() {
        List<Received> all = new ArrayList<>(a.requests());
        all.addAll(b.requests());
        return all;
    }

    private Map<String, String> ask(Call call) {
        return shop.ask(call.header(client.header, client.http2).form());
    }

    private HttpAnswer send(Call call) {
        Map<String, String> answer = ask(call);
        assertThat(answer).containsKey("status");
        return HttpAnswer.of(answer);
    }
}
