package io.weft.dataplane.cluster;

import io.weft.policy.model.OutlierDetection;
import io.weft.policy.model.OutlierDetection.EjectionTime;
import java.time.Duration;

/**
 * {@link OutlierDetection} made ready, times in nanoseconds. Immutable.
 *
 * @param rates whether requests need to be counted, and not only failures in a row
 * @param localRates the same of local errors
 */
record EjectionRule(
        OutlierDetection policy, long intervalNanos, long baseNanos, long maxNanos, long jitterNanos,
        boolean split, boolean rates, boolean localRates) {
    /** Beyond it a time is as good as forever, and sums do not overflow. */
    private static final Duration LONGEST = Duration.ofDays(3_650);

    static EjectionRule of(OutlierDetection policy) {
        EjectionTime time = policy.ejectionTime();
        return new EjectionRule(
                policy,
                Math.max(1, nanos(policy.interval())),
                Math.max(1, nanos(time.base())),
                nanos(time.max()),
                nanos(time.jitter()),
                policy.splitLocalErrors(),
                policy.successRate().enforcing() != 0 || policy.failurePercentage().enforcing() != 0,
                policy.splitLocalErrors()
                        && (policy.successRate().enforcingLocal() != 0 || policy.failurePercentage().enforcingLocal() != 0));
    }

    private static long nanos(Duration duration) {
        return (duration.compareTo(LONGEST) > 0 ? LONGEST : duration).toNanos();
    }

    /** The backoff of a host that was ejected once more: it stops growing where the time out does. */
    int nextBackoff(int backoff) {
        return backoff * baseNanos < maxNanos + baseNanos ? backoff + 1 : backoff;
    }

    long ejectionNanos(int backoff) {
        return Math.min(baseNanos * backoff, maxNanos);
    }
}
