package io.weft.dataplane;

import io.weft.dataplane.route.TimeoutRule;

/**
 * Sets the time limits when Envoy does, and says what happens when one is over: an attempt may be tried again, the whole is
 * answered with 504. Also a pause between attempts ends with the time that there is.
 */
final class Deadline extends ClientLayer {
    /** What a request may ask for in place of 504. */
    private static final LocalReply ALTERNATIVE = LocalReply.of(204, "");

    private final Deadlines deadlines;
    private final NanoClock clock;

    Deadline(Deadlines deadlines, ClientLayer inner) {
        super(inner, Phase.ATTEMPT, Phase.CONNECTED, Phase.REQUEST_SENT, Phase.OUTCOME);
        this.deadlines = deadlines;
        clock = deadlines.clock();
    }

    @Override
    boolean attempt(Exchange exchange) {
        if (exchange.attempt == 1) {
            if (exchange.timeouts != null) {
                start(exchange);
            }
        } else if (isOver(exchange)) {
            return false;
        }
        if (!innerAttempt.attempt(exchange)) {
            return false;
        }
        deadlines.watch(exchange);
        return true;
    }

    private void start(Exchange exchange) {
        TimeoutRule rule = exchange.timeouts;
        long idle = rule.idleNanos();
        long stream = rule.streamNanos(exchange);
        exchange.requestNanos = rule.requestNanos(exchange);
        // What the app has ready would have come to a proxy at once.
        exchange.requestSent = exchange.isComplete();
        long request = exchange.requestSent ? exchange.requestNanos : 0;
        if (stream == 0 && isLong(idle) && isLong(request)) {
            exchange.armPending(request, idle);
        } else if ((idle | stream | request) != 0) {
            long now = clock.nanoTime();
            arm(exchange, TimeLimit.IDLE_TIMEOUT, idle, now);
            arm(exchange, TimeLimit.MAX_STREAM_DURATION, stream, now);
            arm(exchange, TimeLimit.TIMEOUT, request, now);
        }
    }

    private static boolean isLong(long nanos) {
        return nanos == 0 || nanos >= Deadlines.LONG_NANOS;
    }

    private boolean isOver(Exchange exchange) {
        if (exchange.overdue != null) {
            exchange.reply = exchange.overdue;
            return true;
        }
        if (!exchange.isLimited()) {
            return false;
        }
        long now = clock.nanoTime();
        exchange.startPending(now);
        TimeLimit first = exchange.first();
        if (exchange.endOf(first) - now > 0) {
            return false;
        }
        exchange.reply = reply(exchange, first);
        first.flag(exchange);
        return true;
    }

    private static LocalReply reply(Exchange exchange, TimeLimit limit) {
        if (exchange.alternativeToTimeout && limit.isTimeout()) {
            return ALTERNATIVE;
        }
        LocalReply reply = limit.reply(exchange.requestSent);
        // The one limit that Envoy takes for the call's own deadline.
        return limit == TimeLimit.MAX_STREAM_DURATION && exchange.isGrpc() ? reply.forGrpc(Grpc.DEADLINE_EXCEEDED) : reply;
    }

    @Override
    void connected(Exchange exchange) {
        exchange.onConnection = true;
        if (limitsAttempts(exchange)) {
            long now = clock.nanoTime();
            arm(exchange, TimeLimit.UPSTREAM_MAX_STREAM_DURATION, exchange.cluster.maxStreamNanos(), now);
            startAttempt(exchange, now);
        }
        innerConnected.connected(exchange);
    }

    /** Whether there is a limit that begins with the attempt's connection. */
    static boolean limitsAttempts(Exchange exchange) {
        return exchange.timeouts != null && exchange.timeouts.limitsAttempts() || exchange.cluster.maxStreamNanos() != 0;
    }

    @Override
    void requestSent(Exchange exchange) {
        if (exchange.awaitsEndOfRequest()) {
            exchange.requestSent = true;
            long now = clock.nanoTime();
            arm(exchange, TimeLimit.TIMEOUT, exchange.requestNanos, now);
            startAttempt(exchange, now);
        }
        innerRequestSent.requestSent(exchange);
    }

    private static void startAttempt(Exchange exchange, long now) {
        if (exchange.timeouts != null && exchange.onConnection && exchange.requestSent) {
            TimeoutRule rule = exchange.timeouts;
            if (exchange.status == 0) {
                arm(exchange, TimeLimit.PER_TRY_TIMEOUT, rule.perTryNanos(exchange.requestNanos), now);
            }
            arm(exchange, TimeLimit.PER_TRY_IDLE_TIMEOUT, rule.perTryIdleNanos(), now);
        }
    }

    private static void arm(Exchange exchange, TimeLimit limit, long nanos, long now) {
        if (nanos != 0) {
            exchange.arm(limit, nanos, now);
        }
    }

    @Override
    void outcome(Exchange exchange) {
        innerOutcome.outcome(exchange);
        if (!exchange.isLimited() && exchange.expired() == null) {
            return;
        }
        exchange.disarm(TimeLimit.PER_TRY_TIMEOUT);
        if (exchange.failure == null && !exchange.again) {
            exchange.bytesReceived();
            return;
        }
        exchange.disarm(TimeLimit.PER_TRY_IDLE_TIMEOUT);
        exchange.disarm(TimeLimit.UPSTREAM_MAX_STREAM_DURATION);
        if (exchange.again) {
            shortenPause(exchange);
        } else if (exchange.expired() != null) {
            exchange.overdue = reply(exchange, exchange.expired());
            exchange.backoffNanos = 0;
        }
    }

    private void shortenPause(Exchange exchange) {
        if (exchange.isLimited()) {
            long now = clock.nanoTime();
            exchange.startPending(now);
            exchange.backoffNanos = Math.max(0, Math.min(exchange.backoffNanos, exchange.endOf(exchange.first()) - now));
        }
    }
}
