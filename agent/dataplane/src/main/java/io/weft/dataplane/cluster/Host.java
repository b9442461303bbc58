package io.weft.dataplane.cluster;

import io.weft.dataplane.Endpoint;
import java.util.Map;
import java.util.concurrent.atomic.AtomicIntegerFieldUpdater;
import java.util.concurrent.atomic.AtomicLongFieldUpdater;

/**
 * What this JVM remembers of an endpoint. Lives from the first snapshot that lists it under its cluster to the last one;
 * thread-safe. Counters that a detector resets are written without atomicity: a lost update there is one failure in a row
 * seen one request later.
 */
public final class Host extends HotHost {
    private static final AtomicIntegerFieldUpdater<Host> STANDING = AtomicIntegerFieldUpdater.newUpdater(Host.class, "standing");
    private static final AtomicIntegerFieldUpdater<Host> ROW_LOCAL = AtomicIntegerFieldUpdater.newUpdater(Host.class, "rowLocal");
    private static final AtomicLongFieldUpdater<Host> FAILURES = AtomicLongFieldUpdater.newUpdater(Host.class, "failures");
    private static final AtomicLongFieldUpdater<Host> LOCAL_RATE = AtomicLongFieldUpdater.newUpdater(Host.class, "localRate");

    private static final int LISTED = 0;
    private static final int EJECTED = 1;
    private static final int GONE = 2;
    /** Between listed and ejected, while one thread writes down since when. */
    private static final int EJECTING = 3;

    private final String address;
    /** Of the newest assignment. */
    private volatile Map<String, Object> labels = Map.of();
    private volatile String hostname = "";
    private volatile long failures;

    private volatile int standing;
    private volatile int rowLocal;
    // Written by the one thread that moves the standing, before it does, or by the sweep.
    private int backoff;
    private int ejections;
    private long ejectedAtNanos;
    private long jitterNanos;
    private long returnedAtNanos;
    // What active health checks say. Written by the timers' thread, or while the host is new.
    private volatile boolean failsChecks;
    private volatile boolean degradedByCheck;
    private volatile boolean failedAtOnce;
    private volatile long localRate;
    // At the last sweep, and its own.
    private long sweptRate;
    private long sweptLocalRate;

    // Of balancing. Written off the request path, by one thread at a time.
    private boolean wasHealthy;
    private volatile long healthySinceNanos;
    private volatile int reportedWeight = 1;

    // Of load reports. Several may come at once, and the last one counts: then all of it is one report's or nearly.
    private volatile int weightInReport;
    private volatile long reportedAtNanos;
    private volatile long reportingSinceNanos;
    private volatile long reportAskedAtNanos;
    private volatile boolean reportAsked;

    /** @param address {@code ip:port} */
    public Host(Endpoint endpoint, String address) {
        super(endpoint);
        this.address = address;
    }

    /** {@code ip:port} as Envoy writes it: it is hashed, and named in cookies. */
    public String address() {
        return address;
    }

    /** The {@code envoy.lb} metadata as the control plane lists it now. */
    public Map<String, Object> labels() {
        return labels;
    }

    /** Its own name, for those who ask for it by that; may be empty. */
    public String hostname() {
        return hostname;
    }

    void label(Map<String, Object> listed, String name) {
        labels = listed;
        hostname = name;
    }

    /** It is healthy now; the first time counts. */
    void healthy(long nowNanos) {
        if (!wasHealthy) {
            wasHealthy = true;
            healthySinceNanos = nowNanos;
        }
    }

    /** Means something once it was healthy. */
    public long healthySinceNanos() {
        return healthySinceNanos;
    }

    /** The weight that it is balanced by where hosts report their load; 1 or more. */
    public int reportedWeight() {
        return reportedWeight;
    }

    /** @return whether it had another weight */
    public boolean balanceBy(int weight) {
        int before = reportedWeight;
        reportedWeight = Math.max(1, weight);
        return before != reportedWeight;
    }

    /** Whether it is time to ask it for a report; said to several requests at once where they come at once. */
    public boolean asksForReport(long nowNanos, long everyNanos) {
        if (reportAsked && nowNanos - reportAskedAtNanos < everyNanos) {
            return false;
        }
        reportAskedAtNanos = nowNanos;
        reportAsked = true;
        return true;
    }

    /** @param weight what its report comes to; 0 or more */
    public void reportWeight(int weight, long nowNanos) {
        if (weightInReport == 0) {
            reportingSinceNanos = nowNanos;
        }
        reportedAtNanos = nowNanos;
        weightInReport = Math.max(1, weight);
    }

    /** @return 0 when it has not reported for long enough, or no longer; then it begins anew */
    public int weightReported(long nowNanos, long blackoutNanos, long expirationNanos) {
        int weight = weightInReport;
        if (weight == 0 || nowNanos - reportingSinceNanos < blackoutNanos) {
            return 0;
        }
        if (nowNanos - reportedAtNanos > expirationNanos) {
            weightInReport = 0;
            return 0;
        }
        return weight;
    }

    public void failed() {
        FAILURES.getAndIncrement(this);
    }

    public long failures() {
        return failures;
    }

    public boolean ejected() {
        return standing == EJECTED;
    }

    /** How often it was ejected; the last one may be missing. */
    public int ejections() {
        return ejections;
    }

    int anotherLocalFailure() {
        return ROW_LOCAL.incrementAndGet(this);
    }

    void endLocalRow() {
        if (rowLocal != 0) {
            rowLocal = 0;
        }
    }

    /** Not healthy by the active checks, or not checked yet. */
    public boolean failsChecks() {
        return failsChecks;
    }

    void failsChecks(boolean fails) {
        failsChecks = fails;
    }

    /** To be used only where others are not enough, by its own word. */
    boolean degradedByCheck() {
        return degradedByCheck;
    }

    void degradedByCheck(boolean degraded) {
        degradedByCheck = degraded;
    }

    /** Has asked to be taken for unhealthy, and no check has found it healthy since. */
    boolean failedAtOnce() {
        return failedAtOnce;
    }

    void failedAtOnce(boolean failed) {
        failedAtOnce = failed;
    }

    /** Of connecting and of what else fails on the way. Atomic no more than {@link #countResponse}. */
    void countLocal(boolean success) {
        LOCAL_RATE.lazySet(this, localRate + Rate.of(success));
    }

    /** Ends an interval. */
    Rate.Interval takeInterval() {
        long before = sweptRate;
        sweptRate = rate();
        return Rate.Interval.between(before, sweptRate);
    }

    /** Ends an interval. */
    Rate.Interval takeLocalInterval() {
        long before = sweptLocalRate;
        sweptLocalRate = localRate;
        return Rate.Interval.between(before, sweptLocalRate);
    }

    /** @return false when it is out already, or no longer listed */
    boolean eject(long nowNanos, EjectionRule rule, long jitterNanos) {
        if (!STANDING.compareAndSet(this, LISTED, EJECTING)) {
            return false;
        }
        backoff = rule.nextBackoff(backoff);
        ejectedAtNanos = nowNanos;
        this.jitterNanos = jitterNanos;
        ejections++;
        return STANDING.compareAndSet(this, EJECTING, EJECTED);
    }

    /** Whether it has been out for long enough. */
    boolean isDue(long nowNanos, EjectionRule rule) {
        return ejected() && nowNanos - ejectedAtNanos >= rule.ejectionNanos(backoff) + jitterNanos;
    }

    /** @return false when it was not out */
    boolean comeBack() {
        if (standing != EJECTED) {
            return false;
        }
        end5xxRow();
        endGatewayRow();
        endLocalRow();
        return STANDING.compareAndSet(this, EJECTED, LISTED);
    }

    void cameBack(long nowNanos) {
        returnedAtNanos = nowNanos;
    }

    /**
     * For each interval that it has been back, the next ejection is shorter by one base time.
     *
     * @return whether there is more to forgive
     */
    boolean forgive(long nowNanos, long intervalNanos) {
        if (standing == LISTED && backoff != 0 && nowNanos - returnedAtNanos >= intervalNanos) {
            backoff--;
        }
        return backoff != 0;
    }

    /** The control plane lists it no more. @return whether it was ejected */
    boolean retire() {
        return STANDING.getAndSet(this, GONE) == EJECTED;
    }
}
