package io.weft.policy.parse;

import io.weft.policy.model.HttpFilter;
import io.weft.policy.model.HttpFilter.Abort;
import io.weft.policy.model.HttpFilter.Delay;
import io.weft.policy.model.HttpFilter.ResponseRate;
import io.weft.policy.proto.envoy.extensions.filters.common.fault.v3.FaultDelay;
import io.weft.policy.proto.envoy.extensions.filters.common.fault.v3.FaultRateLimit;
import io.weft.policy.proto.envoy.extensions.filters.http.fault.v3.FaultAbort;
import io.weft.policy.proto.envoy.extensions.filters.http.fault.v3.HTTPFault;
import java.util.HashSet;
import java.util.Optional;

/** {@code envoy.extensions.filters.http.fault.v3.HTTPFault}. There is no runtime, so its keys mean nothing. */
final class FaultParser {
    private FaultParser() {}

    static HttpFilter filter(Field field, HTTPFault fault) {
        field.reportIf(fault.hasFilterMetadata(), "filter_metadata");
        return new HttpFilter.Fault(
                fault.hasDelay() ? Optional.of(delay(field.at("delay"), fault.getDelay())) : Optional.empty(),
                fault.hasAbort() ? Optional.of(abort(field.at("abort"), fault.getAbort())) : Optional.empty(),
                fault.hasResponseRateLimit()
                        ? Optional.of(rate(field.at("response_rate_limit"), fault.getResponseRateLimit()))
                        : Optional.empty(),
                fault.getUpstreamCluster(),
                MatchParser.headers(field, "headers", fault.getHeadersList()),
                new HashSet<>(fault.getDownstreamNodesList()),
                fault.hasMaxActiveFaults() ? Field.limit(fault.getMaxActiveFaults().getValue()) : Integer.MAX_VALUE);
    }

    private static Delay delay(Field field, FaultDelay delay) {
        switch (delay.getFaultDelaySecifierCase()) {
            case FIXED_DELAY:
                return new Delay(
                        Optional.of(field.at("fixed_delay").positive(delay.getFixedDelay())),
                        MatchParser.fraction(field.at("percentage"), delay.getPercentage()));
            case HEADER_DELAY:
                return new Delay(Optional.empty(), MatchParser.fraction(field.at("percentage"), delay.getPercentage()));
            default:
                throw field.refuse("says no delay; set fixed_delay or header_delay");
        }
    }

    private static Abort abort(Field field, FaultAbort abort) {
        int httpStatus = 0;
        int grpcStatus = -1;
        switch (abort.getErrorTypeCase()) {
            case HTTP_STATUS:
                httpStatus = abort.getHttpStatus();
                field.refuseIf(httpStatus < 200 || httpStatus > 599, "http_status", "must be 200 to 599");
                break;
            case GRPC_STATUS:
                grpcStatus = field.at("grpc_status").quantity(abort.getGrpcStatus());
                break;
            case HEADER_ABORT:
                break;
            default:
                throw field.refuse("says no error; set http_status, grpc_status or header_abort");
        }
        return new Abort(httpStatus, grpcStatus, MatchParser.fraction(field.at("percentage"), abort.getPercentage()));
    }

    private static ResponseRate rate(Field field, FaultRateLimit limit) {
        field.report("of what is served; what this instance calls is not slowed down");
        long rate = 0;
        switch (limit.getLimitTypeCase()) {
            case FIXED_LIMIT:
                rate = limit.getFixedLimit().getLimitKbps();
                field.at("fixed_limit").refuseIf(rate == 0, "limit_kbps", "must be greater than zero");
                rate = rate < 0 ? Long.MAX_VALUE : rate;
                break;
            case HEADER_LIMIT:
                break;
            default:
                throw field.refuse("says no limit; set fixed_limit or header_limit");
        }
        return new ResponseRate(rate, MatchParser.fraction(field.at("percentage"), limit.getPercentage()));
    }
}
