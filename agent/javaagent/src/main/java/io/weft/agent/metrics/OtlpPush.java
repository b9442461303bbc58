package io.weft.agent.metrics;

import io.weft.agent.log.AgentLog;
import io.weft.agent.mesh.Background;
import io.weft.agent.mesh.Mesh;
import io.weft.agent.mesh.Mesh.Running;
import io.weft.agent.otlp.Collector;
import io.weft.agent.otlp.Outlet;
import io.weft.agent.otlp.Resource;
import io.weft.agent.settings.Settings;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

/**
 * Sends all metrics to an OpenTelemetry collector, again and again, on a daemon thread of its own. A collector that is not there is said
 * once, and asked again next time; so is whatever else fails.
 */
public final class OtlpPush {

    private final Settings.Otlp settings;
    private final Outlet outlet;
    private final Supplier<List<Metric>> metrics;
    private final Map<String, String> resource;
    private final InstantSource time;
    private final Instant start;
    private final AgentLog log;

    OtlpPush(Settings.Otlp settings, Outlet outlet, Map<String, String> resource, Supplier<List<Metric>> metrics, InstantSource time,
            AgentLog log) {
        this.settings = settings;
        this.outlet = outlet;
        this.metrics = metrics;
        this.resource = resource;
        this.time = time;
        this.log = log;
        start = time.instant();
    }

    /** To be run once, when the mesh runs, where a collector is set. */
    public record Begin(Settings settings, Mesh mesh, Background background, AgentLog log) implements Runnable {
        @Override
        public void run() {
            begin(settings, mesh.running().orElseThrow(), background, log);
        }
    }

    private static void begin(Settings settings, Running running, Background background, AgentLog log) {
        MeshMetrics all = new MeshMetrics(settings, InstantSource.system());
        Settings.Otlp otlp = settings.otlp().get();
        Outlet outlet = new Outlet(new Collector(otlp.endpoint(), background), "/v1/metrics", "metrics", log);
        OtlpPush push = new OtlpPush(otlp, outlet, Resource.of(settings, running.instance()), () -> all.withConventions(running),
                InstantSource.system(), log);
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
            outlet.send(OtlpJson.of(resource, metrics.get(), start, time.instant()), again());
        } catch (Throwable fault) {
            log.faultOnce("otlp fault", "a fault in sending metrics; " + again(), fault);
        }
    }

    private String again() {
        return "it is tried again every " + settings.interval().toMillis() + " ms";
    }
}
