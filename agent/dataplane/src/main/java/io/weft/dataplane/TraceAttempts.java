package io.weft.dataplane;

import io.weft.dataplane.format.ResponseFlag;
import io.weft.dataplane.trace.OpenSpan;
import io.weft.dataplane.trace.RequestTrace;
import java.util.Locale;

/** A client span for each attempt of a request that is traced, of which whoever gets the attempt hears. */
final class TraceAttempts extends ClientLayer {

    static ClientLayer over(Telling telling, ClientLayer inner) {
        return telling.traces() ? new TraceAttempts(inner) : inner;
    }

    private TraceAttempts(ClientLayer inner) {
        super(inner, Phase.ATTEMPT, Phase.RELEASE);
    }

    @Override
    boolean attempt(Exchange exchange) {
        if (exchange.trace != null && (exchange.attempt > 1 || !exchange.trace.isAppsOwn())) {
            OpenSpan span = exchange.trace.client(exchange);
            exchange.requestChanges = span.tell(exchange.requestChanges);
            exchange.span = span.isSampled() ? span : null;
        } else if (exchange.traceRefusal != null && exchange.attempt == 1) {
            exchange.requestChanges = exchange.requestChanges.andSet(RequestTrace.TRACEPARENT, exchange.traceRefusal);
        }
        return innerAttempt.attempt(exchange);
    }

    /** Before those inside, which give back what tells whether the attempt was under way. */
    @Override
    void release(Exchange exchange) {
        try {
            OpenSpan span = exchange.span;
            if (span != null) {
                exchange.span = null;
                end(span, exchange);
            }
        } finally {
            innerRelease.release(exchange);
        }
    }

    private static void end(OpenSpan span, Exchange exchange) {
        span.with("upstream_cluster.name", exchange.upstreamCluster());
        if (exchange.attempt > 1) {
            span.with("http.request.resend_count", exchange.attempt - 1);
        }
        if (exchange.responseFlags != 0) {
            span.with("response_flags", ResponseFlag.names(exchange.responseFlags, false));
        }
        String failure = null;
        if (exchange.admitted) {
            span.with("network.peer", exchange.upstreamHost());
            failure = exchange.failure == null ? null : exchange.failure.name().toLowerCase(Locale.ROOT);
        }
        span.end(exchange.responseCode(), exchange.grpcStatus, failure);
    }
}
