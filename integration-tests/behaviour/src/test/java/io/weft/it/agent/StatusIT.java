package io.weft.it.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.google.protobuf.UInt32Value;
import io.envoyproxy.envoy.config.cluster.v3.Cluster;
import io.weft.driver.GrpcClient;
import io.weft.driver.GrpcServer;
import io.weft.driver.JavaNetHttp;
import io.weft.driver.JdkHttpServer;
import io.weft.driver.OkHttp;
import io.weft.it.harness.AdminPage;
import io.weft.it.harness.Build;
import io.weft.it.harness.ControlPlane;
import io.weft.it.harness.EveryJdk;
import io.weft.it.harness.GrpcUpstream;
import io.weft.it.harness.Jdk;
import io.weft.it.harness.JvmProcess;
import io.weft.it.harness.Library;
import io.weft.it.harness.Policy;
import io.weft.it.harness.PolicyServer;
import io.weft.it.harness.Routes;
import io.weft.it.harness.Testbed;
import io.weft.it.harness.Upstream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What an operator learns of a JVM by {@code weft status}. */
class StatusIT {
    private static final Pattern METRICS = Pattern.compile("metrics at http://127.0.0.1:(\\d+)/");

    @RegisterExtension
    final Testbed testbed = new Testbed();

    private final Path sockets = testbed.temporaryFolder().resolve("sockets");
    private final Upstream orders = testbed.upstream("orders");

    @EveryJdk
    void saysWhatIsInForceWhatWasRefusedAndWhatHasNoEffect(Jdk jdk) {
        PolicyServer policies = testbed.policyServer();
        Policy policy = Policy.empty()
                .cluster("orders", cluster -> cluster.setPerConnectionBufferLimitBytes(UInt32Value.of(65536)), orders.address())
                .virtualHost("orders", Routes.to("orders"));
        policies.serve(policy);
        JvmProcess client = client(jdk, policies);
        assertThat(client.get("http://orders/").body()).isEqualTo("orders");
        policies.serve(policy.cluster("broken",
                cluster -> cluster.setClusterType(Cluster.CustomClusterType.newBuilder().setName("custom")), orders.address()));
        await().until(() -> !policies.refusals().isEmpty());
        await().until(() -> AdminPage.isOpen(sockets.resolve(client.pid() + ".sock")));

        JvmProcess json = status(jdk, "--json");
        assertThat(json.awaitExit()).as(json::report).isZero();
        assertThat(json.stdout()).singleElement().asString()
                .startsWith("{\"pid\":" + client.pid() + ",")
                .contains("\"service\":\"shop\"", "\"state\":\"connected\"", "\"uri\":\"" + policies.uri() + "\"")
                .contains("{\"resource\":\"Cluster broken\",\"path\":\"cluster_type\"")
                .contains("{\"resource\":\"Cluster orders\",\"path\":\"per_connection_buffer_limit_bytes\"}")
                .contains("\"library\":\"java-net-http\"", "\"inMesh\":true")
                .containsPattern("\"name\":\"orders\",\"tags\":\\{},\"transport\":\"plaintext\",\"active\":0,\"successes\":1,\"failures\":0");

        JvmProcess lines = status(jdk);
        assertThat(lines.awaitExit()).as(lines::report).isZero();
        assertThat(lines.stdout()).hasSize(2);
        assertThat(lines.stdout().get(0)).containsSubsequence("PID", "SERVICE", "VERSION", "AGENT", "STATE", "CONTROL PLANE", "POLICY", "REFUSED",
                "IDENTITY", "LIBRARIES");
        assertThat(lines.stdout().get(1).split(" +")).startsWith(Long.toString(client.pid()), "shop").contains("live", "connected", "java-net-http");

        JvmProcess everything = status(jdk, Long.toString(client.pid()));
        assertThat(everything.awaitExit()).as(everything::report).isZero();
        assertThat(String.join("\n", everything.stdout()))
                .contains(policies.uri() + " connected for ", "Cluster broken: cluster_type: ", "Cluster orders: per_connection_buffer_limit_bytes");
    }

    @EveryJdk
    void aLibraryIsNamedWithItsJarAndItsVersion(Jdk jdk) throws Exception {
        PolicyServer policies = testbed.policyServer();
        policies.serve(Policy.empty().service("orders", orders.address()));
        JvmProcess client = testbed.jvm("client", jdk).classPath(Library.named("okhttp-4")).mesh(policies.uri(), "shop")
                .environment("WEFT_ADMIN_DIR", sockets.toString()).driver(OkHttp.class);
        assertThat(client.get("http://orders/").body()).isEqualTo("orders");

        assertThat(json(client)).containsPattern(
                "\"library\":\"okhttp\",\"jar\":\"okhttp-(4\\.\\d+\\.\\d+)\\.jar\",\"version\":\"\\1\",\"inTestedRange\":true,\"supported\":\"3.12 to 5\"");
        assertThat(text(jdk, client)).anySatisfy(line -> assertThat(line).matches("library +okhttp \\(okhttp-4\\.[0-9.]+\\.jar\\) in app; supported are 3.*"));
    }

    /** The version in the jar's name is that of whoever has put the copy there. */
    @EveryJdk
    void ofACopyUnderAnotherNameTheJarIsToldAndNoVersion(Jdk jdk) throws Exception {
        PolicyServer policies = testbed.policyServer();
        GrpcUpstream upstream = testbed.grpcUpstream("orders");
        policies.serve(Policy.empty().service("orders", upstream.address()));
        JvmProcess client = testbed.jvm("client", jdk).classPath(Library.named("grpc-netty-shaded-1.50")).mesh(policies.uri(), "shop")
                .environment("WEFT_ADMIN_DIR", sockets.toString()).driver(GrpcClient.class);
        client.ask(Map.of("target", "dns:///127.0.0.1:" + upstream.address().getPort(), "deadline", "20000"));

        assertThat(json(client))
                .containsPattern("\"library\":\"netty at io.grpc.netty.shaded.io.netty\",\"jar\":\"grpc-netty-shaded-1\\.50[0-9.]+\\.jar\",\"supported\":")
                .containsPattern("\"library\":\"grpc\",\"jar\":\"grpc-core-(1\\.50\\.\\d+)\\.jar\",\"version\":\"\\1\",\"inTestedRange\":true");
        assertThat(text(jdk, client))
                .anySatisfy(line -> assertThat(line).matches("library +netty at io.grpc.netty.shaded.io.netty \\(grpc-netty-shaded-1\\.50[0-9.]+\\.jar\\) in \\S+; supported are .*"));
    }

    /** Its requests fail open; who asks hears of it, though nothing of the process is in the mesh. */
    @EveryJdk
    void aProcessWhoseOnlyLibraryIsLeftWithoutTheMeshSaysSo(Jdk jdk) throws Exception {
        PolicyServer policies = testbed.policyServer();
        policies.serve(Policy.empty().service("orders", orders.address()).virtualHost("orders", Routes.to("orders")));
        JvmProcess client = testbed.jvm("client", jdk).classPath(Library.named("okhttp-3.11")).mesh(policies.uri(), "shop")
                .environment("WEFT_ADMIN_DIR", sockets.toString()).driver(OkHttp.class);
        assertThat(client.get("http://127.0.0.1:" + orders.address().getPort() + "/").body()).isEqualTo("orders");

        assertThat(json(client)).contains("\"library\":\"okhttp\",\"jar\":\"okhttp-3.11.0.jar\",\"version\":\"3.11.0\",\"inTestedRange\":false");
        assertThat(text(jdk, client)).anySatisfy(line -> assertThat(line)
                .matches("library +okhttp \\(okhttp-3.11.0.jar\\) in app: WITHOUT THE MESH; supported are 3.12 to 5; it has no .*"));
    }

    /** Its members fit, more or less, so that the mesh is in it as far as it goes. */
    @EveryJdk
    void aVersionThatNobodyHasTestedIsSaidToBeOne(Jdk jdk) throws Exception {
        PolicyServer policies = testbed.policyServer();
        policies.serve(Policy.empty());
        JvmProcess server = testbed.jvm("server", jdk).classPath(Library.named("tomcat-9.0.26")).mesh(policies.uri(), "shop").unguarded()
                .environment("WEFT_ADMIN_DIR", sockets.toString()).driver("io.weft.driver.tomcat.javax.TomcatServer", "shop");
        server.awaitPort();

        assertThat(json(server)).contains("\"jar\":\"tomcat-embed-core-9.0.26.jar\",\"version\":\"9.0.26\",\"inTestedRange\":false");
        assertThat(text(jdk, server)).anySatisfy(line -> assertThat(line)
                .matches("library +tomcat \\(tomcat-embed-core-9.0.26.jar\\) in \\S+: version 9.0.26 is not tested; supported are .*9\\.0\\.27 and later.*"));
    }

    /** A server of gRPC's own over sockets, and none of OkHttp's, which has none. It serves as without the agent. */
    @EveryJdk
    void gRpcsServerOverOkHttpIsNoneThatWeftKnows(Jdk jdk) throws Exception {
        PolicyServer policies = testbed.policyServer();
        policies.serve(Policy.empty());
        String library = "grpc-okhttp-1.82";
        JvmProcess server = testbed.jvm("server", jdk).classPath(Library.named(library)).mesh(policies.uri(), "orders").unguarded()
                .environment("WEFT_ADMIN_DIR", sockets.toString()).driver(GrpcServer.class, "v1");
        int port = server.awaitPort();

        await().atMost(Duration.ofSeconds(60)).untilAsserted(() -> assertThat(json(server)).containsPattern(":" + port + "\",\"reason\":\"unknown_server\""));
        assertThat(text(jdk, server)).anySatisfy(line -> assertThat(line).matches("not registered +\\S+:" + port + ": .*"));
        JvmProcess client = testbed.jvm("client", jdk).classPath(Library.named(library)).driver(GrpcClient.class);
        assertThat(client.ask(Map.of("target", "127.0.0.1:" + port, "deadline", "20000"))).containsEntry("body", "v1:hello");
    }

    private String json(JvmProcess asked) throws Exception {
        Path socket = sockets.resolve(asked.pid() + ".sock");
        await().until(() -> AdminPage.isOpen(socket));
        return AdminPage.ask(socket, "GET", "/status");
    }

    private List<String> text(Jdk jdk, JvmProcess asked) {
        JvmProcess text = status(jdk, Long.toString(asked.pid()));
        assertThat(text.awaitExit()).as(text::report).isZero();
        return text.stdout();
    }

    /** Whoever waits for calls that do not come reads why. */
    @EveryJdk
    void portsThatNobodyElseHearsOfAreThereWithTheReason(Jdk jdk) throws Exception {
        PolicyServer policies = testbed.policyServer();
        policies.serve(Policy.empty());
        JvmProcess server = testbed.jvm("server", jdk).mesh(policies.uri(), "shop").unguarded().environment("WEFT_ADMIN_DIR", sockets.toString())
                .option("-Dcom.sun.management.jmxremote.port=0").option("-Dcom.sun.management.jmxremote.authenticate=false")
                .option("-Dcom.sun.management.jmxremote.ssl=false").environment("WEFT_METRICS_ADDRESS", "127.0.0.1:0")
                .driver(JdkHttpServer.class, "shop");
        JvmProcess nameless = testbed.jvm("nameless", jdk).agent().environment("WEFT_CONTROL_PLANE", policies.uri().toString())
                .environment("WEFT_ADMIN_DIR", sockets.toString()).driver(JdkHttpServer.class, "nameless");
        int port = server.awaitPort();
        int namelessPort = nameless.awaitPort();
        await().until(() -> policies.streams() == 2 && AdminPage.isOpen(sockets.resolve(server.pid() + ".sock"))
                && AdminPage.isOpen(sockets.resolve(nameless.pid() + ".sock")));

        String json = AdminPage.ask(sockets.resolve(server.pid() + ".sock"), "GET", "/status");
        assertThat(json).containsPattern("\"address\":\"[^\"]+:" + port + "\",\"library\":\"jdk-httpserver\",\"reason\":\"no_inbound_listener\"");
        // JMX has at least one of its own, and the metrics' port is not the app's.
        assertThat(json.split("\"reason\":\"unknown_server\"").length - 1).isBetween(1, 3);
        Matcher metrics = METRICS.matcher(server.awaitStderr(line -> METRICS.matcher(line).find()));
        assertThat(metrics.find()).isTrue();
        assertThat(json.substring(json.indexOf("unregisteredPorts"))).doesNotContain(":" + metrics.group(1) + "\"");
        JvmProcess text = status(jdk, Long.toString(nameless.pid()));
        assertThat(text.awaitExit()).as(text::report).isZero();
        assertThat(text.stdout()).anySatisfy(line -> assertThat(line).matches("library +jdk-httpserver in platform; supported are 17 to 25"));
        assertThat(text.stdout()).anySatisfy(line -> assertThat(line).matches("not registered +\\S+:" + namelessPort + " \\(jdk-httpserver\\): .*weft.service.*"));
    }

    @EveryJdk
    void oneThatIsFrozenIsNamedAndHoldsUpNobody(Jdk jdk) throws Exception {
        PolicyServer policies = testbed.policyServer();
        policies.serve(Policy.empty().service("orders", orders.address()));
        JvmProcess frozen = client(jdk, policies);
        JvmProcess well = client(jdk, policies);
        for (JvmProcess each : List.of(frozen, well)) {
            each.get("http://orders/");
            await().until(() -> AdminPage.isOpen(sockets.resolve(each.pid() + ".sock")));
        }
        signal(frozen, "-STOP");
        try {
            JvmProcess lines = status(jdk);
            assertThat(lines.awaitExit()).isEqualTo(1);
            assertThat(lines.stdout()).as(lines::report).hasSize(3)
                    .anySatisfy(line -> assertThat(line).matches(frozen.pid() + " +\\? +\\? +\\? +no answer .* no answer within 5 s"))
                    .anySatisfy(line -> assertThat(line).startsWith(well.pid() + " ").contains("connected"));

            JvmProcess json = status(jdk, "--json");
            assertThat(json.awaitExit()).isEqualTo(1);
            assertThat(json.stdout())
                    .contains("{\"pid\":" + frozen.pid() + ",\"state\":\"no_answer\",\"problem\":\"no answer within 5 s\"}")
                    .anySatisfy(line -> assertThat(line).startsWith("{\"pid\":" + well.pid() + ",").contains("\"state\":\"live\""));
        } finally {
            signal(frozen, "-CONT");
        }
    }

    @EveryJdk
    void allAreThoseWithASocketWhereverItIsAndThoseWithout(Jdk jdk) throws Exception {
        PolicyServer policies = testbed.policyServer();
        policies.serve(Policy.empty().service("orders", orders.address()));
        JvmProcess usual = testbed.jvm("usual", jdk).mesh(policies.uri(), "usual").driver(JavaNetHttp.class);
        JvmProcess silent = testbed.jvm("silent", jdk).mesh(policies.uri(), "silent").environment("WEFT_ADMIN_ENABLED", "false")
                .driver(JavaNetHttp.class);
        usual.get("http://orders/");
        silent.get("http://orders/");
        await().until(() -> AdminPage.isOpen(AdminPage.usualSocket(usual)));

        JvmProcess all = testbed.jvm("status", jdk).jar(Build.agent(), "status", "--all");
        all.awaitExit();
        assertThat(all.stdout()).as(all::report)
                .anySatisfy(line -> assertThat(line).startsWith(usual.pid() + " ").contains(" usual ", " live ", "java-net-http"))
                .anySatisfy(line -> assertThat(line).startsWith(silent.pid() + " ").contains(" no socket ", "weft.admin.enabled"));
    }

    @EveryJdk
    void whomTheControlPlaneKnowsIsListed(Jdk jdk) {
        ControlPlane controlPlane = testbed.controlPlane(jdk);
        JvmProcess client = testbed.jvm("client", jdk).mesh(controlPlane.uri(), "shop").environment("WEFT_ADMIN_DIR", sockets.toString())
                .driver(JavaNetHttp.class);
        // It joins with its first library.
        client.get("http://127.0.0.1:" + orders.address().getPort() + "/");
        await().until(() -> AdminPage.isOpen(sockets.resolve(client.pid() + ".sock")));

        JvmProcess all = testbed.jvm("weft", jdk).jar(Build.controlPlane(), "status", "--all", "--dir", sockets.toString(),
                "--page", controlPlane.page().toString(), "--agent", Build.agent().toString());

        assertThat(all.awaitExit()).as(all::report).isZero();
        assertThat(all.stdout())
                .anySatisfy(line -> assertThat(line).startsWith(client.pid() + " ").contains(" shop ", " live "))
                .contains("Known to the control plane at " + controlPlane.page())
                .anySatisfy(line -> assertThat(line).matches("default\\.shop-\\w+ +shop +agent +\\S+ +" + client.pid() + " +current +- +-"));
    }

    private static void signal(JvmProcess process, String signal) throws Exception {
        assertThat(new ProcessBuilder("kill", signal, Long.toString(process.pid())).inheritIO().start().waitFor()).isZero();
    }

    @EveryJdk
    void oneThatWasKilledIsForgotten(Jdk jdk) throws Exception {
        PolicyServer policies = testbed.policyServer();
        policies.serve(Policy.empty().service("orders", orders.address()));
        JvmProcess killed = client(jdk, policies);
        killed.get("http://orders/");
        Path socket = sockets.resolve(killed.pid() + ".sock");
        await().until(() -> AdminPage.isOpen(socket));
        killed.kill();

        JvmProcess none = status(jdk);
        assertThat(none.awaitExit()).isEqualTo(1);
        assertThat(none.stderr()).singleElement().asString().contains("no JVM of user");
        assertThat(socket).doesNotExist();

        JvmProcess named = status(jdk, Long.toString(killed.pid()));
        assertThat(named.awaitExit()).isEqualTo(1);
        assertThat(named.stderr()).singleElement().asString().contains("cannot be asked: there is no " + socket);
    }

    @EveryJdk
    void withoutTheSocketTheAppRunsAsBefore(Jdk jdk) throws Exception {
        Path file = Files.createFile(testbed.temporaryFolder().resolve("file"));
        PolicyServer policies = testbed.policyServer();
        policies.serve(Policy.empty().service("orders", orders.address()));
        JvmProcess client = testbed.jvm("client", jdk).mesh(policies.uri(), "shop")
                .environment("WEFT_ADMIN_DIR", file.resolve("sockets").toString()).driver(JavaNetHttp.class);

        assertThat(client.get("http://orders/").body()).isEqualTo("orders");
        client.awaitStderr(line -> line.contains("weft WARN weft status cannot ask this process: ") && line.contains("check weft.admin.dir"));
        assertThat(client.get("http://orders/").body()).isEqualTo("orders");
    }

    /** Nobody has to start the app again for it. */
    @EveryJdk
    void theSocketIsThereOnceItsFolderIsInOrder(Jdk jdk) throws Exception {
        Files.createDirectories(sockets);
        Files.setPosixFilePermissions(sockets, PosixFilePermissions.fromString("rwxr-xr-x"));
        PolicyServer policies = testbed.policyServer();
        policies.serve(Policy.empty().service("orders", orders.address()));
        JvmProcess client = client(jdk, policies);
        assertThat(client.get("http://orders/").body()).isEqualTo("orders");
        client.awaitStderr(line -> line.contains("weft status cannot ask this process: ") && line.contains("chmod 700"));

        Files.setPosixFilePermissions(sockets, PosixFilePermissions.fromString("rwx------"));
        await().atMost(Duration.ofSeconds(20)).until(() -> AdminPage.isOpen(sockets.resolve(client.pid() + ".sock")));
        client.awaitStderr(line -> line.contains("weft status can ask this process now"));
    }

    private JvmProcess client(Jdk jdk, PolicyServer policies) {
        return testbed.jvm("client", jdk).mesh(policies.uri(), "shop").environment("WEFT_ADMIN_DIR", sockets.toString()).driver(JavaNetHttp.class);
    }

    private JvmProcess status(Jdk jdk, String... arguments) {
        String[] all = new String[arguments.length + 3];
        all[0] = "status";
        System.arraycopy(arguments, 0, all, 1, arguments.length);
        all[arguments.length + 1] = "--dir";
        all[arguments.length + 2] = sockets.toString();
        return testbed.jvm("status", jdk).jar(Build.agent(), all);
    }
}
