package io.weft.it.client;

import static io.weft.it.harness.Routes.retried;
import static io.weft.it.harness.Routes.to;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.Struct;
import com.google.protobuf.Value;
import com.google.protobuf.util.Durations;
import io.envoyproxy.envoy.config.cluster.v3.Cluster;
import io.envoyproxy.envoy.config.core.v3.Metadata;
import io.envoyproxy.envoy.config.core.v3.TransportSocket;
import io.envoyproxy.envoy.config.endpoint.v3.ClusterLoadAssignment;
import io.envoyproxy.envoy.config.endpoint.v3.LbEndpoint;
import io.envoyproxy.envoy.config.endpoint.v3.LocalityLbEndpoints;
import io.envoyproxy.envoy.config.route.v3.Route;
import io.envoyproxy.envoy.config.route.v3.VirtualHost;
import io.weft.driver.HttpAnswer;
import io.weft.driver.HttpCall.Way;
import io.weft.it.harness.Authority;
import io.weft.it.harness.Certified;
import io.weft.it.harness.Jdks;
import io.weft.it.harness.JvmProcess;
import io.weft.it.harness.JvmProcess.Tally;
import io.weft.it.harness.MeshTlsSockets;
import io.weft.it.harness.Policy;
import io.weft.it.harness.RecordedRequest;
import io.weft.it.harness.Upstream;
import io.weft.it.harness.Upstream.Reaction;
import io.weft.it.harness.Upstream.Then;
import io.weft.it.server.Relay;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import javax.net.ssl.SSLServerSocket;
import javax.net.ssl.SSLSocket;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;

/** A plaintext URL leaves as TLS, endpoint by endpoint, and the app cannot tell. */
abstract class MeshTlsExpectations extends Expectations {
    private static final int PATIENCE_SECONDS = 60;
    /** In which a library notices that an idle connection is closed, if it looks on. */
    private static final int A_MOMENT_MILLIS = 100;
    private static final String ORDERS = "spiffe://mesh/orders";
    private static final Authority MESH = new Authority("mesh");
    private static final Certified SHOP = MESH.certify("spiffe://mesh/shop");

    private Upstream secured(String name, Authority by, String identity) {
        return testbed.upstream(name, by.certify(identity).trusting(MESH));
    }

    private static TransportSocket tls(String san) {
        return MeshTlsSockets.upstream(MESH, SHOP, san);
    }

    private static Policy overTls(String san, InetSocketAddress... endpoints) {
        return overTls(tls(san), endpoints);
    }

    private static Policy overTls(TransportSocket tls, InetSocketAddress... endpoints) {
        return Policy.empty().virtualHost("orders", to("orders"))
                // The first handshake of a JVM takes its time, on a machine that is busy.
                .cluster("orders", cluster -> cluster.setTransportSocket(tls).setConnectTimeout(Durations.fromSeconds(20)), endpoints);
    }

    @Test
    void everyKindOfRequestGoesOutAsWithoutTlsAndComesBack() {
        Upstream orders = secured("orders", MESH, ORDERS);
        List<Call> calls = List.of(
                Call.get("http://orders/a?b=c").header("X-One", "1"), Call.post("http://orders/", "body"),
                Call.post("http://orders/", "0123456789".repeat(100_000)), Call.post("http://orders/", "one-shot").way(Way.STREAM),
                Call.get("http://orders/").method("HEAD"));
        stage().serve(Policy.empty().service("orders", a.address()));
        for (Call call : calls) {
            stage().send(call);
        }
        stage().serve(overTls(ORDERS, orders.address()));
        for (Call call : calls) {
            HttpAnswer answer = stage().send(call);
            assertThat(answer.status()).isEqualTo(200);
        }
        assertThat(orders.requests()).extracting(MeshTlsExpectations::seen)
                .containsExactlyElementsOf(a.requests().stream().map(MeshTlsExpectations::seen).toList());
    }

    /** But for an upgrade to HTTP/2, which is not tried over TLS. */
    private static String seen(RecordedRequest request) {
        List<String> headers = request.headers().stream()
                .filter(header -> !header.matches("(?i)(upgrade|http2-settings|connection): .*"))
                .toList();
        return request.line() + headers + Arrays.hashCode(request.body());
    }

    @Test
    void connectionsAreKeptAndNotSharedWithPlaintext() {
        Upstream orders = secured("orders", MESH, ORDERS);
        stage().serve(overTls(ORDERS, orders.address()));
        for (int i = 0; i < 10; i++) {
            assertThat(stage().send(Call.get("http://orders/")).body()).isEqualTo("orders");
        }
        assertThat(orders.connections()).isEqualTo(1);

        // Plaintext from now on, which this upstream does not speak: it would have been answered over the connection that is kept.
        stage().serve(Policy.empty().service("orders", orders.address()));
        int before = orders.requests().size();
        Map<String, String> answer = stage().meshed.ask(Call.get("http://orders/").form());
        assertThat(answer.getOrDefault("status", "none")).isNotEqualTo("200");
        assertThat(orders.requests()).hasSize(before);
    }

    /** By a farewell, which plaintext has not. */
    @Test
    void whatThePeerEndsIsToldAsWithoutTls() throws InterruptedException {
        Upstream orders = secured("orders", MESH, ORDERS);
        stage().serve(overTls(ORDERS, orders.address()).service("plain", a.address()));

        assertThat(toldOfEnds(orders, "http://orders/")).isEqualTo(toldOfEnds(a, "http://plain/"));
    }

    /** Of a connection that ends instead of a response, in its head, in its body, and while nobody asks. */
    private List<String> toldOfEnds(Upstream upstream, String url) throws InterruptedException {
        List<String> told = new ArrayList<>();
        for (Reaction end : List.of(
                new Upstream.Send(new byte[0], Then.CLOSE), Upstream.send(Then.CLOSE, "", "HTTP/1.1 200 OK", "X-Cut"), half(Then.CLOSE))) {
            upstream.react(request -> end);
            told.add(told(url));
        }
        upstream.react(request -> upstream.ok());
        for (int i = 0; i < 3; i++) {
            Thread.sleep(A_MOMENT_MILLIS);
            told.add(told(url));
            upstream.closeConnections();
        }
        return told;
    }

    private String told(String url) {
        Map<String, String> answer = stage().meshed.ask(Call.get(url).form());
        return answer.getOrDefault("status", answer.get("error"));
    }

    @Test
    void endpointsOfOnePortAreToldApart() {
        Upstream one = secured("one", MESH, ORDERS);
        Upstream two = testbed.closeAfterwards(one.beside("two", MESH.certify(ORDERS).trusting(MESH)));
        stage().serve(overTls(ORDERS, one.address(), two.address()));
        for (int i = 0; i < 4; i++) {
            stage().send(Call.get("http://orders/"));
        }
        assertThat(List.of(one.requests().size(), two.requests().size())).containsExactly(2, 2);
    }

    /** Without that, it would take the libraries five minutes here to find out that what they keep is of no use to them. */
    @Test
    void whenACertificateIsReplacedWhatIsKeptIsClosedAndWhatIsBusyIsAnsweredBefore() throws Exception {
        Upstream orders = secured("orders", MESH, ORDERS);
        CountDownLatch arrived = new CountDownLatch(2);
        CountDownLatch release = new CountDownLatch(1);
        AtomicBoolean first = new AtomicBoolean(true);
        Upstream.Reaction kept = new Upstream.Respond(200, Map.of("Keep-Alive", "timeout=300"), "orders");
        orders.react(request -> {
            arrived.countDown();
            // So that they come over two connections.
            await(first.getAndSet(false) ? arrived : release);
            return kept;
        });
        stage().serve(overTls(ORDERS, orders.address()));
        CompletableFuture<Tally> answers = CompletableFuture.supplyAsync(() -> stage().meshed.load("http://orders/", Map.of(), 2, 2));
        await(arrived);
        Policy renewed = overTls(MeshTlsSockets.upstream(MESH, MESH.certify("spiffe://mesh/shop"), ORDERS), orders.address());
        stage().push(renewed);
        awaitOpen(orders, 1);
        collectGarbage();
        release.countDown();
        assertThat(answers.get(PATIENCE_SECONDS, TimeUnit.SECONDS).status(200)).isEqualTo(2);
        awaitOpen(orders, 0);

        // A library may open one more than it needs when two requests come at once.
        int before = orders.connections();
        orders.react(request -> kept);
        for (int i = 0; i < 5; i++) {
            assertThat(stage().send(Call.get("http://orders/")).status()).isEqualTo(200);
        }
        assertThat(orders.connections()).as("kept again").isEqualTo(before + 1);
        stage().serve(Policy.empty());
        awaitOpen(orders, 0);
    }

    @Test
    void anEndpointOverTlsMayHaveAnAddressOfIpv6() throws IOException {
        Upstream orders = secured("orders", MESH, ORDERS);
        try (Relay there = Relay.overIpv6To(orders.address().getPort())) {
            stage().serve(overTls(ORDERS, there.address()));
            for (int i = 0; i < 3; i++) {
                assertThat(stage().send(Call.get("http://orders/")).body()).isEqualTo("orders");
            }
            assertThat(orders.connections()).isEqualTo(1);
            assertThat(there.isAllTls()).isTrue();
        }
    }

    /** A pool may hand out what is being closed: it is told of that later, by another thread. */
    @Test
    void replacedCertificatesCostNoRequest() throws Exception {
        Upstream orders = secured("orders", MESH, ORDERS);
        stage().serve(overTls(ORDERS, orders.address()));
        stage().send(Call.get("http://orders/"));
        AtomicBoolean enough = new AtomicBoolean();
        CompletableFuture<Map<String, Integer>> outcomes = CompletableFuture.supplyAsync(() -> {
            Map<String, Integer> all = new TreeMap<>();
            while (!enough.get()) {
                stage().meshed.load("http://orders/", Map.of(), 500, 5).counts().forEach((outcome, times) -> all.merge(outcome, times, Integer::sum));
            }
            return all;
        });
        try {
            for (int i = 0; i < 20; i++) {
                int before = orders.connections();
                stage().push(overTls(MeshTlsSockets.upstream(MESH, MESH.certify("spiffe://mesh/shop"), ORDERS), orders.address()));
                Awaitility.await().atMost(Duration.ofSeconds(PATIENCE_SECONDS)).until(() -> orders.connections() > before || outcomes.isDone());
            }
        } finally {
            enough.set(true);
        }
        assertThat(outcomes.get(PATIENCE_SECONDS, TimeUnit.SECONDS)).containsOnlyKeys("status.200", "body.orders");
    }

    /** What policy takes away before a pool has it is for the request that waits for it, and for no other. */
    @Test
    void aRequestWhoseHandshakeOutlivesTheCertificateIsAnswered() throws Exception {
        Upstream orders = secured("orders", MESH, ORDERS);
        CountDownLatch connected = new CountDownLatch(1);
        CountDownLatch replaced = new CountDownLatch(1);
        ExecutorService connections = Executors.newCachedThreadPool();
        try (SSLServerSocket slow = (SSLServerSocket) MESH.certify(ORDERS).trusting(MESH).getServerSocketFactory()
                .createServerSocket(0, 50, InetAddress.getLoopbackAddress())) {
            InetSocketAddress address = new InetSocketAddress(slow.getInetAddress(), slow.getLocalPort());
            Thread acceptor = new Thread(() -> accept(slow, socket -> connections.execute(() -> {
                connected.countDown();
                await(replaced);
                answerOnce(socket);
            })));
            acceptor.setDaemon(true);
            acceptor.start();
            stage().serve(orAlso(tls(ORDERS), orders.address(), address));
            stage().send(Call.get("http://orders/"));
            CompletableFuture<Map<String, String>> answer =
                    CompletableFuture.supplyAsync(() -> stage().meshed.ask(Call.get("http://slow/").form()));
            await(connected);
            stage().push(orAlso(MeshTlsSockets.upstream(MESH, MESH.certify("spiffe://mesh/shop"), ORDERS), orders.address(), address));
            awaitOpen(orders, 0);
            collectGarbage();
            replaced.countDown();
            assertThat(answer.get(PATIENCE_SECONDS, TimeUnit.SECONDS)).containsEntry("status", "200");
            connections.shutdown();
            assertThat(connections.awaitTermination(PATIENCE_SECONDS, TimeUnit.SECONDS)).as("closed by the client").isTrue();
        } finally {
            replaced.countDown();
            connections.shutdownNow();
        }
    }

    private static Policy orAlso(TransportSocket tls, InetSocketAddress orders, InetSocketAddress slow) {
        return overTls(tls, orders).virtualHost("slow", to("slow"))
                .cluster("slow", cluster -> cluster.setTransportSocket(tls).setConnectTimeout(Durations.fromSeconds(20)), slow);
    }

    private static void accept(ServerSocket server, Consumer<Socket> connection) {
        while (!server.isClosed()) {
            try {
                connection.accept(server.accept());
            } catch (IOException closed) {
                return;
            }
        }
    }

    /** Answers the first request, if one comes, and waits for the other end to close. */
    private static void answerOnce(Socket socket) {
        try (socket) {
            BufferedReader in = new BufferedReader(new InputStreamReader(socket.getInputStream(), StandardCharsets.US_ASCII));
            for (String line = in.readLine(); line != null; line = in.readLine()) {
                if (line.isEmpty()) {
                    socket.getOutputStream().write("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nslow".getBytes(StandardCharsets.US_ASCII));
                }
            }
        } catch (IOException closed) {
            // As well as by an end of what is to be read.
            return;
        }
    }

    private static void await(CountDownLatch latch) {
        try {
            assertThat(latch.await(PATIENCE_SECONDS, TimeUnit.SECONDS)).isTrue();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    /** With what was secured by the certificate before goes what the agent keeps for it, but not under a request that is under way. */
    private void collectGarbage() {
        testbed.jvm("garbage collection", Jdks.newest()).tool("jcmd", Long.toString(stage().meshed.pid()), "GC.run").awaitExit();
    }

    private static void awaitOpen(Upstream upstream, int connections) {
        Awaitility.await().until(() -> upstream.openConnections() == connections);
    }

    @Test
    void whoIsNotWhoPolicySaysGetsNothing() {
        Upstream impostor = secured("impostor", new Authority("other"), ORDERS);
        Upstream neighbour = secured("neighbour", MESH, "spiffe://mesh/users");
        for (Upstream wrong : List.of(impostor, neighbour)) {
            stage().serve(overTls(ORDERS, wrong.address()));
            assertThat(stage().sendFailing(Call.post("http://orders/", "secret")))
                    .satisfies(failure -> assertThat(failure.get("error") + failure.get("causes")).contains("ConnectException"));
            assertThat(wrong.requests()).isEmpty();
        }
    }

    @Test
    void anEndpointThatSpeaksNoTlsIsReachedInPlaintextIfPolicySaysSo() {
        Upstream orders = secured("orders", MESH, ORDERS);
        LbEndpoint istio = Policy.endpoint(orders.address()).toBuilder()
                .setMetadata(Metadata.newBuilder().putFilterMetadata("envoy.transport_socket_match",
                        Struct.newBuilder().putFields("tlsMode", Value.newBuilder().setStringValue("istio").build()).build()))
                .build();
        Policy byMode = Policy.empty().virtualHost("orders", to("orders"))
                .cluster("orders", cluster -> cluster.setConnectTimeout(Durations.fromSeconds(20)).addTransportSocketMatches(Cluster.TransportSocketMatch.newBuilder()
                        .setName("tlsMode-istio").setMatch(istio.getMetadata().getFilterMetadataOrThrow("envoy.transport_socket_match"))
                        .setTransportSocket(tls(ORDERS))))
                .endpoints(ClusterLoadAssignment.newBuilder().setClusterName("orders").addEndpoints(
                        LocalityLbEndpoints.newBuilder().addLbEndpoints(istio).addLbEndpoints(Policy.endpoint(a.address()))).build());
        stage().serve(byMode);
        for (int i = 0; i < 10; i++) {
            assertThat(stage().send(Call.get("http://orders/")).status()).isEqualTo(200);
        }
        assertThat(orders.requests()).hasSize(5);
        assertThat(a.requests()).hasSize(5);
    }

    @Test
    void aHandshakeThatDoesNotEndIsAConnectionThatDoesNotCome() throws Exception {
        Upstream orders = secured("orders", MESH, ORDERS);
        stage().serve(overTls(ORDERS, orders.address()));
        stage().send(Call.get("http://orders/"));
        ExecutorService dripping = Executors.newCachedThreadPool();
        try (ServerSocket silent = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
                ServerSocket slow = new ServerSocket(0, 50, InetAddress.getLoopbackAddress())) {
            dripping.execute(() -> accept(slow, socket -> dripping.execute(() -> drip(socket))));
            for (ServerSocket server : List.of(silent, slow)) {
                InetSocketAddress address = new InetSocketAddress(server.getInetAddress(), server.getLocalPort());
                Consumer<Cluster.Builder> hasty =
                        cluster -> cluster.setTransportSocket(tls(ORDERS)).setConnectTimeout(Durations.fromSeconds(1));
                stage().serve(Policy.empty().cluster("orders", hasty, address).virtualHost("orders", to("orders")));
                Map<String, String> failure = stage().sendFailing(Call.get("http://orders/"));
                // Some wrap it.
                assertThat(failure.get("error") + "," + failure.get("causes")).contains("Timeout");

                if (stage().client.limitsHandshakes()) {
                    stage().serve(overTls(ORDERS, address));
                    failure = stage().sendFailing(Call.get("http://orders/").timeoutMillis(1_000));
                    assertThat(failure.get("error") + "," + failure.get("causes")).as("the app's own limit").contains("Timeout");
                }

                stage().serve(Policy.empty().cluster("orders", hasty, address, orders.address())
                        .virtualHost("orders", retried("connect-failure", 1, to("orders"))));
                for (int i = 0; i < 2; i++) {
                    assertThat(stage().send(Call.get("http://orders/")).body()).isEqualTo("orders");
                }
            }
        } finally {
            dripping.shutdownNow();
        }
    }

    /** A handshake of which the next bit is always about to come, for much longer than a connection may take. */
    private static void drip(Socket connection) {
        try (connection) {
            // the head of a long record
            connection.getOutputStream().write(new byte[] {22, 3, 3, 0x40, 0});
            for (int i = 0; i < 150; i++) {
                connection.getOutputStream().write(0);
                TimeUnit.MILLISECONDS.sleep(100);
            }
        } catch (IOException | InterruptedException over) {
            // As the client has it that does not wait.
            return;
        }
    }

    /** Closing TLS waits for whoever is writing; the thread of all time limits must not. */
    @Test
    void aTimeLimitDoesNotWaitForAWriterWhoIsStuck() throws Exception {
        try (SSLServerSocket full = (SSLServerSocket) MESH.certify(ORDERS).trusting(MESH).getServerSocketFactory()
                .createServerSocket(0, 50, InetAddress.getLoopbackAddress())) {
            BlockingQueue<Socket> held = new LinkedBlockingQueue<>();
            Thread reader = new Thread(() -> handshakes(full, held));
            reader.setDaemon(true);
            reader.start();
            Route impatient = to("orders").toBuilder()
                    .setRoute(to("orders").getRoute().toBuilder().setIdleTimeout(Durations.fromMillis(500))).build();
            stage().serve(overTls(ORDERS, new InetSocketAddress(full.getInetAddress(), full.getLocalPort()))
                    .virtualHost("orders", impatient)
                    .cluster("slow", a.address())
                    .virtualHost("slow", to("slow").toBuilder()
                            .setRoute(to("slow").getRoute().toBuilder().setTimeout(Durations.fromMillis(300))).build()));
            a.react(request -> new Upstream.Hang());

            stage().meshed.ask(Call.post("http://orders/", "0123456789".repeat(2_000_000)).way(Way.STREAM_FIXED).form());
            assertThat(stage().send(Call.get("http://slow/")).status()).isEqualTo(504);
            for (Socket socket : held) {
                socket.close();
            }
        }
    }

    /** Reads nothing but what belongs to the handshake. */
    private static void handshakes(SSLServerSocket server, BlockingQueue<Socket> held) {
        while (!server.isClosed()) {
            try {
                SSLSocket socket = (SSLSocket) server.accept();
                held.add(socket);
                socket.startHandshake();
            } catch (IOException gone) {
                // The client's side of it is what the test looks at.
                continue;
            }
        }
    }

    @Test
    void afterAFaultNothingGoesOutInPlaintext() {
        stage().push(Policy.empty()
                .cluster("open", a.address())
                .virtualHost(a.address().getPort(), everything("open"))
                .cluster("secured", cluster -> cluster.setTransportSocket(tls(ORDERS)), b.address())
                .virtualHost(b.address().getPort(), everything("secured")));
        Upstream elsewhere = testbed.upstream("elsewhere");
        JvmProcess faulty = stage().faulty(testbed, "lost");

        assertThat(faulty.get(at(a, "/")).body()).as("without TLS the app is served").isEqualTo("a");
        assertThat(faulty.get(at(elsewhere, "/lost")).body()).as("what no policy names is the app's own").isEqualTo("elsewhere");
        a.forgetRequests();
        // Where its way is not found, nobody knows whether a request is to be secured.
        for (String url : List.of(at(b, "/"), at(b, "/lost"), at(a, "/lost"))) {
            Map<String, String> failure = faulty.ask(Call.post(url, "secret").form());
            assertThat(failure.get("error") + "," + failure.get("causes")).as(url).contains("java.net.ConnectException");
        }
        assertThat(b.connections()).isZero();
        assertThat(a.requests()).isEmpty();
    }

    private static String at(Upstream upstream, String path) {
        return "http://127.0.0.1:" + upstream.address().getPort() + path;
    }

    private static VirtualHost everything(String cluster) {
        return VirtualHost.newBuilder().setName(cluster).addDomains("*").addRoutes(to(cluster)).build();
    }

    @Test
    void theAppsOwnTlsIsItsOwn() {
        Upstream orders = secured("orders", MESH, ORDERS);
        stage().serve(overTls(ORDERS, orders.address()));
        Map<String, String> failure =
                stage().sendFailing(Call.get("https://127.0.0.1:" + orders.address().getPort() + "/"));
        assertThat(failure.get("error") + failure.get("causes")).contains("SSLHandshakeException");
        assertThat(orders.requests()).isEmpty();
    }
}
