package io.weft.dataplane;

import io.weft.dataplane.metrics.RequestMetrics;

/**
 * Counts each request to a port that a policy names, once it is over, and times it, filters and pauses included. One whose connection is
 * closed in place of an answer is counted as a refused connection only.
 */
final class MeasureInbound extends ServerLayer {
    private final RequestMetrics metrics;

    MeasureInbound(RequestMetrics metrics, ServerLayer inner) {
        super(inner, Phase.ENTER, Phase.RESPONSE, Phase.END);
        this.metrics = metrics;
    }

    @Override
    void enter(InboundExchange exchange) {
        metrics.begin(exchange);
        innerEnter.enter(exchange);
        // As long as its head is there to be read; over HTTP/1.1 there is no gRPC.
        exchange.call = exchange.claimed && !"HTTP/1.1".equals(exchange.protocol()) && exchange.isGrpc();
        if (exchange.claimed && exchange.isTimed()) {
            exchange.announcesRequest(requestLength(exchange));
        }
    }

    private static long requestLength(InboundExchange exchange) {
        long announced = ContentLength.of(exchange.header("content-length"));
        if (announced >= 0) {
            return announced;
        }
        boolean none = "HTTP/1.1".equals(exchange.protocol())
                ? exchange.header("transfer-encoding") == null
                : exchange.method().equals("GET") || exchange.method().equals("HEAD");
        return none ? 0 : -1;
    }

    private static boolean byMesh(InboundExchange exchange) {
        return exchange.status == 0 && exchange.reply != null;
    }

    private static void tellResponse(InboundExchange exchange) {
        if (byMesh(exchange)) {
            exchange.announcesResponse(exchange.reply.body().length);
            return;
        }
        long written = exchange.responseBytesWritten();
        if (written > 0) {
            exchange.endsResponse(written);
        }
    }

    @Override
    void response(InboundExchange exchange, int status, ResponseHeaders headers) {
        innerResponse.response(exchange, status, headers);
        if (exchange.claimed && exchange.isTimed()) {
            exchange.announcesResponse(ContentLength.ofResponse(exchange, status, headers));
        }
    }

    @Override
    void end(InboundExchange exchange) {
        boolean counted = exchange.claimed && !exchange.closing;
        if (counted) {
            // Before the access logs are written.
            tellResponse(exchange);
        }
        innerEnd.end(exchange);
        if (counted) {
            Connection connection = exchange.connection();
            metrics.end(exchange, metrics.caller(connection), exchange.responseCode(), exchange.isCall(), exchange.grpcStatus,
                    exchange.responseFlags, connection.peer() != null, byMesh(exchange));
        } else {
            metrics.forget(exchange);
        }
    }
}
