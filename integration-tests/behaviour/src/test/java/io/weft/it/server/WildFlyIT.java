package io.weft.it.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.weft.driver.JavaNetHttp;
import io.weft.it.harness.Build;
import io.weft.it.harness.ControlPlane;
import io.weft.it.harness.Jdks;
import io.weft.it.harness.JvmCommand;
import io.weft.it.harness.JvmProcess;
import io.weft.it.harness.JvmProcess.Tally;
import io.weft.it.harness.Port;
import io.weft.it.harness.Testbed;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;
import org.awaitility.core.ConditionFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * A real WildFly with a WAR that knows nothing of Weft: its Undertow has listeners that WildFly opens by itself, and classes in modules. It is a quarter of a
 * gigabyte, so that the test is skipped unless the system property {@code weft.it.wildfly} says where one is.
 */
@EnabledIfSystemProperty(named = WildFlyIT.HOME, matches = ".+", disabledReason = "no WildFly is at hand")
class WildFlyIT {
    private static final String PERMISSION = """
            type: MeshTrafficPermission
            name: orders
            mesh: default
            spec:
              rules:
              - default: {allow: [{spiffeID: {type: Exact, value: "spiffe://default.default.mesh.local/workload/%s"}}]}
            """;
    private static final String MODE = """
            type: MeshTLS
            name: mode
            mesh: default
            spec: {rules: [{default: {mode: %s}}]}
            """;
    private static final String IDENTITY = """
            type: MeshIdentity
            name: everyone
            mesh: default
            spec:
              selector: {dataplane: {matchLabels: {}}}
              provider: {type: Bundled, bundled: {autogenerate: {enabled: true}}}
            """;
    static final String HOME = "weft.it.wildfly";
    private static final int LOAD = 2_000;

    @RegisterExtension
    final Testbed testbed = new Testbed();

    @Test
    void aWarIsInTheMesh() throws Exception {
        ControlPlane controlPlane = testbed.controlPlane(Jdks.newest());
        controlPlane.save("permission.yaml", PERMISSION.formatted("shop"));
        controlPlane.save("identity.yaml", IDENTITY);
        controlPlane.save("tls.yaml", MODE.formatted("Permissive"));
        int port = Port.unused();
        int management = Port.unused();
        JvmProcess wildfly = start(member("orders", controlPlane).unguarded().environment("SHOP_VERSION", "v1"), port, management);
        JvmProcess shop = member("shop", controlPlane).driver(JavaNetHttp.class);
        JvmProcess stranger = member("stranger", controlPlane).driver(JavaNetHttp.class);
        wildfly.awaitStdout(line -> line.contains("WFLYSRV0025"));

        patiently().untilAsserted(() -> assertThat(shop.get("http://orders/orders/7").body()).contains("\"id\":7,\"version\":\"v1\""));
        assertThat(stranger.get("http://orders/orders/7").status()).as("whose certificate has another name").isEqualTo(403);

        controlPlane.save("tls.yaml", MODE.formatted("Strict"));
        patiently().until(() -> ask(port, "/orders/7").isEmpty());
        assertThat(shop.get("http://orders/orders/7").status()).isEqualTo(200);
        assertThat(ask(management, "/health")).as("what its administrators call").startsWith("HTTP/1.1");

        JvmProcess another = member("orders", controlPlane).driver("io.weft.driver.JdkHttpServer", "another");
        another.awaitPort();
        patiently().until(() -> shop.get("http://orders/orders/7").body().equals("another"));
        CompletableFuture<Tally> load = CompletableFuture.supplyAsync(() -> shop.load("http://orders/orders/7", Map.of(), LOAD, 4));
        assertThat(wildfly.stop()).isIn(0, 130, 143);
        Tally tally = load.get();
        assertThat(tally.status(200)).as(tally.toString()).isEqualTo(LOAD);
        assertThat(shop.get("http://orders/orders/7").body()).isEqualTo("another");
        assertThat(wildfly.stderr()).noneMatch(line -> line.contains("LogManager"));
    }

    private JvmCommand member(String service, ControlPlane controlPlane) throws IOException {
        return testbed.jvm(service, Jdks.matrix().get(0)).mesh(controlPlane.uri(), service)
                .environment("WEFT_CONTROL_PLANE_TOKEN_FILE", controlPlane.token(service).toString());
    }

    private JvmProcess start(JvmCommand jvm, int port, int management) throws IOException {
        Path home = Path.of(System.getProperty(HOME));
        Path base = testbed.temporaryFolder();
        copy(home.resolve("standalone").resolve("configuration"), base.resolve("configuration"));
        Path deployments = Files.createDirectories(base.resolve("deployments"));
        Files.copy(Build.app("shop-war").resolveSibling("shop-war-webapp.war"), deployments.resolve("ROOT.war"));
        return jvm.option("--add-exports=java.naming/com.sun.jndi.ldap=ALL-UNNAMED")
                .option("--add-opens=java.base/java.lang=ALL-UNNAMED")
                .option("--add-opens=java.base/java.security=ALL-UNNAMED")
                .option("--add-opens=java.base/java.util=ALL-UNNAMED")
                .option("--add-opens=java.base/java.util.concurrent=ALL-UNNAMED")
                .jar(home.resolve("jboss-modules.jar"), "-mp", home.resolve("modules").toString(), "org.jboss.as.standalone",
                        "-Djboss.home.dir=" + home, "-Djboss.server.base.dir=" + base,
                        "-Djboss.http.port=" + port, "-Djboss.management.http.port=" + management);
    }

    private static void copy(Path from, Path to) throws IOException {
        try (Stream<Path> files = Files.walk(from)) {
            for (Path file : (Iterable<Path>) files::iterator) {
                Files.copy(file, to.resolve(from.relativize(file).toString()));
            }
        }
    }

    private static ConditionFactory patiently() {
        return await().atMost(Duration.ofSeconds(90));
    }

    /** As curl would, from outside of the mesh. Empty: the connection was closed instead. */
    private static String ask(int port, String path) {
        try {
            return new String(RawClient.ask(port, "GET " + path + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"), StandardCharsets.ISO_8859_1);
        } catch (UncheckedIOException reset) {
            return "";
        }
    }
}
