package io.weft.it.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.weft.driver.JavaNetHttp;
import io.weft.it.harness.AdminPage;
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
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.awaitility.core.ConditionFactory;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * A real WildFly with a WAR that knows nothing of Weft: its Undertow has listeners that WildFly opens by itself, and classes in modules. It is a quarter of a
 * gigabyte, so that the test is skipped unless the system property {@code weft.it.wildfly} says where one is, or several with commas between them.
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
    private static final Pattern PLAINTEXT = Pattern.compile("\"library\":\"undertow\",\"address\":\"[^\"]+:(\\d+)\",\"ownTls\":false");

    @RegisterExtension
    final Testbed testbed = new Testbed();

    private ControlPlane controlPlane;
    private JvmProcess shop;
    private JvmProcess stranger;

    static Stream<Path> homes() {
        return Stream.of(System.getProperty(HOME).split(",")).map(Path::of);
    }

    @ParameterizedTest
    @MethodSource("homes")
    void aWarIsInTheMesh(Path home) throws Exception {
        startTheMesh();
        int port = Port.unused();
        int management = Port.unused();
        JvmProcess wildfly = start(member("orders").unguarded(), home, port, management);
        awaitStart(wildfly);

        isCalledAsPolicySays(port, management);
        isDrained(wildfly);
        assertThat(wildfly.stderr()).noneMatch(line -> line.contains("LogManager"));
    }

    @ParameterizedTest
    @MethodSource("homes")
    void aListenerIsRegisteredUnderThePortThatItGot(Path home) throws Exception {
        startTheMesh();
        int management = Port.unused();
        JvmProcess wildfly = start(member("orders").unguarded(), home, 0, management);
        awaitStart(wildfly);
        String status = AdminPage.ask(AdminPage.usualSocket(wildfly), "GET", "/status");
        Matcher port = PLAINTEXT.matcher(status);
        assertThat(port.find()).as(status).isTrue();

        isCalledAsPolicySays(Integer.parseInt(port.group(1)), management);
        isDrained(wildfly);
    }

    @ParameterizedTest
    @MethodSource("homes")
    void oneThatIsRunningJoins(Path home) throws Exception {
        startTheMesh();
        int port = Port.unused();
        int management = Port.unused();
        JvmProcess wildfly = start(testbed.jvm("orders", Jdks.matrix().get(0)).option("-XX:+EnableDynamicAgentLoading"), home, port, management);
        awaitStart(wildfly);
        patiently().until(() -> ask(port, "/orders/7").contains("\"id\":7,\"version\":\"v1\""));

        JvmProcess attach = testbed.jvm("attach", Jdks.matrix().get(0)).jar(Build.agent(), "attach", Long.toString(wildfly.pid()),
                "control-plane=" + controlPlane.uri(), "control-plane.token-file=" + controlPlane.token("orders"), "service=orders", "startup-wait=0s");
        assertThat(attach.awaitExit()).as(attach::report).isZero();
        assertThat(ask(management, "/health")).startsWith("HTTP/1.1");
        assertThat(ask(port, "/orders/7")).contains("\"id\":7");

        isCalledAsPolicySays(port, management);
        isDrained(wildfly);
    }

    private void startTheMesh() throws IOException {
        controlPlane = testbed.controlPlane(Jdks.newest());
        controlPlane.save("permission.yaml", PERMISSION.formatted("shop"));
        controlPlane.save("identity.yaml", IDENTITY);
        controlPlane.save("tls.yaml", MODE.formatted("Permissive"));
        shop = member("shop").driver(JavaNetHttp.class);
        stranger = member("stranger").driver(JavaNetHttp.class);
    }

    private void isCalledAsPolicySays(int port, int management) throws IOException {
        patiently().untilAsserted(() -> assertThat(shop.get("http://orders/orders/7").body()).contains("\"id\":7,\"version\":\"v1\""));
        assertThat(stranger.get("http://orders/orders/7").status()).as("whose certificate has another name").isEqualTo(403);

        controlPlane.save("tls.yaml", MODE.formatted("Strict"));
        patiently().until(() -> ask(port, "/orders/7").isEmpty());
        for (int i = 0; i < 10; i++) {
            assertThat(shop.get("http://orders/orders/7").status()).as("its management is none of its ports").isEqualTo(200);
        }
        assertThat(ask(management, "/health")).as("what its administrators call").startsWith("HTTP/1.1");
    }

    private void isDrained(JvmProcess wildfly) throws Exception {
        JvmProcess another = member("orders").driver("io.weft.driver.JdkHttpServer", "another");
        another.awaitPort();
        patiently().until(() -> shop.get("http://orders/orders/7").body().equals("another"));
        CompletableFuture<Tally> load = CompletableFuture.supplyAsync(() -> shop.load("http://orders/orders/7", Map.of(), LOAD, 4));
        assertThat(wildfly.stop()).isIn(0, 130, 143);
        Tally tally = load.get();
        assertThat(tally.status(200)).as(tally.toString()).isEqualTo(LOAD);
        assertThat(shop.get("http://orders/orders/7").body()).isEqualTo("another");
    }

    private JvmCommand member(String service) throws IOException {
        return testbed.jvm(service, Jdks.matrix().get(0)).mesh(controlPlane.uri(), service)
                .environment("WEFT_CONTROL_PLANE_TOKEN_FILE", controlPlane.token(service).toString());
    }

    private static void awaitStart(JvmProcess wildfly) {
        wildfly.awaitStdout(line -> line.contains("WFLYSRV0025"));
    }

    private JvmProcess start(JvmCommand jvm, Path home, int port, int management) throws IOException {
        Path base = testbed.temporaryFolder();
        copy(home.resolve("standalone").resolve("configuration"), base.resolve("configuration"));
        deploy(home, Files.createDirectories(base.resolve("deployments")));
        return jvm.environment("SHOP_VERSION", "v1")
                .option("--add-exports=java.naming/com.sun.jndi.ldap=ALL-UNNAMED")
                .option("--add-opens=java.base/java.lang=ALL-UNNAMED")
                .option("--add-opens=java.base/java.security=ALL-UNNAMED")
                .option("--add-opens=java.base/java.util=ALL-UNNAMED")
                .option("--add-opens=java.base/java.util.concurrent=ALL-UNNAMED")
                .jar(home.resolve("jboss-modules.jar"), "-mp", home.resolve("modules").toString(), "org.jboss.as.standalone",
                        "-Djboss.home.dir=" + home, "-Djboss.server.base.dir=" + base,
                        "-Djboss.http.port=" + port, "-Djboss.https.port=0", "-Djboss.management.http.port=" + management);
    }

    /** The shop; where WildFly is older than its servlets, as it would have been written then. */
    private void deploy(Path home, Path deployments) throws IOException {
        Path app = Build.app("shop-war");
        Path before = home.resolve("modules/system/layers/base/javax/servlet/api/main");
        // Newer ones have an empty module of that name.
        if (!hasJars(before)) {
            Files.copy(app.resolveSibling("shop-war-webapp.war"), deployments.resolve("ROOT.war"));
            return;
        }
        Path sources = testbed.temporaryFolder();
        try (Stream<Path> written = Files.list(app.getParent().resolveSibling("src/main/java/com/example/shop"))) {
            for (Path source : (Iterable<Path>) written::iterator) {
                Files.writeString(sources.resolve(source.getFileName().toString()), Files.readString(source).replace("jakarta.servlet", "javax.servlet"));
            }
        }
        JvmProcess compiler = testbed.jvm("javac", Jdks.matrix().get(0)).tool("javac", "-cp", before + "/*",
                "-d", Files.createDirectories(deployments.resolve("ROOT.war/WEB-INF/classes")).toString(),
                sources.resolve("OrderServlet.java").toString(), sources.resolve("PageServlet.java").toString());
        assertThat(compiler.awaitExit()).as(compiler::report).isZero();
        Files.createFile(deployments.resolve("ROOT.war.dodeploy"));
    }

    private static boolean hasJars(Path folder) throws IOException {
        if (!Files.exists(folder)) {
            return false;
        }
        try (Stream<Path> files = Files.list(folder)) {
            return files.anyMatch(file -> file.toString().endsWith(".jar"));
        }
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
