package io.weft.it.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.weft.it.harness.Authority;
import io.weft.it.harness.Certified;
import io.weft.it.harness.EveryJdk;
import io.weft.it.harness.Inbounds;
import io.weft.it.harness.Jdk;
import io.weft.it.harness.JvmProcess;
import io.weft.it.harness.Library;
import io.weft.it.harness.Policy;
import io.weft.it.harness.PolicyServer;
import io.weft.it.harness.RelocatedCopy;
import io.weft.it.harness.Testbed;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import javax.net.ssl.SSLContext;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What is Netty's own: pipelines of any shape, and copies of it under other names. */
class NettyIT {
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final String CLOSE = " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    private static final String KEEP = " HTTP/1.1\r\nHost: x\r\n\r\n";

    private static final Authority MESH = new Authority("mesh");
    private static final Certified ORDERS = MESH.certify("spiffe://mesh/orders");
    private static final SSLContext SHOP = MESH.certify("spiffe://mesh/shop").trusting(MESH);
    private static final Policy OTHERS = Policy.empty().service("other", new InetSocketAddress("127.0.0.1", 1));

    @RegisterExtension
    final Testbed testbed = new Testbed();

    private JvmProcess start(Jdk jdk, PolicyServer policies, String library, String driver) {
        policies.serve(OTHERS);
        return testbed.jvm(driver, jdk).mesh(policies.uri(), "orders").unguarded()
                .environment("WEFT_DRAIN_TIMEOUT", "1s")
                .classPath(Library.named(library))
                .driver("io.weft.driver." + driver, "v1");
    }

    @EveryJdk
    void aProtocolThatNobodyKnowsIsSecuredAndServedToNobodyWherePolicySaysWhoMayCall(Jdk jdk) throws IOException {
        PolicyServer policies = testbed.policyServer();
        JvmProcess process = start(jdk, policies, "netty-4.2", "NettyEchoServer");
        int port = process.awaitPort();
        Inbounds inbounds = Inbounds.of(port, MESH, ORDERS);
        policies.serve(OTHERS.listener(inbounds.strict()));
        await().atMost(PATIENCE).until(() -> !echoes(port));
        try (TlsClient client = new TlsClient(SHOP, port)) {
            client.send("hello");
            assertThat(client.socket().getInputStream().readNBytes(5)).asString().isEqualTo("hello");
        }

        policies.serve(OTHERS.listener(inbounds.plaintext()));
        await().atMost(PATIENCE).until(() -> echoes(port));
        try (RawClient before = new RawClient(port)) {
            before.send("x");
            assertThat(before.readWithin(30_000)).isEqualTo('x');
            policies.serve(OTHERS.listener(inbounds.forbidding("/admin")));
            await().atMost(PATIENCE).until(() -> !echoes(port));
            assertThat(before.readAll()).as("a connection from before is closed in the end").isEmpty();
        }
        process.awaitStderr(line -> line.contains("port " + port) && line.contains("who may call"));
        assertThat(policies.refusals()).isEmpty();
    }

    private static boolean echoes(int port) {
        try (RawClient client = new RawClient(port)) {
            client.send("x");
            return client.readWithin(30_000) == 'x';
        } catch (RuntimeException reset) {
            return false;
        }
    }

    /** An answer of the mesh's must not overtake the app's. */
    @EveryJdk
    void requestsThatDoNotWaitAreAnsweredInTheirOrder(Jdk jdk) {
        PolicyServer policies = testbed.policyServer();
        JvmProcess process = start(jdk, policies, "netty-4.2", "NettyServer");
        int port = process.awaitPort();
        policies.serve(OTHERS.listener(Inbounds.of(port, MESH, ORDERS).forbidding("/admin")));
        await().atMost(PATIENCE).until(() -> text(RawClient.ask(port, "GET /admin" + CLOSE)).startsWith("HTTP/1.1 403"));

        String answers = text(RawClient.ask(port, "GET /slow/300" + KEEP
                + "POST /admin HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nbody"
                + "GET /admin" + KEEP
                + "GET /bytes/3" + CLOSE));

        assertThat(answers.replaceAll("(?s)HTTP/1.1 (\\d+) .*?\r\n\r\n", "[$1]"))
                .isEqualTo("[200]v1[403]RBAC: access denied[403]RBAC: access denied[200]xxx");
    }

    @EveryJdk
    void whoEndsTheJvmOnTheEventLoopIsNotWaitedFor(Jdk jdk) throws Exception {
        PolicyServer policies = testbed.policyServer();
        JvmProcess process = start(jdk, policies, "netty-4.2", "NettyServer");
        int port = process.awaitPort();
        try (RawClient exiting = new RawClient(port)) {
            exiting.send("GET /exit/3" + CLOSE);
            assertThat(process.awaitExit()).isEqualTo(3);
        }
        assertThat(process.stderr()).noneMatch(line -> line.contains("in flight"));
    }

    /** Of gRPC's own, and over HTTP/2. */
    @EveryJdk
    void aCopyOfNettyUnderAnotherNameIsServedAsNettyItself(Jdk jdk) throws Exception {
        PolicyServer policies = testbed.policyServer();
        JvmProcess process = start(jdk, policies, "grpc-netty-shaded-1.50", "GrpcServer");
        int port = process.awaitPort();
        Inbounds inbounds = Inbounds.of(port, MESH, ORDERS);
        policies.serve(OTHERS.listener(inbounds.permissive()));
        await().atMost(PATIENCE).ignoreExceptions().until(() -> secured(port, SHOP).message().equals("v1:hello"));
        try (Socket plaintext = new Socket(InetAddress.getLoopbackAddress(), port)) {
            assertThat(GrpcCall.unary(plaintext, "hello").message()).isEqualTo("v1:hello");
        }

        policies.serve(OTHERS.listener(inbounds.strictFor("spiffe://mesh/users")));
        await().atMost(PATIENCE).ignoreExceptions().until(() -> secured(port, SHOP).message().isEmpty());
        assertThat(secured(port, SHOP).status()).containsEntry(":status", "200").containsEntry("grpc-status", "7");
        assertThat(secured(port, MESH.certify("spiffe://mesh/users").trusting(MESH)).message()).isEqualTo("v1:hello");
        try (RawClient plaintext = new RawClient(port)) {
            plaintext.send("PRI * HTTP/2.0\r\n\r\n");
            assertThat(plaintext.readAll()).isEmpty();
        }
        assertThat(policies.refusals()).isEmpty();
    }

    /** As an app carries it that has shaded Netty into its own jar. */
    @EveryJdk
    void aCopyOfNettyUnderAPrefixOfTheAppsOwnIsServedAsNettyItself(Jdk jdk) throws Exception {
        Path copy = RelocatedCopy.make(
                testbed.temporaryFolder().resolve("app.jar"), Library.named("netty-4.2"), "io/netty/", "shop/internal/io/netty/", "io/weft/driver/NettyServer");
        PolicyServer policies = testbed.policyServer();
        policies.serve(OTHERS);
        JvmProcess process = testbed.jvm("app with a copy", jdk).mesh(policies.uri(), "orders").unguarded()
                .classPath(copy)
                .driver("io.weft.driver.NettyServer", "v1");
        int port = process.awaitPort();
        Inbounds inbounds = Inbounds.of(port, MESH, ORDERS);
        policies.serve(OTHERS.listener(inbounds.forbidding("/admin")));
        await().atMost(PATIENCE).until(() -> text(RawClient.ask(port, "GET /admin" + CLOSE)).startsWith("HTTP/1.1 403"));
        assertThat(text(RawClient.ask(port, "GET /" + CLOSE))).startsWith("HTTP/1.1 200").endsWith("v1");

        policies.serve(OTHERS.listener(inbounds.strict()));
        await().atMost(PATIENCE).until(() -> RawClient.ask(port, "GET /" + CLOSE).length == 0);
        assertThat(text(TlsClient.ask(SHOP, port, "GET /" + CLOSE))).startsWith("HTTP/1.1 200").endsWith("v1");
        assertThat(policies.refusals()).isEmpty();
    }

    private static GrpcCall secured(int port, SSLContext context) throws Exception {
        try (TlsClient client = new TlsClient(context, port)) {
            return GrpcCall.unary(client.socket(), "hello");
        }
    }

    private static String text(byte[] answer) {
        return new String(answer, StandardCharsets.ISO_8859_1);
    }
}
