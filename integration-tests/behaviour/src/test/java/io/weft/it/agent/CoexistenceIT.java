package io.weft.it.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.weft.driver.ApacheHttpClient5;
import io.weft.driver.HttpAnswer;
import io.weft.driver.JavaNetHttp;
import io.weft.driver.OkHttp;
import io.weft.driver.ReactorNetty;
import io.weft.driver.WatchingAgent;
import io.weft.it.harness.Build;
import io.weft.it.harness.Jdk;
import io.weft.it.harness.Jdks;
import io.weft.it.harness.JvmCommand;
import io.weft.it.harness.JvmProcess;
import io.weft.it.harness.JvmProcess.Tally;
import io.weft.it.harness.Library;
import io.weft.it.harness.Policy;
import io.weft.it.harness.PolicyServer;
import io.weft.it.harness.RecordedRequest;
import io.weft.it.harness.Routes;
import io.weft.it.harness.Testbed;
import io.weft.it.harness.Upstream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.jar.Attributes;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Other agents weave the same classes: the mesh does what it does, and they see what they see without it. */
class CoexistenceIT {
    private static final int SAMPLE = 400;

    @RegisterExtension
    final Testbed testbed = new Testbed();

    private final Upstream v1 = testbed.upstream("v1");
    private final Upstream v2 = testbed.upstream("v2");

    private enum Order { WEFT_FIRST, WEFT_LAST }

    static Stream<Arguments> orders() {
        return Stream.of(
                Arguments.of(Jdks.matrix().get(0), Order.WEFT_FIRST),
                Arguments.of(Jdks.newest(), Order.WEFT_FIRST),
                Arguments.of(Jdks.newest(), Order.WEFT_LAST));
    }

    @ParameterizedTest
    @MethodSource("orders")
    void tracesOfOpenTelemetryAreIntactAndTheCanaryIsObeyed(Jdk jdk, Order order) {
        PolicyServer policies = testbed.policyServer();
        JvmProcess server = with(otherAgent("opentelemetry-javaagent"), order, policies, "inventory", traced("server", jdk))
                .unguarded()
                .classPath(Library.named("tomcat-10.1"))
                .driver("io.weft.driver.tomcat.jakarta.TomcatServer", "inventory");
        policies.serve(canary().service("inventory", new InetSocketAddress("127.0.0.1", server.awaitPort())));
        JvmProcess client = with(otherAgent("opentelemetry-javaagent"), order, policies, "shop", traced("client", jdk))
                .driver(JavaNetHttp.class);

        obeysTheCanary(client);
        RecordedRequest sent = v2.requests().get(0);
        String parent = sent.header("traceparent").orElseThrow();
        Span calling = Span.of(client.awaitStderr(line -> line.contains(" CLIENT ") && line.contains(parent.split("-")[2])));
        assertThat(parent).startsWith("00-" + calling.trace + "-" + calling.id + "-");

        HttpAnswer answer = client.get("http://inventory/");
        assertThat(answer.body()).isEqualTo("inventory");
        Span serving = Span.of(server.awaitStderr(line -> line.contains(" SERVER ")));
        client.awaitStderr(line -> line.contains(" CLIENT ") && line.contains(serving.trace));
        server.awaitStderr(line -> line.contains("instruments tomcat"));
        server.stop();
        assertThat(server.stderr()).filteredOn(line -> line.contains(" SERVER ")).as("one for one request").hasSize(1);
    }

    @Test
    void aRetryIsOneRequestToOpenTelemetry() {
        PolicyServer policies = testbed.policyServer();
        policies.serve(Policy.empty().cluster("orders", v1.address(), v2.address())
                .virtualHost("orders", Routes.retried("connect-failure", 1, Routes.to("orders"))));
        JvmProcess client = with(otherAgent("opentelemetry-javaagent"), Order.WEFT_FIRST, policies, "shop", traced("client", Jdks.newest()))
                .driver(JavaNetHttp.class);
        v1.die();

        for (int i = 0; i < 4; i++) {
            assertThat(client.get("http://orders/").body()).isEqualTo("v2");
        }

        List<String> parents = v2.requests().stream().map(request -> request.header("traceparent").orElseThrow()).distinct().toList();
        assertThat(parents).hasSize(4);
        for (String parent : parents) {
            client.awaitStderr(line -> line.contains(" CLIENT ") && line.contains(parent.split("-")[2]));
        }
        client.stop();
        assertThat(client.stderr()).filteredOn(line -> line.contains(" CLIENT ")).as("all that there ever were").hasSize(4);
    }

    @ParameterizedTest
    @MethodSource("orders")
    void spansOfTheMeshJoinThoseOfOpenTelemetryAndDoubleNone(Jdk jdk, Order order) {
        PolicyServer policies = testbed.policyServer();
        policies.serve(Policy.empty().cluster("orders", v1.address())
                .virtualHost("orders", Routes.retried("5xx", 1, Routes.to("orders"))));
        try (SpanCollector collector = SpanCollector.start()) {
            JvmCommand traced = traced("client", jdk).environment("WEFT_OTLP_ENDPOINT", collector.endpoint().toString())
                    .environment("WEFT_TRACES_SAMPLING", "100%");
            JvmProcess client = with(otherAgent("opentelemetry-javaagent"), order, policies, "shop", traced).driver(JavaNetHttp.class);
            assertThat(client.get("http://orders/").body()).isEqualTo("v1");
            String parent = v1.requests().get(0).header("traceparent").orElseThrow().split("-")[2];
            client.awaitStderr(line -> line.contains(" CLIENT ") && line.contains(parent));

            v1.answer(503);
            assertThat(client.get("http://orders/").status()).isEqualTo(503);
            List<String> attempts = v1.requests().stream().skip(1).map(request -> request.header("traceparent").orElseThrow()).toList();
            assertThat(attempts).hasSize(2);
            Span calling = Span.of(client.awaitStderr(line -> line.contains(" CLIENT ") && line.contains(attempts.get(0).split("-")[2])));
            assertThat(collector.await(1, span -> true)).singleElement().satisfies(further -> {
                assertThat(further.trace()).isEqualTo(calling.trace);
                assertThat(further.parent()).isEqualTo(calling.id);
                assertThat(attempts.get(1)).isEqualTo("00-" + calling.trace + "-" + further.id() + "-01");
            });
        }
    }

    @ParameterizedTest
    @MethodSource("orders")
    void metricsOfTheMeshAreToldByOpenTelemetryAndDoubleNone(Jdk jdk, Order order) throws IOException {
        PolicyServer policies = testbed.policyServer();
        policies.serve(Policy.empty().cluster("orders", v1.address()).virtualHost("orders", Routes.to("orders")));
        JvmCommand metered = traced("client", jdk).environment("OTEL_METRICS_EXPORTER", "logging-otlp")
                .environment("OTEL_METRIC_EXPORT_INTERVAL", "500");
        JvmProcess client = with(otherAgent("opentelemetry-javaagent"), order, policies, "shop", metered).driver(JavaNetHttp.class);
        assertThat(client.get("http://orders/").body()).isEqualTo("v1");

        String line = client.awaitStderr(export -> export.contains("istio_requests_total") && export.contains("http.client.request.duration"));
        JsonNode export = new ObjectMapper().readTree(line.substring(line.indexOf("{\"")));
        assertThat(export.at("/resource/attributes")).anyMatch(attribute -> attribute.toString().contains("telemetry.sdk.name"));
        Map<String, List<String>> scopes = new HashMap<>();
        for (JsonNode scope : export.at("/scopeMetrics")) {
            for (JsonNode metric : scope.path("metrics")) {
                scopes.computeIfAbsent(metric.path("name").asText(), name -> new ArrayList<>()).add(scope.at("/scope/name").asText());
            }
        }
        assertThat(scopes).containsEntry("istio_requests_total", List.of("io.weft"))
                .containsEntry("istio_request_duration_milliseconds", List.of("io.weft"))
                .containsEntry("http.client.request.duration", List.of("io.opentelemetry.java-http-client"));
    }

    @ParameterizedTest
    @MethodSource("orders")
    void jacocoMeasuresAndTheCanaryIsObeyed(Jdk jdk, Order order) {
        PolicyServer policies = testbed.policyServer();
        policies.serve(canary());
        isMeasured(order, policies, testbed.jvm("java.net.http", jdk), JavaNetHttp.class);
        isMeasured(order, policies, testbed.jvm("okhttp", jdk).classPath(Library.named("okhttp-5")), OkHttp.class);
        isMeasured(order, policies, testbed.jvm("apache", jdk).classPath(Library.named("httpclient5-5.6")), ApacheHttpClient5.class);
        isMeasured(order, policies, testbed.jvm("reactor-netty", jdk).classPath(Library.named("reactor-netty-1.3")), ReactorNetty.class);
    }

    private void isMeasured(Order order, PolicyServer policies, JvmCommand jvm, Class<?> driver) {
        Path coverage = testbed.temporaryFolder().resolve("jacoco.exec");
        JvmProcess client = with(otherAgent("org.jacoco.agent") + "=destfile=" + coverage, order, policies, "shop", jvm).driver(driver);

        obeysTheCanary(client);

        client.stop();
        assertThat(coverage).isNotEmptyFile();
        assertThat(client.stderr()).noneMatch(line -> line.contains("Exception"));
    }

    /** The methods are those that Weft weaves, too, and that are called all the same: what it does in the place of a method, none but the outermost advice sees. */
    @ParameterizedTest
    @MethodSource("orders")
    void adviceOfByteBuddyInTheSameMethodsIsRunAndTheCanaryIsObeyed(Jdk jdk, Order order) throws IOException {
        PolicyServer policies = testbed.policyServer();
        policies.serve(canary());
        List<String> ofJavaNetHttp = List.of("jdk.internal.net.http.HttpConnection#getConnection");
        JvmProcess client = with(watchingAgent(ofJavaNetHttp), order, policies, "shop", testbed.jvm("java.net.http", jdk)).driver(JavaNetHttp.class);
        obeysTheCanary(client);
        assertWatched(client, ofJavaNetHttp);

        List<String> ofOkHttp = List.of("okhttp3.internal.connection.ConnectInterceptor#intercept");
        JvmProcess okHttp = with(watchingAgent(ofOkHttp), order, policies, "shop", testbed.jvm("okhttp", jdk))
                .classPath(Library.named("okhttp-5")).driver(OkHttp.class);
        obeysTheCanary(okHttp);
        assertWatched(okHttp, ofOkHttp);

        List<String> ofTomcat = List.of("org.apache.tomcat.util.net.NioEndpoint#setSocketOptions", "org.apache.catalina.connector.CoyoteAdapter#service");
        JvmProcess server = with(watchingAgent(ofTomcat), order, policies, "inventory", testbed.jvm("tomcat", jdk))
                .unguarded()
                .classPath(Library.named("tomcat-10.1"))
                .driver("io.weft.driver.tomcat.jakarta.TomcatServer", "inventory");
        policies.serve(canary().service("inventory", new InetSocketAddress("127.0.0.1", server.awaitPort())));
        await().until(() -> client.ask(Map.of("url", "http://inventory/")).getOrDefault("body", "").equals("inventory"));
        server.awaitStderr(line -> line.contains("instruments tomcat"));
        assertWatched(server, ofTomcat);
    }

    private static void assertWatched(JvmProcess process, List<String> methods) {
        for (String method : methods) {
            process.awaitStderr(line -> line.equals("watched: " + method.replace('#', '.')));
        }
        assertThat(process.stderr()).noneMatch(line -> line.contains("Exception") || line.contains("Error"));
    }

    /** For a command line, with its argument. */
    private String watchingAgent(List<String> methods) throws IOException {
        Path jar = testbed.temporaryFolder().resolve("watching-agent.jar");
        Manifest manifest = new Manifest();
        manifest.getMainAttributes().put(Attributes.Name.MANIFEST_VERSION, "1.0");
        manifest.getMainAttributes().putValue("Premain-Class", WatchingAgent.class.getName());
        manifest.getMainAttributes().putValue("Can-Retransform-Classes", "true");
        manifest.getMainAttributes().put(Attributes.Name.CLASS_PATH, Path.of(otherAgent("byte-buddy")).toUri().getRawPath());
        try (JarOutputStream out = new JarOutputStream(Files.newOutputStream(jar), manifest)) {
            for (String entry : List.of("io/weft/driver/WatchingAgent.class", "io/weft/driver/WatchingAgent$Watch.class")) {
                out.putNextEntry(new JarEntry(entry));
                try (InputStream in = WatchingAgent.class.getResourceAsStream("/" + entry)) {
                    in.transferTo(out);
                }
            }
        }
        return jar + "=" + String.join(",", methods);
    }

    private Policy canary() {
        return Policy.empty().cluster("orders-v1", v1.address()).cluster("orders-v2", v2.address())
                .virtualHost("orders", Routes.split(Map.of("orders-v1", 75, "orders-v2", 25)));
    }

    /** Roughly: how exactly is tested elsewhere. */
    private static void obeysTheCanary(JvmProcess client) {
        Tally shared = client.load("http://orders/", Map.of(), SAMPLE, 4);
        assertThat(shared.status(200)).isEqualTo(SAMPLE);
        assertThat(shared.body("v2") / (double) SAMPLE).isBetween(0.15, 0.35);
    }

    private JvmCommand traced(String name, Jdk jdk) {
        return testbed.jvm(name, jdk)
                .environment("OTEL_SERVICE_NAME", name)
                .environment("OTEL_TRACES_EXPORTER", "console")
                .environment("OTEL_METRICS_EXPORTER", "none")
                .environment("OTEL_LOGS_EXPORTER", "none");
    }

    private static JvmCommand with(String other, Order order, PolicyServer policies, String service, JvmCommand jvm) {
        if (order == Order.WEFT_LAST) {
            jvm.option("-javaagent:" + other);
        }
        jvm.mesh(policies.uri(), service);
        return order == Order.WEFT_FIRST ? jvm.option("-javaagent:" + other) : jvm;
    }

    private static String otherAgent(String name) {
        return Library.named("agents").jars().stream()
                .filter(jar -> jar.getFileName().toString().startsWith(name))
                .map(Path::toString)
                .findFirst()
                .orElseThrow(() -> new AssertionError("no " + name + " below " + Build.agent()));
    }

    /** As OpenTelemetry's console exporter writes it: {@code … 'GET' : 0123…(trace) 4567…(span) CLIENT […}. */
    private record Span(String trace, String id) {
        static Span of(String line) {
            String[] words = line.substring(line.indexOf("' : ") + 4).split(" ");
            return new Span(words[0], words[1]);
        }
    }
}
