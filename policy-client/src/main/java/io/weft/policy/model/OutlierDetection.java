package io.weft.policy.model;

import java.time.Duration;

/**
 * {@code envoy.config.cluster.v3.OutlierDetection}, the detectors that count failures in a row. A count of 0 turns one off.
 *
 * @param splitLocalErrors failures to connect and resets count only for {@code consecutiveLocal}, not as a 5xx
 * @param maxEjectionPercent 0 to 100; one endpoint may be ejected whatever it says, as in Envoy
 */
public record OutlierDetection(
        int consecutive5xx,
        int consecutiveGateway,
        int consecutiveLocal,
        boolean splitLocalErrors,
        Duration interval,
        Duration baseEjection,
        Duration maxEjection,
        int maxEjectionPercent) {}
