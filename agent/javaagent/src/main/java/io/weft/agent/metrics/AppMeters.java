package io.weft.agent.metrics;

import io.weft.agent.link.Slots;
import io.weft.agent.log.AgentLog;
import io.weft.agent.mesh.Mesh;
import io.weft.agent.mesh.Mesh.Running;
import io.weft.agent.settings.Settings;
import io.weft.agent.weave.HookIndex;
import io.weft.agent.weave.HookIndex.ClassHooks;
import io.weft.agent.weave.HookTransformer;
import io.weft.agent.weave.LoadedClasses;
import io.weft.agent.weave.Weaver;
import io.weft.instrumentation.Handler;
import io.weft.instrumentation.Hook;
import io.weft.instrumentation.InstrumentationModule;
import java.lang.instrument.Instrumentation;
import java.lang.ref.WeakReference;
import java.security.ProtectionDomain;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.WeakHashMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;

/**
 * Tells the mesh's metrics by the app's own OpenTelemetry, in it or by another agent: what its SDK collects for one of its readers has them,
 * too. Until then nobody does anything for it; they are read from what is counted anyway. Not by instruments of OpenTelemetry's API, of
 * which those that are read when they are collected cannot be histograms.
 *
 * <p>Of several SDKs in one process the one that collects first has them, until it is shut down: they may well lead to the same place.
 */
public final class AppMeters {
    private static final String PROVIDER = "io.opentelemetry.sdk.metrics.SdkMeterProvider";
    private static final List<Hook> HOOKS = List.of(
            // Since 1.31, and before it.
            Hook.result("collect", PROVIDER + "$LeasedMetricProducer", "produce", ""),
            Hook.result("collect", PROVIDER + "$LeasedMetricProducer", "collectAllMetrics", ""),
            // At its end, for the SDK collects once more in it.
            Hook.result("shutdown", PROVIDER, "shutdown", ""));

    private final Supplier<List<Metric>> metrics;
    private final BooleanSupplier elsewhere;
    private final InstantSource time;
    private final Instant start;
    private final AgentLog log;
    private final AtomicReference<Teller> teller = new AtomicReference<>();
    private volatile boolean told;
    /** Then what was counted before is there already, maybe in the same place. */
    private volatile boolean wasElsewhere;

    /** The SDK that has the metrics. Thread-safe, as each of its readers may have a thread. */
    private static final class Teller {
        /** What its readers share. */
        private final WeakReference<Object> state;
        /** Those of our metrics that the app tells by itself. For good: an SDK that tells differences leaves out what has not changed. */
        private final Set<String> apps = ConcurrentHashMap.newKeySet();
        /** Of metrics under the conventions' names, how much there was at first. */
        private final Map<String, Long> atFirst = new ConcurrentHashMap<>();
        private final Set<String> grown = ConcurrentHashMap.newKeySet();

        /** Of its readers that want differences. */
        private final Map<Object, Differences> differences = Collections.synchronizedMap(new WeakHashMap<>());
        private final boolean isFirst;

        /** @param isFirst no other was told of the metrics before */
        Teller(Object state, boolean isFirst) {
            this.state = new WeakReference<>(state);
            this.isFirst = isFirst;
        }

        /**
         * Whether nobody but us tells it. Under the conventions' names the app may count the same requests, so that some must have come since
         * this was looked at, and the SDK must have collected once more, as what is measured around us ends after us.
         */
        boolean isOurs(Metric metric) {
            if (apps.contains(metric.name())) {
                return false;
            }
            if (!metric.isOfConventions()) {
                return true;
            }
            long count = metric.count();
            Long first = atFirst.putIfAbsent(metric.name(), count);
            return first != null && count > first && !grown.add(metric.name());
        }
    }

    /** @param elsewhere whether the metrics are sent by the agent itself, maybe to the same place */
    AppMeters(Supplier<List<Metric>> metrics, BooleanSupplier elsewhere, InstantSource time, AgentLog log) {
        this.metrics = metrics;
        this.elsewhere = elsewhere;
        this.time = time;
        this.log = log;
        start = time.instant();
    }

    /**
     * To be run once, when the mesh runs; an SDK that was there before does as well.
     *
     * @param elsewhere whether the metrics are sent by the agent itself, maybe to the same place
     */
    record Begin(Settings settings, Mesh mesh, Instrumentation instrumentation, Slots slots, AgentLog log, BooleanSupplier elsewhere)
            implements Runnable {
        @Override
        public void run() {
            if (settings.metricsByApp()) {
                Running running = mesh.running().orElseThrow();
                MeshMetrics all = new MeshMetrics(settings, InstantSource.system());
                new AppMeters(() -> all.withConventions(running), elsewhere, InstantSource.system(), log).weave(instrumentation, slots);
            }
        }
    }

    private void weave(Instrumentation instrumentation, Slots slots) {
        Map<String, Integer> numbers = new HashMap<>();
        numbers.put("collect", slots.add("app-meters/collect", (Handler.Result) (self, result, a0, a1, a2) ->
                collected(self, (Collection<?>) result)));
        numbers.put("shutdown", slots.add("app-meters/shutdown", (Handler.Result) (self, result, a0, a1, a2) -> {
            shutDown(self);
            return result;
        }));
        HookIndex index = new HookIndex(List.of(new InstrumentationModule("app-meters", "", "", List.of(), HOOKS)));
        HookTransformer.Engine engine = new HookTransformer.Engine() {
            @Override
            public byte[] weave(ClassLoader loader, String name, ProtectionDomain domain, byte[] classFile, List<ClassHooks> hooks) {
                return new Weaver().weave(classFile, hooks.get(0).hooks(), method -> numbers.get(method.hook().id())).classFile();
            }
        };
        instrumentation.addTransformer(new HookTransformer(index, engine, log), true);
        new LoadedClasses(instrumentation, index, log).weave();
    }

    /**
     * @param producer what collects for one reader
     * @param apps what it has collected
     */
    Collection<?> collected(Object producer, Collection<?> apps) {
        OpenTelemetrySdk sdk = OpenTelemetrySdk.of(producer.getClass());
        Object state = sdk.state(producer);
        Teller telling = teller(state);
        if (telling == null) {
            return apps;
        }
        telling.apps.addAll(sdk.names(apps));
        List<Object> all = new ArrayList<>(apps);
        boolean sentElsewhere = elsewhere.getAsBoolean();
        wasElsewhere |= sentElsewhere;
        boolean fromFirst = telling.isFirst && !wasElsewhere;
        Differences differences = telling.differences.computeIfAbsent(producer, reader -> new Differences(start, fromFirst));
        Instant now = time.instant();
        if (sentElsewhere) {
            metrics.get().forEach(differences::of);
            differences.told(now);
            return apps;
        }
        for (Metric metric : metrics.get()) {
            if (!metric.points().isEmpty() && telling.isOurs(metric)) {
                boolean wantsDifferences = sdk.wantsDifferences(producer, metric.kind());
                Metric told = wantsDifferences ? differences.of(metric) : metric;
                if (!told.points().isEmpty()) {
                    all.add(sdk.told(told, state, wantsDifferences ? differences.since() : start, now, wantsDifferences));
                }
            }
        }
        differences.told(now);
        return all;
    }

    private Teller teller(Object state) {
        while (true) {
            Teller known = teller.get();
            Object alive = known == null ? null : known.state.get();
            if (alive != null) {
                return alive == state ? known : null;
            }
            Teller made = new Teller(state, !told);
            if (teller.compareAndSet(known, made)) {
                told = true;
                log.info("metrics are told by the app's OpenTelemetry, too; weft.metrics.opentelemetry=false ends that");
                return made;
            }
        }
    }

    private void shutDown(Object provider) {
        Teller known = teller.get();
        if (known != null && known.state.get() == OpenTelemetrySdk.of(provider.getClass()).state(provider)) {
            teller.compareAndSet(known, null);
        }
    }
}
