package io.weft.dataplane.cluster;

import io.weft.policy.model.OutlierDetection;

/** {@link OutlierDetection} in nanoseconds; a count of 0 never matches. Immutable. */
record EjectionRule(
        int consecutive5xx,
        int consecutiveGateway,
        int consecutiveLocal,
        boolean split,
        long intervalNanos,
        long baseNanos,
        long maxNanos,
        int maxPercent) {

    static EjectionRule of(OutlierDetection policy) {
        return new EjectionRule(
                policy.consecutive5xx(),
                policy.consecutiveGateway(),
                policy.consecutiveLocal(),
                policy.splitLocalErrors(),
                Math.max(1, policy.interval().toNanos()),
                policy.baseEjection().toNanos(),
                policy.maxEjection().toNanos(),
                policy.maxEjectionPercent());
    }

    /** The number of ejections from which on an ejection lasts no longer than the one before. */
    long maxBackoff() {
        return baseNanos == 0 ? 1 : (maxNanos + baseNanos - 1) / baseNanos + 1;
    }
}
