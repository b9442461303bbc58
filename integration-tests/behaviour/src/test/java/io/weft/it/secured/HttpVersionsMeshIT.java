package io.weft.it.secured;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.weft.driver.HttpAnswer;
import io.weft.driver.JavaNetHttp;
import io.weft.it.harness.ControlPlane;
import io.weft.it.harness.Jdk;
import io.weft.it.harness.Jdks;
import io.weft.it.harness.JvmCommand;
import io.weft.it.harness.JvmProcess;
import io.weft.it.harness.Library;
import io.weft.it.harness.Testbed;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import org.awaitility.core.ConditionFactory;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Vert.x calls Vert.x, and Armeria Armeria, over HTTP/1.1 and in the ways that they have for HTTP/2 without TLS of their own; and a caller that asks for an
 * upgrade.
 */
class HttpVersionsMeshIT {
    private static final String PERMISSION = """
            type: MeshTrafficPermission
            name: orders
            mesh: default
            spec:
              rules:
              - default: {allow: [{spiffeID: {type: Prefix, value: "spiffe://default.default.mesh.local/"}}]}
            """;
    private static final String STRICT = """
            type: MeshTLS
            name: mode
            mesh: default
            spec: {rules: [{default: {mode: Strict}}]}
            """;

    private static final String BODY = "0123456789abcdef".repeat(1 << 12);

    @RegisterExtension
    final Testbed testbed = new Testbed();

    private final Jdk jdk = Jdks.newest();

    private enum Member {
        VERTX_4_0("vertx-4.0", "Vertx", Map.of("1.1", "HTTP_1_1", "upgrade", "HTTP_2", "prior-knowledge", "HTTP_2")),
        VERTX_4_5("vertx-4.5", "Vertx", VERTX_4_0.versions),
        VERTX_5("vertx-5", "Vertx", VERTX_4_0.versions),
        ARMERIA_1_24("armeria-1.24", "Armeria", Map.of("1.1", "HTTP_1_1", "2", "HTTP_2", "any", "HTTP_2")),
        ARMERIA_1_40("armeria-1.40", "Armeria", ARMERIA_1_24.versions),
        APACHE_5_0("httpclient5-5.0", "ApacheHttpAsyncClient5", "vertx-5", "VertxServer", "X-Client", Map.of("http2", "HTTP/2")),
        HELIDON_4_5("helidon-4.5", "HelidonHttp2Client", "helidon-4.5", "HelidonServer", "X-Http", Map.of("1.1", "http/1.1", "prior-knowledge", "h2")),
        APACHE_5_6("httpclient5-5.6", "ApacheHttpAsyncClient5", "vertx-5", "VertxServer", "X-Client", APACHE_5_0.versions);

        private final String library;
        private final String client;
        private final String serverLibrary;
        private final String server;
        private final String header;
        /** By how the driver is told. */
        private final Map<String, String> versions;

        Member(String library, String drivers, Map<String, String> versions) {
            this(library, drivers + "Client", library, drivers + "Server", "X-Http", versions);
        }

        /** @param header by which the driver is told the version */
        Member(String library, String client, String serverLibrary, String server, String header, Map<String, String> versions) {
            this.library = library;
            this.client = client;
            this.serverLibrary = serverLibrary;
            this.server = server;
            this.header = "header." + header;
            this.versions = versions;
        }
    }

    @ParameterizedTest
    @EnumSource
    void requestsAreLedAndSecuredInEveryVersionOfHttp(Member member) {
        String library = member.library;
        String clientDriver = "io.weft.driver." + member.client;
        ControlPlane controlPlane = testbed.controlPlane(jdk);
        controlPlane.save("permission.yaml", PERMISSION);
        int port = member("orders", member.serverLibrary, controlPlane).driver("io.weft.driver." + member.server, "v1").awaitPort();
        JvmProcess client = member("shop", library, controlPlane).driver(clientDriver);
        JvmProcess upgrading = member("jdk", library, controlPlane).driver(JavaNetHttp.class);
        JvmProcess stranger = testbed.jvm("stranger", jdk).classPath(Library.named(library)).driver(clientDriver);
        String directly = "http://127.0.0.1:" + port + "/";
        patiently().untilAsserted(() -> assertThat(client.ask(Map.of("url", "http://orders/"))).containsEntry("body", "v1"));
        patiently().untilAsserted(() -> assertThat(upgrading.get("http://orders/").body()).isEqualTo("v1"));
        isServedInEveryVersion(member, client);
        assertThat(stranger.ask(Map.of("url", directly))).containsEntry("body", "v1");

        controlPlane.save("identity.yaml", IdentityIT.IDENTITY.formatted("1h"));
        patiently().until(controlPlane::allTakeMeshTls);
        controlPlane.save("tls.yaml", STRICT);
        patiently().untilAsserted(() -> assertThat(stranger.ask(Map.of("url", directly))).containsKey("error"));
        isServedInEveryVersion(member, client);
        for (int i = 0; i < 3; i++) {
            assertThat(upgrading.get("http://orders/").body()).isEqualTo("v1");
        }
    }

    private static void isServedInEveryVersion(Member member, JvmProcess client) {
        member.versions.forEach((http, version) -> isServed(client, member.header, http, version));
    }

    private static void isServed(JvmProcess client, String header, String http, String version) {
        Map<String, String> post = Map.of("url", "http://orders/length", header, http, "method", "POST", "body", BODY);
        Map<String, String> stream = new HashMap<>(post);
        stream.put("way.STREAM", "");
        Map<String, String> get = Map.of("url", "http://orders/bytes/300000", header, http);
        for (int i = 0; i < 2; i++) {
            assertThat(HttpAnswer.of(client.ask(post)).body()).as(http).isEqualTo(Integer.toString(BODY.length()));
            assertThat(HttpAnswer.of(client.ask(stream)).body()).as(http).isEqualTo(Integer.toString(BODY.length()));
            HttpAnswer large = HttpAnswer.of(client.ask(get));
            assertThat(large.body()).as(http).hasSize(300_000);
            assertThat(large.seen().get("version")).as(http).startsWith(version);
            // Each library says it in its own way.
            assertThat(large.seen().getOrDefault("secure", "false")).as(http).isEqualTo("false");
            assertThat(large.seen().getOrDefault("session", "null")).as(http).isEqualTo("null");
        }
    }

    private static ConditionFactory patiently() {
        return await().atMost(Duration.ofSeconds(90));
    }

    private JvmCommand member(String service, String library, ControlPlane controlPlane) {
        return testbed.jvm(service, jdk).mesh(controlPlane.uri(), service)
                .environment("WEFT_CONTROL_PLANE_TOKEN_FILE", controlPlane.token(service).toString())
                .classPath(Library.named(library));
    }
}
