package io.weft.policy.parse;

import io.weft.policy.model.HedgePolicy;
import io.weft.policy.model.Resending;
import io.weft.policy.proto.envoy.config.route.v3.Route;
import io.weft.policy.proto.envoy.config.route.v3.RouteAction;
import io.weft.policy.proto.envoy.config.route.v3.VirtualHost;
import io.weft.policy.proto.protobuf.UInt32Value;
import io.weft.policy.proto.protobuf.UInt64Value;
import java.util.Optional;
import java.util.OptionalLong;

/** What routes and virtual hosts say of requests that are sent more than once. */
final class ResendingParser {
    private ResendingParser() {}

    static Resending route(Field route, Route message) {
        Field field = route.at("route");
        RouteAction action = message.getRoute();
        return new Resending(
                action.hasRetryPolicy()
                        ? Optional.of(RetryPolicyParser.parse(field.at("retry_policy"), action.getRetryPolicy()))
                        : Optional.empty(),
                action.hasHedgePolicy() ? Optional.of(hedge(field.at("hedge_policy"), action.getHedgePolicy())) : Optional.empty(),
                MirrorPolicyParser.parse(field, action.getRequestMirrorPoliciesList()),
                bufferLimit(
                        message.hasPerRequestBufferLimitBytes() ? message.getPerRequestBufferLimitBytes() : null,
                        message.hasRequestBodyBufferLimit() ? message.getRequestBodyBufferLimit() : null));
    }

    static Resending virtualHost(Field field, VirtualHost host) {
        return new Resending(
                host.hasRetryPolicy()
                        ? Optional.of(RetryPolicyParser.parse(field.at("retry_policy"), host.getRetryPolicy()))
                        : Optional.empty(),
                host.hasHedgePolicy() ? Optional.of(hedge(field.at("hedge_policy"), host.getHedgePolicy())) : Optional.empty(),
                MirrorPolicyParser.parse(field, host.getRequestMirrorPoliciesList()),
                bufferLimit(
                        host.hasPerRequestBufferLimitBytes() ? host.getPerRequestBufferLimitBytes() : null,
                        host.hasRequestBodyBufferLimit() ? host.getRequestBodyBufferLimit() : null));
    }

    private static HedgePolicy hedge(Field field, io.weft.policy.proto.envoy.config.route.v3.HedgePolicy policy) {
        // Envoy has the two fields in its API and nothing that reads them.
        field.refuseIf(policy.hasInitialRequests() && policy.getInitialRequests().getValue() == 0, "initial_requests",
                "must be at least 1");
        field.reportIf(policy.hasInitialRequests(), "initial_requests");
        field.reportIf(policy.hasAdditionalRequestChance(), "additional_request_chance");
        return new HedgePolicy(policy.getHedgeOnPerTryTimeout());
    }

    /** The newer field goes before the older, and no limit that does not fit is one. */
    private static OptionalLong bufferLimit(UInt32Value perRequest, UInt64Value body) {
        if (body != null) {
            return OptionalLong.of(body.getValue() < 0 ? Long.MAX_VALUE : body.getValue());
        }
        return perRequest == null ? OptionalLong.empty() : OptionalLong.of(Integer.toUnsignedLong(perRequest.getValue()));
    }
}
