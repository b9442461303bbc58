package io.weft.it.policies;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.google.protobuf.Any;
import com.sun.net.httpserver.HttpServer;
import io.envoyproxy.envoy.config.core.v3.GrpcService;
import io.envoyproxy.envoy.config.core.v3.TransportSocket;
import io.envoyproxy.envoy.config.listener.v3.Filter;
import io.envoyproxy.envoy.config.listener.v3.FilterChain;
import io.envoyproxy.envoy.config.trace.v3.OpenTelemetryConfig;
import io.envoyproxy.envoy.config.trace.v3.Tracing;
import io.envoyproxy.envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager;
import io.envoyproxy.envoy.extensions.transport_sockets.tls.v3.CertificateValidationContext;
import io.envoyproxy.envoy.extensions.transport_sockets.tls.v3.CommonTlsContext;
import io.envoyproxy.envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext;
import io.opentelemetry.proto.metrics.v1.Metric;
import io.opentelemetry.proto.trace.v1.Span;
import io.weft.driver.JavaNetHttp;
import io.weft.driver.MeteredClient;
import io.weft.it.harness.ControlPlane;
import io.weft.it.harness.Identity;
import io.weft.it.harness.Jdk;
import io.weft.it.harness.Jdks;
import io.weft.it.harness.JvmProcess;
import io.weft.it.harness.Library;
import io.weft.it.harness.Policy;
import io.weft.it.harness.PolicyServer;
import io.weft.it.harness.Routes;
import io.weft.it.harness.Testbed;
import io.weft.it.harness.Upstream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.awaitility.core.ConditionFactory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** An operator's MeshTrace and MeshMetric say where a process that runs already sends what it has to tell. */
class TelemetryIT {
    private static final String SERVICE = """
            type: Dataplane
            name: orders-1
            networking:
              address: 127.0.0.1
              inbound: [{port: %d, tags: {kuma.io/service: orders, kuma.io/protocol: http}}]
            """;
    private static final String TRACE = """
            type: MeshTrace
            name: all
            spec: {default: {backends: [{type: OpenTelemetry, openTelemetry: {%s}}], tags: [{name: team, literal: shop}]}}
            """;
    private static final String METRIC = """
            type: MeshMetric
            name: all
            spec: {default: {backends: [{type: OpenTelemetry, openTelemetry: {%s, refreshInterval: 200ms}}]}}
            """;
    private static final String BACKEND = """
            type: MeshOpenTelemetryBackend
            name: collector
            spec: {endpoint: {address: 127.0.0.1, port: %d, path: /base}, protocol: http}
            """;

    private static final String PASSWORD = "changeit";

    @RegisterExtension
    final Testbed testbed = new Testbed();

    private final Jdk jdk = Jdks.newest();
    private final Upstream orders = testbed.upstream("orders");
    private final OtlpReceiver first = new OtlpReceiver();
    private final OtlpReceiver second = new OtlpReceiver();

    @AfterEach
    void close() {
        first.close();
        second.close();
    }

    private static ConditionFactory patiently() {
        return await().atMost(Duration.ofSeconds(30));
    }

    private static String at(OtlpReceiver receiver) {
        return "endpoint: \"" + receiver.address() + '"';
    }

    private static void call(JvmProcess client) {
        assertThat(client.get("http://orders/").status()).isEqualTo(200);
    }

    @Test
    void spansAndMetricsGoWherePolicySaysAsItChanges() throws IOException {
        ControlPlane controlPlane = testbed.controlPlane(jdk);
        controlPlane.save("services.yaml", SERVICE.formatted(orders.address().getPort()));
        JvmProcess client = testbed.jvm("client", jdk).mesh(controlPlane.uri(), "shop").driver(JavaNetHttp.class);
        patiently().untilAsserted(() -> call(client));
        assertThat(orders.requests()).as("nobody traces").allSatisfy(request -> assertThat(request.header("traceparent")).isEmpty());

        controlPlane.save("trace.yaml", TRACE.formatted(at(first)));
        controlPlane.save("metric.yaml", METRIC.formatted(at(first)));
        patiently().untilAsserted(() -> {
            call(client);
            assertThat(first.spans()).isNotEmpty();
            assertThat(first.metrics()).extracting(Metric::getName).contains("istio_requests_total", "http.client.request.duration");
        });
        Span span = first.spans().get(0);
        assertThat(span.getTraceId().size()).isEqualTo(16);
        assertThat(span.getSpanId().size()).isEqualTo(8);
        assertThat(span.getName()).isEqualTo("GET");
        assertThat(span.getKind()).isEqualTo(Span.SpanKind.SPAN_KIND_CLIENT);
        assertThat(span.getEndTimeUnixNano()).isGreaterThanOrEqualTo(span.getStartTimeUnixNano());
        assertThat(OtlpReceiver.text(span.getAttributesList(), "url.full")).isEqualTo("http://orders/");
        assertThat(OtlpReceiver.text(span.getAttributesList(), "team")).isEqualTo("shop");
        assertThat(span.getAttributesList()).anySatisfy(attribute -> {
            assertThat(attribute.getKey()).isEqualTo("http.response.status_code");
            assertThat(attribute.getValue().getIntValue()).isEqualTo(200);
        });
        Metric durations = first.metrics().stream().filter(metric -> metric.getName().equals("http.client.request.duration")).findFirst().orElseThrow();
        assertThat(durations.getHistogram().getDataPoints(0)).satisfies(point -> {
            assertThat(point.getBucketCountsCount()).isEqualTo(point.getExplicitBoundsCount() + 1);
            assertThat(point.getBucketCountsList().stream().mapToLong(Long::longValue).sum()).isEqualTo(point.getCount()).isPositive();
        });
        assertThat(OtlpReceiver.text(first.sender().getAttributesList(), "service.name")).isEqualTo("shop");
        assertThat(OtlpReceiver.text(first.sender().getAttributesList(), "mesh")).isEqualTo("default");

        controlPlane.save("trace.yaml", TRACE.formatted(at(second)));
        controlPlane.save("metric.yaml", METRIC.formatted(at(second)));
        patiently().untilAsserted(() -> {
            call(client);
            assertThat(second.spans()).isNotEmpty();
            assertThat(second.metrics()).isNotEmpty();
        });
        first.forget();
        second.forget();
        patiently().until(() -> second.metrics().stream().filter(metric -> metric.getName().equals("istio_requests_total")).count() > 2);
        assertThat(first.metrics()).isEmpty();
        assertThat(first.spans()).isEmpty();

        overHttp(controlPlane, client);

        controlPlane.save("trace.yaml", "{type: MeshTrace, name: all, spec: {default: {backends: []}}}");
        patiently().untilAsserted(() -> {
            orders.forgetRequests();
            call(client);
            assertThat(orders.requests().get(0).header("traceparent")).as("nobody traces").isEmpty();
        });
    }

    /** Those that want differences, of what came meanwhile. */
    @Test
    void whatWasSentByPolicyTheAppsOwnReadersAreNotToldOfLater() {
        ControlPlane controlPlane = testbed.controlPlane(jdk);
        controlPlane.save("services.yaml", SERVICE.formatted(orders.address().getPort()));
        controlPlane.save("metric.yaml", METRIC.formatted(at(first)));
        JvmProcess client = testbed.jvm("client", jdk).mesh(controlPlane.uri(), "shop").classPath(Library.named("opentelemetry-sdk-1.68"))
                .driver(MeteredClient.class, "delta");
        patiently().untilAsserted(() -> call(client));
        for (int i = 0; i < 10; i++) {
            call(client);
        }
        patiently().until(() -> first.metrics().stream().anyMatch(metric -> metric.getName().equals("istio_requests_total")));
        long exports = exports(client);
        patiently().until(() -> exports(client) > exports + 2);

        controlPlane.save("metric.yaml", "{type: MeshMetric, name: all, spec: {default: {backends: []}}}");
        client.awaitStderr(line -> line.startsWith("metric delta io.weft envoy_cluster_membership_healthy "));
        call(client);
        call(client);
        patiently().untilAsserted(() -> assertThat(told(client)).isEqualTo(2));
    }

    private static long exports(JvmProcess client) {
        return client.stderr().stream().filter(line -> line.equals("exported delta")).count();
    }

    private static double told(JvmProcess client) {
        Pattern count = Pattern.compile("metric delta io\\.weft istio_requests_total of .* DELTA(?: true)? ([0-9.]+) .*");
        return client.stderr().stream().map(count::matcher).filter(Matcher::matches).mapToDouble(found -> Double.parseDouble(found.group(1))).sum();
    }

    /** By gRPC: whose certificate the JVM does not trust gets nothing, and the log says so. */
    @Test
    void aCollectorOverTlsIsTrustedAsTheJvmTrusts() throws Exception {
        Identity identity = Identity.selfSigned(testbed.temporaryFolder(), "collector", "dns:localhost,ip:127.0.0.1");
        try (OtlpReceiver secured = new OtlpReceiver(identity)) {
            PolicyServer policies = testbed.policyServer();
            policies.serve(traced(Policy.empty().cluster("orders", orders.address()).virtualHost("orders", Routes.to("orders"))
                    .cluster("collector", cluster -> cluster.setTransportSocket(TransportSocket.newBuilder().setName("envoy.transport_sockets.tls")
                            .setTypedConfig(Any.pack(UpstreamTlsContext.newBuilder()
                                    .setCommonTlsContext(CommonTlsContext.newBuilder().setValidationContext(CertificateValidationContext.newBuilder()
                                            .setSystemRootCerts(CertificateValidationContext.SystemRootCerts.getDefaultInstance())))
                                    .build()))), new InetSocketAddress("127.0.0.1", secured.port()))));
            JvmProcess trusting = testbed.jvm("trusting", jdk).option("-Djavax.net.ssl.trustStore=" + trustStore(identity))
                    .option("-Djavax.net.ssl.trustStorePassword=" + PASSWORD).mesh(policies.uri(), "shop").driver(JavaNetHttp.class);
            patiently().untilAsserted(() -> {
                call(trusting);
                assertThat(secured.spans()).isNotEmpty();
            });

            // What it has to tell comes a second later.
            trusting.kill();
            secured.forget();
            JvmProcess wary = testbed.jvm("wary", jdk).mesh(policies.uri(), "shop").driver(JavaNetHttp.class);
            patiently().untilAsserted(() -> {
                call(wary);
                assertThat(wary.stderr()).anyMatch(line -> line.contains("spans cannot be sent to grpcs://127.0.0.1:" + secured.port()));
            });
            assertThat(secured.spans()).isEmpty();
        }
    }

    private Path trustStore(Identity identity) throws Exception {
        KeyStore store = KeyStore.getInstance("PKCS12");
        store.load(null, null);
        try (InputStream in = Files.newInputStream(identity.certificate())) {
            store.setCertificateEntry("collector", CertificateFactory.getInstance("X.509").generateCertificate(in));
        }
        Path file = testbed.temporaryFolder().resolve("trust.p12");
        try (OutputStream out = Files.newOutputStream(file)) {
            store.store(out, PASSWORD.toCharArray());
        }
        return file;
    }

    /** All requests that go out, to the cluster of that name. */
    private static Policy traced(Policy policy) {
        HttpConnectionManager manager = Policy.connectionManager("outbound:80").toBuilder()
                .setTracing(HttpConnectionManager.Tracing.newBuilder().setProvider(Tracing.Http.newBuilder().setName("envoy.tracers.opentelemetry")
                        .setTypedConfig(Any.pack(OpenTelemetryConfig.newBuilder().setGrpcService(GrpcService.newBuilder()
                                .setEnvoyGrpc(GrpcService.EnvoyGrpc.newBuilder().setClusterName("collector"))).build()))))
                .build();
        return policy.listener(Policy.outbound(80, "outbound:80").toBuilder()
                .setFilterChains(0, FilterChain.newBuilder().addFilters(
                        Filter.newBuilder().setName("envoy.filters.network.http_connection_manager").setTypedConfig(Any.pack(manager))))
                .build());
    }

    private static void overHttp(ControlPlane controlPlane, JvmProcess client) throws IOException {
        Set<String> paths = ConcurrentHashMap.newKeySet();
        HttpServer collector = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        collector.createContext("/", exchange -> {
            exchange.getRequestBody().readAllBytes();
            paths.add(exchange.getRequestURI().getPath());
            exchange.sendResponseHeaders(200, -1);
            exchange.close();
        });
        collector.start();
        try {
            String backend = "backendRef: {kind: MeshOpenTelemetryBackend, labels: {kuma.io/display-name: collector}}";
            controlPlane.save("collector.yaml", BACKEND.formatted(collector.getAddress().getPort()));
            controlPlane.save("trace.yaml", TRACE.formatted(backend));
            controlPlane.save("metric.yaml", METRIC.formatted(backend));
            patiently().untilAsserted(() -> {
                call(client);
                assertThat(paths).containsExactlyInAnyOrder("/base/v1/traces", "/base/v1/metrics");
            });
        } finally {
            collector.stop(0);
        }
    }
}
