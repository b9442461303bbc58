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
        Optional<OutlierDetection> outlierDetection) {
    /** Envoy's. */
    public static final Resilience DEFAULT =
            new Resilience(Duration.ofSeconds(5), Duration.ZERO, CircuitBreakers.DEFAULT, Optional.empty());

    public Resilience with(CircuitBreakers other) {
        return new Resilience(connectTimeout, maxStreamDuration, other, outlierDetection);
    }

    public Resilience with(OutlierDetection other) {
        return new Resilience(connectTimeout, maxStreamDuration, circuitBreakers, Optional.of(other));
    }
}
