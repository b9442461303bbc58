package io.weft.dataplane.cluster;

import java.util.concurrent.atomic.AtomicLongFieldUpdater;

/** Requests and successes of the current interval. Thread-safe. */
final class Rate {
    private static final AtomicLongFieldUpdater<Rate> COUNTS = AtomicLongFieldUpdater.newUpdater(Rate.class, "counts");
    private static final long REQUEST = 1;
    private static final long SUCCESS = 1L << 32;

    /** Requests in the lower half, successes in the upper, so that no sweep sees one without the other. */
    private volatile long counts;

    void count(boolean success) {
        COUNTS.addAndGet(this, success ? REQUEST + SUCCESS : REQUEST);
    }

    /** Ends the interval. */
    Interval takeInterval() {
        long taken = COUNTS.getAndSet(this, 0);
        return new Interval((int) taken, (int) (taken >>> 32));
    }

    record Interval(int requests, int successes) {}
}
