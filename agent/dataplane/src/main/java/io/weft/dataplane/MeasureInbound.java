package io.weft.dataplane;

import io.weft.dataplane.metrics.RequestMetrics;

/**
 * Counts each request to a port that a policy names, once it is over, and times it, filters and pauses included. One whose connection is
 * closed in place of an answer is counted as a refused connection only.
 */
final class MeasureInbound extends ServerLayer {
    private final RequestMetrics metrics;

    MeasureInbound(RequestMetrics metrics, ServerLayer inner) {
        super(inner, Phase.ENTER, Phase.END);
        this.metrics = metrics;
    }

    @Override
    void enter(InboundExchange exchange) {
        metrics.begin(exchange);
        innerEnter.enter(exchange);
        // As long as its head is there to be read; over HTTP/1.1 there is no gRPC.
        exchange.call = exchange.claimed && !"HTTP/1.1".equals(exchange.protocol()) && exchange.isGrpc();
    }

    @Override
    void end(InboundExchange exchange) {
        innerEnd.end(exchange);
        if (exchange.claimed && !exchange.closing) {
            Connection connection = exchange.connection();
            metrics.end(exchange, metrics.caller(connection), exchange.responseCode(), exchange.isCall(), exchange.grpcStatus,
                    exchange.responseFlags, connection.peer() != null);
        } else {
            metrics.forget(exchange);
        }
    }
}
