package io.weft.dataplane.metrics;

import io.weft.dataplane.metrics.RequestStats.Direction;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLongFieldUpdater;

/**
 * Counts the requests to or from one peer, apart by what became of them. Thread-safe; on the request path without locks, and
 * without allocation once an outcome has been seen.
 */
public final class RequestMeter {
    /** More kinds of outcome than that are counted together: a peer that answers with ever new codes must not fill the memory. */
    static final int MAX_OUTCOMES = 64;

    private final Direction direction;
    private final String cluster;
    private final Peer peer;
    /** By hash, with open addressing; as long as a power of two and never full. Never changed, but replaced. */
    private volatile Series[] table = new Series[4];
    /** Of the outcome that was seen first, which most requests have: found without a look at the table. Null: none yet. */
    private volatile Series usual;
    private int size;

    RequestMeter(Direction direction, String cluster, Peer peer) {
        this.direction = direction;
        this.cluster = cluster;
        this.peer = peer;
    }

    /** In one line of the processor's cache, but for the times of the requests that are timed. */
    private static final class Series {
        private static final AtomicLongFieldUpdater<Series> REQUESTS = AtomicLongFieldUpdater.newUpdater(Series.class, "requests");

        private final long outcome;
        private volatile long requests;
        private final Durations durations = new Durations();
        private final Sizes requestSizes = new Sizes();
        private final Sizes responseSizes = new Sizes();

        Series(long outcome) {
            this.outcome = outcome;
        }
    }

    Peer peer() {
        return peer;
    }

    /** @param outcome as {@link Outcome#pack} makes it */
    void count(long outcome) {
        Series.REQUESTS.getAndIncrement(series(outcome));
    }

    /**
     * @param outcome as {@link Outcome#pack} makes it
     * @param requestBytes of the body; negative: not known
     * @param responseBytes likewise
     * @param weight how many requests the time and the sizes stand for
     */
    void count(long outcome, long nanos, long requestBytes, long responseBytes, int weight) {
        Series series = series(outcome);
        Series.REQUESTS.getAndIncrement(series);
        series.durations.add(nanos, weight);
        if (requestBytes >= 0) {
            series.requestSizes.add(requestBytes, weight);
        }
        if (responseBytes >= 0) {
            series.responseSizes.add(responseBytes, weight);
        }
    }

    private Series series(long outcome) {
        Series series = usual;
        if (series == null || series.outcome != outcome) {
            series = find(table, outcome);
            if (series == null) {
                series = add(outcome);
            }
        }
        return series;
    }

    private static Series find(Series[] table, long outcome) {
        int mask = table.length - 1;
        for (int i = slot(outcome, mask); ; i = i + 1 & mask) {
            Series series = table[i];
            if (series == null || series.outcome == outcome) {
                return series;
            }
        }
    }

    private static int slot(long outcome, int mask) {
        long mixed = outcome * 0x9E3779B97F4A7C15L;
        return (int) (mixed >>> 32) & mask;
    }

    private synchronized Series add(long outcome) {
        Series known = find(table, outcome);
        if (known != null) {
            return known;
        }
        if (size >= MAX_OUTCOMES && outcome != Outcome.OVERFLOW) {
            Series overflow = find(table, Outcome.OVERFLOW);
            return overflow == null ? add(Outcome.OVERFLOW) : overflow;
        }
        Series added = new Series(outcome);
        size++;
        Series[] larger = new Series[2 * size > table.length ? 2 * table.length : table.length];
        for (Series series : table) {
            if (series != null) {
                put(larger, series);
            }
        }
        put(larger, added);
        table = larger;
        if (usual == null) {
            usual = added;
        }
        return added;
    }

    private static void put(Series[] table, Series series) {
        int mask = table.length - 1;
        int i = slot(series.outcome, mask);
        while (table[i] != null) {
            i = i + 1 & mask;
        }
        table[i] = series;
    }

    /** In no particular order. */
    List<RequestStats> stats() {
        List<RequestStats> stats = new ArrayList<>();
        for (Series series : table) {
            if (series != null) {
                stats.add(new RequestStats(
                        direction, cluster, peer, Outcome.of(series.outcome), series.requests, series.durations.snapshot(),
                        series.requestSizes.snapshot(), series.responseSizes.snapshot()));
            }
        }
        return stats;
    }
}
