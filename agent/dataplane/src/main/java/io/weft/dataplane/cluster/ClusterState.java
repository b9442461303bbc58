package io.weft.dataplane.cluster;

import io.weft.dataplane.ClusterStats;
import io.weft.dataplane.ClusterStats.EndpointStats;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;

/**
 * What this JVM remembers of a cluster from the first snapshot that has it to the last: what is under way, what was counted,
 * who is ejected. Thread-safe without locks.
 */
public final class ClusterState {
    private final String name;
    private final AtomicInteger requests = new AtomicInteger();
    private final AtomicInteger retries = new AtomicInteger();
    private final LongAdder successes = new LongAdder();
    private final LongAdder failures = new LongAdder();
    private final LongAdder retried = new LongAdder();
    private final LongAdder requestOverflows = new LongAdder();
    private final LongAdder retryOverflows = new LongAdder();
    private final LongAdder noHealthyHost = new LongAdder();

    final AtomicInteger roundRobin;
    final AtomicInteger ejected = new AtomicInteger();
    /** Grows with every ejection and return, so that a view knows whether its availability is still true. */
    private final AtomicInteger healthVersion = new AtomicInteger();
    final AtomicLong nextSweepNanos = new AtomicLong();
    private volatile ClusterView current;

    /** @param start where round robin begins: different in each process, or all would begin with the same host */
    ClusterState(String name, int start) {
        this.name = name;
        roundRobin = new AtomicInteger(start);
    }

    /** @return false when the limit is reached; else {@link #requestEnded} must follow */
    public boolean startRequest(int limit) {
        if (requests.getAndIncrement() < limit) {
            return true;
        }
        requests.getAndDecrement();
        requestOverflows.increment();
        return false;
    }

    public void requestEnded() {
        requests.getAndDecrement();
    }

    /** @return false when the limit is reached; else {@link #retryEnded} must follow */
    public boolean startRetry(int limit) {
        if (retries.getAndIncrement() < limit) {
            return true;
        }
        retries.getAndDecrement();
        retryOverflows.increment();
        return false;
    }

    public void retryEnded() {
        retries.getAndDecrement();
    }

    public void succeeded() {
        successes.increment();
    }

    public void failed() {
        failures.increment();
    }

    public void retried() {
        retried.increment();
    }

    public void noHealthyHost() {
        noHealthyHost.increment();
    }

    ClusterStats stats(List<EndpointStats> endpoints) {
        return new ClusterStats(
                name,
                requests.get(),
                retries.get(),
                successes.sum(),
                failures.sum(),
                retried.sum(),
                requestOverflows.sum(),
                retryOverflows.sum(),
                noHealthyHost.sum(),
                endpoints);
    }

    /** The view of the newest snapshot. */
    ClusterView current() {
        return current;
    }

    void install(ClusterView view) {
        current = view;
        view.refresh();
    }

    int healthVersion() {
        return healthVersion.get();
    }

    /** To be called after a host's ejection began or ended. */
    void healthChanged() {
        healthVersion.incrementAndGet();
        ClusterView view = current;
        if (view != null) {
            view.refresh();
        }
    }
}
