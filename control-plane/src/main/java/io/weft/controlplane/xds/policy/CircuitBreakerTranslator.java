package io.weft.controlplane.xds.policy;

import io.envoyproxy.envoy.config.cluster.v3.CircuitBreakers;
import io.envoyproxy.envoy.config.cluster.v3.Cluster;
import io.envoyproxy.envoy.config.cluster.v3.OutlierDetection;
import io.weft.controlplane.policy.MeshCircuitBreaker;
import io.weft.controlplane.policy.MeshCircuitBreaker.Detectors;
import io.weft.controlplane.policy.MeshCircuitBreaker.FailurePercentage;
import io.weft.controlplane.policy.MeshCircuitBreaker.Limits;
import io.weft.controlplane.policy.MeshCircuitBreaker.SuccessRate;
import java.math.BigDecimal;
import java.util.Optional;
import java.util.OptionalInt;

/** {@code MeshCircuitBreaker}: a detector that it does not name ejects nobody, whatever Envoy's own say. */
public final class CircuitBreakerTranslator {

    private static final BigDecimal THOUSANDTHS = BigDecimal.valueOf(1_000);

    public static CircuitBreakers limits(Optional<Limits> limits) {
        CircuitBreakers.Thresholds.Builder thresholds = CircuitBreakers.Thresholds.newBuilder().setTrackRemaining(true);
        limits.ifPresent(chosen -> {
            chosen.connections().ifPresent(number -> thresholds.setMaxConnections(Values.number(number)));
            chosen.pools().ifPresent(number -> thresholds.setMaxConnectionPools(Values.number(number)));
            chosen.pending().ifPresent(number -> thresholds.setMaxPendingRequests(Values.number(number)));
            chosen.retries().ifPresent(number -> thresholds.setMaxRetries(Values.number(number)));
            chosen.requests().ifPresent(number -> thresholds.setMaxRequests(Values.number(number)));
        });
        return CircuitBreakers.newBuilder().addThresholds(thresholds).build();
    }

    public static void outliers(MeshCircuitBreaker.OutlierDetection detection, Cluster.Builder cluster) {
        if (detection.disabled()) {
            return;
        }
        OutlierDetection.Builder outliers = OutlierDetection.newBuilder();
        detection.interval().ifPresent(interval -> outliers.setInterval(Values.duration(interval)));
        detection.baseEjectionTime().ifPresent(time -> outliers.setBaseEjectionTime(Values.duration(time)));
        detection.splitErrors().ifPresent(outliers::setSplitExternalLocalOriginErrors);
        detection.maxEjectionPercent().ifPresent(percent -> outliers.setMaxEjectionPercent(Values.number(percent)));
        detectors(detection.detectors(), outliers);
        cluster.setOutlierDetection(outliers);
        detection.panicThreshold().ifPresent(threshold ->
                cluster.getCommonLbConfigBuilder().setHealthyPanicThreshold(Values.percent(threshold)));
    }

    private static void detectors(Detectors detectors, OutlierDetection.Builder outliers) {
        outliers.setEnforcingConsecutive5Xx(Values.number(enforced(detectors.totalFailures())));
        detectors.totalFailures().ifPresent(number -> outliers.setConsecutive5Xx(Values.number(number)));
        outliers.setEnforcingConsecutiveGatewayFailure(Values.number(enforced(detectors.gatewayFailures())));
        detectors.gatewayFailures().ifPresent(number -> outliers.setConsecutiveGatewayFailure(Values.number(number)));
        outliers.setEnforcingConsecutiveLocalOriginFailure(Values.number(enforced(detectors.localOriginFailures())));
        detectors.localOriginFailures().ifPresent(number -> outliers.setConsecutiveLocalOriginFailure(Values.number(number)));
        successRate(detectors.successRate(), outliers);
        failurePercentage(detectors.failurePercentage(), outliers);
    }

    private static int enforced(OptionalInt detector) {
        return detector.isPresent() ? 100 : 0;
    }

    private static void successRate(Optional<SuccessRate> detector, OutlierDetection.Builder outliers) {
        int enforced = detector.isPresent() ? 100 : 0;
        outliers.setEnforcingSuccessRate(Values.number(enforced)).setEnforcingLocalOriginSuccessRate(Values.number(enforced));
        detector.ifPresent(rate -> {
            rate.minimumHosts().ifPresent(number -> outliers.setSuccessRateMinimumHosts(Values.number(number)));
            rate.requestVolume().ifPresent(number -> outliers.setSuccessRateRequestVolume(Values.number(number)));
            rate.deviationFactor().ifPresent(factor ->
                    outliers.setSuccessRateStdevFactor(Values.number(factor.multiply(THOUSANDTHS).intValue())));
        });
    }

    private static void failurePercentage(Optional<FailurePercentage> detector, OutlierDetection.Builder outliers) {
        int enforced = detector.isPresent() ? 100 : 0;
        outliers.setEnforcingFailurePercentage(Values.number(enforced))
                .setEnforcingFailurePercentageLocalOrigin(Values.number(enforced));
        detector.ifPresent(percentage -> {
            percentage.minimumHosts().ifPresent(number -> outliers.setFailurePercentageMinimumHosts(Values.number(number)));
            percentage.requestVolume().ifPresent(number -> outliers.setFailurePercentageRequestVolume(Values.number(number)));
            percentage.threshold().ifPresent(number -> outliers.setFailurePercentageThreshold(Values.number(number)));
        });
    }

    private CircuitBreakerTranslator() {}
}
