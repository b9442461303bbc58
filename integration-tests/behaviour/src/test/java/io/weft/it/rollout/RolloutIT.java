package io.weft.it.rollout;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.weft.driver.JavaNetHttp;
import io.weft.it.harness.Build;
import io.weft.it.harness.ControlPlane;
import io.weft.it.harness.Jdks;
import io.weft.it.harness.JvmProcess;
import io.weft.it.harness.JvmProcess.Tally;
import io.weft.it.harness.Testbed;
import io.weft.it.harness.Upstream;
import java.io.IOException;
import java.net.HttpURLConnection;
import java.nio.file.Files;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** {@code weft canary} by what a real agent reports of its requests. */
class RolloutIT {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Duration PATIENCE = Duration.ofSeconds(90);
    private static final String INSTANCE = """
            type: Dataplane
            name: orders-%1$s
            mesh: default
            networking:
              address: 127.0.0.1
              inbound: [{port: %2$d, tags: {kuma.io/service: orders, kuma.io/protocol: http, version: %1$s}}]
            """;
    private static final String ROUTE = """
            # Asked for by the orders team.
            type: MeshHTTPRoute
            name: orders
            mesh: default
            spec:
              to:
              - targetRef: {kind: MeshService, name: orders}
                rules:
                - matches: [{path: {type: PathPrefix, value: /}}]
                  default:
                    backendRefs:
                    - {kind: MeshServiceSubset, name: orders, tags: {version: v1}, weight: 100} # the old one
                    - {kind: MeshServiceSubset, name: orders, tags: {version: v2}, weight: 0}
            """;

    @RegisterExtension
    final Testbed testbed = new Testbed();

    private final Upstream v1 = testbed.upstream("v1");
    private final Upstream v2 = testbed.upstream("v2");

    @Test
    void aBadVersionIsTakenBackAndAGoodOneTakesOver() throws Exception {
        ControlPlane controlPlane = testbed.controlPlane(Jdks.newest());
        controlPlane.save("v1.yaml", INSTANCE.formatted("v1", v1.address().getPort()));
        controlPlane.save("v2.yaml", INSTANCE.formatted("v2", v2.address().getPort()));
        controlPlane.save("orders.yaml", ROUTE);
        JvmProcess client = testbed.jvm("shop", Jdks.matrix().get(0)).mesh(controlPlane.uri(), "shop").driver(JavaNetHttp.class);
        await().atMost(PATIENCE).until(() -> client.load("http://orders/", Map.of(), 10, 1).body("v1") == 10);

        AtomicBoolean over = new AtomicBoolean();
        AtomicReference<Tally> latest = new AtomicReference<>();
        CompletableFuture<Void> load = CompletableFuture.runAsync(() -> {
            while (!over.get()) {
                latest.set(client.load("http://orders/", Map.of(), 50, 2));
                pause();
            }
        });
        try {
            v2.answer(HttpURLConnection.HTTP_INTERNAL_ERROR);
            JvmProcess bad = canary(controlPlane, "--steps", "40,100", "--hold", "60s", "--max-error-rate", "1%");
            assertThat(bad.awaitExit(PATIENCE)).as(bad::report).isEqualTo(3);
            List<JsonNode> events = events(bad);
            assertThat(events).extracting(event -> event.path("event").asText()).containsExactly("started", "step", "rolled-back");
            assertThat(events.get(2).path("reason").asText()).contains("failed, more than 1 %");
            assertThat(events.get(2).path("errors").asInt()).isPositive();
            assertThat(weights(controlPlane)).isEqualTo(ROUTE);
            await().atMost(PATIENCE).until(() -> load.isDone() || latest.get().body("v1") == 50);

            v2.answer(HttpURLConnection.HTTP_OK);
            JvmProcess good = canary(controlPlane, "--steps", "100", "--hold", "5s", "--max-error-rate", "1%", "--max-p99", "30s");
            assertThat(good.awaitExit(PATIENCE)).as(good::report).isZero();
            assertThat(events(good).get(events(good).size() - 1).path("event").asText()).isEqualTo("done");
            JsonNode held = events(good).stream().filter(event -> event.path("event").asText().equals("held")).findFirst().orElseThrow();
            assertThat(held.path("p99Ms").asDouble()).as("the agent tells latencies").isPositive();
            assertThat(weights(controlPlane))
                    .isEqualTo(ROUTE.replace("weight: 100", "weight: 0").replace("version: v2}, weight: 0", "version: v2}, weight: 100"));
            await().atMost(PATIENCE).until(() -> load.isDone() || latest.get().body("v2") == 50);

            JsonNode edge = edge(controlPlane);
            assertThat(edge.path("requestsPerSecond").asDouble()).isPositive();
            assertThat(edge.path("from").asText()).isEqualTo("shop");
        } finally {
            over.set(true);
        }
        load.get();
    }

    private JvmProcess canary(ControlPlane controlPlane, String... settings) {
        List<String> arguments = new ArrayList<>(List.of(
                "canary", "orders", "--policies", controlPlane.policies().toString(), "--page", controlPlane.page().toString(),
                "--to", "v2", "--min-requests", "5", "--json"));
        arguments.addAll(List.of(settings));
        return testbed.jvm("canary", Jdks.matrix().get(0)).jar(Build.controlPlane(), arguments.toArray(String[]::new));
    }

    private static List<JsonNode> events(JvmProcess canary) throws IOException {
        List<JsonNode> events = new ArrayList<>();
        for (String line : canary.stdout()) {
            events.add(JSON.readTree(line));
        }
        return events;
    }

    private static String weights(ControlPlane controlPlane) throws IOException {
        return Files.readString(controlPlane.policies().resolve("orders.yaml"));
    }

    private static JsonNode edge(ControlPlane controlPlane) throws IOException {
        JsonNode view = JSON.readTree(controlPlane.page().resolve("api/mesh").toURL());
        return StreamSupport.stream(view.at("/meshes/0/edges").spliterator(), false)
                .filter(edge -> edge.path("to").asText().equals("orders") && edge.path("version").asText().equals("v2"))
                .findFirst().orElseThrow(() -> new AssertionError(view));
    }

    private static void pause() {
        try {
            Thread.sleep(200);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }
}
