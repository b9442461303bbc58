package io.weft.it.policies;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.sun.net.httpserver.HttpsConfigurator;
import com.sun.net.httpserver.HttpsServer;
import io.weft.driver.JavaNetHttp;
import io.weft.it.harness.Authority;
import io.weft.it.harness.Certified;
import io.weft.it.harness.ControlPlane;
import io.weft.it.harness.Jdk;
import io.weft.it.harness.Jdks;
import io.weft.it.harness.JvmProcess;
import io.weft.it.harness.Port;
import io.weft.it.harness.Testbed;
import io.weft.it.harness.Upstream;
import java.io.IOException;
import java.io.InputStream;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.awaitility.core.ConditionFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Kuma's policies, saved into the folder of the real control plane, are what an app that nobody changed is subject to. */
class PoliciesIT {
    private static final String SERVICE = """
            type: Dataplane
            name: orders-1
            networking:
              address: 127.0.0.1
              inbound: [{port: %d, tags: {kuma.io/service: orders, kuma.io/protocol: http}}]
            """;
    private static final String POLICY = """
            type: %s
            name: orders
            spec:
              to: [{targetRef: {kind: MeshService, name: orders}, default: %s}]
            """;

    private static final String PASSTHROUGH = """
            type: MeshPassthrough
            name: outside
            spec:
              targetRef: {kind: Mesh}
              default: {%s}
            """;

    @RegisterExtension
    final Testbed testbed = new Testbed();

    private final Jdk jdk = Jdks.newest();
    private final Upstream orders = testbed.upstream("orders");

    @Test
    void retriesTimeoutsAndBreakersTakeEffectWhenTheyAreSaved() {
        ControlPlane controlPlane = testbed.controlPlane(jdk);
        controlPlane.save("services.yaml", SERVICE.formatted(orders.address().getPort()));
        JvmProcess client = testbed.jvm("client", jdk).mesh(controlPlane.uri(), "shop").driver(JavaNetHttp.class);
        patiently().untilAsserted(() -> assertThat(status(client)).isEqualTo(200));

        orders.answer(500);
        controlPlane.save("retry.yaml", POLICY.formatted("MeshRetry",
                "{http: {numRetries: 2, retryOn: ['500'], backOff: {baseInterval: 1ms, maxInterval: 2ms}}}"));
        patiently().untilAsserted(() -> assertThat(attempts(client)).isEqualTo(3));
        controlPlane.save("retry.yaml", POLICY.formatted("MeshRetry", "{http: {numRetries: 0}}"));
        patiently().untilAsserted(() -> assertThat(attempts(client)).isEqualTo(1));

        controlPlane.save("timeout.yaml", POLICY.formatted("MeshTimeout", "{http: {requestTimeout: 300ms}}"));
        orders.react(request -> new Upstream.Hang());
        // Without the policy it takes fifteen seconds.
        patiently().until(() -> {
            long start = System.nanoTime();
            assertThat(status(client)).isEqualTo(504);
            return Duration.ofNanos(System.nanoTime() - start).toSeconds() < 10;
        });

        orders.answer(500);
        controlPlane.save("breaker.yaml", POLICY.formatted("MeshCircuitBreaker", """
                {outlierDetection: {interval: 1s, baseEjectionTime: 10m, maxEjectionPercent: 100, healthyPanicThreshold: 0,
                    detectors: {totalFailures: {consecutive: 2}}}}"""));
        patiently().untilAsserted(() -> {
            assertThat(attempts(client)).isZero();
            assertThat(status(client)).isEqualTo(503);
        });
    }

    /** The app knows of neither the TLS nor the host. */
    @Test
    void whatIsOutsideOfTheMeshIsCalledByTlsAndOnlyIfItIsWhoItShouldBe() throws IOException {
        Authority authority = new Authority("outside");
        HttpsServer pay = HttpsServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        pay.setHttpsConfigurator(new HttpsConfigurator(
                authority.certify(Duration.ofHours(-1), Authority.dns("pay.example.com")).trustingAnybody()));
        pay.createContext("/", exchange -> {
            exchange.sendResponseHeaders(200, -1);
            exchange.close();
        });
        pay.start();
        try {
            ControlPlane controlPlane = testbed.controlPlane(jdk);
            String service = """
                    type: MeshExternalService
                    name: pay
                    spec:
                      match: {port: 80, protocol: http}
                      endpoints: [{address: 127.0.0.1, port: %d}]
                      tls:
                        enabled: true
                        verification:
                          serverName: %s
                          caCert: {type: InsecureInline, insecureInline: {value: "%s"}}
                    """;
            int port = pay.getAddress().getPort();
            String root = Certified.pem(authority.certificate()).replace("\n", "\\n");
            controlPlane.save("pay.yaml", service.formatted(port, "pay.example.com", root));
            JvmProcess client = testbed.jvm("client", jdk).mesh(controlPlane.uri(), "shop").driver(JavaNetHttp.class);
            patiently().untilAsserted(() -> assertThat(client.get("http://pay.extsvc.mesh.local/").status()).isEqualTo(200));

            controlPlane.save("pay.yaml", service.formatted(port, "other.example.com", root));
            patiently().untilAsserted(() -> assertThat(client.getFailing("http://pay.extsvc.mesh.local/").get("causes"))
                    .contains("java.security.cert.CertificateException"));
        } finally {
            pay.stop(0);
        }
    }

    /** Names that only this JVM knows, since what is on this machine by its own names is never outside. */
    @Test
    void whatIsOutsideOfTheMeshIsCalledAsFarAsPolicyPermits() throws IOException {
        Path hosts = Files.writeString(testbed.temporaryFolder().resolve("hosts"), "127.0.0.1 partner.example.com other.example.com localhost\n");
        ControlPlane controlPlane = testbed.controlPlane(jdk);
        int port = orders.address().getPort();
        controlPlane.save("services.yaml", SERVICE.formatted(port));
        JvmProcess client = testbed.jvm("client", jdk).option("-Djdk.net.hosts.file=" + hosts).mesh(controlPlane.uri(), "shop").driver(JavaNetHttp.class);
        String partner = "http://partner.example.com:" + port + "/";
        String other = "http://other.example.com:" + port + "/";
        patiently().untilAsserted(() -> assertThat(status(client)).isEqualTo(200));
        assertThat(client.get(partner).status()).as("nothing is touched").isEqualTo(200);

        controlPlane.save("outside.yaml", PASSTHROUGH.formatted("passthroughMode: None"));
        patiently().untilAsserted(() -> assertThat(client.getFailing(partner).toString()).contains("MeshPassthrough"));
        assertThat(client.getFailing("https://partner.example.com/").toString()).contains("MeshPassthrough");

        controlPlane.save("outside.yaml", PASSTHROUGH.formatted(
                "appendMatch: [{type: Domain, value: partner.example.com, protocol: http, port: " + port + "}]"));
        patiently().untilAsserted(() -> assertThat(client.get(partner).status()).isEqualTo(200));
        assertThat(client.getFailing(other).toString()).contains("MeshPassthrough");

        controlPlane.save("outside.yaml", PASSTHROUGH.formatted("passthroughMode: All"));
        patiently().untilAsserted(() -> assertThat(client.get(other).status()).isEqualTo(200));
    }

    @Test
    void metricsAreReadWherePolicySays() throws IOException {
        ControlPlane controlPlane = testbed.controlPlane(jdk);
        int port = Port.unused();
        String metrics = "{type: MeshMetric, name: m, spec: {default: {backends: [%s]}}}";
        controlPlane.save("services.yaml", SERVICE.formatted(orders.address().getPort()));
        controlPlane.save("metrics.yaml", metrics.formatted("{type: Prometheus, prometheus: {port: " + port + ", path: /here}}"));
        JvmProcess client = testbed.jvm("client", jdk).mesh(controlPlane.uri(), "shop").driver(JavaNetHttp.class);
        patiently().untilAsserted(() -> assertThat(status(client)).isEqualTo(200));
        patiently().ignoreExceptions().untilAsserted(() -> assertThat(read(port, "/here")).contains("istio_requests_total{"));
        assertThat(client.stderr()).anySatisfy(line -> assertThat(line).contains("/here, as policy says"));

        controlPlane.save("metrics.yaml", metrics.formatted(""));
        patiently().untilAsserted(() -> assertThatThrownBy(() -> read(port, "/here")).isInstanceOf(ConnectException.class));
    }

    private static String read(int port, String path) throws IOException {
        try (InputStream in = URI.create("http://127.0.0.1:" + port + path).toURL().openStream()) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    /** What a control plane says of tracing, and the process's own word on where spans go. */
    @Test
    void whatIsTracedPolicySays() {
        ControlPlane controlPlane = testbed.controlPlane(jdk);
        String trace = "{type: MeshTrace, name: t, spec: {default: {sampling: {random: %s}, backends: [{type: Zipkin, zipkin: {url: 'http://zipkin:9411/api/v2/spans'}}]}}}";
        controlPlane.save("services.yaml", SERVICE.formatted(orders.address().getPort()));
        controlPlane.save("trace.yaml", trace.formatted("0"));
        JvmProcess client = testbed.jvm("client", jdk).mesh(controlPlane.uri(), "shop")
                .environment("WEFT_OTLP_ENDPOINT", "http://127.0.0.1:1").environment("WEFT_TRACES_SAMPLING", "50%").driver(JavaNetHttp.class);
        patiently().untilAsserted(() -> assertThat(traced(client)).isEqualTo("00"));
        controlPlane.save("trace.yaml", trace.formatted("100"));
        patiently().untilAsserted(() -> assertThat(traced(client)).isEqualTo("01"));
    }

    /** The flags of the trace that a request of the app is in. */
    private String traced(JvmProcess client) {
        orders.forgetRequests();
        assertThat(status(client)).isEqualTo(200);
        String flags = orders.requests().get(0).header("traceparent").orElse("none");
        return flags.substring(flags.lastIndexOf('-') + 1);
    }

    private static int status(JvmProcess client) {
        return client.get("http://orders/").status();
    }

    /** How often one request of the app comes. */
    private int attempts(JvmProcess client) {
        orders.forgetRequests();
        client.get("http://orders/");
        return orders.requests().size();
    }

    private static ConditionFactory patiently() {
        return await().atMost(Duration.ofSeconds(90));
    }
}
