package io.weft.dataplane;

import io.weft.dataplane.format.ResponseFlag;
import io.weft.dataplane.trace.OpenSpan;
import io.weft.dataplane.trace.RequestTrace;

/** The server span of a request that is traced, of which the app hears. */
final class TraceInbound extends ServerLayer {

    static ServerLayer over(Telling telling, ServerLayer inner) {
        return telling.traces() ? new TraceInbound(inner) : inner;
    }

    private TraceInbound(ServerLayer inner) {
        super(inner, Phase.REQUEST, Phase.END);
    }

    @Override
    boolean request(InboundExchange exchange) {
        if (exchange.span != null) {
            exchange.requestChanges = exchange.span.tell(exchange.requestChanges);
        } else if (exchange.traceRefusal != null) {
            exchange.requestChanges = exchange.requestChanges.andSet(RequestTrace.TRACEPARENT, exchange.traceRefusal);
        }
        return innerRequest.request(exchange);
    }

    @Override
    void end(InboundExchange exchange) {
        innerEnd.end(exchange);
        OpenSpan span = exchange.span;
        exchange.span = null;
        if (span != null && span.isSampled()) {
            if (exchange.responseFlags != 0) {
                span.with("response_flags", ResponseFlag.names(exchange.responseFlags, false));
            }
            span.with("network.peer", exchange.connection().remote())
                    .with("source.principal", exchange.peerUriSans())
                    .end(exchange.responseCode(), exchange.grpcStatus, null);
        }
    }
}
