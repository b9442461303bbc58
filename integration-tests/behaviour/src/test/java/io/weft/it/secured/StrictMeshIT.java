package io.weft.it.secured;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.weft.driver.JavaNetHttp;
import io.weft.it.harness.ControlPlane;
import io.weft.it.harness.EveryJdk;
import io.weft.it.harness.Jdk;
import io.weft.it.harness.Jdks;
import io.weft.it.harness.JvmCommand;
import io.weft.it.harness.JvmProcess;
import io.weft.it.harness.JvmProcess.Tally;
import io.weft.it.harness.Library;
import io.weft.it.harness.Testbed;
import java.io.IOException;
import java.net.HttpURLConnection;
import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.awaitility.core.ConditionFactory;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Mutual TLS for JVMs that nobody changed, turned on under load, with the real jars. */
class StrictMeshIT {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String PERMISSION = """
            type: MeshTrafficPermission
            name: orders
            mesh: default
            spec:
              rules:
              - default: {allow: [{spiffeID: {type: %s, value: "spiffe://default.default.mesh.local/%s"}}]}
            """;
    private static final String MODE = """
            type: MeshTLS
            name: mode
            mesh: default
            spec: {rules: [{default: {mode: %s}}]}
            """;
    private static final int ROUND = 300;
    private static final int ROOTS = 3;
    private static final int NO_ANSWER = 0;
    private static final Duration OVERLAP = Duration.ofSeconds(2);
    /** Long enough for a busy machine to renew it in time: a third of it is left then. */
    private static final String LIFETIME = "20s";
    /** Each certificate has been renewed twice by then. */
    private static final long TWO_RENEWALS_NANOS = Duration.ofSeconds(30).toNanos();

    @RegisterExtension
    final Testbed testbed = new Testbed();

    @EveryJdk
    void noRequestIsLostWhileTlsIsTurnedOnAndCertificatesAndRootsAreReplaced(Jdk jdk) throws Exception {
        ControlPlane controlPlane = testbed.controlPlane(Jdks.newest());
        controlPlane.save("permission.yaml", PERMISSION.formatted("Prefix", ""));
        controlPlane.save("tls.yaml", MODE.formatted("Permissive"));
        JvmProcess tomcat = member(jdk, "orders", controlPlane, Library.named("tomcat-10.1"))
                .environment("WEFT_HEALTH_PATHS", "/health,/ready")
                .driver("io.weft.driver.tomcat.jakarta.TomcatServer", "v1");
        JvmProcess jdkServer = member(jdk, "orders", controlPlane).driver("io.weft.driver.JdkHttpServer", "v2");
        List<Integer> ports = List.of(tomcat.awaitPort(), jdkServer.awaitPort());
        JvmProcess client = member(jdk, "shop", controlPlane).driver(JavaNetHttp.class);
        patiently().untilAsserted(() -> assertThat(client.load("http://orders/", Map.of(), 20, 2).counts())
                .containsOnlyKeys("status.200", "body.v1", "body.v2"));

        AtomicBoolean over = new AtomicBoolean();
        AtomicInteger rounds = new AtomicInteger();
        CompletableFuture<Integer> load = CompletableFuture.supplyAsync(() -> {
            int answered = 0;
            while (!over.get()) {
                Tally tally = client.load("http://orders/", Map.of(), ROUND, 4);
                assertThat(tally.status(200)).as(() -> "round " + rounds + ": " + tally.counts()).isEqualTo(ROUND);
                answered += ROUND;
                rounds.incrementAndGet();
            }
            return answered;
        });
        try {
            long began = System.nanoTime();
            controlPlane.save("identity.yaml", IdentityIT.IDENTITY.formatted(LIFETIME));
            patiently().until(() -> load.isDone() || controlPlane.allTakeMeshTls());
            // Whoever began to dial in plaintext before is done.
            awaitRounds(rounds, 2, load);
            controlPlane.save("tls.yaml", MODE.formatted("Strict"));
            patiently().until(() -> load.isDone() || plaintext(ports.get(0), "/") == 403 && plaintext(ports.get(1), "/") == NO_ANSWER);
            for (int i = 0; i < ROOTS; i++) {
                patiently().until(() -> load.isDone() || controlPlane.rotateRoot(OVERLAP));
                awaitRounds(rounds, 2, load);
            }
            patiently().until(() -> load.isDone() || System.nanoTime() - began > TWO_RENEWALS_NANOS);
        } finally {
            over.set(true);
        }
        assertThat(load.get()).isGreaterThan(ROUND);

        assertThat(plaintext(ports.get(0), "/health")).isEqualTo(200);
        assertThat(plaintext(ports.get(0), "/other")).isEqualTo(403);
        assertThat(plaintext("POST", ports.get(0), "/health")).isEqualTo(403);
        assertThat(plaintext(ports.get(1), "/health")).as("of who excepts nothing").isEqualTo(NO_ANSWER);

        controlPlane.save("permission.yaml", PERMISSION.formatted("Exact", "workload/somebody"));
        patiently().untilAsserted(() -> assertThat(client.get("http://orders/").status()).isEqualTo(403));
        if (jdk.equals(Jdks.newest())) {
            patiently().untilAsserted(() -> assertThat(refusals(client, controlPlane)).as("what the page says").allMatch(share -> share > 0));
        }
        controlPlane.save("permission.yaml", PERMISSION.formatted("Exact", "workload/shop"));
        patiently().untilAsserted(() -> assertThat(client.get("http://orders/").status()).isEqualTo(200));
    }

    /** What shop is refused of all that it sends, and how often orders says that it was for want of a permission. */
    private static List<Double> refusals(JvmProcess client, ControlPlane controlPlane) throws IOException {
        client.load("http://orders/", Map.of(), ROUND, 2);
        JsonNode mesh = JSON.readTree(controlPlane.page().resolve("api/mesh").toURL()).at("/meshes/0");
        double refused = 0;
        for (JsonNode edge : mesh.path("edges")) {
            refused += edge.path("from").asText().equals("shop") ? edge.path("refused").asDouble() : 0;
        }
        double permission = 0;
        for (JsonNode service : mesh.path("services")) {
            permission += service.path("name").asText().equals("orders") ? service.at("/refusedBy/permission").asDouble() : 0;
        }
        return List.of(refused, permission);
    }

    private static void awaitRounds(AtomicInteger rounds, int more, CompletableFuture<?> load) {
        int until = rounds.get() + more;
        patiently().until(() -> load.isDone() || rounds.get() >= until);
    }

    private static ConditionFactory patiently() {
        return await().atMost(Duration.ofSeconds(90));
    }

    private JvmCommand member(Jdk jdk, String service, ControlPlane controlPlane, Library... libraries) {
        JvmCommand jvm = testbed.jvm(service, jdk).mesh(controlPlane.uri(), service)
                .environment("WEFT_CONTROL_PLANE_TOKEN_FILE", controlPlane.token(service).toString());
        for (Library library : libraries) {
            jvm = jvm.classPath(library);
        }
        return jvm;
    }

    /** As curl would ask, from outside of the mesh. */
    private static int plaintext(int port, String path) {
        return plaintext("GET", port, path);
    }

    private static int plaintext(String method, int port, String path) {
        try {
            HttpURLConnection connection =
                    (HttpURLConnection) URI.create("http://127.0.0.1:" + port + path).toURL().openConnection();
            connection.setRequestMethod(method);
            connection.setConnectTimeout(5_000);
            connection.setReadTimeout(5_000);
            try {
                return connection.getResponseCode();
            } finally {
                connection.disconnect();
            }
        } catch (IOException refused) {
            return NO_ANSWER;
        }
    }
}
