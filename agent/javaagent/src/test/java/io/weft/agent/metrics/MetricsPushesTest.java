package io.weft.agent.metrics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.sun.net.httpserver.HttpServer;
import io.weft.agent.log.AgentLog;
import io.weft.agent.mesh.Background;
import io.weft.agent.mesh.Mesh;
import io.weft.agent.mesh.ServicePorts;
import io.weft.agent.settings.Settings;
import io.weft.agent.settings.SettingsReader;
import io.weft.policy.model.HostPort;
import io.weft.policy.model.MetricsPort;
import io.weft.policy.model.MetricsPush;
import io.weft.policy.model.MetricsPush.Said;
import io.weft.policy.model.TelemetryTarget;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Where metrics go as policy says it, and for how long. */
@Timeout(60)
class MetricsPushesTest {
    private static final Said OTHER = new Said("/run/others.sock", Duration.ofMillis(20), Map.of());
    private static final Said SAID = new Said("/run/metrics.sock", Duration.ofMillis(20), Map.of("team", "shop"));

    private final ByteArrayOutputStream logged = new ByteArrayOutputStream();
    private final AgentLog log = AgentLog.to(AgentLog.Level.WARN, logged);
    /** Which of the collectors got something, and what. */
    private final BlockingQueue<String> received = new LinkedBlockingQueue<>();
    private final List<MetricsPushes> pushes = new ArrayList<>();
    private Mesh mesh;
    private HttpServer first;
    private HttpServer second;

    private static final class Unheard implements Mesh.Listener {
        @Override
        public void running() {}

        @Override
        public void policyInForce() {}

        @Override
        public void serving() {}

        @Override
        public void securing() {}

        @Override
        public void metricsAt(Set<MetricsPort> ports) {}

        @Override
        public void metricsTo(Set<MetricsPush> pushes) {}

        @Override
        public void tracing() {}
    }

    @BeforeEach
    void start() throws IOException {
        first = collector("first");
        second = collector("second");
    }

    @AfterEach
    void stop() {
        pushes.forEach(each -> each.follow(Set.of()));
        first.stop(0);
        second.stop(0);
        if (mesh != null) {
            mesh.close();
        }
    }

    private HttpServer collector(String name) throws IOException {
        HttpServer collector = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        collector.createContext("/", exchange -> {
            received.add(name + " " + exchange.getRequestURI() + " " + new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8));
            exchange.sendResponseHeaders(200, -1);
            exchange.close();
        });
        collector.start();
        return collector;
    }

    /** Of a process whose control plane is not there. */
    private MetricsPushes pushes(String more) {
        Settings settings = ((SettingsReader.Valid) SettingsReader.read(
                new Properties(), Map.of(), "control-plane=grpc://127.0.0.1:1,service=orders" + more, Set.of())).settings();
        Background background = new Background(log);
        mesh = new Mesh(settings, new ServicePorts(settings, true), background, log);
        mesh.start(new Unheard());
        await().until(() -> mesh.running().isPresent());
        MetricsPushes fresh = new MetricsPushes(settings, mesh, null, null, background, log);
        pushes.add(fresh);
        return fresh;
    }

    private static MetricsPush to(HttpServer collector) {
        HostPort address = new HostPort("127.0.0.1", collector.getAddress().getPort());
        return new MetricsPush(SAID, Optional.of(new TelemetryTarget(List.of(address), false, Optional.of("/v1/metrics"))));
    }

    /** Several times, while the other one gets none. */
    private void assertThatOnly(String name) {
        await().untilAsserted(() -> {
            received.clear();
            await().until(() -> received.size() >= 3);
            assertThat(received).allMatch(request -> request.startsWith(name + " "));
        });
    }

    @Test
    void theyGoWherePolicySaysForAsLongAsItDoes() throws Exception {
        MetricsPushes pushes = pushes("");
        pushes.follow(Set.of(to(first)));
        await().until(() -> !received.isEmpty());
        assertThat(received.peek()).startsWith("first /v1/metrics {").contains("\"team\"", "\"shop\"", "weft_policy_generation");

        pushes.follow(Set.of(to(second)));
        assertThatOnly("second");

        pushes.follow(Set.of());
        pushes.follow(Set.of(new MetricsPush(OTHER, to(first).target())));
        assertThatOnly("first");
    }

    @Test
    void aCollectorThatIsGoneIsSaidAndGetsNothing() throws Exception {
        MetricsPushes pushes = pushes("");
        pushes.follow(Set.of(to(first)));
        assertThatOnly("first");
        for (int i = 0; i < 2; i++) {
            pushes.follow(Set.of(new MetricsPush(SAID, Optional.empty()), new MetricsPush(OTHER, to(second).target())));
        }
        assertThatOnly("second");
        assertThat(logged.toString(StandardCharsets.UTF_8).lines().filter(line -> line.contains("metrics are not sent"))).singleElement().asString()
                .contains("/run/metrics.sock");
    }

    @Test
    void whatSettingsSayCountsBeforeIt() throws Exception {
        pushes(",otlp.endpoint=http://192.0.2.1:4318").follow(Set.of(to(first)));
        mesh.close();
        pushes("").follow(Set.of(to(second)));
        assertThatOnly("second");
    }
}
