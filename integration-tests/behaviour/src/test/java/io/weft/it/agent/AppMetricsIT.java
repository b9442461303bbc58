package io.weft.it.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.weft.driver.MeteredClient;
import io.weft.it.harness.AdminPage;
import io.weft.it.harness.Jdks;
import io.weft.it.harness.JvmCommand;
import io.weft.it.harness.JvmProcess;
import io.weft.it.harness.Library;
import io.weft.it.harness.Policy;
import io.weft.it.harness.PolicyServer;
import io.weft.it.harness.Routes;
import io.weft.it.harness.Testbed;
import io.weft.it.harness.Upstream;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.DoubleStream;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The mesh's metrics, as an exporter of the app's own OpenTelemetry gets them. */
class AppMetricsIT {
    private static final Pattern COUNT = Pattern.compile(".*(?:DELTA|CUMULATIVE)(?: true)? ([0-9.]+) .*");

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
        JvmProcess app = app(sdk).driver(MeteredClient.class, "delta", "cumulative");
        ask(app, 3);
        String teller = app.awaitStderr(line -> line.contains(" io.weft istio_requests_total ")).split(" ")[1];
        awaitTold(app, teller, "istio_requests_total", 3);
        assertThat(lines(app, teller, "istio_requests_total")).allSatisfy(line -> assertThat(line).contains(
                " of " + teller + " in '' " + teller.toUpperCase(Locale.ROOT) + " true ", "reporter=\"source\"", "response_code=\"200\"",
                "destination_workload=\"orders\"", "source_workload=\"shop\""));
        awaitTold(app, teller, "istio_request_duration_milliseconds", 3);
        assertThat(lines(app, teller, "istio_request_duration_milliseconds")).allSatisfy(line -> assertThat(line).contains(" in 'ms' "));
        assertThat(app.awaitStderr(line -> line.contains(" envoy_cluster_membership_healthy "))).contains(" in '' DOUBLE_GAUGE 1.0 {");

        ask(app, 3);
        awaitTold(app, teller, "istio_requests_total", 6);
        awaitTold(app, teller, "http.client.response.body.size", 6);
        assertThat(lines(app, teller, "http.client.response.body.size"))
                .allSatisfy(line -> assertThat(line).contains(" in 'By' ", "http.response.status_code=200"));
        String other = teller.equals("delta") ? "cumulative" : "delta";
        awaitExports(app, other, 2);
        assertThat(app.stderr()).noneMatch(line -> line.startsWith("metric " + other + " io.weft "));
        assertThat(app.stderr()).filteredOn(line -> line.startsWith("metric delta ") && line.contains(" http.client.request.duration "))
                .as("what the app tells itself").isNotEmpty().noneMatch(line -> line.contains(" io.weft "));

        app.ask(Map.of("method", "SHUTDOWN", "url", "http://app/" + teller));
        app.awaitStderr(line -> line.startsWith("metric " + other + " io.weft envoy_cluster_membership_healthy of " + other + " "));
        ask(app, 1);
        awaitTold(app, other, "istio_requests_total", other.equals("delta") ? 1 : 7);
        if (other.equals("cumulative")) {
            app.awaitStderr(line -> line.startsWith("metric cumulative io.weft http.client.request.duration ")
                    && line.contains(" in 's' CUMULATIVE 7 in [") && line.contains(" of [1.0E-4, 2.5E-4, "));
        }
        assertThat(told(app, teller, "istio_requests_total")).isEqualTo(6);
    }

    private static void awaitTold(JvmProcess app, String sdk, String metric, double count) {
        await().untilAsserted(() -> assertThat(told(app, sdk, metric)).as("%s", lines(app, sdk, metric)).isEqualTo(count));
    }

    /** How much an SDK has told in all. */
    private static double told(JvmProcess app, String sdk, String metric) {
        DoubleStream counts = lines(app, sdk, metric).stream().mapToDouble(line -> Double.parseDouble(COUNT.matcher(line).replaceFirst("$1")));
        return sdk.equals("delta") ? counts.sum() : counts.max().orElse(0);
    }

    private static List<String> lines(JvmProcess app, String sdk, String metric) {
        return app.stderr().stream().filter(line -> line.startsWith("metric " + sdk + " io.weft " + metric + " of ")).toList();
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
        await().until(() -> AdminPage.isOpen(sockets.resolve(app.pid() + ".sock")));
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
