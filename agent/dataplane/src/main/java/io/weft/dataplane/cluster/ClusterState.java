package io.weft.dataplane.cluster;

import io.weft.dataplane.ClusterStats;
import io.weft.dataplane.ClusterStats.EndpointStats;
import io.weft.dataplane.NanoClock;
import io.weft.dataplane.Randomness;
import io.weft.dataplane.Timers;
import io.weft.dataplane.balance.PickerFactory;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;

/**
 * What this JVM remembers of a cluster from the first snapshot that has it to the last: what is under way, what was counted,
 * who is ejected. Thread-safe, on the request path without locks: what follows a change of health or of weights is worked out by
 * the timers' thread.
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

    private final NanoClock clock;
    private final Timers timers;
    private final PickerFactory pickers;

    final AtomicInteger ejected = new AtomicInteger();
    /** Whether the timers' thread has been told of changes that it has not seen yet. */
    private final AtomicBoolean healthChanged = new AtomicBoolean();
    private final AtomicLong nextWeightsNanos;
    final AtomicLong nextSweepNanos = new AtomicLong();
    private volatile ClusterView current;

    ClusterState(String name, NanoClock clock, Randomness randomness, Timers timers) {
        this.name = name;
        this.clock = clock;
        this.timers = timers;
        pickers = new PickerFactory(clock, randomness, requests::get);
        nextWeightsNanos = new AtomicLong(clock.nanoTime());
    }

    public String name() {
        return name;
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

    /** Off the request path. */
    synchronized void install(ClusterView view) {
        view.updateWeights(clock.nanoTime());
        view.refresh(pickers, clock.nanoTime());
        current = view;
    }

    /** To be called after a host's health changed; from any thread. */
    void healthChanged() {
        if (healthChanged.compareAndSet(false, true)) {
            timers.schedule(0, this::refresh);
        }
    }

    private synchronized void refresh() {
        // First, so that what changes from now on comes round again.
        healthChanged.set(false);
        current.refresh(pickers, clock.nanoTime());
    }

    /** Has the weights worked out anew when it is time. */
    void updateWeights(long periodNanos, NanoClock clock) {
        long due = nextWeightsNanos.get();
        long now = clock.nanoTime();
        if (now - due >= 0 && nextWeightsNanos.compareAndSet(due, now + periodNanos)) {
            timers.schedule(0, this::refreshWeights);
        }
    }

    private synchronized void refreshWeights() {
        if (current.updateWeights(clock.nanoTime())) {
            current.refresh(pickers, clock.nanoTime());
        }
    }
}
