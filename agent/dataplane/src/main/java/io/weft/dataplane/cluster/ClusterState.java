package io.weft.dataplane.cluster;

import io.weft.dataplane.ClusterStats;
import io.weft.dataplane.ClusterStats.EndpointStats;
import io.weft.dataplane.NanoClock;
import io.weft.dataplane.Randomness;
import io.weft.dataplane.Surroundings;
import io.weft.dataplane.Timers;
import io.weft.dataplane.balance.PickerFactory;
import io.weft.dataplane.health.HealthProber;
import io.weft.dataplane.metrics.ClusterMeters;
import io.weft.policy.load.ClusterLoad;
import io.weft.policy.load.ClusterLoad.Answers;
import io.weft.policy.model.RoutingPriority;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
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
    /** Longer than a request that was claimed by the policy before takes to its last attempt. */
    private static final long LEAVING_NANOS = TimeUnit.MINUTES.toNanos(5);

    private final String name;
    private final AtomicInteger requests = new AtomicInteger();
    private final AtomicInteger retries = new AtomicInteger();
    private final AtomicInteger highRequests = new AtomicInteger();
    private final AtomicInteger highRetries = new AtomicInteger();
    private final LongAdder retried = new LongAdder();
    private final LongAdder requestOverflows = new LongAdder();
    private final LongAdder retryOverflows = new LongAdder();
    private final LongAdder noHealthyHost = new LongAdder();
    private final LongAdder abandoned = new LongAdder();
    private final LongAdder connectFailures = new LongAdder();
    private final LongAdder ejections = new LongAdder();

    private final NanoClock clock;
    private final Randomness randomness;
    private final Timers timers;
    private final PickerFactory pickers;
    private final HealthChecks healthChecks;
    private final ClusterMeters meters;

    /** Whether there ever was a request. */
    private volatile boolean hadTraffic;
    /** Hosts that are listed no more, in the order in which they left: requests may be under way, or may yet try one. */
    private final List<Leaving> leaving = new ArrayList<>();
    // Of the hosts that are gone.
    private long pastSuccesses;
    private long pastFailures;

    final AtomicInteger ejected = new AtomicInteger();
    /** Whether the timers' thread has been told of changes that it has not seen yet. */
    private final AtomicBoolean healthChanged = new AtomicBoolean();
    private final AtomicLong nextWeightsNanos;
    /** Whether the timers' thread sweeps at the end of the interval: not while a cluster has nothing to sweep. */
    private final AtomicBoolean sweeping = new AtomicBoolean();
    private volatile ClusterView current;

    private record Leaving(Host host, long sinceNanos) {}

    ClusterState(String name, Surroundings surroundings, HealthProber prober) {
        this.name = name;
        clock = surroundings.clock();
        timers = surroundings.timers();
        randomness = surroundings.randomness();
        pickers = new PickerFactory(clock, randomness, this::active);
        meters = new ClusterMeters(name);
        healthChecks = new HealthChecks(this, timers, randomness, prober);
        nextWeightsNanos = new AtomicLong(clock.nanoTime());
    }

    public String name() {
        return name;
    }

    /** @return false when the limit is reached; else {@link #requestEnded} must follow */
    public boolean startRequest(RoutingPriority priority, int limit) {
        if (!hadTraffic) {
            hadTraffic = true;
        }
        AtomicInteger active = requests(priority);
        if (active.getAndIncrement() < limit) {
            return true;
        }
        active.getAndDecrement();
        requestOverflows.increment();
        return false;
    }

    public void requestEnded(RoutingPriority priority) {
        requests(priority).getAndDecrement();
    }

    /** A host's limit is reached. */
    public void overflowed() {
        requestOverflows.increment();
    }

    /** @return false when the limit is reached; else {@link #retryEnded} must follow */
    public boolean startRetry(RoutingPriority priority, int limit) {
        AtomicInteger active = retries(priority);
        if (active.getAndIncrement() < limit) {
            return true;
        }
        active.getAndDecrement();
        retryOverflows.increment();
        return false;
    }

    public void retryEnded(RoutingPriority priority) {
        retries(priority).getAndDecrement();
    }

    /** Requests under way. */
    int active(RoutingPriority priority) {
        return requests(priority).get();
    }

    private int active() {
        return requests.get() + highRequests.get();
    }

    private AtomicInteger requests(RoutingPriority priority) {
        return priority == RoutingPriority.DEFAULT ? requests : highRequests;
    }

    private AtomicInteger retries(RoutingPriority priority) {
        return priority == RoutingPriority.DEFAULT ? retries : highRetries;
    }

    public ClusterMeters meters() {
        return meters;
    }

    HealthChecks healthChecks() {
        return healthChecks;
    }

    boolean hadTraffic() {
        return hadTraffic;
    }

    NanoClock clock() {
        return clock;
    }

    Randomness randomness() {
        return randomness;
    }

    public void retried() {
        retried.increment();
    }

    public void noHealthyHost() {
        noHealthyHost.increment();
    }

    /** A request is not mirrored or not tried again, because of its body. */
    public void abandoned() {
        abandoned.increment();
    }

    /** An attempt got no connection. */
    public void connectFailed() {
        connectFailures.increment();
    }

    void ejectedOne() {
        ejections.increment();
    }

    private void forgetGone() {
        long nowNanos = clock.nanoTime();
        leaving.removeIf(left -> {
            Host host = left.host();
            boolean gone = host.active() == 0 && nowNanos - left.sinceNanos() >= LEAVING_NANOS;
            if (gone) {
                pastSuccesses += host.successes();
                pastFailures += host.failures();
            }
            return gone;
        });
    }

    /** Requests are counted for their hosts only, which together are the cluster's: that is one atomic write less a request. */
    synchronized ClusterStats stats() {
        forgetGone();
        long successes = pastSuccesses;
        long failures = pastFailures;
        for (Leaving left : leaving) {
            successes += left.host().successes();
            failures += left.host().failures();
        }
        List<EndpointStats> endpoints = current.endpointStats();
        for (EndpointStats endpoint : endpoints) {
            successes += endpoint.successes();
            failures += endpoint.failures();
        }
        return new ClusterStats(
                name,
                active(),
                retries.get() + highRetries.get(),
                successes,
                failures,
                meters.answers().stream().mapToLong(Answers::refused).sum(),
                retried.sum(),
                requestOverflows.sum(),
                retryOverflows.sum(),
                noHealthyHost.sum(),
                abandoned.sum(),
                connectFailures.sum(),
                ejections.sum(),
                endpoints);
    }

    synchronized ClusterLoad load() {
        return new ClusterLoad(name, requestOverflows.sum() + noHealthyHost.sum(), current.endpointLoads(), meters.latencies(),
                meters.answers());
    }

    /** The view of the newest snapshot. */
    ClusterView current() {
        return current;
    }

    /**
     * Off the request path.
     *
     * @param left the hosts that the view before listed and this one does not
     */
    synchronized void install(ClusterView view, List<Host> left) {
        for (Host host : left) {
            if (host.retire()) {
                ejected.decrementAndGet();
            }
        }
        long nowNanos = clock.nanoTime();
        left.forEach(host -> leaving.add(new Leaving(host, nowNanos)));
        forgetGone();
        view.updateWeights(nowNanos);
        view.refresh(pickers, nowNanos);
        current = view;
        healthChecks.follow(view);
    }

    /** The cluster is listed no more. */
    void close() {
        healthChecks.close();
    }

    /** To be called after a host's health changed; from any thread. */
    void healthChanged() {
        if (healthChanged.compareAndSet(false, true)) {
            timers.schedule(0, this::refresh);
        }
    }

    /** Has the hosts looked at when the interval is over, if nobody has yet. On the request path. */
    void sweepLater() {
        if (!sweeping.get() && sweeping.compareAndSet(false, true)) {
            scheduleSweep();
        }
    }

    private void scheduleSweep() {
        EjectionRule rule = current.ejection();
        if (rule == null) {
            sweeping.set(false);
        } else {
            timers.schedule(rule.intervalNanos(), this::sweep);
        }
    }

    private synchronized void sweep() {
        ClusterView view = current;
        if (view.ejection() != null && EjectionSweep.run(this, view)) {
            scheduleSweep();
        } else {
            sweeping.set(false);
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
