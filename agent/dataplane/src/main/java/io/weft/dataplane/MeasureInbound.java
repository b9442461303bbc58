package io.weft.dataplane;

import io.weft.dataplane.metrics.RequestMetrics;

/** Counts each request to a port that a policy names, once it is over, and times it, filters and pauses included. */
final class MeasureInbound extends ServerLayer {
    private final RequestMetrics metrics;

    MeasureInbound(RequestMetrics metrics, ServerLayer inner) {
        super(inner);
        this.metrics = metrics;
    }

    @Override
    void enter(InboundExchange exchange) {
        metrics.begin(exchange);
        inner.enter(exchange);
    }

    @Override
    void end(InboundExchange exchange) {
        inner.end(exchange);
        if (exchange.claimed) {
            Connection connection = exchange.connection();
            metrics.end(exchange, metrics.caller(connection), exchange.responseCode(), exchange.isCall(), exchange.grpcStatus,
                    exchange.responseFlags, connection.peer() != null);
        } else {
            metrics.forget(exchange);
        }
    }
}
