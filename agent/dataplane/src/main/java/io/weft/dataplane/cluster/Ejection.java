package io.weft.dataplane.cluster;

import io.weft.dataplane.Exchange.Failure;
import io.weft.policy.model.OutlierDetection.Consecutive;

/**
 * Passive removal of hosts as Envoy's outlier detection does it: for failures in a row at once, on the request that is one too many;
 * for their rate, by {@link EjectionSweep}.
 */
public final class Ejection {
    private Ejection() {}

    /** The host let itself be connected to. */
    public static void onConnected(ClusterView view, Host host) {
        EjectionRule rule = view.ejection();
        if (rule != null && rule.split()) {
            host.endLocalRow();
            if (rule.localRates()) {
                host.countLocal(true);
                view.state().sweepLater();
            }
        }
    }

    /** A response head with this status came from the host; of gRPC the status that Envoy makes of the call's. */
    public static void onResponse(ClusterView view, Host host, int status) {
        EjectionRule rule = view.ejection();
        if (rule != null) {
            countStatus(view, rule, host, status);
        }
    }

    /** The attempt brought no response head. */
    public static void onFailure(ClusterView view, Host host, Failure failure) {
        EjectionRule rule = view.ejection();
        if (rule == null || failure == Failure.CANCELLED || failure == Failure.MAX_DURATION) {
            return;
        }
        if (!rule.split()) {
            // As Envoy maps them: 504 for a timeout, 503 for the rest.
            countStatus(view, rule, host, isTimeout(failure) ? 504 : 503);
            return;
        }
        if (rule.localRates()) {
            host.countLocal(false);
            view.state().sweepLater();
        }
        if (isTooMany(host.anotherLocalFailure(), rule.policy().localFailures())) {
            eject(view.state(), host, rule.policy().localFailures());
            host.endLocalRow();
        }
    }

    private static boolean isTimeout(Failure failure) {
        return failure == Failure.TIMEOUT || failure == Failure.ATTEMPT_TIMEOUT || failure == Failure.REQUEST_TIMEOUT;
    }

    private static void countStatus(ClusterView view, EjectionRule rule, Host host, int status) {
        boolean error = status >= 500 && status <= 599;
        if (rule.rates()) {
            host.countResponse(!error);
            view.state().sweepLater();
        }
        if (!error) {
            host.end5xxRow();
            host.endGatewayRow();
            return;
        }
        if (status < 502 || status > 504) {
            host.endGatewayRow();
        } else if (isTooMany(host.anotherGatewayFailure(), rule.policy().gatewayFailures())) {
            eject(view.state(), host, rule.policy().gatewayFailures());
            host.endGatewayRow();
        }
        if (isTooMany(host.another5xx(), rule.policy().serverErrors())) {
            eject(view.state(), host, rule.policy().serverErrors());
            host.end5xxRow();
        }
    }

    /** More than that, too: a row may have begun under a policy that allowed a longer one. Zero of them never eject. */
    private static boolean isTooMany(int row, Consecutive detector) {
        return detector.count() > 0 && row >= detector.count();
    }

    private static void eject(ClusterState state, Host host, Consecutive detector) {
        eject(state, host, detector.enforcing());
    }

    /** @param enforcing in how many of 100 cases it has consequences */
    static void eject(ClusterState state, Host host, int enforcing) {
        ClusterView view = state.current();
        EjectionRule rule = view.ejection();
        if (rule == null || host.ejected() || !reserve(state, view.hostCount(), rule)) {
            return;
        }
        boolean enforced = enforcing >= 100 || state.randomness().below(100) < enforcing;
        long jitter = rule.jitterNanos() == 0 ? 0 : (state.randomness().bits() >>> 1) % (rule.jitterNanos() + 1);
        if (enforced && host.eject(state.clock().nanoTime(), rule, jitter)) {
            state.ejectedOne();
            state.healthChanged();
            state.sweepLater();
        } else {
            state.ejected.decrementAndGet();
        }
    }

    private static boolean reserve(ClusterState state, int hosts, EjectionRule rule) {
        while (true) {
            int ejected = state.ejected.get();
            boolean within = 100L * (ejected + 1) <= (long) rule.policy().maxEjectionPercent() * hosts;
            if (!within && !(ejected == 0 && rule.policy().alwaysEjectOneHost())) {
                return false;
            }
            if (state.ejected.compareAndSet(ejected, ejected + 1)) {
                return true;
            }
        }
    }

    /** An active health check found the host well, which ends its time out if the policy says so. */
    static void onHealthy(ClusterState state, Host host) {
        EjectionRule rule = state.current().ejection();
        if (rule != null && rule.policy().healthCheckReturns() && host.comeBack()) {
            host.cameBack(state.clock().nanoTime());
            state.ejected.decrementAndGet();
            state.healthChanged();
        }
    }

    /** The policy no longer removes hosts: all are back. */
    static void end(ClusterState state, ClusterView view) {
        for (Tier tier : view.tiers()) {
            for (Member member : tier.members()) {
                if (member.host().comeBack()) {
                    state.ejected.decrementAndGet();
                }
            }
        }
    }
}
