package io.weft.it.client;

import static io.weft.it.harness.Routes.split;
import static io.weft.it.harness.Routes.to;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.google.protobuf.util.Durations;
import io.envoyproxy.envoy.config.cluster.v3.Cluster;
import io.envoyproxy.envoy.config.route.v3.RouteConfiguration;
import io.envoyproxy.envoy.config.route.v3.VirtualHost;
import io.weft.driver.NettyClient;
import io.weft.driver.NettyClient.How;
import io.weft.it.harness.Authority;
import io.weft.it.harness.Certified;
import io.weft.it.harness.Http2Upstream;
import io.weft.it.harness.Jdks;
import io.weft.it.harness.JvmProcess;
import io.weft.it.harness.Library;
import io.weft.it.harness.MeshTlsSockets;
import io.weft.it.harness.Policy;
import io.weft.it.harness.PolicyServer;
import io.weft.it.harness.RecordedRequest;
import io.weft.it.harness.Testbed;
import io.weft.it.harness.Upstream;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.cert.CertificateParsingException;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import javax.net.ssl.SSLServerSocket;
import javax.net.ssl.SSLSocket;
import org.assertj.core.groups.Tuple;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.AfterParameterizedClassInvocation;
import org.junit.jupiter.params.BeforeParameterizedClassInvocation;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/** Of clients that apps make of Netty's codecs themselves each connection goes to an endpoint, by mesh TLS where policy wants it, and the app cannot tell. */
@ParameterizedClass
@EnumSource
class NettyClientIT {
    private static final String ORDERS = "spiffe://mesh/orders";
    private static final Authority MESH = new Authority("mesh");
    private static final Certified SHOP = MESH.certify("spiffe://mesh/shop");
    private static final String LARGE = "0123456789".repeat(500_000);
    private static final String MARKED = "marked.test";
    private static final int MARKED_PORT = 81;

    enum Netty {
        NETTY_4_1_21("4.1.21", "netty-client-4.1"),
        NETTY_4_1_140("4.1.140", "netty-client-4.1.140"),
        NETTY_4_2("4.2", "netty-client-4.2");

        /** For people. */
        final String title;

        private final String library;

        Netty(String version, String library) {
            title = "Netty codec " + version;
            this.library = library;
        }
    }

    private static final Testbed STAGE = new Testbed();
    private static PolicyServer policies;
    private static int marks;
    private static JvmProcess meshed;
    private static JvmProcess plain;

    @Parameter
    Netty netty;

    @RegisterExtension
    final Testbed testbed = new Testbed();

    private final Upstream a = testbed.upstream("a");
    private final Upstream b = testbed.upstream("b");

    @BeforeParameterizedClassInvocation
    static void start(Netty netty) throws IOException {
        Path folder = STAGE.temporaryFolder();
        Path own = MESH.certify("spiffe://app/shop").keyStore(folder.resolve("own.p12"), "secret");
        Path trusted = Certified.trustStore(folder.resolve("trusted.p12"), "secret", MESH);
        policies = STAGE.policyServer();
        policies.serve(Policy.empty());
        List<String> options = List.of(
                "-Djavax.net.ssl.keyStore=" + own, "-Djavax.net.ssl.keyStorePassword=secret",
                "-Djavax.net.ssl.trustStore=" + trusted, "-Djavax.net.ssl.trustStorePassword=secret");
        var withAgent = STAGE.jvm("shop", Jdks.newest()).classPath(Library.named(netty.library)).mesh(policies.uri(), "shop");
        var without = STAGE.jvm("shop without agent", Jdks.newest()).classPath(Library.named(netty.library));
        options.forEach(withAgent::option);
        options.forEach(without::option);
        meshed = withAgent.driver(NettyClient.class);
        plain = without.driver(NettyClient.class);
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
    void aNameThatDnsDoesNotKnowIsFoundAndTheRequestIsAsTheAppWroteIt() {
        serve(Policy.empty().service("orders", a.address()));
        Map<String, String> answer = send(Call.post("http://orders/list?all=1", "the body").header("X-Tenant", "blue"));

        assertThat(answer).containsEntry("body", "a");
        assertThat(a.requests()).singleElement().satisfies(request -> {
            assertThat(request.line()).isEqualTo("POST /list?all=1 HTTP/1.1");
            assertThat(request.headers()).containsExactlyInAnyOrder("host: orders", "X-Tenant: blue", "content-length: 8");
            assertThat(request.text()).isEqualTo("the body");
        });
        assertThat(seen(answer)).isEqualTo(seen(ask(plain, Call.post(local(a) + "list?all=1", "the body").header("X-Tenant", "blue"))));
    }

    @Test
    void connectionsAreSharedOutAndThoseThatAreKeptAreUsedAgain() {
        serve(Policy.empty().service("orders", a.address(), b.address()));
        for (int i = 0; i < 20; i++) {
            send(Call.get("http://orders/"), How.FROM_OUTSIDE);
        }
        assertThat(List.of(a.connections(), b.connections())).containsExactly(10, 10);

        for (int i = 0; i < 6; i++) {
            send(Call.get("http://orders/"), How.KEPT);
        }
        assertThat(a.connections() + b.connections()).isEqualTo(21);
    }

    @Test
    void connectionsAreSharedOutByWeight() {
        serve(Policy.empty().cluster("v1", a.address()).cluster("v2", b.address()).virtualHost("orders", split(Map.of("v1", 80, "v2", 20))));
        for (int i = 0; i < 100; i++) {
            send(Call.get("http://orders/"), How.FROM_OUTSIDE);
        }
        // Of 100 throws with a chance of a fifth; outside of that once in a million.
        assertThat(b.requests()).hasSizeBetween(3, 42);
        assertThat(a.requests()).hasSize(100 - b.requests().size());
    }

    @Test
    void http2ConnectionsAreSharedOut() {
        Http2Upstream one = testbed.closeAfterwards(Http2Upstream.start("one"));
        Http2Upstream two = testbed.closeAfterwards(Http2Upstream.start("two"));
        serve(Policy.empty().service("orders", one.address(), two.address()));
        for (int i = 0; i < 6; i++) {
            send(Call.post("http://orders/list?all=1", "the body"), How.HTTP2);
        }
        assertThat(List.of(one.connections(), two.connections())).containsExactly(3, 3);
        for (int i = 0; i < 3; i++) {
            send(Call.get("http://orders/"), How.HTTP2, How.KEPT);
        }
        assertThat(one.connections() + two.connections()).isEqualTo(7);
        assertThat(one.requests().get(0)).satisfies(request -> {
            assertThat(request.headers()).containsEntry(":path", "/list?all=1").containsEntry(":authority", "orders").containsEntry(":scheme", "http");
            assertThat(request.body()).isEqualTo("the body");
        });
    }

    @Test
    void whatGoesOutByMeshTlsGoesOutAndComesBackAsWithoutIt() {
        Upstream orders = secured("a");
        Map<Call, How[]> calls = new LinkedHashMap<>();
        calls.put(Call.get("http://orders/a?b=c").header("X-One", "1"), new How[0]);
        calls.put(Call.post("http://orders/", "body"), new How[0]);
        calls.put(Call.post("http://orders/1", "body"), new How[] {How.IN_LISTENER});
        calls.put(Call.post("http://orders/2", "body"), new How[] {How.WHEN_ACTIVE});
        calls.put(Call.post("http://orders/3", "body"), new How[] {How.READS});
        calls.put(Call.post("http://orders/4", "body"), new How[] {How.READS, How.IN_LISTENER});
        calls.put(Call.post("http://orders/5", "body"), new How[] {How.FILE});
        calls.put(Call.post("http://orders/6", "body"), new How[] {How.KEPT});
        calls.put(Call.post("http://orders/7", "body"), new How[] {How.KEPT});
        calls.put(Call.get("http://orders/8").method("HEAD"), new How[0]);

        serve(Policy.empty().service("orders", a.address()));
        Map<Call, String> expected = new HashMap<>();
        calls.forEach((call, how) -> expected.put(call, seen(send(call, how))));
        a.closeConnections();
        serve(overTls(orders.address()));
        calls.forEach((call, how) -> assertThat(seen(send(call, how))).as(call + " " + List.of(how)).isEqualTo(expected.get(call)));

        assertThat(orders.requests()).extracting(RecordedRequest::wire).containsExactlyElementsOf(a.requests().stream().map(RecordedRequest::wire).toList());
        assertThat(orders.connections()).isEqualTo(9);
    }

    @Test
    void theServerIsToldWhoAsks() throws IOException {
        try (SSLServerSocket orders = (SSLServerSocket) MESH.certify(ORDERS).trusting(MESH).getServerSocketFactory()
                .createServerSocket(0, 50, InetAddress.getLoopbackAddress())) {
            orders.setNeedClientAuth(true);
            daemon(() -> answerWithWhoAsks(orders));
            serve(overTls((InetSocketAddress) orders.getLocalSocketAddress()));
            assertThat(send(Call.get("http://orders/")).get("body")).contains("spiffe://mesh/shop");
        }
    }

    private static void answerWithWhoAsks(SSLServerSocket server) {
        try (SSLSocket socket = (SSLSocket) server.accept()) {
            BufferedReader in = new BufferedReader(new InputStreamReader(socket.getInputStream(), StandardCharsets.US_ASCII));
            while (!in.readLine().isEmpty()) {
                // Until the end of the head.
            }
            String names = ((X509Certificate) socket.getSession().getPeerCertificates()[0]).getSubjectAlternativeNames().toString();
            socket.getOutputStream().write(
                    ("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: " + names.length() + "\r\n\r\n" + names).getBytes(StandardCharsets.US_ASCII));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (CertificateParsingException e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void largeBodiesAreIntactBothWays() {
        Upstream orders = secured("orders");
        orders.react(request -> new Upstream.Respond(200, Map.of(), LARGE));
        serve(overTls(orders.address()));
        for (How[] how : new How[][] {{}, {How.FILE}, {How.READS}, {How.READS, How.FILE}, {How.WHEN_ACTIVE, How.FILE}, {How.KEPT}, {How.KEPT, How.FILE}, {How.FROM_OUTSIDE}, {How.FROM_OUTSIDE, How.FILE}}) {
            orders.forgetRequests();
            Map<String, String> answer = send(Call.post("http://orders/", LARGE), how);
            assertThat(answer.get("body").equals(LARGE)).as("the response %s", List.of(how)).isTrue();
            assertThat(orders.requests()).hasSize(1);
            assertThat(orders.requests().get(0).text().equals(LARGE)).as("the request %s", List.of(how)).isTrue();
        }
    }

    @Test
    void http2GoesByMeshTls() {
        Http2Upstream orders = testbed.closeAfterwards(Http2Upstream.start("orders", MESH.certify(ORDERS).trusting(MESH)));
        Http2Upstream plaintext = testbed.closeAfterwards(Http2Upstream.start("orders"));
        serve(Policy.empty().service("orders", plaintext.address()));
        String expected = seen(send(Call.post("http://orders/", "the body"), How.HTTP2));
        serve(overTls(orders.address()));
        assertThat(seen(send(Call.post("http://orders/", "the body"), How.HTTP2))).isEqualTo(expected);
        assertThat(orders.requests()).extracting(Http2Upstream.Received::headers, Http2Upstream.Received::body)
                .containsExactlyElementsOf(plaintext.requests().stream()
                        .map(request -> Tuple.tuple(request.headers(), request.body())).toList());

        orders.forgetRequests();
        orders.react(request -> new Http2Upstream.Respond(200, Map.of(), LARGE));
        for (How[] how : new How[][] {{How.HTTP2}, {How.HTTP2, How.READS}, {How.HTTP2, How.FROM_OUTSIDE}, {How.HTTP2, How.KEPT}, {How.HTTP2, How.KEPT}}) {
            assertThat(send(Call.post("http://orders/", LARGE), how).get("body").equals(LARGE)).as("the response %s", List.of(how)).isTrue();
        }
        assertThat(orders.requests()).hasSize(5).allMatch(request -> request.body().equals(LARGE));
        assertThat(orders.connections()).isEqualTo(5);
    }

    @Test
    void whoIsNotWhoPolicySaysGetsNothing() throws IOException {
        Upstream impostor = testbed.upstream("impostor", new Authority("other").certify(ORDERS).trusting(MESH));
        Upstream neighbour = testbed.upstream("neighbour", MESH.certify("spiffe://mesh/users").trusting(MESH));
        Http2Upstream http2 = testbed.closeAfterwards(Http2Upstream.start("http2", MESH.certify("spiffe://mesh/users").trusting(MESH)));
        for (Upstream wrong : List.of(impostor, neighbour)) {
            serve(overTls(wrong.address()));
            for (How[] how : new How[][] {{}, {How.IN_LISTENER}, {How.WHEN_ACTIVE}, {How.READS}}) {
                assertRefused(ask(meshed, Call.post("http://orders/", "secret"), how), "mesh TLS to 127.0.0.1:" + wrong.address().getPort() + " failed");
            }
            assertThat(wrong.requests()).isEmpty();
        }
        serve(overTls(http2.address()));
        assertRefused(ask(meshed, Call.post("http://orders/", "secret"), How.HTTP2), "mesh TLS to 127.0.0.1:" + http2.address().getPort() + " failed");
        assertThat(http2.requests()).isEmpty();

        try (ServerSocket plaintext = new ServerSocket(0, 50, InetAddress.getLoopbackAddress())) {
            daemon(() -> answerUnasked(plaintext));
            serve(overTls((InetSocketAddress) plaintext.getLocalSocketAddress()));
            assertRefused(ask(meshed, Call.post("http://orders/", "secret")), "mesh TLS to 127.0.0.1:" + plaintext.getLocalPort() + " failed");
        }
    }

    private static void answerUnasked(ServerSocket server) {
        try (Socket socket = server.accept()) {
            socket.getOutputStream().write("HTTP/1.1 400 Bad Request\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
            socket.getInputStream().readAllBytes();
        } catch (IOException reset) {
            return;
        }
    }

    /** An app has neither been told of a connection, nor of what became of the mesh's. */
    private static void assertRefused(Map<String, String> answer, String message) {
        assertThat(answer).containsKeys("error", "refused").doesNotContainKey("open");
        assertThat(answer.get("message")).contains(message);
        assertThat(answer.get("seen.events")).isEqualTo("registered\nnot connected\nunregistered");
    }

    @Test
    void anEndOfMeshTlsIsTheEndOfAConnection() {
        Upstream orders = secured("a");
        List<Upstream.Reaction> ends = List.of(
                Upstream.send(Upstream.Then.CLOSE, "body", "HTTP/1.1 200 OK", "Connection: close", "Content-Length: 4"),
                Upstream.send(Upstream.Then.CLOSE, "body", "HTTP/1.1 200 OK"),
                Upstream.send(Upstream.Then.CLOSE, "bo", "HTTP/1.1 200 OK", "Content-Length: 4"),
                Upstream.send(Upstream.Then.CLOSE, "", "HTTP/1.1 200 OK"));
        for (Upstream.Reaction end : ends) {
            for (How[] how : new How[][] {{}, {How.READS}}) {
                a.react(request -> end);
                orders.react(request -> end);
                serve(Policy.empty().service("orders", a.address()));
                String expected = seen(ask(meshed, Call.get("http://orders/"), how));
                serve(overTls(orders.address()));
                assertThat(seen(ask(meshed, Call.get("http://orders/"), how))).as("%s %s", end, List.of(how)).isEqualTo(expected);
            }
        }
    }

    @Test
    void aNameThatNobodyServesIsNotConnectedTo() {
        serve(Policy.empty().cluster("orders").virtualHost("orders", to("orders")));
        Map<String, String> answer = ask(meshed, Call.get("http://orders/"));
        assertRefused(answer, "orders");
        assertThat(ask(meshed, Call.get("http://orders/"), How.HTTP2)).containsKey("refused");
    }

    @Test
    void whereNobodyListensTheAppIsToldAsWithoutTheMesh() {
        serve(Policy.empty().service("orders", a.address()));
        a.die();
        Map<String, String> answer = ask(meshed, Call.get("http://orders/"));
        assertThat(answer).containsKeys("error", "refused").doesNotContainKey("open");
        Map<String, String> expected = ask(plain, Call.get(local(a)));
        assertThat(answer.get("seen.events")).isEqualTo(expected.get("seen.events"));
        assertThat(answer.get("error")).isEqualTo(expected.get("error"));

        serve(overTls(a.address()));
        assertThat(ask(meshed, Call.get("http://orders/"))).containsKeys("error", "refused").doesNotContainKey("open")
                .containsEntry("seen.events", expected.get("seen.events"));
    }

    @Test
    void whatIsOutsideIsRefusedWherePolicySaysSo() {
        serve(Policy.empty().service("orders", a.address()).listener(OutsideExpectations.PASSTHROUGH));
        assertRefused(ask(meshed, Call.get("http://outside.invalid/")), "MeshPassthrough");
        assertRefused(ask(meshed, Call.get("http://outside.invalid:8080/"), How.HTTP2), "MeshPassthrough");
        assertThat(send(Call.get("http://orders/"))).containsEntry("body", "a");
        assertThat(send(Call.get("http://localhost:" + b.address().getPort() + "/"))).containsEntry("body", "b");
    }

    @Test
    void whatIsOutsideIsRefusedWithTheAppsTlsToo() {
        serve(Policy.empty().service("orders", a.address()).listener(OutsideExpectations.PASSTHROUGH));
        assertThat(ask(meshed, Call.get("https://outside.invalid/")).get("message")).contains("MeshPassthrough");
        assertThat(ask(meshed, Call.get("https://outside.invalid:8443/")).get("message")).contains("MeshPassthrough");
    }

    @Test
    void theAppsOwnTlsGoesWhereTheAppSendsIt() {
        Upstream own = secured("own");
        serve(elsewhere(own));
        Call call = Call.post("https://localhost:" + own.address().getPort() + "/a", "body");
        assertAsWithoutTheAgent(call);
        assertThat(own.requests()).hasSize(2);
        assertThat(b.requests()).isEmpty();
    }

    @Test
    void theAppsProxyIsAsked() {
        a.react(request -> request.method().equals("CONNECT")
                ? Upstream.send(Upstream.Then.KEEP, "", "HTTP/1.1 200 Connection established") : a.ok());
        serve(Policy.empty().service("orders", b.address()));
        assertAsWithoutTheAgent(Call.post("http://orders/a", "body").proxy(a.address().getPort()));
        assertThat(a.requests()).extracting(RecordedRequest::method).containsExactly("CONNECT", "POST", "CONNECT", "POST");
        assertThat(b.requests()).isEmpty();
    }

    @Test
    void whatIsNoHttpWhenItConnectsGoesWhereTheAppSendsIt() {
        serve(elsewhere(a));
        assertThat(send(Call.get(local(a)))).as("HTTP does not").containsEntry("body", "b");
        assertAsWithoutTheAgent(Call.get(local(a)).body("GET /bytes HTTP/1.1\r\n\r\n"), How.BYTES);
        assertAsWithoutTheAgent(Call.post(local(a), "body"), How.CODEC_LATER);
        assertThat(a.requests()).hasSize(4);
        assertThat(b.requests()).hasSize(1);
    }

    @Test
    void whatNoPolicyNamesIsNotTouched() {
        serve(Policy.empty().service("orders", b.address()));
        Http2Upstream http2 = testbed.closeAfterwards(Http2Upstream.start("http2"));
        assertAsWithoutTheAgent(Call.post(local(a), "body"));
        for (How how : List.of(How.READS, How.FILE, How.IN_LISTENER, How.WHEN_ACTIVE)) {
            assertAsWithoutTheAgent(Call.post(local(a), "body"), how);
        }
        assertAsWithoutTheAgent(Call.post("http://localhost:" + http2.address().getPort() + "/", "body"), How.HTTP2);
        assertAsWithoutTheAgent(Call.get("http://nowhere.invalid/"));
        assertThat(b.requests()).isEmpty();
        a.die();
        assertAsWithoutTheAgent(Call.get(local(a)));
    }

    private static void assertAsWithoutTheAgent(Call call, How... how) {
        Map<String, String> expected = ask(plain, call, how);
        assertThat(ask(meshed, call, how)).as(call + " " + List.of(how)).isEqualTo(expected);
    }

    @Test
    void aConnectionThatIsGivenUpDuringItsHandshakeIsClosed() throws IOException {
        try (ServerSocket silent = new ServerSocket(0, 50, InetAddress.getLoopbackAddress())) {
            serve(overTls((InetSocketAddress) silent.getLocalSocketAddress()));
            Map<String, String> answer = ask(meshed, Call.get("http://orders/"), How.CANCEL);
            assertThat(answer.get("error")).endsWith("CancellationException");
            assertThat(answer).doesNotContainKey("open");
            assertThat(answer.get("seen.events")).isEqualTo("registered\nnot connected\nunregistered");
            assertClosed(silent);
        }
    }

    @Test
    void aHandshakeThatDoesNotEndIsAConnectionThatDoesNotComeInTheAppsTime() throws IOException {
        try (ServerSocket silent = new ServerSocket(0, 50, InetAddress.getLoopbackAddress())) {
            serve(overTls((InetSocketAddress) silent.getLocalSocketAddress()));
            long began = System.nanoTime();
            Map<String, String> answer = ask(meshed, Call.get("http://orders/").timeoutMillis(500));
            assertThat(Duration.ofNanos(System.nanoTime() - began)).isLessThan(Duration.ofSeconds(15));
            assertThat(answer).containsKeys("error", "refused").doesNotContainKey("open");
            assertClosed(silent);
        }
    }

    private static void assertClosed(ServerSocket server) throws IOException {
        try (Socket accepted = server.accept()) {
            accepted.setSoTimeout(20_000);
            accepted.getInputStream().readAllBytes();
        } catch (SocketException reset) {
            return;
        }
    }

    private Upstream secured(String name) {
        return testbed.upstream(name, MESH.certify(ORDERS).trusting(MESH));
    }

    /** The first handshake of a JVM takes its time, on a machine that is busy. */
    private static Policy overTls(InetSocketAddress... endpoints) {
        return Policy.empty().virtualHost("orders", to("orders")).cluster("orders",
                (Cluster.Builder cluster) -> cluster.setTransportSocket(MeshTlsSockets.upstream(MESH, SHOP, ORDERS))
                        .setConnectTimeout(Durations.fromSeconds(20)),
                endpoints);
    }

    /** What goes to the address of that upstream goes to b. */
    private Policy elsewhere(Upstream upstream) {
        int port = upstream.address().getPort();
        return Policy.empty().cluster("elsewhere", b.address()).virtualHost(port, VirtualHost.newBuilder()
                .setName("elsewhere").addDomains("localhost").addDomains("localhost:" + port).addRoutes(to("elsewhere")).build());
    }

    private static String local(Upstream upstream) {
        return "http://localhost:" + upstream.address().getPort() + "/";
    }

    /**
     * Waits until it is obeyed: a listener, a route configuration, a cluster and an assignment of its own lead to an endpoint that says so. Where it comes to connections, no host can say it.
     */
    private void serve(Policy policy) {
        String mark = "mark-" + ++marks;
        Upstream marked = testbed.upstream(mark);
        policies.serve(policy
                .listener(Policy.outbound(MARKED_PORT, mark))
                .routes(RouteConfiguration.newBuilder()
                        .setName(mark)
                        .addVirtualHosts(VirtualHost.newBuilder().setName(MARKED).addDomains(MARKED).addDomains(MARKED + ":" + MARKED_PORT).addRoutes(to(mark)))
                        .build())
                .cluster(mark, marked.address()));
        await().pollDelay(Duration.ZERO).pollInterval(Duration.ofMillis(10)).atMost(Duration.ofSeconds(30))
                .until(() -> mark.equals(ask(meshed, Call.get("http://" + MARKED + ":" + MARKED_PORT + "/")).get("body")));
    }

    private static Map<String, String> send(Call call, How... how) {
        Map<String, String> answer = ask(meshed, call, how);
        assertThat(answer).as(call + " " + List.of(how)).containsKey("status");
        return answer;
    }

    private static Map<String, String> ask(JvmProcess app, Call call, How... how) {
        Map<String, String> form = new HashMap<>(call.form());
        Stream.of(how).forEach(one -> form.put("how." + one, ""));
        return app.ask(form);
    }

    /** All that the app sees but for its peer's address. */
    private static String seen(Map<String, String> answer) {
        Map<String, String> seen = new HashMap<>(answer);
        seen.remove("seen.remote");
        return seen.toString();
    }

    private static void daemon(Runnable task) {
        Thread thread = new Thread(task);
        thread.setDaemon(true);
        thread.start();
    }
}
