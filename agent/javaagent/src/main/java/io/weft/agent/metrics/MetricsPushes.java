package io.weft.agent.metrics;

import io.weft.agent.link.Slots;
import io.weft.agent.log.AgentLog;
import io.weft.agent.mesh.Background;
import io.weft.agent.mesh.Mesh;
import io.weft.agent.mesh.Mesh.Running;
import io.weft.agent.otlp.Outlet;
import io.weft.agent.otlp.Outlets;
import io.weft.agent.otlp.Resource;
import io.weft.agent.otlp.Signal;
import io.weft.agent.settings.Settings;
import io.weft.policy.model.MetricsPush;
import io.weft.policy.model.MetricsPush.Said;
import io.weft.policy.model.TelemetryTarget;
import java.lang.instrument.Instrumentation;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * Where metrics are sent to: where settings say, or else where policy says, for as long as it does. Confined to the agent's thread. What
 * costs something is loaded with the first of them.
 */
public final class MetricsPushes implements Runnable {
    private final Settings settings;
    private final Mesh mesh;
    private final Instrumentation instrumentation;
    private final Slots slots;
    private final Background background;
    private final AgentLog log;
    private final Instant started = Instant.now();
    private final Map<Said, Following> byPolicy = new HashMap<>();
    private volatile boolean pushing;

    private record Following(TelemetryTarget target, OtlpPush push) {}

    public MetricsPushes(
            Settings settings, Mesh mesh, Instrumentation instrumentation, Slots slots, Background background, AgentLog log) {
        this.settings = settings;
        this.mesh = mesh;
        this.instrumentation = instrumentation;
        this.slots = slots;
        this.background = background;
        this.log = log;
    }

    /**
     * Begins where a collector is set, and otherwise lets the app's own OpenTelemetry have the metrics for as long as policy sends them
     * nowhere: never both, as they may well lead to the same collector. To be run once, when the mesh runs.
     */
    @Override
    public void run() {
        if (settings.otlp().isPresent()) {
            Settings.Otlp otlp = settings.otlp().get();
            start(new Outlets(background, log).toSetting(otlp.endpoint(), Signal.METRICS), otlp.interval(), Map.of());
        } else {
            new AppMeters.Begin(settings, mesh, instrumentation, slots, log, () -> pushing).run();
        }
    }

    /** From now on metrics go there, and nowhere else that policy said; what the process is told by its settings counts before it. */
    public void follow(Set<MetricsPush> wanted) {
        if (settings.otlp().isPresent()) {
            return;
        }
        Map<Said, MetricsPush> all = wanted.stream().collect(Collectors.toMap(MetricsPush::said, Function.identity()));
        byPolicy.entrySet().removeIf(known -> {
            if (!all.containsKey(known.getKey())) {
                known.getValue().push.stop();
                return true;
            }
            return false;
        });
        for (MetricsPush push : wanted) {
            if (push.target().isPresent()) {
                follow(push.said(), push.target().get());
            } else {
                // Whoever has the old address by now is nobody that policy names.
                Following gone = byPolicy.remove(push.said());
                if (gone != null) {
                    gone.push.stop();
                }
                log.warnOnce("otlp metrics nowhere " + push.said().socket(), "metrics are not sent: the collector that a MeshMetric names is "
                        + "not there, or is to be reached in a way that an agent cannot (" + push.said().socket() + "); look for its cluster "
                        + "in weft status --json, and at what is said of it there");
            }
        }
        pushing = !byPolicy.isEmpty();
    }

    /** Another target is no reason to begin to count time anew. */
    private void follow(Said said, TelemetryTarget target) {
        Following known = byPolicy.get(said);
        if (known != null && known.target.equals(target)) {
            return;
        }
        Outlet outlet = new Outlets(background, log).toPolicy(target, Signal.METRICS, "the MeshMetric that says so");
        if (known == null) {
            byPolicy.put(said, new Following(target, start(outlet, said.interval(), said.labels())));
        } else {
            known.push.sendTo(outlet);
            byPolicy.put(said, new Following(target, known.push));
        }
    }

    private OtlpPush start(Outlet outlet, Duration interval, Map<String, String> labels) {
        Running running = mesh.running().orElseThrow();
        Map<String, String> resource = new LinkedHashMap<>(labels);
        resource.putAll(Resource.of(settings, running.instance()));
        MeshMetrics all = new MeshMetrics(settings, InstantSource.system());
        OtlpPush push = new OtlpPush(interval, outlet, resource, () -> all.withConventions(running), started, InstantSource.system(), log);
        push.start();
        return push;
    }
}
