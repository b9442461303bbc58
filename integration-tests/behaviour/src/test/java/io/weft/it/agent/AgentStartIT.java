package io.weft.it.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.weft.driver.JavaNetHttp;
import io.weft.driver.JdkHttpServer;
import io.weft.it.harness.AdminPage;
import io.weft.it.harness.Build;
import io.weft.it.harness.ControlPlane;
import io.weft.it.harness.EveryJdk;
import io.weft.it.harness.Jdk;
import io.weft.it.harness.Jdks;
import io.weft.it.harness.JvmCommand;
import io.weft.it.harness.JvmProcess;
import io.weft.it.harness.Policy;
import io.weft.it.harness.PolicyServer;
import io.weft.it.harness.Routes;
import io.weft.it.harness.Testbed;
import io.weft.it.harness.Upstream;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What the agent says and leaves visible in an app's JVM. */
class AgentStartIT {
    private static final String VERSION = "\\d+\\.\\d+\\.\\d+(-SNAPSHOT)?";

    @RegisterExtension
    final Testbed testbed = new Testbed();

    @EveryJdk
    void oneLineIsAllThatItSays(Jdk jdk) {
        PolicyServer server = testbed.policyServer();
        Upstream orders = testbed.upstream("orders");
        server.serve(Policy.empty().service("orders", orders.address()).virtualHost("orders", Routes.to("orders")));
        JvmProcess client = testbed.jvm("client", jdk).mesh(server.uri(), "batch").driver(JavaNetHttp.class);

        assertThat(client.get("http://orders/").body()).isEqualTo("orders");
        client.awaitStderr(line -> line.contains("INFO"));
        client.handle().destroy();
        assertThat(client.awaitExit()).isEqualTo(143);

        assertThat(client.stderr()).singleElement().asString().matches("\\S+Z weft INFO " + VERSION + ", service batch, control plane "
                + server.uri() + ", instruments java-net-http");
    }

    @EveryJdk
    void appThatNeedsNoMeshGetsNoStream(Jdk jdk) {
        PolicyServer server = testbed.policyServer();
        JvmProcess app = app(jdk).mesh(server.uri(), "batch").main(Hello.class.getName());

        assertThat(app.awaitExit()).isZero();

        assertThat(app.stdout()).containsExactly("hello");
        assertThat(app.stderr()).singleElement().asString().endsWith("(not asked yet: no library is in use), instruments nothing yet");
        assertThat(server.streams()).isZero();
    }

    @EveryJdk
    void withoutAControlPlaneItDoesNothing(Jdk jdk) {
        JvmProcess app = app(jdk).agent().main(Curious.class.getName(), "java.lang.WeftBridge");

        assertThat(app.awaitExit()).isZero();
        assertThat(app.stdout()).containsExactly("done");
        assertThat(app.stderr()).singleElement().asString().contains("INFO", "no control plane is configured: set weft.control-plane");
    }

    @EveryJdk
    void appSeesTheEntryPointAndNothingElse(Jdk jdk) {
        JvmProcess app = app(jdk).mesh(URI.create("grpc://127.0.0.1:1"), "batch").main(Curious.class.getName(),
                "io.weft.agent.WeftAgent", "io.weft.agent.start.Agent", "io.weft.dataplane.DataPlane", "io.weft.policy.PolicyClient",
                "io.weft.netty.util.Version", "io.netty.util.Version", "com.google.protobuf.ByteString", "com.google.re2j.Pattern",
                "org.objectweb.asm.ClassReader");

        assertThat(app.awaitExit()).isZero();
        assertThat(app.stdout()).containsExactly("class io.weft.agent.WeftAgent", "done");
    }

    @EveryJdk
    void appKeepsItsOwnNettyAndProtobuf(Jdk jdk) {
        // the control plane brings grpc-netty and the full protobuf, each in a version of its own
        PolicyServer server = testbed.policyServer();
        Path folder = testbed.temporaryFolder();
        JvmProcess app = testbed.jvm("app with grpc-netty", jdk).mesh(server.uri(), "control-plane")
                .jar(Build.controlPlane(), "policy", "check", folder.toString());

        assertThat(app.awaitExit()).as(app::report).isZero();
        assertThat(app.stderr()).filteredOn(line -> line.contains(" weft ")).hasSize(1).first().asString().contains("INFO");
    }

    @EveryJdk
    void logGoesToAFile(Jdk jdk) {
        Path file = testbed.temporaryFolder().resolve("weft.log");
        JvmProcess app = app(jdk).mesh(URI.create("grpc://127.0.0.1:1"), "batch").option("-Dweft.log.file=" + file)
                .main(Hello.class.getName());

        assertThat(app.awaitExit()).isZero();
        assertThat(app.stderr()).isEmpty();
        assertThat(file).content().contains(" weft INFO ");
    }

    @EveryJdk
    void invalidSettingLeavesTheAppWithoutTheMesh(Jdk jdk) {
        JvmProcess app = app(jdk).mesh(URI.create("grpc://127.0.0.1:1"), "batch").environment("WEFT_DRAIN_DELAY", "soon")
                .main(Curious.class.getName(), "java.lang.WeftBridge");

        assertThat(app.awaitExit()).isZero();
        assertThat(app.stdout()).containsExactly("done");
        assertThat(app.stderr()).hasSize(2);
        assertThat(app.stderr().get(0)).endsWith(
                "weft ERROR invalid setting: environment variable WEFT_DRAIN_DELAY: 'soon' is not a number with a unit, such as 500ms, 2s or 1m, at most 24h");
        assertThat(app.stderr().get(1)).contains("the app runs without the mesh");
    }

    @EveryJdk
    void requiredMeshThatCannotBeEndsTheProcessBeforeMain(Jdk jdk) {
        JvmProcess app = app(jdk).agent().environment("WEFT_REQUIRED", "true").environment("WEFT_CONTROL_PLANE", "cp")
                .main(Hello.class.getName());

        assertThat(app.awaitExit()).isEqualTo(1);
        assertThat(app.stdout()).isEmpty();
        assertThat(app.stderr().get(0)).contains("environment variable WEFT_CONTROL_PLANE: 'cp' is not grpc://HOST:PORT");
    }

    @EveryJdk
    void serverWithoutAServiceNameIsNotRegistered(Jdk jdk) {
        PolicyServer server = testbed.policyServer();
        JvmProcess app = testbed.jvm("server", jdk).agent().environment("WEFT_CONTROL_PLANE", server.uri().toString())
                .driver(JdkHttpServer.class, "orders");
        app.awaitPort();

        app.awaitStderr(line -> line.contains("INFO") && line.contains("service (none: not registered)"));
        assertThat(server.nodes()).isNotEmpty().allSatisfy(node ->
                assertThat(node.getMetadata().getFieldsOrThrow("dataplane.resource").getStringValue()).contains("\"inbound\":[]"));
    }

    /** No class that the agent knows is ever loaded there, so nothing else would start the mesh. */
    @Test
    void aServerThatNobodyKnowsIsSeenAndWhoDoesNotListenStartsNothing() throws Exception {
        ControlPlane controlPlane = testbed.controlPlane(Jdks.newest());
        controlPlane.save("mesh.yaml", """
                type: MeshIdentity
                name: everyone
                mesh: default
                spec:
                  selector: {dataplane: {matchLabels: {}}}
                  provider: {type: Bundled, bundled: {autogenerate: {enabled: true}}}
                ---
                type: MeshTLS
                name: strict
                mesh: default
                spec: {rules: [{default: {mode: Strict}}]}
                """);
        Path sockets = testbed.temporaryFolder();
        // Whom it could call: for that it gets an identity, with which it is one that others could have to be kept from.
        unknown(controlPlane, "shop", sockets).unguarded().driver(JdkHttpServer.class, "shop").awaitPort();
        JvmProcess batch = unknown(controlPlane, "batch", sockets).main(Unknown.class.getName(), "waits");
        batch.awaitPort();
        JvmProcess server = unknown(controlPlane, "orders", sockets).main(Unknown.class.getName(), "listens");
        int port = server.awaitPort();

        Path socket = sockets.resolve(server.pid() + ".sock");
        await().atMost(Duration.ofSeconds(60)).until(() -> AdminPage.isOpen(socket)
                && AdminPage.ask(socket, "GET", "/status").matches("(?s).*:" + port + "\",\"reason\":\"unknown_server\"[^}]*\"unguarded\":true.*"));
        String agents = new String(controlPlane.page().resolve("api/agents").toURL().openStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(agents).contains("\"service\":\"orders\"").doesNotContain("batch");
        assertThat(sockets.resolve(batch.pid() + ".sock")).doesNotExist();
    }

    private JvmCommand unknown(ControlPlane controlPlane, String service, Path sockets) throws IOException {
        return app(Jdks.newest()).mesh(controlPlane.uri(), service)
                .environment("WEFT_CONTROL_PLANE_TOKEN_FILE", controlPlane.token(service).toString())
                .environment("WEFT_ADMIN_DIR", sockets.toString());
    }

    private JvmCommand app(Jdk jdk) {
        return testbed.jvm("app", jdk).classPath(Path.of(URI.create(
                AgentStartIT.class.getProtectionDomain().getCodeSource().getLocation().toString())));
    }
}
