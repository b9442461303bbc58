package io.weft.dataplane.cluster;

import io.weft.dataplane.Timers.Timer;
import io.weft.dataplane.health.HealthProber.Probe;
import io.weft.dataplane.health.HealthProber.Result;
import io.weft.policy.model.HealthCheck;
import io.weft.policy.model.HealthCheck.Intervals;
import java.time.Duration;

/**
 * The checks of one host, one after the other, and what follows from them: Envoy's rules of thresholds and intervals. Confined to
 * the timers' thread.
 */
final class HealthSession {
    private static final long NANOS_PER_MILLI = 1_000_000;

    private final HealthChecks checks;
    private final HealthCheck policy;
    private final Host host;
    private final Probe probe;
    private boolean first = true;
    private int healthyInRow;
    private int unhealthyInRow;
    /** Grows with each check, so that a late answer is known as such; negative: closed. */
    private long check;
    private boolean underWay;
    private Timer timer = () -> {};

    private enum Change { NONE, PENDING, DONE }

    HealthSession(HealthChecks checks, HealthCheck policy, Host host, Probe probe) {
        this.checks = checks;
        this.policy = policy;
        this.host = host;
        this.probe = probe;
    }

    void start() {
        long jitter = policy.intervals().jitter().initial().toMillis();
        if (jitter == 0) {
            check();
        } else {
            timer = checks.timers.schedule(Math.max(1, random(jitter)) * NANOS_PER_MILLI, this::check);
        }
    }

    void close() {
        check = -1;
        underWay = false;
        timer.cancel();
        probe.close();
    }

    private void check() {
        if (check < 0) {
            return;
        }
        long mine = ++check;
        underWay = true;
        timer = checks.timers.schedule(nanos(policy.timeout()), () -> timeOut(mine));
        probe.check(result -> checks.timers.schedule(0, () -> answer(mine, result)));
    }

    private void timeOut(long mine) {
        if (underWay && mine == check) {
            underWay = false;
            probe.giveUp();
            failed(true);
        }
    }

    private void answer(long mine, Result result) {
        if (!underWay || mine != check) {
            return;
        }
        underWay = false;
        timer.cancel();
        switch (result) {
            case HEALTHY -> succeeded(false);
            case DEGRADED -> succeeded(true);
            case UNHEALTHY -> failed(false);
            case UNHEALTHY_PERHAPS, UNREACHABLE -> failed(true);
        }
    }

    private void succeeded(boolean degraded) {
        unhealthyInRow = 0;
        Change change = Change.NONE;
        if (host.failsChecks()) {
            // The first check of all decides alone, so that a cluster is soon in use.
            if (first || ++healthyInRow == policy.healthyThreshold()) {
                host.failedAtOnce(false);
                host.failsChecks(false);
                change = Change.DONE;
            } else {
                change = Change.PENDING;
            }
        }
        if (degraded != host.degradedByCheck()) {
            host.degradedByCheck(degraded);
            change = change == Change.NONE ? Change.DONE : change;
        }
        first = false;
        if (change == Change.DONE) {
            checks.state.healthChanged();
        }
        if (!host.failsChecks()) {
            Ejection.onHealthy(checks.state, host);
        }
        next(interval(true, change));
    }

    /** @param perhaps only several of them in a row mean something */
    private void failed(boolean perhaps) {
        next(interval(false, fail(perhaps)));
    }

    private Change fail(boolean perhaps) {
        healthyInRow = 0;
        Change change = Change.NONE;
        if (!host.failsChecks()) {
            if (!perhaps || ++unhealthyInRow == policy.unhealthyThreshold()) {
                host.failsChecks(true);
                checks.state.healthChanged();
                change = Change.DONE;
            } else {
                change = Change.PENDING;
            }
        }
        first = false;
        return change;
    }

    /** As a check that failed, but the next one comes when it would have come. */
    void failAtOnce() {
        boolean failed = host.failsChecks();
        host.failedAtOnce(true);
        fail(false);
        if (failed) {
            checks.state.healthChanged();
        }
    }

    private void next(long millis) {
        timer = checks.timers.schedule(millis * NANOS_PER_MILLI, this::check);
    }

    private long interval(boolean healthy, Change change) {
        Intervals intervals = policy.intervals();
        Duration base;
        if (!checks.state.hadTraffic()) {
            base = healthy && change != Change.PENDING ? intervals.noTrafficHealthy() : intervals.noTraffic();
        } else if (healthy) {
            base = change == Change.PENDING ? intervals.healthyEdge() : intervals.interval();
        } else {
            base = change == Change.PENDING ? intervals.unhealthyEdge() : intervals.unhealthy();
        }
        long millis = nanos(base) / NANOS_PER_MILLI;
        long jittered = millis
                + random(millis * intervals.jitter().percent() / 100)
                + random(intervals.jitter().interval().toMillis());
        return Math.max(1, jittered);
    }

    private long random(long below) {
        return below <= 0 ? 0 : (checks.randomness.bits() >>> 1) % below;
    }

    /** A decade is as good as forever. */
    private static long nanos(Duration duration) {
        return duration.compareTo(Duration.ofDays(3_650)) > 0 ? Duration.ofDays(3_650).toNanos() : duration.toNanos();
    }
}
