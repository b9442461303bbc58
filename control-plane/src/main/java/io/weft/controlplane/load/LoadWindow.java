package io.weft.controlplane.load;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What callers have reported of the last {@link #LENGTH}, in memory that is bounded. Of more than {@value #MAX_EDGES} edges of one mesh,
 * or {@value #MAX_ALL_EDGES} of all, those go first that nobody used for longest, of the mesh that has most. Of what callers say of single
 * instances no service may have more than {@value #MAX_REPORTS} pieces kept, so that none can keep out what others say. Thread-safe.
 */
public final class LoadWindow {

    private static final Logger LOG = LoggerFactory.getLogger(LoadWindow.class);

    public static final Duration STEP = Duration.ofSeconds(5);
    public static final Duration LENGTH = Duration.ofMinutes(10);

    static final int SLOTS = (int) LENGTH.dividedBy(STEP);
    static final int MAX_EDGES = 2_000;
    static final int MAX_ALL_EDGES = 2 * MAX_EDGES;
    static final int MAX_REPORTS = 50_000;
    private static final int MAX_ALL_REPORTS = 4 * MAX_REPORTS;
    /** Of an instance only what was said lately counts: three reports. */
    private static final int INSTANCE_SLOTS = 3;

    private final LongSupplier nanoTime;
    private final Map<Edge, Series> series = new HashMap<>();
    private final Map<Called, Series> refusals = new HashMap<>();
    private final Map<InstanceKey, Map<Reporter, InstanceReport>> instances = new HashMap<>();
    /** How many there are of each service among those of the instances. */
    private final Map<Caller, Integer> reports = new HashMap<>();
    private int allReports;
    private long swept = Long.MIN_VALUE;
    private long complained = Long.MIN_VALUE;

    /** Whose report it is: a node, of a service that it has proved to be of where that is demanded. */
    public record Reporter(String service, String node) {}

    private record Caller(String mesh, String service) {}

    private record InstanceKey(String mesh, String address) {}

    private record InstanceReport(long slot, long successes, long errors, boolean ejected) {

        /** One node may reach an instance through several clusters. */
        InstanceReport plus(InstanceReport more) {
            return slot != more.slot ? more
                    : new InstanceReport(slot, successes + more.successes, errors + more.errors, ejected | more.ejected);
        }
    }

    /** @param nanoTime as {@link System#nanoTime()} */
    public LoadWindow(LongSupplier nanoTime) {
        this.nanoTime = nanoTime;
    }

    public synchronized void add(Edge edge, Load load) {
        Series known = series.get(edge);
        if (known == null) {
            makeRoom(edge.mesh());
            known = new Series(Load.FIGURES);
            series.put(edge, known);
        }
        known.add(slot(), load.figures());
    }

    /** What the instances themselves say. */
    public synchronized void add(Called called, Refusals refused) {
        Series known = refusals.get(called);
        if (known == null) {
            if (refusals.size() >= MAX_EDGES) {
                refusals.values().removeIf(each -> each.newest() <= slot() - SLOTS);
                if (refusals.size() >= MAX_EDGES) {
                    complain("more versions of services refuse requests than are kept; " + called.service() + " of mesh " + called.mesh()
                            + " is not among them");
                    return;
                }
            }
            known = new Series(Refusals.FIGURES);
            refusals.put(called, known);
        }
        known.add(slot(), refused.figures());
    }

    private void makeRoom(String mesh) {
        String largest = mesh;
        if (series.keySet().stream().filter(edge -> edge.mesh().equals(mesh)).count() < MAX_EDGES) {
            if (series.size() < MAX_ALL_EDGES) {
                return;
            }
            Map<String, Integer> sizes = new HashMap<>();
            series.keySet().forEach(edge -> sizes.merge(edge.mesh(), 1, Integer::sum));
            largest = Collections.max(sizes.entrySet(), Map.Entry.comparingByValue()).getKey();
        }
        String from = largest;
        series.entrySet().stream()
                .filter(entry -> entry.getKey().mesh().equals(from))
                .min(Comparator.comparingLong(entry -> entry.getValue().newest()))
                .ifPresent(oldest -> series.remove(oldest.getKey()));
        complain("mesh " + from + " has more connections between services than are kept; the figures of those used least lately are gone");
    }

    /** Not more often than what is kept changes as a whole. */
    private void complain(String message) {
        if (complained == Long.MIN_VALUE || slot() - complained >= SLOTS) {
            complained = slot();
            LOG.warn("load reports: {}", message);
        }
    }

    /**
     * @param address {@code ip:port}
     * @param load of which successes and errors count
     */
    public synchronized void add(String mesh, String address, Reporter reporter, Load load, boolean ejected) {
        if (swept != slot()) {
            sweep();
        }
        InstanceReport said = new InstanceReport(slot(), load.successes(), load.errors(), ejected);
        InstanceKey key = new InstanceKey(mesh, address);
        Map<Reporter, InstanceReport> known = instances.getOrDefault(key, Map.of());
        if (!known.containsKey(reporter)) {
            Caller caller = new Caller(mesh, reporter.service());
            if (allReports >= MAX_ALL_REPORTS || reports.getOrDefault(caller, 0) >= MAX_REPORTS) {
                complain("service " + reporter.service() + " of mesh " + mesh + " says more of single instances than is kept");
                return;
            }
            allReports++;
            reports.merge(caller, 1, Integer::sum);
        }
        instances.computeIfAbsent(key, each -> new HashMap<>()).merge(reporter, said, InstanceReport::plus);
    }

    private void sweep() {
        swept = slot();
        reports.clear();
        allReports = 0;
        instances.values().removeIf(of -> {
            of.values().removeIf(this::isOld);
            return of.isEmpty();
        });
        instances.forEach((key, of) -> of.keySet().forEach(reporter -> {
            allReports++;
            reports.merge(new Caller(key.mesh(), reporter.service()), 1, Integer::sum);
        }));
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
        Duration over = over(sinceMillis);
        return over.compareTo(STEP) < 0 ? Load.NONE : sum(edge, over);
    }

    /** Likewise. */
    public Refusals since(Called called, long sinceMillis) {
        Duration over = over(sinceMillis);
        return over.compareTo(STEP) < 0 ? Refusals.NONE : sum(called, over);
    }

    private Duration over(long sinceMillis) {
        return Duration.ofMillis(slot() * STEP.toMillis() - sinceMillis);
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
        return stretches(series.get(edge), span, Load.NONE, Load::of);
    }

    private <T> List<T> stretches(Series known, Duration span, T none, Function<long[], T> read) {
        int count = (int) Math.max(1, Math.min(SLOTS - 1L, span.dividedBy(STEP)));
        List<T> stretches = new ArrayList<>(count);
        long now = slot();
        for (long slot = now - count; slot < now; slot++) {
            stretches.add(known == null ? none : read.apply(known.at(slot)));
        }
        return stretches;
    }

    /** All of the stretches up to now together. */
    public synchronized Refusals sum(Called called, Duration span) {
        return stretches(refusals.get(called), span, Refusals.NONE, Refusals::of).stream().reduce(Refusals.NONE, Refusals::plus);
    }

    /** The instances that have refused something of late. */
    public synchronized List<Called> refusing(String mesh) {
        long oldest = slot() - SLOTS;
        return refusals.entrySet().stream()
                .filter(entry -> entry.getKey().mesh().equals(mesh) && entry.getValue().newest() > oldest)
                .map(Map.Entry::getKey)
                .toList();
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
        return sum.withInProgress(inProgress);
    }

    /** By {@code ip:port}. */
    public synchronized Map<String, InstanceLoad> instances(String mesh) {
        Map<String, InstanceLoad> loads = new TreeMap<>();
        instances.forEach((key, of) -> {
            if (!key.mesh().equals(mesh)) {
                return;
            }
            long successes = 0;
            long errors = 0;
            Set<String> ejectedBy = new TreeSet<>();
            for (Map.Entry<Reporter, InstanceReport> entry : of.entrySet()) {
                InstanceReport report = entry.getValue();
                if (!isOld(report)) {
                    successes += report.successes();
                    errors += report.errors();
                    if (report.ejected()) {
                        ejectedBy.add(entry.getKey().service());
                    }
                }
            }
            loads.put(key.address(), new InstanceLoad(Load.of(successes, errors, 0, false), List.copyOf(ejectedBy)));
        });
        return loads;
    }
}
