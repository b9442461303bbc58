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
import java.util.LinkedHashMap;
import java.util.Map;
import org.awaitility.core.ConditionFactory;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Vert.x calls Vert.x, over HTTP/1.1 and in both ways that it has for HTTP/2 without TLS of its own; and a caller that asks for an upgrade. */
class VertxMeshIT {
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

    @RegisterExtension
    final Testbed testbed = new Testbed();

    private final Jdk jdk = Jdks.newest();

    @ParameterizedTest
    @ValueSource(strings = {"vertx-4.5", "vertx-5"})
    void requestsAreLedAndSecuredInEveryVersionOfHttp(String library) {
        ControlPlane controlPlane = testbed.controlPlane(jdk);
        controlPlane.save("permission.yaml", PERMISSION);
        int port = member("orders", library, controlPlane).driver("io.weft.driver.VertxServer", "v1").awaitPort();
        Map<String, JvmProcess> clients = new LinkedHashMap<>();
        clients.put("HTTP_1_1", member("shop", library, controlPlane).driver("io.weft.driver.VertxClient"));
        clients.put("HTTP_2 by upgrade", member("shop", library, controlPlane).driver("io.weft.driver.VertxClient", "upgrade"));
        clients.put("HTTP_2", member("shop", library, controlPlane).driver("io.weft.driver.VertxClient", "prior-knowledge"));
        JvmProcess upgrading = member("shop", library, controlPlane).driver(JavaNetHttp.class);
        JvmProcess stranger = testbed.jvm("stranger", jdk).classPath(Library.named(library)).driver("io.weft.driver.VertxClient");
        String directly = "http://127.0.0.1:" + port + "/";
        clients.values().forEach(client -> patiently().untilAsserted(() ->
                assertThat(client.ask(Map.of("url", "http://orders/"))).containsEntry("body", "v1")));
        clients.forEach(VertxMeshIT::isServed);
        patiently().untilAsserted(() -> assertThat(upgrading.get("http://orders/").body()).isEqualTo("v1"));
        assertThat(stranger.ask(Map.of("url", directly))).containsEntry("body", "v1");

        controlPlane.save("identity.yaml", IdentityIT.IDENTITY.formatted("1h"));
        patiently().until(controlPlane::allTakeMeshTls);
        controlPlane.save("tls.yaml", STRICT);
        patiently().untilAsserted(() -> assertThat(stranger.ask(Map.of("url", directly))).containsKey("error"));
        clients.forEach(VertxMeshIT::isServed);
        for (int i = 0; i < 3; i++) {
            assertThat(upgrading.get("http://orders/").body()).isEqualTo("v1");
        }
    }

    private static void isServed(String way, JvmProcess client) {
        String body = "0123456789abcdef".repeat(1 << 12);
        for (int i = 0; i < 2; i++) {
            HttpAnswer answer = HttpAnswer.of(client.ask(Map.of("url", "http://orders/length", "method", "POST", "body", body)));
            assertThat(answer.body()).as(way).isEqualTo(Integer.toString(body.length()));
            String stream = HttpAnswer.of(client.ask(Map.of("url", "http://orders/length", "method", "POST", "body", body, "way.STREAM", ""))).body();
            assertThat(stream).as(way).isEqualTo(Integer.toString(body.length()));
            HttpAnswer large = HttpAnswer.of(client.ask(Map.of("url", "http://orders/bytes/300000")));
            assertThat(large.body()).as(way).hasSize(300_000);
            assertThat(large.seen().get("version")).as(way).startsWith(way.split(" ")[0]);
            assertThat(large.seen()).as(way).containsEntry("secure", "false");
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
