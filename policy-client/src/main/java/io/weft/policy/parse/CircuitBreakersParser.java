package io.weft.policy.parse;

import io.weft.policy.model.CircuitBreakers;
import io.weft.policy.model.CircuitBreakers.RetryBudget;
import io.weft.policy.model.CircuitBreakers.Thresholds;
import io.weft.policy.proto.envoy.config.core.v3.RoutingPriority;
import io.weft.policy.proto.protobuf.UInt32Value;
import java.util.Optional;

/** {@code envoy.config.cluster.v3.CircuitBreakers}. */
final class CircuitBreakersParser {
    private static final double DEFAULT_BUDGET = 20;
    private static final int DEFAULT_MIN_RETRIES = 3;

    private CircuitBreakersParser() {}

    static CircuitBreakers parse(Field field, io.weft.policy.proto.envoy.config.cluster.v3.CircuitBreakers breakers) {
        for (int i = 0; i < breakers.getThresholdsCount(); i++) {
            Field at = field.at("thresholds", i);
            var thresholds = breakers.getThresholds(i);
            at.refuseIf(thresholds.getPriority() == RoutingPriority.UNRECOGNIZED, "priority", "is unknown");
            // The pools are the app's own.
            at.reportIf(thresholds.hasMaxConnectionPools(), "max_connection_pools");
        }
        for (int i = 0; i < breakers.getPerHostThresholdsCount(); i++) {
            Field at = field.at("per_host_thresholds", i);
            var thresholds = breakers.getPerHostThresholds(i);
            at.refuseIf(thresholds.getPriority() == RoutingPriority.UNRECOGNIZED, "priority", "is unknown");
            at.refuseIf(thresholds.hasMaxPendingRequests(), "max_pending_requests", "is not for a host; set max_connections");
            at.refuseIf(thresholds.hasMaxRequests(), "max_requests", "is not for a host; set max_connections");
            at.refuseIf(thresholds.hasMaxRetries(), "max_retries", "is not for a host; set max_connections");
            at.refuseIf(thresholds.hasRetryBudget(), "retry_budget", "is not for a host; set max_connections");
            at.refuseIf(thresholds.hasMaxConnectionPools(), "max_connection_pools", "is not for a host; set max_connections");
        }
        return new CircuitBreakers(
                thresholds(field, breakers, RoutingPriority.DEFAULT), thresholds(field, breakers, RoutingPriority.HIGH));
    }

    /** Envoy takes the first of a priority. */
    private static Thresholds thresholds(
            Field field,
            io.weft.policy.proto.envoy.config.cluster.v3.CircuitBreakers breakers,
            RoutingPriority priority) {
        int perHost = Integer.MAX_VALUE;
        for (int i = breakers.getPerHostThresholdsCount() - 1; i >= 0; i--) {
            var thresholds = breakers.getPerHostThresholds(i);
            if (thresholds.getPriority() == priority) {
                perHost = limit(thresholds.hasMaxConnections(), thresholds.getMaxConnections(), Integer.MAX_VALUE);
            }
        }
        Thresholds otherwise = Thresholds.DEFAULT;
        for (int i = 0; i < breakers.getThresholdsCount(); i++) {
            var thresholds = breakers.getThresholds(i);
            if (thresholds.getPriority() == priority) {
                return new Thresholds(
                        limit(thresholds.hasMaxConnections(), thresholds.getMaxConnections(), otherwise.maxConnections()),
                        limit(thresholds.hasMaxPendingRequests(), thresholds.getMaxPendingRequests(),
                                otherwise.maxPendingRequests()),
                        limit(thresholds.hasMaxRequests(), thresholds.getMaxRequests(), otherwise.maxRequests()),
                        limit(thresholds.hasMaxRetries(), thresholds.getMaxRetries(), otherwise.maxRetries()),
                        thresholds.hasRetryBudget()
                                ? Optional.of(budget(
                                        field.at("thresholds", i).at("retry_budget"), thresholds.getRetryBudget()))
                                : Optional.empty(),
                        perHost);
            }
        }
        return new Thresholds(
                otherwise.maxConnections(), otherwise.maxPendingRequests(), otherwise.maxRequests(), otherwise.maxRetries(),
                Optional.empty(), perHost);
    }

    private static RetryBudget budget(
            Field field,
            io.weft.policy.proto.envoy.config.cluster.v3.CircuitBreakers.Thresholds.RetryBudget budget) {
        return new RetryBudget(
                budget.hasBudgetPercent()
                        ? field.at("budget_percent").percent(budget.getBudgetPercent().getValue())
                        : DEFAULT_BUDGET,
                limit(budget.hasMinRetryConcurrency(), budget.getMinRetryConcurrency(), DEFAULT_MIN_RETRIES));
    }

    private static int limit(boolean set, UInt32Value value, int otherwise) {
        return set ? Field.limit(value.getValue()) : otherwise;
    }
}
