package io.weft.policy.parse;

import io.weft.policy.model.OutlierDetection;
import io.weft.policy.proto.protobuf.UInt32Value;
import java.time.Duration;
import java.util.Optional;

/** {@code envoy.config.cluster.v3.OutlierDetection}. */
final class OutlierDetectionParser {
    private static final int DEFAULT_CONSECUTIVE = 5;
    private static final int DEFAULT_MAX_EJECTION_PERCENT = 10;
    private static final Duration DEFAULT_INTERVAL = Duration.ofSeconds(10);
    private static final Duration DEFAULT_BASE_EJECTION = Duration.ofSeconds(30);
    private static final Duration DEFAULT_MAX_EJECTION = Duration.ofSeconds(300);

    private OutlierDetectionParser() {}

    /** Empty when nothing could ever be ejected. */
    static Optional<OutlierDetection> parse(
            Field field, io.weft.policy.proto.envoy.config.cluster.v3.OutlierDetection detection) {
        field.reportIf(detection.getEnforcingSuccessRate().getValue() != 0, "enforcing_success_rate");
        field.reportIf(detection.hasSuccessRateMinimumHosts(), "success_rate_minimum_hosts");
        field.reportIf(detection.hasSuccessRateRequestVolume(), "success_rate_request_volume");
        field.reportIf(detection.hasSuccessRateStdevFactor(), "success_rate_stdev_factor");
        field.reportIf(detection.getEnforcingLocalOriginSuccessRate().getValue() != 0, "enforcing_local_origin_success_rate");
        field.reportIf(detection.getEnforcingFailurePercentage().getValue() != 0, "enforcing_failure_percentage");
        field.reportIf(detection.getEnforcingFailurePercentageLocalOrigin().getValue() != 0,
                "enforcing_failure_percentage_local_origin");
        field.reportIf(detection.hasFailurePercentageThreshold(), "failure_percentage_threshold");
        field.reportIf(detection.hasFailurePercentageMinimumHosts(), "failure_percentage_minimum_hosts");
        field.reportIf(detection.hasFailurePercentageRequestVolume(), "failure_percentage_request_volume");
        field.reportIf(detection.hasMaxEjectionTimeJitter(), "max_ejection_time_jitter");
        field.reportIf(detection.hasSuccessfulActiveHealthCheckUnejectHost(), "successful_active_health_check_uneject_host");
        field.reportIf(detection.getMonitorsCount() > 0, "monitors");

        boolean split = detection.getSplitExternalLocalOriginErrors();
        int consecutive5xx = consecutive(
                field, "enforcing_consecutive_5xx", detection.hasEnforcingConsecutive5Xx(),
                detection.getEnforcingConsecutive5Xx(), 100,
                detection.hasConsecutive5Xx(), detection.getConsecutive5Xx());
        int consecutiveGateway = consecutive(
                field, "enforcing_consecutive_gateway_failure", detection.hasEnforcingConsecutiveGatewayFailure(),
                detection.getEnforcingConsecutiveGatewayFailure(), 0,
                detection.hasConsecutiveGatewayFailure(), detection.getConsecutiveGatewayFailure());
        int consecutiveLocal = consecutive(
                field, "enforcing_consecutive_local_origin_failure", detection.hasEnforcingConsecutiveLocalOriginFailure(),
                detection.getEnforcingConsecutiveLocalOriginFailure(), split ? 100 : 0,
                detection.hasConsecutiveLocalOriginFailure(), detection.getConsecutiveLocalOriginFailure());

        Duration base = detection.hasBaseEjectionTime()
                ? field.at("base_ejection_time").positive(detection.getBaseEjectionTime())
                : DEFAULT_BASE_EJECTION;
        Duration max = base.compareTo(DEFAULT_MAX_EJECTION) > 0 ? base : DEFAULT_MAX_EJECTION;
        if (detection.hasMaxEjectionTime()) {
            max = field.at("max_ejection_time").positive(detection.getMaxEjectionTime());
            field.refuseIf(max.compareTo(base) < 0, "max_ejection_time", "must not be less than base_ejection_time");
        }
        int maxPercent = detection.hasMaxEjectionPercent()
                ? field.at("max_ejection_percent").percent(detection.getMaxEjectionPercent().getValue())
                : DEFAULT_MAX_EJECTION_PERCENT;
        Duration interval = detection.hasInterval()
                ? field.at("interval").positive(detection.getInterval())
                : DEFAULT_INTERVAL;
        if (maxPercent == 0 && !detection.getAlwaysEjectOneHost().getValue()) {
            return Optional.empty();
        }
        return Optional.of(new OutlierDetection(
                consecutive5xx,
                consecutiveGateway,
                split ? consecutiveLocal : 0,
                split,
                interval,
                base,
                max,
                maxPercent));
    }

    /** @return the count, 0 when it is not enforced */
    private static int consecutive(
            Field field, String enforcing, boolean enforcingSet, UInt32Value enforced, int enforcedOtherwise,
            boolean countSet, UInt32Value count) {
        int percent = enforcingSet ? field.at(enforcing).percent(enforced.getValue()) : enforcedOtherwise;
        field.refuseIf(percent != 0 && percent != 100, enforcing, "must be 0 or 100 here, is " + percent);
        if (percent == 0) {
            return 0;
        }
        return countSet ? Field.limit(count.getValue()) : DEFAULT_CONSECUTIVE;
    }
}
