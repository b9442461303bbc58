package io.weft.controlplane.load;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.LongSupplier;

/**
 * What callers have reported of the last {@link #LENGTH}, in memory that is bounded: the edges that nobody used for longest go first when
 * there are more than {@value #MAX_EDGES}. Thread-safe.
 */
public final class LoadWindow {

    public static final Duration STEP = Duration.ofSeconds(5);
    public static final Duration LENGTH = Duration.ofMinutes(10);

    static final int SLOTS = (int) LENGTH.dividedBy(STEP);
    static final int MAX_EDGES = 2_000;
    private static final int MAX_INSTANCES = 20_000;
    private static final int MAX_CALLERS = 500;
    /** Of an instance only what was said lately counts: three reports. */
    private static final int INSTANCE_SLOTS = 3;

    private final LongSupplier nanoTime;
    private final Map<Edge, Series> series = new HashMap<>();
    private final Map<InstanceKey, Map<String, InstanceReport>> instances = new HashMap<>();

    private record InstanceKey(String mesh, String address) {}

    /** @param caller the service of the node that said it */
    private record InstanceReport(String caller, long slot, Load load, boolean ejected) {}

    /** @param nanoTime as {@link System#nanoTime()} */
    public LoadWindow(LongSupplier nanoTime) {
        this.nanoTime = nanoTime;
    }

    public synchronized void add(Edge edge, Load load) {
        Series known = series.get(edge);
        if (known == null) {
            if (series.size() >= MAX_EDGES) {
                series.entrySet().stream()
                        .min(Comparator.comparingLong(entry -> entry.getValue().newest()))
                        .ifPresent(oldest -> series.remove(oldest.getKey()));
            }
            known = new Series();
            series.put(edge, known);
        }
        known.add(slot(), load);
    }

    /**
     * @param node who says so
     * @param address {@code ip:port}
     */
    public synchronized void add(String mesh, String node, String caller, String address, Load load, boolean ejected) {
        InstanceKey key = new InstanceKey(mesh, address);
        if (instances.size() >= MAX_INSTANCES && !instances.containsKey(key)) {
            instances.values().removeIf(reports -> reports.values().stream().allMatch(this::isOld));
            if (instances.size() >= MAX_INSTANCES) {
                return;
            }
        }
        Map<String, InstanceReport> reports = instances.computeIfAbsent(key, each -> new HashMap<>());
        reports.values().removeIf(this::isOld);
        if (reports.size() >= MAX_CALLERS && !reports.containsKey(node)) {
            return;
        }
        // One node may reach an instance through several clusters.
        InstanceReport said = new InstanceReport(caller, slot(), load, ejected);
        reports.merge(node, said, (before, more) -> before.slot() == more.slot()
                ? new InstanceReport(caller, more.slot(), before.load().plus(more.load()), before.ejected() | more.ejected())
                : more);
    }

    private boolean isOld(InstanceReport report) {
        return report.slot() < slot() - INSTANCE_SLOTS;
    }

    /** Which step it is: while it stays the same, nothing that is shown changes. */
    public long step() {
        return slot();
    }

    /** Milliseconds on the clock of the steps, which is never set. */
    public long nowMillis() {
        return nanoTime.getAsLong() / 1_000_000;
    }

    /**
     * What happened in the stretches that began at a time or later, and are over.
     *
     * @param sinceMillis on the clock of {@link #nowMillis}
     */
    public Load since(Edge edge, long sinceMillis) {
        long length = STEP.toMillis();
        long over = slot() * length - sinceMillis;
        return over < length ? Load.NONE : sum(edge, Duration.ofMillis(over));
    }

    private long slot() {
        return Math.floorDiv(nanoTime.getAsLong(), STEP.toNanos());
    }

    /** The edges that are known of. */
    public synchronized Set<Edge> edges(String mesh) {
        long oldest = slot() - SLOTS;
        Set<Edge> edges = new TreeSet<>(Comparator.comparing(Edge::from).thenComparing(Edge::to).thenComparing(Edge::version));
        series.forEach((edge, known) -> {
            if (edge.mesh().equals(mesh) && known.newest() > oldest) {
                edges.add(edge);
            }
        });
        return edges;
    }

    public synchronized Set<String> meshes() {
        Set<String> meshes = new TreeSet<>();
        series.keySet().forEach(edge -> meshes.add(edge.mesh()));
        return meshes;
    }

    /**
     * The stretches up to now, oldest first; the one that has just begun is not among them.
     *
     * @param span at most {@link #LENGTH}
     */
    public synchronized List<Load> series(Edge edge, Duration span) {
        Series known = series.get(edge);
        int count = (int) Math.max(1, Math.min(SLOTS - 1L, span.dividedBy(STEP)));
        List<Load> loads = new ArrayList<>(count);
        long now = slot();
        for (long slot = now - count; slot < now; slot++) {
            loads.add(known == null ? Load.NONE : known.at(slot));
        }
        return loads;
    }

    /** All of the stretches up to now together; what is under way is that of the last one that says something. */
    public Load sum(Edge edge, Duration span) {
        Load sum = Load.NONE;
        long inProgress = 0;
        for (Load load : series(edge, span)) {
            sum = sum.plus(load);
            if (load.requests() > 0 || load.inProgress() > 0) {
                inProgress = load.inProgress();
            }
        }
        return new Load(sum.successes(), sum.errors(), sum.dropped(), sum.secured(), inProgress, sum.latencies());
    }

    /** By {@code ip:port}. */
    public synchronized Map<String, InstanceLoad> instances(String mesh) {
        Map<String, InstanceLoad> loads = new TreeMap<>();
        instances.forEach((key, reports) -> {
            if (!key.mesh().equals(mesh)) {
                return;
            }
            Load load = Load.NONE;
            Set<String> ejectedBy = new TreeSet<>();
            for (InstanceReport report : reports.values()) {
                if (!isOld(report)) {
                    load = load.plus(report.load());
                    if (report.ejected()) {
                        ejectedBy.add(report.caller());
                    }
                }
            }
            loads.put(key.address(), new InstanceLoad(load, List.copyOf(ejectedBy)));
        });
        return loads;
    }
}
