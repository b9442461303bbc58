package io.weft.controlplane.policy;

import java.math.BigDecimal;
import java.time.Duration;
import java.util.Optional;
import java.util.OptionalInt;

/** Kuma's {@code MeshCircuitBreaker}. */
public record MeshCircuitBreaker(Optional<Limits> limits, Optional<OutlierDetection> outliers) {

    public record Limits(
            OptionalInt connections, OptionalInt pools, OptionalInt pending, OptionalInt retries, OptionalInt requests) {}

    /**
     * @param maxEjectionPercent 0 to 100
     * @param panicThreshold percentage of healthy hosts below which all are used
     */
    public record OutlierDetection(
            boolean disabled,
            Optional<Duration> interval,
            Optional<Duration> baseEjectionTime,
            OptionalInt maxEjectionPercent,
            Optional<Boolean> splitErrors,
            Detectors detectors,
            Optional<BigDecimal> panicThreshold) {}

    /** In a row, each: absent means that it does not eject. */
    public record Detectors(
            OptionalInt totalFailures,
            OptionalInt gatewayFailures,
            OptionalInt localOriginFailures,
            Optional<SuccessRate> successRate,
            Optional<FailurePercentage> failurePercentage) {

        static final Detectors NONE = new Detectors(
                OptionalInt.empty(), OptionalInt.empty(), OptionalInt.empty(), Optional.empty(), Optional.empty());
    }

    public record SuccessRate(OptionalInt minimumHosts, OptionalInt requestVolume, Optional<BigDecimal> deviationFactor) {}

    /** @param threshold 0 to 100 */
    public record FailurePercentage(OptionalInt minimumHosts, OptionalInt requestVolume, OptionalInt threshold) {}
}
