package io.weft.policy.model;

import java.util.Optional;

/** {@code envoy.config.cluster.v3.CircuitBreakers}: the thresholds of each priority, which are counted apart. */
public record CircuitBreakers(Thresholds normal, Thresholds high) {
    public static final CircuitBreakers DEFAULT = new CircuitBreakers(Thresholds.DEFAULT, Thresholds.DEFAULT);

    public Thresholds of(RoutingPriority priority) {
        return priority == RoutingPriority.HIGH ? high : normal;
    }

    /**
     * Most that may be under way at once for this client; {@link Integer#MAX_VALUE}: no limit.
     *
     * @param retryBudget in place of {@code maxRetries}
     * @param maxConnectionsPerHost of {@code per_host_thresholds}
     */
    public record Thresholds(
            int maxConnections,
            int maxPendingRequests,
            int maxRequests,
            int maxRetries,
            Optional<RetryBudget> retryBudget,
            int maxConnectionsPerHost) {
        /** Envoy's: 1024 of each, 3 retries. */
        public static final Thresholds DEFAULT = new Thresholds(1024, 1024, 1024, 3, Optional.empty(), Integer.MAX_VALUE);
    }

    /**
     * Retries are a share of what is under way.
     *
     * @param percent 0 to 100
     * @param minConcurrency allowed whatever the share is
     */
    public record RetryBudget(double percent, int minConcurrency) {}
}
