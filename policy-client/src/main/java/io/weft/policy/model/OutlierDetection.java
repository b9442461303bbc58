package io.weft.policy.model;

import java.time.Duration;

/**
 * {@code envoy.config.cluster.v3.OutlierDetection}.
 *
 * @param splitLocalErrors failures to connect and resets count only as local, not as a 5xx
 * @param interval between two looks at all hosts; above zero
 * @param maxEjectionPercent 0 to 100
 * @param alwaysEjectOneHost the first one, whatever the percentage says
 * @param healthCheckReturns an active health check that succeeds ends an ejection
 */
public record OutlierDetection(
        Consecutive serverErrors,
        Consecutive gatewayFailures,
        Consecutive localFailures,
        SuccessRate successRate,
        FailurePercentage failurePercentage,
        boolean splitLocalErrors,
        Duration interval,
        EjectionTime ejectionTime,
        int maxEjectionPercent,
        boolean alwaysEjectOneHost,
        boolean healthCheckReturns) {

    /**
     * Failures in a row.
     *
     * @param enforcing in how many of 100 cases it has consequences
     */
    public record Consecutive(int count, int enforcing) {
        public static final Consecutive OFF = new Consecutive(5, 0);
    }

    /**
     * Hosts with fewer successes than the others.
     *
     * @param stdevFactor thousandths of a standard deviation
     * @param enforcing in how many of 100 cases it has consequences
     * @param enforcingLocal the same of the rate of local errors, where those are split off
     */
    public record SuccessRate(int minimumHosts, int requestVolume, int stdevFactor, int enforcing, int enforcingLocal) {
        public static final SuccessRate OFF = new SuccessRate(5, 100, 1_900, 0, 0);
    }

    /**
     * Hosts with more than so many failures.
     *
     * @param threshold percent
     * @param enforcing in how many of 100 cases it has consequences
     * @param enforcingLocal the same of local errors, where those are split off
     */
    public record FailurePercentage(int threshold, int minimumHosts, int requestVolume, int enforcing, int enforcingLocal) {
        public static final FailurePercentage OFF = new FailurePercentage(85, 5, 50, 0, 0);
    }

    /**
     * How long a host is out: the base as often as it was ejected, at most the maximum, and up to the jitter on top.
     *
     * @param base above zero
     * @param max at least the base
     */
    public record EjectionTime(Duration base, Duration max, Duration jitter) {}
}
