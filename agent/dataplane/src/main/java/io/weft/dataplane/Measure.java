package io.weft.dataplane;

import io.weft.dataplane.cluster.Host;
import io.weft.dataplane.format.ResponseFlag;
import io.weft.dataplane.metrics.RequestMeter;
import io.weft.dataplane.metrics.RequestMetrics;

/** Counts each request once, with all its attempts, and times it, filters and pauses included; of those that are timed it tells the sizes. */
final class Measure extends ClientLayer {
    private static final int SERVICE_UNAVAILABLE = 503;
    private static final int GATEWAY_TIMEOUT = 504;

    private final RequestMetrics metrics;

    Measure(RequestMetrics metrics, ClientLayer inner) {
        super(inner, Phase.ATTEMPT, Phase.OUTCOME, Phase.RELEASE);
        this.metrics = metrics;
    }

    @Override
    boolean attempt(Exchange exchange) {
        if (exchange.attempt == 1) {
            metrics.begin(exchange, exchange.random);
            if (exchange.isTimed()) {
                exchange.announcesRequest(exchange.bodyLength());
            }
        }
        return innerAttempt.attempt(exchange);
    }

    @Override
    void outcome(Exchange exchange) {
        innerOutcome.outcome(exchange);
        if (exchange.isTimed()) {
            if (exchange.requestBodyBytes() < 0) {
                // What the app wrote after the attempt began is whole by now.
                exchange.announcesRequest(exchange.bodyLength());
            }
            exchange.announcesResponse(exchange.responseHeaders == null
                    ? -1
                    : ContentLength.ofResponse(exchange, exchange.status, exchange.responseHeaders));
        }
    }

    @Override
    void release(Exchange exchange) {
        innerRelease.release(exchange);
        if (exchange.isLast()) {
            if (exchange.reply != null && exchange.isTimed()) {
                exchange.announcesResponse(exchange.reply.body().length);
            }
            Host host = answering(exchange);
            metrics.end(exchange, meter(exchange, host), code(exchange), exchange.isCall(), exchange.grpcStatus,
                    exchange.responseFlags, host != null && host.secured(), exchange.status == 0 && exchange.reply != null);
        }
    }

    /** Null: none. Where there is no endpoint for a retry, the answer is not of the one before. */
    private static Host answering(Exchange exchange) {
        return exchange.status == 0 && (exchange.responseFlags & ResponseFlag.UH.bit()) != 0 ? null : exchange.host;
    }

    private RequestMeter meter(Exchange exchange, Host host) {
        if (host != null) {
            return host.meter();
        }
        return exchange.cluster == null ? metrics.unrouted() : exchange.cluster.state().meters().common();
    }

    /** Where the app gets an exception, it is what a proxy would have answered; who broke off got nothing. */
    private static int code(Exchange exchange) {
        if (exchange.status != 0) {
            return exchange.status;
        }
        if (exchange.reply != null) {
            return exchange.reply.status();
        }
        return exchange.failure == null ? 0 : switch (exchange.failure) {
            case CANCELLED -> 0;
            case TIMEOUT, ATTEMPT_TIMEOUT, REQUEST_TIMEOUT, MAX_DURATION -> GATEWAY_TIMEOUT;
            default -> SERVICE_UNAVAILABLE;
        };
    }
}
