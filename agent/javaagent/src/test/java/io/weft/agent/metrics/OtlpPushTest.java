package io.weft.agent.metrics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.sun.net.httpserver.HttpServer;
import io.weft.agent.log.AgentLog;
import io.weft.agent.mesh.Background;
import io.weft.agent.otlp.Outlet;
import io.weft.agent.otlp.Outlets;
import io.weft.agent.otlp.Signal;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What a collector gets. */
class OtlpPushTest {
    private final List<String> received = Collections.synchronizedList(new ArrayList<>());
    private final ByteArrayOutputStream logged = new ByteArrayOutputStream();
    private final AgentLog log = AgentLog.to(AgentLog.Level.WARN, logged);
    private volatile int status = 200;
    private volatile Reading onRequest = () -> { };
    private Duration interval = Duration.ofSeconds(60);
    private volatile Instant now = Instant.ofEpochSecond(1_800_000_000);
    private HttpServer collector;

    private interface Reading {
        void waits() throws InterruptedException;
    }

    @BeforeEach
    void start() throws IOException {
        collector = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        collector.createContext("/", exchange -> {
            String body = new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
            received.add(exchange.getRequestMethod() + " " + exchange.getRequestURI() + " " + exchange.getRequestHeaders().getFirst("content-type")
                    + " " + body);
            try {
                onRequest.waits();
            } catch (InterruptedException e) {
                throw new IOException(e);
            }
            if (status != 0) {
                exchange.sendResponseHeaders(status, -1);
            }
            exchange.close();
        });
        collector.start();
    }

    @AfterEach
    void stop() {
        collector.stop(0);
    }

    private OtlpPush push(String path) {
        List<Metric> metrics = new ArrayList<>(IstioMetrics.of(new Workload("shop", "", "", "", ""), MeshMetricsTest.requests()));
        metrics.addAll(SemanticMetrics.of(MeshMetricsTest.requests()));
        return push(path, () -> metrics);
    }

    private OtlpPush push(String path, Supplier<List<Metric>> metrics) {
        return new OtlpPush(interval, outlet(path), Map.of("service.name", "shop"), metrics, now, () -> now, log);
    }

    private Outlet outlet(String path) {
        URI endpoint = URI.create("http://127.0.0.1:" + collector.getAddress().getPort() + path);
        return new Outlets(new Background(log), log).toSetting(endpoint, Signal.METRICS);
    }

    @Test
    void metricsComeAsOneRequest() {
        push("").push();
        assertThat(received).singleElement().asString()
                .startsWith("POST /v1/metrics application/json {\"resourceMetrics\":[{\"resource\":{\"attributes\":[{\"key\":\"service.name\","
                        + "\"value\":{\"stringValue\":\"shop\"}}]}")
                .contains("{\"name\":\"istio_requests_total\",\"description\":\"Requests, each with all its attempts.\",\"unit\":\"\","
                        + "\"sum\":{\"aggregationTemporality\":2,\"isMonotonic\":true,\"dataPoints\":[{\"attributes\":[{\"key\":\"reporter\"")
                .contains("\"timeUnixNano\":\"1800000000000000000\",\"asDouble\":1.0")
                .contains("\"name\":\"http.client.request.duration\"", "\"unit\":\"s\",\"histogram\":{\"aggregationTemporality\":2",
                        "{\"key\":\"http.response.status_code\",\"value\":{\"intValue\":\"200\"}}",
                        "\"explicitBounds\":[1.0E-4,2.5E-4,5.0E-4,0.001,", "\"count\":\"1\",\"sum\":0.003");
        assertThat(logged.size()).isZero();
    }

    @Test
    void anotherCollectorGetsTheSameCountWithTheSameBeginning() {
        OtlpPush push = push("/first");
        push.push();
        now = now.plusSeconds(60);
        push.sendTo(outlet("/second"));
        push.push();
        assertThat(received).hasSize(2).allSatisfy(request -> assertThat(request).contains("\"startTimeUnixNano\":\"1800000000000000000\""));
        assertThat(received.get(0)).startsWith("POST /first/").contains("\"timeUnixNano\":\"1800000000000000000\"");
        assertThat(received.get(1)).startsWith("POST /second/").contains("\"timeUnixNano\":\"1800000060000000000\"");
    }

    /** What is being sent is sent to its end: an operator who takes a policy back is not told of a fault. */
    @Test
    @Timeout(60)
    void itStopsWithoutAWord() throws InterruptedException {
        CountDownLatch sending = new CountDownLatch(1);
        CountDownLatch goOn = new CountDownLatch(1);
        onRequest = () -> {
            sending.countDown();
            goOn.await();
        };
        interval = Duration.ofMillis(1);
        OtlpPush push = push("");
        push.start();
        sending.await();
        push.stop();
        goOn.countDown();
        await().until(() -> Thread.getAllStackTraces().keySet().stream().noneMatch(thread -> thread.getName().equals("weft-otlp")));
        assertThat(received).hasSize(1);
        assertThat(logged.size()).isZero();
    }

    @Test
    void aPathOfTheCollectorsIsKept() {
        push("/otlp").push();
        push("/otlp/").push();
        assertThat(received).hasSize(2).allSatisfy(request -> assertThat(request).startsWith("POST /otlp/v1/metrics "));
    }

    @Test
    void aCollectorThatRefusesIsSaidOnce() {
        status = 415;
        OtlpPush refused = push("");
        refused.push();
        refused.push();
        assertThat(received).hasSize(2);
        assertThat(logged.toString(StandardCharsets.UTF_8)).containsOnlyOnce("HTTP/1.1 415").contains("weft.otlp.endpoint");
    }

    @Test
    void anErrorOfTheAgentIsSaidOnceAndEndsNothing() {
        OtlpPush faulty = push("", () -> {
            throw new NoClassDefFoundError("a fault of the agent");
        });
        faulty.push();
        faulty.push();
        assertThat(received).isEmpty();
        assertThat(logged.toString(StandardCharsets.UTF_8)).containsOnlyOnce("NoClassDefFoundError: a fault of the agent")
                .contains("it is tried again every 60000 ms");
    }

    @Test
    void oneThatHangsUpIsSaidOnceToo() {
        status = 0;
        OtlpPush push = push("");
        push.push();
        push.push();
        assertThat(received).hasSize(2);
        assertThat(logged.toString(StandardCharsets.UTF_8)).containsOnlyOnce("closed without an answer");
    }
}
