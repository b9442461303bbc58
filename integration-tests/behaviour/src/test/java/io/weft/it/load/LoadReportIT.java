package io.weft.it.load;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.google.protobuf.Any;
import com.google.protobuf.util.Durations;
import io.envoyproxy.envoy.config.cluster.v3.LoadBalancingPolicy;
import io.envoyproxy.envoy.config.core.v3.TypedExtensionConfig;
import io.envoyproxy.envoy.extensions.load_balancing_policies.client_side_weighted_round_robin.v3.ClientSideWeightedRoundRobin;
import io.weft.driver.HttpAnswer;
import io.weft.driver.JavaNetHttp;
import io.weft.it.harness.Jdks;
import io.weft.it.harness.JvmProcess;
import io.weft.it.harness.JvmProcess.Tally;
import io.weft.it.harness.Library;
import io.weft.it.harness.Policy;
import io.weft.it.harness.PolicyServer;
import io.weft.it.harness.Routes;
import io.weft.it.harness.Testbed;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Instances say how busy they are, and others steer away from the one that is: no policy on the server's side, no word from the app. */
class LoadReportIT {
    private static final Duration PATIENCE = Duration.ofSeconds(90);

    @RegisterExtension
    final Testbed testbed = new Testbed();

    private final PolicyServer policies = testbed.policyServer();

    private static Policy weighted(InetSocketAddress... endpoints) {
        ClientSideWeightedRoundRobin byLoad = ClientSideWeightedRoundRobin.newBuilder()
                .setBlackoutPeriod(Durations.fromSeconds(1))
                .setWeightUpdatePeriod(Durations.fromMillis(500))
                .build();
        return Policy.empty()
                .cluster("orders", cluster -> cluster.setLoadBalancingPolicy(LoadBalancingPolicy.newBuilder()
                        .addPolicies(LoadBalancingPolicy.Policy.newBuilder().setTypedExtensionConfig(TypedExtensionConfig.newBuilder()
                                .setName("by-load").setTypedConfig(Any.pack(byLoad))))), endpoints)
                .virtualHost("orders", Routes.to("orders"));
    }

    private static HttpResponse<String> get(int port, String path, String... headers) throws Exception {
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + path));
        if (headers.length > 0) {
            request.headers(headers);
        }
        return HttpClient.newHttpClient().send(request.build(), BodyHandlers.ofString());
    }

    @ParameterizedTest
    @CsvSource({"io.weft.driver.tomcat.jakarta.TomcatServer, tomcat-10.1", "io.weft.driver.JdkHttpServer,"})
    void anInstanceInAStormOfCollectionsGetsLess(String driver, String library) throws Exception {
        policies.serve(Policy.empty());
        JvmProcess calm = start(driver, library, "calm");
        JvmProcess stormy = start(driver, library, "stormy");
        int calmPort = calm.awaitPort();
        int stormyPort = stormy.awaitPort();
        JvmProcess client = testbed.jvm("client", Jdks.newest()).mesh(policies.uri(), "shop").driver(JavaNetHttp.class);
        policies.serve(weighted(new InetSocketAddress("127.0.0.1", calmPort), new InetSocketAddress("127.0.0.1", stormyPort)));
        await().atMost(PATIENCE).until(() -> client.load("http://orders/", Map.of(), 2, 1).errors() == 0);

        get(stormyPort, "/storm");
        await().atMost(PATIENCE).untilAsserted(() -> {
            Tally tally = client.load("http://orders/", Map.of(), 400, 2);
            assertThat(tally.body("calm") + tally.body("stormy")).isEqualTo(400);
            assertThat(tally.body("stormy")).isLessThan(400 / 4);
        });

        // Whoever does not ask is not told, though the client's agent asks all the time.
        HttpAnswer answer = client.get("http://orders/");
        assertThat(answer.headers()).doesNotContainKey("endpoint-load-metrics");
        assertThat(get(calmPort, "/").headers().firstValue("endpoint-load-metrics")).isEmpty();
        assertThat(get(calmPort, "/", "endpoint-load-metrics-format", "JSON").headers().firstValue("endpoint-load-metrics"))
                .get().asString().startsWith("JSON {\"cpu_utilization\":");
        String storm = get(stormyPort, "/", "endpoint-load-metrics-format", "TEXT").headers()
                .firstValue("endpoint-load-metrics").orElseThrow();
        assertThat(storm).startsWith("TEXT cpu_utilization=");
        assertThat(Double.parseDouble(storm.replaceAll(".*gc_pause_share=([0-9.]+).*", "$1"))).isGreaterThan(0.2);
        assertThat(policies.refusals()).isEmpty();
    }

    private JvmProcess start(String driver, String library, String name) {
        var jvm = testbed.jvm(name, Jdks.newest()).option("-Xmx48m").option("-XX:+UseSerialGC").mesh(policies.uri(), "orders").unguarded();
        return (library == null ? jvm : jvm.classPath(Library.named(library))).driver(driver, name);
    }
}
