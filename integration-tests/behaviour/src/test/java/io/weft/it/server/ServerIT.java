package io.weft.it.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.envoyproxy.envoy.config.core.v3.Node;
import io.weft.driver.JavaNetHttp;
import io.weft.it.harness.ControlPlane;
import io.weft.it.harness.FaultyAgent;
import io.weft.it.harness.Jdk;
import io.weft.it.harness.Jdks;
import io.weft.it.harness.JvmProcess;
import io.weft.it.harness.JvmProcess.Tally;
import io.weft.it.harness.PolicyServer;
import io.weft.it.harness.Testbed;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.net.http.WebSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.assertj.core.api.SoftAssertions;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInfo;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.AfterParameterizedClassInvocation;
import org.junit.jupiter.params.BeforeParameterizedClassInvocation;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.ArgumentsSource;

/** What an operator and an app expect of every server library. A new library joins in {@link Server}. */
@ParameterizedClass(name = "{arguments}")
@ArgumentsSource(Server.Matrix.class)
class ServerIT {
    private static final String CLOSE = " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";

    /** Longer than the drain's delay. */
    private static final int LOAD = 1_600;

    private static final int FILE_SIZE = 32 << 20;
    private static final int TOO_LONG_FOR_HELIDON = 1 << 14;
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    @RegisterExtension
    final Testbed testbed = new Testbed();

    @Parameter(0)
    Jdk jdk;

    @Parameter(1)
    Server server;

    private static final int GOAWAY = 7;

    /** The real one, for all servers. */
    private static Testbed control;
    private static ControlPlane controlPlane;

    /** For the tests that change nothing: a server in the mesh and one without the agent. */
    private static Testbed shared;
    private static int meshed;
    private static int plain;

    @BeforeAll
    static void startControlPlane() {
        control = new Testbed();
        controlPlane = control.controlPlane(Jdks.newest());
    }

    @BeforeParameterizedClassInvocation
    static void start(Jdk jdk, Server server) {
        shared = new Testbed();
        JvmProcess without = server.start(shared.jvm(server + " without", jdk), "v1");
        JvmProcess within = server.start(shared.jvm(server + " in the mesh", jdk).mesh(shared.policyServer().uri(), "other").unguarded(), "v1");
        plain = without.awaitPort();
        meshed = within.awaitPort();
    }

    @AfterParameterizedClassInvocation
    static void stop() throws Exception {
        shared.close();
    }

    @AfterAll
    static void stopControlPlane() throws Exception {
        control.close();
    }

    @BeforeEach
    void isExpectedOfTheServer(TestInfo test) {
        Trait.assume(test, server);
    }

    @Test
    void answersAreTheSameByteForByte() {
        List<String> requests = new ArrayList<>(List.of(
                "GET /a?b=c" + CLOSE,
                "GET / HTTP/1.1\r\nHost: x\r\n\r\nGET /second" + CLOSE,
                "GET / HTTP/1.0\r\n\r\n",
                "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\nGET / HTTP/1.0\r\n\r\n",
                "HEAD /" + CLOSE,
                "OPTIONS *" + CLOSE,
                "BREW /" + CLOSE,
                "GET /chunks" + CLOSE,
                "GET /fail" + CLOSE,
                "GET /async/20" + CLOSE,
                "GET /a HTTP/1.1\r\nConnection: close\r\n\r\n",
                "GET /%zz" + CLOSE,
                "GET / HTTP/1.1\r\nHost: x\r\nX: " + "y".repeat(1 << 17) + "\r\nConnection: close\r\n\r\n",
                "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nConnection: close\r\n\r\nbody",
                "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n4\r\nbody\r\n0\r\n\r\n",
                "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nExpect: 100-continue\r\nConnection: close\r\n\r\nbody"));
        requests.add("GET /a\r\n\r\n");
        if (server.isServletContainer()) {
            requests.add("GET /dispatch/20" + CLOSE);
        } else {
            requests.add("GET /empty" + CLOSE);
        }
        if (server.sendsFiles()) {
            requests.add("GET /file" + CLOSE);
            requests.add("GET /chunks HTTP/1.1\r\nHost: x\r\n\r\nGET /async/20" + CLOSE);
        }
        if (server.closesAsItReads()) {
            requests.removeIf(request -> request.indexOf("GET ", 1) > 0);
        }
        if (server.isHelidon()) {
            // It knows no other version: of a short request it waits for the rest, for minutes. Of what is too long it leaves the rest
            // unread, so that its answer may be lost.
            requests.removeIf(request -> !request.contains(" HTTP/1.1\r\n") || request.length() > TOO_LONG_FOR_HELIDON);
        }
        SoftAssertions soft = new SoftAssertions();
        for (String request : requests) {
            Answer without = Answer.to(plain, request);
            Answer within = Answer.to(meshed, request);
            // What comes first, the rest of the request or its end, is chance, without the agent, too.
            for (int i = 0; i < 20 && within.reset() != without.reset(); i++) {
                without = Answer.to(plain, request);
                within = Answer.to(meshed, request);
            }
            String name = request.substring(0, Math.min(80, request.length()));
            soft.assertThat(head(within.bytes())).as(name).isEqualTo(head(without.bytes()));
            soft.assertThat(Arrays.hashCode(tail(within.bytes()))).as("body of " + name).isEqualTo(Arrays.hashCode(tail(without.bytes())));
            soft.assertThat(within.reset()).as("reset after " + name).isEqualTo(without.reset());
        }
        soft.assertAll();
    }

    /** Where all responses are in whole but those with a file. */
    private static String head(byte[] answer) {
        return new String(answer, 0, Math.min(4096, answer.length), StandardCharsets.ISO_8859_1).replaceAll("(?im)^(Date|Expires|Last-Modified): .*$", "$1:");
    }

    private static byte[] tail(byte[] answer) {
        return Arrays.copyOfRange(answer, Math.min(4096, answer.length), answer.length);
    }

    @Test
    @Takes(Trait.SPEAKS_HTTP_2)
    void theAppsProtocolsGoOn() throws Exception {
        HttpClient client = HttpClient.newHttpClient();
        URI uri = URI.create("http://127.0.0.1:" + meshed + "/");

        var first = client.send(HttpRequest.newBuilder(uri).build(), BodyHandlers.ofString());
        assertThat(first.version()).isEqualTo(HttpClient.Version.HTTP_2);
        assertThat(first.body()).isEqualTo("v1");
    }

    @Test
    @Takes(Trait.SPEAKS_WEB_SOCKET)
    void filesOverHttp2AndWebSocketsGoOn() throws Exception {
        HttpClient client = HttpClient.newHttpClient();
        URI uri = URI.create("http://127.0.0.1:" + meshed + "/");

        var first = client.send(HttpRequest.newBuilder(uri).build(), BodyHandlers.ofString());
        assertThat(first.version()).isEqualTo(HttpClient.Version.HTTP_2);
        if (server.sendsFilesOverHttp2()) {
            var second = client.send(HttpRequest.newBuilder(uri.resolve("/file")).build(), BodyHandlers.ofByteArray());
            assertThat(second.version()).isEqualTo(HttpClient.Version.HTTP_2);
            assertThat(second.body().length).isEqualTo(FILE_SIZE);
        }
        Echo echo = new Echo();
        WebSocket webSocket = client.newWebSocketBuilder().buildAsync(URI.create("ws://127.0.0.1:" + meshed + "/echo"), echo).get(30, TimeUnit.SECONDS);
        webSocket.sendText("hello", true);

        assertThat(echo.answer.get(30, TimeUnit.SECONDS)).isEqualTo("hello");
        webSocket.abort();
    }

    private static final class Echo implements WebSocket.Listener {
        final CompletableFuture<String> answer = new CompletableFuture<>();

        @Override
        public CompletionStage<?> onText(WebSocket socket, CharSequence text, boolean last) {
            answer.complete(text.toString());
            return null;
        }
    }

    /** Security fails closed: the agent itself fails as a request begins, before it knows what policy says of it. */
    @Test
    void whatCannotBeDecidedDoesNotReachTheApp() throws IOException {
        Path faulty = FaultyAgent.make(testbed.temporaryFolder().resolve("faulty-agent.jar"), "io.weft.dataplane.DrainGate#enter");
        JvmProcess app = server.start(
                testbed.jvm(server + " with a faulty agent", jdk).agentIs(faulty).mesh(shared.policyServer().uri(), "other").unguarded(), "reached");
        int port = app.awaitPort();
        for (int i = 0; i < 3; i++) {
            try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
                socket.setSoTimeout((int) PATIENCE.toMillis());
                socket.getOutputStream().write(("GET /" + CLOSE).getBytes(StandardCharsets.ISO_8859_1));
                assertThat(new String(socket.getInputStream().readAllBytes(), StandardCharsets.ISO_8859_1)).doesNotContain(" 200 ", "reached");
            }
        }
        app.awaitStderr(line -> line.contains("a fault of the test's"));
    }

    @Test
    void aPortIsRegisteredWhenItListensAndWithdrawnWhenTheAppStopsTheServer() {
        PolicyServer policies = testbed.policyServer();
        JvmProcess process = server.start(testbed.jvm("server", jdk).mesh(policies.uri(), "orders").unguarded(), "v1");
        int port = process.awaitPort();

        await().atMost(PATIENCE).until(() -> instance(policies).contains("\"port\":" + port + ",\"state\":\"Ready\""));

        process.send("close");
        assertThat(process.nextAnswer()).containsEntry("closed", "true");
        await().atMost(PATIENCE).until(() -> instance(policies).contains("\"inbound\":[]"));
    }

    @Test
    void onSigtermRequestsInFlightAreCompleted() throws Exception {
        PolicyServer policies = testbed.policyServer();
        JvmProcess process = server.start(
                testbed.jvm("server", jdk).mesh(policies.uri(), "orders").unguarded().environment("WEFT_DRAIN_DELAY", "200ms"), "v1");
        int port = process.awaitPort();
        await().atMost(PATIENCE).until(() -> instance(policies).contains("\"port\":" + port));

        try (RawClient slow = new RawClient(port); RawClient async = new RawClient(port); RawClient file = new RawClient(port)) {
            slow.send("GET /slow/1500 HTTP/1.1\r\nHost: x\r\n\r\n");
            async.send("GET /async/1500 HTTP/1.1\r\nHost: x\r\n\r\n");
            if (server.sendsFiles()) {
                file.send("GET /file" + CLOSE);
                file.readHead();
            }
            TimeUnit.MILLISECONDS.sleep(300);
            process.handle().destroy();
            await().atMost(PATIENCE).until(() -> instance(policies).contains("\"state\":\"NotReady\""));

            assertComplete(slow.readAll());
            assertComplete(async.readAll());
            if (server.sendsFiles()) {
                assertThat(file.readAll().length).isEqualTo(FILE_SIZE);
            }
        }
        assertThat(process.awaitExit()).isEqualTo(143);
        assertThat(process.stderr()).noneMatch(line -> line.contains("in flight"));
    }

    @Test
    @Takes(Trait.SPEAKS_HTTP_2)
    void whoeverIsConnectedOverHttp2IsToldBeforeTheServerGoes() throws Exception {
        PolicyServer policies = testbed.policyServer();
        JvmProcess process = server.start(
                testbed.jvm("server", jdk).mesh(policies.uri(), "orders").unguarded().environment("WEFT_DRAIN_DELAY", "60s"), "v1");
        int port = process.awaitPort();
        await().atMost(PATIENCE).until(() -> instance(policies).contains("\"port\":" + port));

        try (RawClient client = new RawClient(port)) {
            client.send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0");
            assertThat(client.readHttp2Frame()).as("the server's settings").isEqualTo(4);
            process.handle().destroy();
            int frame = client.readHttp2Frame();
            while (frame != GOAWAY) {
                frame = client.readHttp2Frame();
            }
            // Long before it would close its connections, and others are still served.
            await().atMost(PATIENCE).until(() -> instance(policies).contains("\"state\":\"NotReady\""));
            assertThat(new String(RawClient.ask(port, "GET /" + CLOSE), StandardCharsets.ISO_8859_1)).startsWith("HTTP/1.1 200");
        }
    }

    @Test
    @Takes(Trait.HAS_THREADS_FOR_REQUESTS)
    void aRequestThatEndsTheJvmIsNotWaitedFor() throws Exception {
        PolicyServer policies = testbed.policyServer();
        JvmProcess process = server.start(
                testbed.jvm("server", jdk).mesh(policies.uri(), "orders").unguarded().environment("WEFT_DRAIN_DELAY", "0ms"), "v1");
        int port = process.awaitPort();
        await().atMost(PATIENCE).until(() -> instance(policies).contains("\"port\":" + port));

        try (RawClient exiting = new RawClient(port); RawClient slow = new RawClient(port)) {
            slow.send("GET /slow/1000" + CLOSE);
            AtomicInteger asked = new AtomicInteger();
            await().atMost(PATIENCE).until(() -> count(port) > asked.getAndIncrement());
            exiting.send("GET /exit/3" + CLOSE);
            assertComplete(slow.readAll());
        }
        assertThat(process.awaitExit()).isEqualTo(3);
        assertThat(process.stderr()).noneMatch(line -> line.contains("in flight"));
    }

    private static int count(int port) {
        String answer = new String(RawClient.ask(port, "GET /count" + CLOSE), StandardCharsets.ISO_8859_1);
        return Integer.parseInt(answer.substring(answer.indexOf("\r\n\r\n")).trim());
    }

    private static void assertComplete(byte[] answer) {
        assertThat(new String(answer, StandardCharsets.ISO_8859_1)).startsWith("HTTP/1.1 200").containsIgnoringCase("connection: close").endsWith("v1");
    }

    @Test
    void noRequestFailsWhenOneOfTwoInstancesStops() {
        String service = server.name().toLowerCase().replace('_', '-') + "-" + jdk.feature();
        JvmProcess first = server.start(testbed.jvm("first", jdk).mesh(controlPlane.uri(), service), "first");
        JvmProcess second = server.start(testbed.jvm("second", jdk).mesh(controlPlane.uri(), service), "second");
        JvmProcess client = testbed.jvm("client", jdk).mesh(controlPlane.uri(), "shop").driver(JavaNetHttp.class);
        String url = "http://" + service + "/slow/5";
        await().atMost(PATIENCE).until(() -> {
            Tally tally = client.load(url, Map.of(), 10, 1);
            return tally.body("first") > 0 && tally.body("second") > 0;
        });

        int port = first.awaitPort();
        AtomicInteger answered = new AtomicInteger(count(port));
        CompletableFuture<Tally> load = CompletableFuture.supplyAsync(() -> client.load(url, Map.of(), LOAD, 4));
        await().atMost(PATIENCE).until(() -> count(port) > answered.incrementAndGet());
        first.handle().destroy();
        assertThat(first.awaitExit()).isEqualTo(143);

        Tally tally = load.join();
        assertThat(tally.status(200)).as(tally.toString()).isEqualTo(LOAD);
        assertThat(tally.body("first")).isPositive();
        assertThat(client.load(url, Map.of(), 50, 1).body("second")).isEqualTo(50);
        assertThat(second.isAlive()).isTrue();
    }

    /** What the instance says of itself. */
    private static String instance(PolicyServer policies) {
        List<Node> nodes = policies.nodes();
        return nodes.isEmpty() ? "" : nodes.get(nodes.size() - 1).getMetadata().getFieldsOrThrow("dataplane.resource").getStringValue();
    }
}
