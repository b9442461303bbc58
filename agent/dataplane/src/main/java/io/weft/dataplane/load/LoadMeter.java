package io.weft.dataplane.load;

import io.weft.dataplane.NanoClock;
import io.weft.dataplane.Timers;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.DoubleSupplier;
import java.util.function.LongSupplier;

/**
 * Measures how busy this instance is, once a second for as long as callers ask, and not at all otherwise. A request that asks reads
 * a report that is ready; one that does not has no part in it. Thread-safe.
 *
 * <p>What the instance is used to, {@code application_utilization}, is the largest of
 * <ul>
 *   <li>the processors and the request threads in use, as a share of the time that collections leave: an instance that stands still
 *       half of the time can do half
 *   <li>the last fifth of the heap, where collections become longer and come oftener
 * </ul>
 * All figures but the heap's are smoothed over some seconds.
 */
public final class LoadMeter {
    private static final long PERIOD_NANOS = 1_000_000_000L;
    private static final int PATIENCE_PERIODS = 60;
    private static final double NEWEST_SHARE = 0.3;
    private static final double LONGEST_PAUSES = 0.95;
    private static final double HEAP_IS_TIGHT = 0.8;
    /** So that instances with nothing to do are equal, whatever little they do. */
    private static final double IDLE = 0.01;

    private final NanoClock clock;
    private final Timers timers;
    private final LongSupplier requests;
    private final DoubleSupplier threads;
    private final LongAdder responses = new LongAdder();
    private final LongAdder errors = new LongAdder();
    private final AtomicBoolean running = new AtomicBoolean();
    /** Null: nothing is measured. */
    private volatile Source source;
    /** Since the last look at it. */
    private volatile boolean asked;
    /** Null before the first, and when nobody has asked for long. */
    private volatile Load latest;

    private record Source(Vitals vitals, Executor executor) {}

    /**
     * @param requests that came in so far
     * @param threads share of the request threads that are busy, 0 to 1
     */
    public LoadMeter(NanoClock clock, Timers timers, LongSupplier requests, DoubleSupplier threads) {
        this.clock = clock;
        this.timers = timers;
        this.requests = requests;
        this.threads = threads;
    }

    /** @param executor on which it measures, which may take some milliseconds */
    public void from(Vitals vitals, Executor executor) {
        source = new Source(vitals, executor);
    }

    /** @return the newest report; null: there is none yet */
    public String report(LoadFormat format) {
        if (!asked) {
            asked = true;
            begin();
        }
        Load load = latest;
        return load == null ? null : load.in(format);
    }

    /** Of one of those responses that are looked at at all. Counted only while somebody reads it: an atomic write less a request. */
    public void responded(int status) {
        if (!running.get()) {
            return;
        }
        responses.increment();
        if (status >= 500) {
            errors.increment();
        }
    }

    private void begin() {
        Source from = source;
        if (from != null && running.compareAndSet(false, true)) {
            from.executor.execute(() -> next(new Series(from)));
        }
    }

    private void next(Series series) {
        timers.schedule(PERIOD_NANOS, () -> series.source.executor.execute(() -> measure(series)));
    }

    private void measure(Series series) {
        series.idlePeriods = asked ? 0 : series.idlePeriods + 1;
        asked = false;
        if (series.idlePeriods < PATIENCE_PERIODS) {
            latest = new Load(series.next());
            next(series);
            return;
        }
        latest = null;
        running.set(false);
        if (asked) {
            begin();
        }
    }

    /** From the first measurement to the last. For one thread at a time. */
    private final class Series {
        private final Source source;
        private int idlePeriods;
        private long at;
        private long cpuNanos;
        private long pauseMillis;
        private long requestsBefore;
        private long responsesBefore;
        private long errorsBefore;
        /** Null before the first. */
        private Load.Figures smoothed;

        Series(Source source) {
            this.source = source;
            at = clock.nanoTime();
            cpuNanos = source.vitals.cpuNanos();
            pauseMillis = source.vitals.pauseMillis();
            requestsBefore = requests.getAsLong();
            responsesBefore = responses.sum();
            errorsBefore = errors.sum();
        }

        Load.Figures next() {
            Vitals vitals = source.vitals;
            long now = clock.nanoTime();
            double nanos = Math.max(1, now - at);
            at = now;
            long cpuNow = vitals.cpuNanos();
            double cpu = share((cpuNow - cpuNanos) / (nanos * vitals.processors()));
            cpuNanos = cpuNow;
            long pausesNow = vitals.pauseMillis();
            double pauses = share((pausesNow - pauseMillis) * 1e6 / nanos);
            pauseMillis = pausesNow;
            long requestsNow = requests.getAsLong();
            double rate = (requestsNow - requestsBefore) * 1e9 / nanos;
            requestsBefore = requestsNow;
            long responsesNow = responses.sum();
            long errorsNow = errors.sum();
            double failing = share((errorsNow - errorsBefore) / (double) Math.max(1, responsesNow - responsesBefore));
            responsesBefore = responsesNow;
            errorsBefore = errorsNow;
            return smooth(new Load.Figures(
                    cpu, share(vitals.heapAfterCollection()), 0, rate, rate * failing, pauses, share(threads.getAsDouble())));
        }

        private Load.Figures smooth(Load.Figures newest) {
            Load.Figures before = smoothed == null ? newest : smoothed;
            double cpu = smooth(before.cpu(), newest.cpu());
            double pauses = smooth(before.pauses(), newest.pauses());
            double busy = smooth(before.threads(), newest.threads());
            double heap = Math.max(0, (newest.memory() - HEAP_IS_TIGHT) / (1 - HEAP_IS_TIGHT));
            double used = Math.max(cpu, busy) / (1 - Math.min(LONGEST_PAUSES, pauses));
            smoothed = new Load.Figures(
                    cpu, newest.memory(), Math.max(IDLE, Math.max(used, heap)),
                    smooth(before.requestsPerSecond(), newest.requestsPerSecond()),
                    smooth(before.errorsPerSecond(), newest.errorsPerSecond()), pauses, busy);
            return smoothed;
        }

        private static double smooth(double before, double newest) {
            return before + NEWEST_SHARE * (newest - before);
        }
    }

    /** What is not known counts as nothing. */
    private static double share(double value) {
        return Math.max(0, Math.min(1, value));
    }
}
