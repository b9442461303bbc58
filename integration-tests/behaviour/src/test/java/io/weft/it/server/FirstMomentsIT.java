package io.weft.it.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.weft.it.harness.Authority;
import io.weft.it.harness.Build;
import io.weft.it.harness.Certified;
import io.weft.it.harness.Inbounds;
import io.weft.it.harness.Jdk;
import io.weft.it.harness.Jdks;
import io.weft.it.harness.JvmProcess;
import io.weft.it.harness.Policy;
import io.weft.it.harness.PolicyServer;
import io.weft.it.harness.Testbed;
import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.net.SocketTimeoutException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import javax.net.ssl.SSLContext;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ArgumentsSource;
import org.junit.jupiter.params.provider.EnumSource;

/** What comes in before the policy of its port has come does not get past that policy. */
class FirstMomentsIT {
    private static final String CLOSE = " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final int A_MOMENT_MILLIS = 300;
    private static final URI NOBODY = URI.create("grpc://127.0.0.1:1");

    private static final Authority MESH = new Authority("mesh");
    private static final Certified ORDERS = MESH.certify("spiffe://mesh/orders");
    private static final SSLContext SHOP = MESH.certify("spiffe://mesh/shop").trusting(MESH);
    private static final SSLContext USERS = MESH.certify("spiffe://mesh/users").trusting(MESH);
    private static final Policy OTHERS = Policy.empty().service("other", new InetSocketAddress("127.0.0.1", 1));

    @RegisterExtension
    final Testbed testbed = new Testbed();

    private JvmProcess start(Jdk jdk, Server server, PolicyServer policies) {
        policies.serve(OTHERS);
        return server.start(testbed.jvm(server.toString(), jdk).mesh(policies.uri(), "orders"), "v1");
    }

    /** A request that is sent, and not answered. */
    private static RawClient unanswered(int port, String request) {
        RawClient early = new RawClient(port);
        early.send(request);
        assertThatThrownBy(() -> early.readWithin(A_MOMENT_MILLIS)).as(request).hasCauseInstanceOf(SocketTimeoutException.class);
        return early;
    }

    private static String ask(int port, String target) {
        return text(RawClient.ask(port, "GET " + target + CLOSE));
    }

    private static String text(byte[] answer) {
        return new String(answer, StandardCharsets.ISO_8859_1);
    }

    @ParameterizedTest
    @ArgumentsSource(Server.Matrix.class)
    void aRequestWaitsForTheRulesOfItsPort(Jdk jdk, Server server) {
        PolicyServer policies = testbed.policyServer();
        JvmProcess process = start(jdk, server, policies);
        int port = process.awaitPort();
        try (RawClient forbidden = unanswered(port, "GET /admin" + CLOSE);
                RawClient allowed = unanswered(port, "POST /length HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nConnection: close\r\n\r\nbody");
                RawClient silent = new RawClient(port)) {
            policies.serve(OTHERS.listener(Inbounds.of(port, MESH, ORDERS).forbidding("/admin")));

            assertThat(text(forbidden.readAll())).startsWith("HTTP/1.1 403");
            assertThat(text(allowed.readAll())).startsWith("HTTP/1.1 200").endsWith("4");
            silent.send("GET /" + CLOSE);
            assertThat(text(silent.readAll())).startsWith("HTTP/1.1 200");
        }
        assertThat(ask(port, "/admin")).startsWith("HTTP/1.1 403");
        assertThat(policies.refusals()).isEmpty();
    }

    @ParameterizedTest
    @ArgumentsSource(Server.Matrix.class)
    void aConnectionWaitsForTheTlsOfItsPort(Jdk jdk, Server server) throws Exception {
        PolicyServer policies = testbed.policyServer();
        JvmProcess process = start(jdk, server, policies);
        int port = process.awaitPort();
        CompletableFuture<String> shop = CompletableFuture.supplyAsync(() -> askSecured(SHOP, port));
        CompletableFuture<String> users = CompletableFuture.supplyAsync(() -> askSecured(USERS, port));
        try (RawClient plaintext = unanswered(port, "GET /" + CLOSE)) {
            assertThat(shop).isNotDone();
            policies.serve(OTHERS.listener(Inbounds.of(port, MESH, ORDERS).strictFor("spiffe://mesh/shop")));

            assertThat(shop.get()).startsWith("HTTP/1.1 200");
            assertThat(users.get()).startsWith("HTTP/1.1 403");
            assertThat(answerOrNone(plaintext)).isEmpty();
        }
        assertThat(policies.refusals()).isEmpty();
    }

    /** It served without a policy until then. */
    @ParameterizedTest
    @EnumSource(value = Server.class, names = {"UNDERTOW_2_2", "UNDERTOW_2_4"})
    void oneThatServedBeforeTheAgentCameIsHeldToTheTlsOfItsPort(Server server) {
        Jdk jdk = Jdks.matrix().get(0);
        JvmProcess process = server.start(testbed.jvm(server.toString(), jdk).option("-XX:+EnableDynamicAgentLoading"), "v1");
        int port = process.awaitPort();
        assertThat(ask(port, "/")).startsWith("HTTP/1.1 200");
        PolicyServer policies = testbed.policyServer();
        policies.serve(OTHERS.listener(Inbounds.of(port, MESH, ORDERS).strictFor("spiffe://mesh/shop")));

        JvmProcess attach = testbed.jvm("attach", jdk).jar(Build.agent(), "attach", Long.toString(process.pid()), "control-plane=" + policies.uri(), "service=orders");
        assertThat(attach.awaitExit()).as(attach::report).isZero();

        await().atMost(PATIENCE).until(() -> answerOrNone(port).isEmpty());
        assertThat(askSecured(SHOP, port)).startsWith("HTTP/1.1 200");
        assertThat(askSecured(USERS, port)).startsWith("HTTP/1.1 403");
        assertThat(policies.refusals()).isEmpty();
    }


    private static String askSecured(SSLContext context, int port) {
        try {
            return text(TlsClient.ask(context, port, "GET /" + CLOSE));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Closed, or reset because of what it has not read. */
    private static String answerOrNone(RawClient client) {
        try {
            return text(client.readAll());
        } catch (UncheckedIOException reset) {
            return "";
        }
    }

    private static String answerOrNone(int port) {
        try (RawClient client = new RawClient(port)) {
            client.send("GET /" + CLOSE);
            return answerOrNone(client);
        } catch (UncheckedIOException refused) {
            return "";
        }
    }

    /** Fewer than the JDK's server has places for those that it has not accepted yet. */
    @ParameterizedTest
    @EnumSource(names = {"TOMCAT_11", "JDK_HTTP_SERVER"})
    void manyMayWaitAtOnceAndSomeGoAwayMeanwhile(Server server) {
        PolicyServer policies = testbed.policyServer();
        JvmProcess process = start(Jdks.newest(), server, policies);
        int port = process.awaitPort();
        List<RawClient> early = new ArrayList<>();
        try {
            for (int i = 0; i < 40; i++) {
                RawClient client = new RawClient(port);
                early.add(client);
                client.send("GET /count" + CLOSE);
            }
            assertThatThrownBy(() -> early.get(0).readWithin(A_MOMENT_MILLIS)).hasCauseInstanceOf(SocketTimeoutException.class);
            early.subList(0, 20).forEach(RawClient::close);
            policies.serve(OTHERS.listener(Inbounds.of(port, MESH, ORDERS).plaintext()));
            for (RawClient client : early.subList(20, 40)) {
                assertThat(text(client.readAll())).startsWith("HTTP/1.1 200");
            }
            assertThat(ask(port, "/")).startsWith("HTTP/1.1 200");
        } finally {
            early.forEach(RawClient::close);
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"TOMCAT_11", "JDK_HTTP_SERVER"})
    void withoutAControlPlaneItIsAsWithoutAMeshUnlessThatIsRequired(Server server) {
        JvmProcess open = server.start(testbed.jvm("open", Jdks.newest()).mesh(NOBODY, "orders")
                .environment("WEFT_STARTUP_WAIT", "500ms"), "v1");
        JvmProcess closed = server.start(testbed.jvm("closed", Jdks.newest()).mesh(NOBODY, "orders")
                .environment("WEFT_STARTUP_WAIT", "500ms")
                .environment("WEFT_REQUIRED", "true"), "v1");
        int openPort = open.awaitPort();
        int closedPort = closed.awaitPort();

        assertThat(ask(openPort, "/")).startsWith("HTTP/1.1 200");
        open.awaitStderr(line -> line.contains("port " + openPort) && line.contains("as without a mesh"));
        for (int i = 0; i < 3; i++) {
            assertThat(answerOrNone(closedPort)).isEmpty();
        }
        closed.awaitStderr(line -> line.contains("port " + closedPort + " closes connections: no policy has said yet who may come in"));
    }

    @ParameterizedTest
    @EnumSource(names = {"TOMCAT_10_1", "JDK_HTTP_SERVER"})
    void aPolicyFromDiskForAnotherPortOpensNone(Server server) {
        Path cache = testbed.temporaryFolder();
        PolicyServer policies = testbed.policyServer();
        JvmProcess first = server.start(testbed.jvm("first", Jdks.newest()).mesh(policies.uri(), "orders")
                .environment("WEFT_CACHE_DIR", cache.toString()), "v1");
        int firstPort = first.awaitPort();
        policies.serve(OTHERS.listener(Inbounds.of(firstPort, MESH, ORDERS).forbidding("/admin")));
        await().atMost(PATIENCE).until(() -> ask(firstPort, "/admin").startsWith("HTTP/1.1 403"));
        await().atMost(PATIENCE).until(() -> {
            File[] files = cache.toFile().listFiles((folder, name) -> name.endsWith(".policy"));
            return files != null && files.length == 1;
        });
        policies.stop();
        JvmProcess second = server.start(testbed.jvm("second", Jdks.newest()).mesh(policies.uri(), "orders")
                .environment("WEFT_CACHE_DIR", cache.toString())
                .environment("WEFT_LOG_LEVEL", "debug")
                .environment("WEFT_STARTUP_WAIT", "500ms"), "v1");
        int port = second.awaitPort();
        second.awaitStderr(line -> line.contains("policy 0 is in force"));

        assertThat(answerOrNone(port)).isEmpty();
        second.awaitStderr(line -> line.contains("port " + port + " closes connections"));
        policies.restart();
        policies.serve(OTHERS.listener(Inbounds.of(port, MESH, ORDERS).plaintext()));
        await().atMost(PATIENCE).until(() -> answerOrNone(port).startsWith("HTTP/1.1 200"));
    }
}
