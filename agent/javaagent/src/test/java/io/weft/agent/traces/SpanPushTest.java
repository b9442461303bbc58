package io.weft.agent.traces;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.sun.net.httpserver.HttpServer;
import io.weft.agent.log.AgentLog;
import io.weft.agent.mesh.Background;
import io.weft.agent.otlp.Outlet;
import io.weft.agent.otlp.Outlets;
import io.weft.agent.otlp.Signal;
import io.weft.dataplane.trace.Span;
import io.weft.dataplane.trace.Span.Kind;
import io.weft.policy.model.Tracing;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What of the spans a collector gets. */
@Timeout(60)
class SpanPushTest {
    private static final Span SPAN = new Span("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7", null, Kind.CLIENT, "GET", 5_000_000_001L,
            5_000_000_009L, Map.of("http.response.status_code", 503L), true);

    private static final Tracing TRACING = new Tracing(Tracing.Sampling.DEFAULT, Tracing.DEFAULT_MAX_PATH_LENGTH, List.of());

    private final ByteArrayOutputStream logged = new ByteArrayOutputStream();
    private final List<String> received = new CopyOnWriteArrayList<>();
    private final CountDownLatch stuck = new CountDownLatch(1);
    private volatile int status = 200;
    private HttpServer collector;
    private SpanPush push;

    @BeforeEach
    void start() throws IOException {
        collector = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        collector.setExecutor(Executors.newCachedThreadPool(task -> {
            Thread thread = new Thread(task);
            thread.setDaemon(true);
            return thread;
        }));
        collector.createContext("/v1/traces", exchange -> {
            received.add(new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8));
            if (status == 0) {
                waitFor(stuck);
            }
            exchange.sendResponseHeaders(status == 0 ? 200 : status, -1);
            exchange.close();
        });
        collector.start();
        AgentLog log = AgentLog.to(AgentLog.Level.WARN, logged);
        URI endpoint = URI.create("http://127.0.0.1:" + collector.getAddress().getPort());
        Outlet outlet = new Outlets(new Background(log), log).toSetting(endpoint, Signal.TRACES);
        push = new SpanPush(tracing -> Optional.of(outlet), () -> Map.of("service.name", "shop"), log);
    }

    private static void waitFor(CountDownLatch latch) throws IOException {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new IOException(e);
        }
    }

    @AfterEach
    void stop() {
        stuck.countDown();
        collector.stop(0);
        push.close();
    }

    private int spans() {
        return received.stream().mapToInt(request -> request.split("\"spanId\"", -1).length - 1).sum();
    }

    @Test
    void aSpanIsSentWithoutBeingAskedFor() {
        push.add(SPAN, TRACING);
        await().untilAsserted(() -> assertThat(spans()).isEqualTo(1));
        assertThat(received.get(0)).isEqualTo("{\"resourceSpans\":[{\"resource\":{\"attributes\":[{\"key\":\"service.name\",\"value\":"
                + "{\"stringValue\":\"shop\"}}]},\"scopeSpans\":[{\"scope\":{\"name\":\"io.weft\"},\"spans\":[{\"traceId\":"
                + "\"4bf92f3577b34da6a3ce929d0e0e4736\",\"spanId\":\"00f067aa0ba902b7\",\"name\":\"GET\",\"kind\":3,\"startTimeUnixNano\":\"5000000001\","
                + "\"endTimeUnixNano\":\"5000000009\",\"attributes\":[{\"key\":\"http.response.status_code\",\"value\":{\"intValue\":\"503\"}}],"
                + "\"status\":{\"code\":2}}]}]}]}");
    }

    @Test
    void whatIsWaitingAtTheEndIsSent() {
        push.add(SPAN, TRACING);
        await().untilAsserted(() -> assertThat(spans()).isEqualTo(1));
        push.add(SPAN, TRACING);
        push.close();
        await().untilAsserted(() -> assertThat(spans()).isEqualTo(2));
        await().untilAsserted(() -> assertThat(Thread.getAllStackTraces().keySet()).noneMatch(thread -> thread.getName().equals("weft-spans")));
    }

    @Test
    void whatACollectorCannotKeepUpWithIsLostAndSaidOnce() {
        status = 0;
        push.add(SPAN, TRACING);
        await().untilAsserted(() -> assertThat(received).hasSize(1));
        for (int i = 0; i < 10_000; i++) {
            push.add(SPAN, TRACING);
        }
        stuck.countDown();
        status = 200;
        await().untilAsserted(() -> assertThat(spans()).isEqualTo(1 + 2_048));
        push.add(SPAN, TRACING);
        await().untilAsserted(() -> assertThat(spans()).isEqualTo(2 + 2_048));
        assertThat(received).as("so many at once").hasSize(6);
        assertThat(logged.toString(StandardCharsets.UTF_8)).containsOnlyOnce("some spans are lost").contains("weft.traces.sampling");
    }

    @Test
    void aCollectorThatTakesNoneIsSaidOnce() {
        status = 404;
        push.add(SPAN, TRACING);
        await().untilAsserted(() -> assertThat(spans()).isEqualTo(1));
        push.add(SPAN, TRACING);
        await().untilAsserted(() -> assertThat(spans()).isEqualTo(2));
        await().untilAsserted(() -> assertThat(logged.toString(StandardCharsets.UTF_8))
                .containsOnlyOnce("spans are not taken by http://127.0.0.1").contains("HTTP/1.1 404"));
    }
}
