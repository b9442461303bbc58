package io.weft.policy.parse;

import io.weft.policy.model.OutlierDetection;
import io.weft.policy.model.OutlierDetection.Consecutive;
import io.weft.policy.model.OutlierDetection.EjectionTime;
import io.weft.policy.model.OutlierDetection.FailurePercentage;
import io.weft.policy.model.OutlierDetection.SuccessRate;
import io.weft.policy.proto.protobuf.UInt32Value;
import java.time.Duration;

/** {@code envoy.config.cluster.v3.OutlierDetection}. */
final class OutlierDetectionParser {
    private static final Duration DEFAULT_INTERVAL = Duration.ofSeconds(10);
    private static final Duration DEFAULT_BASE_EJECTION = Duration.ofSeconds(30);
    private static final Duration DEFAULT_MAX_EJECTION = Duration.ofSeconds(300);

    private final Field field;
    private final io.weft.policy.proto.envoy.config.cluster.v3.OutlierDetection detection;

    private OutlierDetectionParser(Field field, io.weft.policy.proto.envoy.config.cluster.v3.OutlierDetection detection) {
        this.field = field;
        this.detection = detection;
    }

    static OutlierDetection parse(Field field, io.weft.policy.proto.envoy.config.cluster.v3.OutlierDetection detection) {
        field.refuseIf(detection.getMonitorsCount() > 0, "monitors", "are not supported; use the detectors that are built in");
        return new OutlierDetectionParser(field, detection).parse();
    }

    private OutlierDetection parse() {
        return new OutlierDetection(
                new Consecutive(
                        number(detection.hasConsecutive5Xx(), detection.getConsecutive5Xx(), 5),
                        percent("enforcing_consecutive_5xx", detection.hasEnforcingConsecutive5Xx(),
                                detection.getEnforcingConsecutive5Xx(), 100)),
                new Consecutive(
                        number(detection.hasConsecutiveGatewayFailure(), detection.getConsecutiveGatewayFailure(), 5),
                        percent("enforcing_consecutive_gateway_failure", detection.hasEnforcingConsecutiveGatewayFailure(),
                                detection.getEnforcingConsecutiveGatewayFailure(), 0)),
                new Consecutive(
                        number(detection.hasConsecutiveLocalOriginFailure(), detection.getConsecutiveLocalOriginFailure(), 5),
                        percent("enforcing_consecutive_local_origin_failure",
                                detection.hasEnforcingConsecutiveLocalOriginFailure(),
                                detection.getEnforcingConsecutiveLocalOriginFailure(), 100)),
                successRate(),
                failurePercentage(),
                detection.getSplitExternalLocalOriginErrors(),
                detection.hasInterval() ? field.at("interval").positive(detection.getInterval()) : DEFAULT_INTERVAL,
                ejectionTime(),
                percent("max_ejection_percent", detection.hasMaxEjectionPercent(), detection.getMaxEjectionPercent(), 10),
                detection.getAlwaysEjectOneHost().getValue(),
                !detection.hasSuccessfulActiveHealthCheckUnejectHost()
                        || detection.getSuccessfulActiveHealthCheckUnejectHost().getValue());
    }

    private SuccessRate successRate() {
        return new SuccessRate(
                number(detection.hasSuccessRateMinimumHosts(), detection.getSuccessRateMinimumHosts(), 5),
                number(detection.hasSuccessRateRequestVolume(), detection.getSuccessRateRequestVolume(), 100),
                number(detection.hasSuccessRateStdevFactor(), detection.getSuccessRateStdevFactor(), 1_900),
                percent("enforcing_success_rate", detection.hasEnforcingSuccessRate(), detection.getEnforcingSuccessRate(), 100),
                percent("enforcing_local_origin_success_rate", detection.hasEnforcingLocalOriginSuccessRate(),
                        detection.getEnforcingLocalOriginSuccessRate(), 100));
    }

    private FailurePercentage failurePercentage() {
        return new FailurePercentage(
                percent("failure_percentage_threshold", detection.hasFailurePercentageThreshold(),
                        detection.getFailurePercentageThreshold(), 85),
                number(detection.hasFailurePercentageMinimumHosts(), detection.getFailurePercentageMinimumHosts(), 5),
                number(detection.hasFailurePercentageRequestVolume(), detection.getFailurePercentageRequestVolume(), 50),
                percent("enforcing_failure_percentage", detection.hasEnforcingFailurePercentage(),
                        detection.getEnforcingFailurePercentage(), 0),
                percent("enforcing_failure_percentage_local_origin", detection.hasEnforcingFailurePercentageLocalOrigin(),
                        detection.getEnforcingFailurePercentageLocalOrigin(), 0));
    }

    private EjectionTime ejectionTime() {
        Duration base = detection.hasBaseEjectionTime()
                ? field.at("base_ejection_time").positive(detection.getBaseEjectionTime())
                : DEFAULT_BASE_EJECTION;
        Duration max = base.compareTo(DEFAULT_MAX_EJECTION) > 0 ? base : DEFAULT_MAX_EJECTION;
        if (detection.hasMaxEjectionTime()) {
            max = field.at("max_ejection_time").positive(detection.getMaxEjectionTime());
            field.refuseIf(max.compareTo(base) < 0, "max_ejection_time", "must not be less than base_ejection_time");
        }
        return new EjectionTime(base, max, field.at("max_ejection_time_jitter").notNegative(detection.getMaxEjectionTimeJitter()));
    }

    private static int number(boolean set, UInt32Value value, int otherwise) {
        return set ? Field.limit(value.getValue()) : otherwise;
    }

    private int percent(String name, boolean set, UInt32Value value, int otherwise) {
        return set ? field.at(name).percent(value.getValue()) : otherwise;
    }
}
