package io.weft.controlplane.policy;

import io.weft.controlplane.policy.MeshCircuitBreaker.Detectors;
import io.weft.controlplane.policy.MeshCircuitBreaker.FailurePercentage;
import io.weft.controlplane.policy.MeshCircuitBreaker.Limits;
import io.weft.controlplane.policy.MeshCircuitBreaker.OutlierDetection;
import io.weft.controlplane.policy.MeshCircuitBreaker.SuccessRate;
import java.math.BigDecimal;
import java.util.Optional;
import java.util.OptionalInt;

/** Reads what a {@code MeshCircuitBreaker} says, with Kuma's own checks. */
final class MeshCircuitBreakerParser {

    private static final int MAX = Integer.MAX_VALUE;
    /** Envoy has it as a thousandth of itself in 32 bits. */
    private static final BigDecimal MAX_FACTOR = BigDecimal.valueOf(2_000_000);

    static MeshCircuitBreaker read(Fields conf, PolicyKind.Place place) {
        Optional<Value> limits = conf.get("connectionLimits");
        Optional<Value> outliers = conf.get("outlierDetection");
        if (limits.isEmpty() && outliers.isEmpty()) {
            conf.refuse("connectionLimits", "is missing, and so is outlierDetection; set at least one of them");
        }
        return new MeshCircuitBreaker(
                limits.map(value -> limits(value.fields())), outliers.map(value -> outliers(value.fields())));
    }

    private static Limits limits(Fields fields) {
        Limits limits = new Limits(
                fields.count("maxConnections", 1, MAX),
                fields.count("maxConnectionPools", 1, MAX),
                fields.count("maxPendingRequests", 1, MAX),
                fields.count("maxRetries", 1, MAX),
                fields.count("maxRequests", 1, MAX));
        fields.end();
        return limits;
    }

    private static OutlierDetection outliers(Fields fields) {
        OutlierDetection detection = new OutlierDetection(
                fields.get("disabled").map(Value::bool).orElse(false),
                fields.get("interval").map(Value::positiveDuration),
                fields.get("baseEjectionTime").map(Value::positiveDuration),
                fields.count("maxEjectionPercent", 0, 100),
                fields.get("splitExternalAndLocalErrors").map(Value::bool),
                fields.get("detectors").map(value -> detectors(value.fields())).orElse(Detectors.NONE),
                fields.get("healthyPanicThreshold").map(Value::percentage));
        if (!detection.disabled() && fields.get("detectors").isEmpty()) {
            fields.refuse("detectors", "is missing: nothing else says when an instance is ejected; set one, or disabled: true");
        }
        fields.end();
        return detection;
    }

    private static Detectors detectors(Fields fields) {
        Optional<Value> total = fields.get("totalFailures");
        Optional<Value> gateway = fields.get("gatewayFailures");
        Optional<Value> local = fields.get("localOriginFailures");
        Optional<Value> successRate = fields.get("successRate");
        Optional<Value> percentage = fields.get("failurePercentage");
        if (total.isEmpty() && gateway.isEmpty() && local.isEmpty() && successRate.isEmpty() && percentage.isEmpty()) {
            fields.refuse("totalFailures", "is missing, and so are the other detectors; set at least one of totalFailures,"
                    + " gatewayFailures, localOriginFailures, successRate and failurePercentage");
        }
        fields.end();
        return new Detectors(
                consecutive(total),
                consecutive(gateway),
                consecutive(local),
                successRate.map(value -> successRate(value.fields())),
                percentage.map(value -> failurePercentage(value.fields())));
    }

    private static OptionalInt consecutive(Optional<Value> detector) {
        if (detector.isEmpty()) {
            return OptionalInt.empty();
        }
        Fields fields = detector.get().fields();
        OptionalInt consecutive = fields.count("consecutive", 1, MAX);
        fields.end();
        return consecutive;
    }

    private static SuccessRate successRate(Fields fields) {
        SuccessRate rate = new SuccessRate(
                fields.count("minimumHosts", 1, MAX),
                fields.count("requestVolume", 1, MAX),
                fields.get("standardDeviationFactor").map(value -> value.decimalAbove(BigDecimal.ZERO, MAX_FACTOR)));
        fields.end();
        return rate;
    }

    private static FailurePercentage failurePercentage(Fields fields) {
        FailurePercentage percentage = new FailurePercentage(
                fields.count("minimumHosts", 1, MAX),
                fields.count("requestVolume", 1, MAX),
                fields.count("threshold", 0, 100));
        fields.end();
        return percentage;
    }

    private MeshCircuitBreakerParser() {}
}
