package io.weft.dataplane.route;

import io.weft.dataplane.RequestHead;
import io.weft.policy.model.HttpConnectionManager.StreamLimits;
import io.weft.policy.model.RetryPolicy;
import io.weft.policy.model.RouteAction.GrpcTimeout;
import io.weft.policy.model.RouteAction.StreamDuration;
import io.weft.policy.model.RouteAction.Timeouts;
import java.time.Duration;
import java.util.Optional;

/** The time limits of a route, made ready: nanoseconds, 0 for none. Immutable. */
public final class TimeoutRule {
    private static final long NANOS_PER_MILLI = 1_000_000;
    /** Beyond a century there is no limit, and no overflow. */
    private static final Duration LONGEST = Duration.ofDays(36_500);

    private static final TimeoutRule NONE = new TimeoutRule(Timeouts.NONE, RetryPolicy.PerTry.NO_LIMIT, StreamLimits.NONE);

    private final long requestNanos;
    private final long perTryNanos;
    private final long perTryIdleNanos;
    private final long idleNanos;
    private final long streamNanos;
    private final GrpcRule requestOfGrpc;
    private final GrpcRule streamOfGrpc;

    private TimeoutRule(Timeouts timeouts, RetryPolicy.PerTry perTry, StreamLimits otherwise) {
        StreamDuration stream = timeouts.streamDuration().orElse(null);
        requestNanos = stream == null ? nanos(timeouts.request()) : 0;
        requestOfGrpc = stream == null ? timeouts.grpc().map(GrpcRule::of).orElse(null) : null;
        streamNanos = nanos((stream == null ? Optional.<Duration>empty() : stream.max()).orElse(otherwise.duration()));
        streamOfGrpc = stream == null ? null : stream.grpc().map(GrpcRule::of).orElse(null);
        idleNanos = nanos(timeouts.idle().orElse(otherwise.idle()));
        perTryNanos = nanos(perTry.timeout());
        perTryIdleNanos = nanos(perTry.idleTimeout());
    }

    private TimeoutRule(TimeoutRule rule, long requestNanos, GrpcRule requestOfGrpc, long perTryNanos) {
        this.requestNanos = requestNanos;
        this.requestOfGrpc = requestOfGrpc;
        this.perTryNanos = perTryNanos;
        perTryIdleNanos = rule.perTryIdleNanos;
        idleNanos = rule.idleNanos;
        streamNanos = rule.streamNanos;
        streamOfGrpc = rule.streamOfGrpc;
    }

    /**
     * With what the request itself asks for by {@code x-envoy-upstream-rq-timeout-ms} and
     * {@code x-envoy-upstream-rq-per-try-timeout-ms}.
     *
     * @param rule null: the route limits nothing
     * @return null: nothing is limited
     */
    public static TimeoutRule withWishes(TimeoutRule rule, RequestHead request) {
        long timeout = RetryRule.number(request.header("x-envoy-upstream-rq-timeout-ms"));
        long perTry = RetryRule.number(request.header("x-envoy-upstream-rq-per-try-timeout-ms"));
        if (timeout < 0 && perTry < 0) {
            return rule;
        }
        TimeoutRule base = rule == null ? NONE : rule;
        return new TimeoutRule(
                base,
                timeout < 0 ? base.requestNanos : nanos(timeout),
                timeout < 0 ? base.requestOfGrpc : null,
                perTry < 0 ? base.perTryNanos : nanos(perTry));
    }

    private static long nanos(long millis) {
        return millis > LONGEST.toMillis() ? 0 : millis * NANOS_PER_MILLI;
    }

    /**
     * @param otherwise what the connection manager says
     * @return null when nothing is limited
     */
    static TimeoutRule of(Timeouts timeouts, RetryPolicy.PerTry perTry, StreamLimits otherwise) {
        TimeoutRule rule = new TimeoutRule(timeouts, perTry, otherwise);
        boolean limited = (rule.requestNanos | rule.perTryNanos | rule.perTryIdleNanos | rule.idleNanos | rule.streamNanos) != 0
                || rule.requestOfGrpc != null
                || rule.streamOfGrpc != null;
        return limited ? rule : null;
    }

    private static long nanos(Duration duration) {
        return duration.compareTo(LONGEST) > 0 ? 0 : duration.toNanos();
    }

    /** All attempts together, from the end of the request to the end of the response. */
    public long requestNanos(RequestHead request) {
        return requestOfGrpc != null && request.isGrpc() ? requestOfGrpc.nanos(grpcTimeout(request)) : requestNanos;
    }

    /** Whether one attempt has limits of its own. */
    public boolean limitsAttempts() {
        return (perTryNanos | perTryIdleNanos) != 0;
    }

    /** One attempt to its response head; no limit that is no shorter than that of the whole. */
    public long perTryNanos(long requestNanos) {
        return requestNanos != 0 && perTryNanos >= requestNanos ? 0 : perTryNanos;
    }

    /** Between what comes from the endpoint. */
    public long perTryIdleNanos() {
        return perTryIdleNanos;
    }

    /** Between what goes in either direction. */
    public long idleNanos() {
        return idleNanos;
    }

    /** All attempts together, from their beginning to the end of the response. */
    public long streamNanos(RequestHead request) {
        if (streamOfGrpc != null) {
            long said = grpcTimeout(request);
            if (said >= 0) {
                return streamOfGrpc.nanos(said);
            }
        }
        return streamNanos;
    }

    /**
     * The {@code grpc-timeout} header in nanoseconds, to the millisecond and rounded up as Envoy does it.
     *
     * @return -1 when there is none
     */
    static long grpcTimeout(RequestHead request) {
        String text = request.header("grpc-timeout");
        int digits = text == null ? 0 : text.length() - 1;
        // The specification allows eight digits.
        if (digits < 1 || digits > 8) {
            return -1;
        }
        long value = 0;
        for (int i = 0; i < digits; i++) {
            char c = text.charAt(i);
            if (c < '0' || c > '9') {
                return -1;
            }
            value = value * 10 + c - '0';
        }
        long millis = switch (text.charAt(digits)) {
            case 'H' -> value * 3_600_000;
            case 'M' -> value * 60_000;
            case 'S' -> value * 1_000;
            case 'm' -> value;
            case 'u' -> (value + 999) / 1_000;
            case 'n' -> (value + 999_999) / 1_000_000;
            default -> -1;
        };
        return millis < 0 ? -1 : millis * NANOS_PER_MILLI;
    }

    private record GrpcRule(long maxNanos, long offsetNanos) {

        static GrpcRule of(GrpcTimeout timeout) {
            return new GrpcRule(TimeoutRule.nanos(timeout.max()), TimeoutRule.nanos(timeout.offset()));
        }

        /** @param said by the request; -1 or 0: nothing */
        long nanos(long said) {
            long timeout = Math.max(0, said);
            if (offsetNanos < timeout) {
                timeout -= offsetNanos;
            }
            return maxNanos != 0 && (timeout == 0 || timeout > maxNanos) ? maxNanos : timeout;
        }
    }
}
