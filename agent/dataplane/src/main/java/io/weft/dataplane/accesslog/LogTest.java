package io.weft.dataplane.accesslog;

import io.weft.dataplane.Headers;
import io.weft.dataplane.LocalReply;
import io.weft.dataplane.Randomness;
import io.weft.dataplane.RequestHead;
import io.weft.dataplane.format.ResponseFlag;
import io.weft.dataplane.format.StreamInfo;
import io.weft.dataplane.route.HeaderTest;
import io.weft.policy.model.AccessLog.AllOf;
import io.weft.policy.model.AccessLog.Always;
import io.weft.policy.model.AccessLog.AnyOf;
import io.weft.policy.model.AccessLog.ByDuration;
import io.weft.policy.model.AccessLog.ByFlags;
import io.weft.policy.model.AccessLog.ByGrpcStatus;
import io.weft.policy.model.AccessLog.ByHeader;
import io.weft.policy.model.AccessLog.ByStatus;
import io.weft.policy.model.AccessLog.Comparison;
import io.weft.policy.model.AccessLog.Filter;
import io.weft.policy.model.AccessLog.Sampled;
import io.weft.policy.model.AccessLog.Traceable;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** Whether a request is written: an access log's {@link Filter} made ready. Immutable. */
@FunctionalInterface
interface LogTest {
    int UNKNOWN_GRPC_STATUS = 2;
    /** Where Envoy keeps in a request's id whether it is traced, and what it writes there for one that was forced. */
    int TRACE_REASON = 14;
    char FORCED = 'a';

    boolean matches(RequestHead request, Headers response, StreamInfo info);

    static LogTest of(Filter filter, Randomness randomness) {
        if (filter instanceof Always always) {
            return (request, response, info) -> always.written();
        }
        if (filter instanceof ByStatus status) {
            return (request, response, info) -> compare(info.responseCode(), status.comparison(), status.value());
        }
        if (filter instanceof ByDuration duration) {
            return (request, response, info) -> compare(
                    TimeUnit.NANOSECONDS.toMillis(info.durationNanos()), duration.comparison(), duration.value());
        }
        if (filter instanceof Sampled sampled) {
            return (request, response, info) -> {
                long value = sampled.independent() ? -1 : ofId(request.header("x-request-id"));
                long draw = value < 0 ? randomness.bits() >>> 1 : value;
                return draw % sampled.fraction().denominator() < sampled.fraction().numerator();
            };
        }
        if (filter instanceof Traceable) {
            return (request, response, info) -> {
                String id = request.header("x-request-id");
                return id != null && id.length() == 36 && id.charAt(TRACE_REASON) == FORCED;
            };
        }
        if (filter instanceof ByHeader by) {
            HeaderTest test = HeaderTest.of(by.header());
            return (request, response, info) -> test.matches(request);
        }
        if (filter instanceof ByFlags by) {
            int wanted = 0;
            for (String flag : by.flags()) {
                wanted |= ResponseFlag.valueOf(flag).bit();
            }
            int bits = wanted == 0 ? -1 : wanted;
            return (request, response, info) -> (info.responseFlags() & bits) != 0;
        }
        if (filter instanceof ByGrpcStatus by) {
            return (request, response, info) -> by.statuses().contains(grpcStatus(response, info.responseCode())) != by.exclude();
        }
        if (filter instanceof AllOf all) {
            List<LogTest> tests = of(all.filters(), randomness);
            return (request, response, info) -> tests.stream().allMatch(test -> test.matches(request, response, info));
        }
        List<LogTest> tests = of(((AnyOf) filter).filters(), randomness);
        return (request, response, info) -> tests.stream().anyMatch(test -> test.matches(request, response, info));
    }

    private static List<LogTest> of(List<Filter> filters, Randomness randomness) {
        List<LogTest> tests = new ArrayList<>(filters.size());
        for (Filter filter : filters) {
            tests.add(of(filter, randomness));
        }
        return tests;
    }

    private static boolean compare(long actual, Comparison comparison, long value) {
        return switch (comparison) {
            case EQUAL -> actual == value;
            case GREATER_OR_EQUAL -> actual >= value;
            case LESS_OR_EQUAL -> actual <= value;
        };
    }

    /** The first eight hexadecimal digits, as Envoy takes them; -1 when they are none. */
    private static long ofId(String id) {
        if (id == null || id.length() != 36) {
            return -1;
        }
        long value = 0;
        for (int i = 0; i < 8; i++) {
            int digit = Character.digit(id.charAt(i), 16);
            if (digit < 0) {
                return -1;
            }
            value = value << 4 | digit;
        }
        return value;
    }

    /** Without one of its own, a response has that which its status of HTTP is to gRPC. */
    private static int grpcStatus(Headers response, int responseCode) {
        String status = response.header("grpc-status");
        int code = 0;
        for (int i = 0; status != null && i < status.length(); i++) {
            int digit = status.charAt(i) - '0';
            if (digit < 0 || digit > 9 || i > 2) {
                return UNKNOWN_GRPC_STATUS;
            }
            code = code * 10 + digit;
        }
        return status == null || status.isEmpty() ? LocalReply.grpcStatus(responseCode) : code;
    }
}
