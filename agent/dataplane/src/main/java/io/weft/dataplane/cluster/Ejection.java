package io.weft.dataplane.cluster;

import io.weft.dataplane.Exchange.Failure;
import io.weft.dataplane.NanoClock;

/**
 * Passive removal of hosts that fail several times in a row, as Envoy's outlier detection does it. Where Envoy returns hosts
 * with a timer, here the first request does it after each interval: an idle cluster costs nothing.
 */
public final class Ejection {
    private Ejection() {}

    /** A response head with this status came from the host. */
    public static void onResponse(ClusterView view, Host host, int status, NanoClock clock) {
        EjectionRule rule = view.ejection();
        if (rule == null) {
            return;
        }
        if (rule.split()) {
            host.endLocalRow();
        }
        countStatus(view, rule, host, status, clock);
    }

    /** The attempt brought no response head. */
    public static void onFailure(ClusterView view, Host host, Failure failure, NanoClock clock) {
        EjectionRule rule = view.ejection();
        if (rule == null || failure == Failure.CANCELLED || failure == Failure.MAX_DURATION) {
            return;
        }
        if (!rule.split()) {
            // As Envoy maps them: 504 for a timeout, 503 for the rest.
            countStatus(view, rule, host, isTimeout(failure) ? 504 : 503, clock);
        } else if (host.anotherLocalFailure() == rule.consecutiveLocal()) {
            eject(view.state(), host, clock);
            host.endLocalRow();
        }
    }

    private static boolean isTimeout(Failure failure) {
        return failure == Failure.TIMEOUT || failure == Failure.ATTEMPT_TIMEOUT || failure == Failure.REQUEST_TIMEOUT;
    }

    private static void countStatus(ClusterView view, EjectionRule rule, Host host, int status, NanoClock clock) {
        if (status < 500 || status > 599) {
            host.end5xxRow();
            host.endGatewayRow();
            return;
        }
        if (status < 502 || status > 504) {
            host.endGatewayRow();
        } else if (host.anotherGatewayFailure() == rule.consecutiveGateway()) {
            eject(view.state(), host, clock);
            host.endGatewayRow();
        }
        if (host.another5xx() == rule.consecutive5xx()) {
            eject(view.state(), host, clock);
            host.end5xxRow();
        }
    }

    private static void eject(ClusterState state, Host host, NanoClock clock) {
        ClusterView view = state.current();
        EjectionRule rule = view.ejection();
        if (rule == null || !reserve(state, view.hostCount(), rule.maxPercent())) {
            return;
        }
        long now = clock.nanoTime();
        if (!host.eject(now, rule.intervalNanos(), rule.maxBackoff())) {
            state.ejected.decrementAndGet();
            return;
        }
        if (state.ejected.get() == 1) {
            state.nextSweepNanos.set(now + rule.intervalNanos());
        }
        state.healthChanged();
    }

    /** One host may always be ejected, more of them only up to the percentage. */
    private static boolean reserve(ClusterState state, int hosts, int maxPercent) {
        while (true) {
            int ejected = state.ejected.get();
            if (ejected > 0 && 100L * (ejected + 1) > (long) maxPercent * hosts) {
                return false;
            }
            if (state.ejected.compareAndSet(ejected, ejected + 1)) {
                return true;
            }
        }
    }

    /** Returns the hosts whose time is over, once in an interval. */
    static void sweep(ClusterState state, NanoClock clock) {
        long due = state.nextSweepNanos.get();
        long now = clock.nanoTime();
        ClusterView view = state.current();
        EjectionRule rule = view.ejection();
        if (rule == null) {
            return;
        }
        if (now - due < 0 || !state.nextSweepNanos.compareAndSet(due, now + rule.intervalNanos())) {
            return;
        }
        boolean changed = false;
        for (Tier tier : view.tiers()) {
            for (Member member : tier.members()) {
                Host host = member.host();
                if (host.due(now, rule.baseNanos(), rule.maxNanos()) && host.comeBack(now)) {
                    state.ejected.decrementAndGet();
                    changed = true;
                }
            }
        }
        if (changed) {
            state.healthChanged();
        }
    }

    /** The policy no longer removes hosts: all are back. */
    static void end(ClusterState state, ClusterView view, NanoClock clock) {
        long now = clock.nanoTime();
        for (Tier tier : view.tiers()) {
            for (Member member : tier.members()) {
                if (member.host().comeBack(now)) {
                    state.ejected.decrementAndGet();
                }
            }
        }
    }
}
