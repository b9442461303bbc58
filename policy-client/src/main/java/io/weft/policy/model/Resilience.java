package io.weft.policy.model;

import java.time.Duration;
import java.util.Optional;

/**
 * How a cluster's clients are kept from harm, and its hosts from them.
 *
 * @param connectTimeout above zero
 * @param maxStreamDuration of one attempt to the end of its response; zero: no limit
 */
public record Resilience(
        Duration connectTimeout,
        Duration maxStreamDuration,
        CircuitBreakers circuitBreakers,
        Optional<OutlierDetection> outlierDetection,
        Optional<HealthCheck> healthCheck) {
    /** Envoy's. */
    public static final Resilience DEFAULT =
            new Resilience(Duration.ofSeconds(5), Duration.ZERO, CircuitBreakers.DEFAULT, Optional.empty(), Optional.empty());

    public Resilience with(CircuitBreakers other) {
        return new Resilience(connectTimeout, maxStreamDuration, other, outlierDetection, healthCheck);
    }

    public Resilience with(OutlierDetection other) {
        return new Resilience(connectTimeout, maxStreamDuration, circuitBreakers, Optional.of(other), healthCheck);
    }

    public Resilience with(HealthCheck other) {
        return new Resilience(connectTimeout, maxStreamDuration, circuitBreakers, outlierDetection, Optional.of(other));
    }
}
