package io.weft.it.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.weft.driver.MeteredClient;
import io.weft.it.harness.Jdks;
import io.weft.it.harness.JvmCommand;
import io.weft.it.harness.JvmProcess;
import io.weft.it.harness.Library;
import io.weft.it.harness.Policy;
import io.weft.it.harness.PolicyServer;
import io.weft.it.harness.Routes;
import io.weft.it.harness.Testbed;
import io.weft.it.harness.Upstream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The mesh's metrics, as an exporter of the app's own OpenTelemetry gets them. */
class AppMetricsIT {
    @RegisterExtension
    final Testbed testbed = new Testbed();

    private final Path sockets = testbed.temporaryFolder().resolve("sockets");
    private final Upstream orders = testbed.upstream("orders");

    private JvmCommand app(String sdk) {
        PolicyServer policies = testbed.policyServer();
        policies.serve(Policy.empty().cluster("orders", orders.address()).virtualHost("orders", Routes.to("orders")));
        return testbed.jvm("client", Jdks.newest()).mesh(policies.uri(), "shop").environment("WEFT_ADMIN_DIR", sockets.toString())
                .classPath(Library.named(sdk));
    }

    @ParameterizedTest
    @ValueSource(strings = {"opentelemetry-sdk-1.19", "opentelemetry-sdk-1.68"})
    void theSdkThatCollectsFirstHasThemUntilItIsShutDown(String sdk) {
        JvmProcess app = app(sdk).driver(MeteredClient.class, "first", "second");
        ask(app, 3);
        String requests = app.awaitStderr(line -> line.contains(" io.weft istio_requests_total ") && line.contains(" CUMULATIVE true 3.0 {"));
        String teller = requests.split(" ")[1];
        assertThat(requests).contains(" of " + teller + " in '' CUMULATIVE ", "reporter=\"source\"", "response_code=\"200\"",
                "destination_workload=\"orders\"", "source_workload=\"shop\"");
        app.awaitStderr(line -> line.contains(" istio_request_duration_milliseconds ") && line.contains(" in 'ms' CUMULATIVE 3 in ["));
        assertThat(app.awaitStderr(line -> line.contains(" envoy_cluster_membership_healthy "))).contains(" in '' DOUBLE_GAUGE 1.0 {");

        ask(app, 3);
        app.awaitStderr(line -> line.contains(" io.weft http.client.response.body.size ") && line.contains(" in 'By' CUMULATIVE 6 in [")
                && line.contains(" = 36.0 {") && line.contains("http.response.status_code=200"));
        String other = teller.equals("first") ? "second" : "first";
        awaitExports(app, other, 2);
        assertThat(app.stderr()).noneMatch(line -> line.startsWith("metric " + other + " io.weft "));
        assertThat(app.stderr()).filteredOn(line -> line.startsWith("metric first ") && line.contains(" http.client.request.duration "))
                .as("what the app tells itself").isNotEmpty().noneMatch(line -> line.contains(" io.weft "));

        app.ask(Map.of("method", "SHUTDOWN", "url", "http://app/" + teller));
        app.awaitStderr(line -> line.startsWith("metric " + other + " io.weft istio_requests_total of " + other + " "));
        ask(app, 1);
        if (other.equals("second")) {
            app.awaitStderr(line -> line.startsWith("metric second io.weft http.client.request.duration ")
                    && line.contains(" in 's' CUMULATIVE 7 in [") && line.contains(" of [1.0E-4, 2.5E-4, "));
        }
    }

    private static void ask(JvmProcess app, int times) {
        for (int i = 0; i < times; i++) {
            assertThat(app.get("http://orders/").body()).isEqualTo("orders");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"WEFT_METRICS_OPENTELEMETRY=false", "WEFT_OTLP_ENDPOINT=http://127.0.0.1:1"})
    void whereTheyGoElsewhereTheSdkHasNone(String setting) {
        String[] variable = setting.split("=", 2);
        JvmProcess app = app("opentelemetry-sdk-1.68").environment(variable[0], variable[1]).driver(MeteredClient.class, "app");
        assertThat(app.get("http://orders/").body()).isEqualTo("orders");
        // Both begin together.
        await().until(() -> Files.exists(sockets.resolve(app.pid() + ".sock")));
        awaitExports(app, "app", 4);
        assertThat(app.stderr()).noneMatch(line -> line.contains(" io.weft "));
        assertThat(app.stderr()).anyMatch(line -> line.startsWith("metric app app http.client.request.duration "));
    }

    private static void awaitExports(JvmProcess app, String sdk, int further) {
        long before = exports(app.stderr(), sdk);
        await().until(() -> exports(app.stderr(), sdk) >= before + further);
    }

    private static long exports(List<String> lines, String sdk) {
        return lines.stream().filter(line -> line.equals("exported " + sdk)).count();
    }
}
