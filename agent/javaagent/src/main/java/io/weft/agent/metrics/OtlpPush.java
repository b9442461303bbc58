package io.weft.agent.metrics;

import io.weft.agent.log.AgentLog;
import io.weft.agent.mesh.AgentVersion;
import io.weft.agent.mesh.Background;
import io.weft.agent.mesh.Mesh.Running;
import io.weft.agent.mesh.Mesh;
import io.weft.agent.settings.Settings;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Sends all metrics to an OpenTelemetry collector, again and again, on a daemon thread of its own. A collector that is not there is said
 * once, and asked again next time; so is whatever else fails.
 */
public final class OtlpPush {
    private static final Duration PATIENCE = Duration.ofSeconds(10);
    private static final Pattern STATUS_LINE = Pattern.compile("HTTP/1\\.[01] (\\d\\d\\d).*");

    private final Settings.Otlp settings;
    private final Collector collector;
    private final Supplier<List<Metric>> metrics;
    private final Map<String, String> resource;
    private final InstantSource time;
    private final Instant start;
    private final AgentLog log;

    OtlpPush(Settings.Otlp settings, Collector collector, Map<String, String> resource, Supplier<List<Metric>> metrics, InstantSource time,
            AgentLog log) {
        this.settings = settings;
        this.collector = collector;
        this.metrics = metrics;
        this.resource = resource;
        this.time = time;
        this.log = log;
        start = time.instant();
    }

    /** Begins where a collector is set. To be run once, when the mesh runs; a class that costs a JVM without one nothing. */
    public record Begin(Settings settings, Mesh mesh, Background background, AgentLog log) implements Runnable {
        @Override
        public void run() {
            if (settings.otlp().isPresent()) {
                begin(settings, mesh.running().orElseThrow(), background, log);
            }
        }
    }

    private static void begin(Settings settings, Running running, Background background, AgentLog log) {
        Map<String, String> resource = new LinkedHashMap<>();
        resource.put("service.name", settings.service().orElse("unknown_service:java"));
        resource.put("service.namespace", settings.mesh());
        resource.put("service.instance.id", running.instance());
        resource.put("telemetry.distro.name", "weft");
        resource.put("telemetry.distro.version", AgentVersion.get());
        MeshMetrics all = new MeshMetrics(settings, InstantSource.system());
        Settings.Otlp otlp = settings.otlp().get();
        Collector collector = new Collector(otlp.endpoint(), background, PATIENCE);
        OtlpPush push = new OtlpPush(otlp, collector, resource, () -> all.withConventions(running), InstantSource.system(), log);
        Thread thread = new Thread(null, push::run, "weft-otlp", 0, false);
        thread.setDaemon(true);
        thread.setContextClassLoader(OtlpPush.class.getClassLoader());
        thread.start();
    }

    private void run() {
        while (true) {
            try {
                Thread.sleep(settings.interval().toMillis());
                push();
            } catch (Throwable unsaid) {
                // The log failed, as without memory, or somebody interrupted a thread that is not his. This one goes on: its end would be
                // told to the app's handler of uncaught exceptions.
                continue;
            }
        }
    }

    /** Once, now. */
    void push() {
        try {
            String line = collector.post(OtlpJson.of(resource, metrics.get(), start, time.instant()).getBytes(StandardCharsets.UTF_8));
            Matcher parts = STATUS_LINE.matcher(line);
            String status = parts.matches() ? parts.group(1) : "none";
            if (!status.startsWith("2")) {
                // Under the status alone: the rest may be another each time.
                log.warnOnce("otlp " + status, "metrics are not taken by " + settings.endpoint() + ": " + line + "; check weft.otlp.endpoint");
            }
        } catch (IOException failed) {
            log.warnOnce("otlp", "metrics cannot be sent to " + settings.endpoint() + ": " + failed + "; " + again());
        } catch (Throwable fault) {
            log.faultOnce("otlp fault", "a fault in sending metrics; " + again(), fault);
        }
    }

    private String again() {
        return "it is tried again every " + settings.interval().toMillis() + " ms";
    }
}
