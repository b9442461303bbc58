package io.weft.dataplane;

/** Tells a request that asks, where that is permitted, how it was decided: in its response. */
final class TellDecisionInbound extends ServerLayer {
    private final Debugging debugging;

    TellDecisionInbound(Debugging debugging, ServerLayer inner) {
        super(inner);
        this.debugging = debugging;
    }

    @Override
    boolean request(InboundExchange exchange) {
        boolean served = inner.request(exchange);
        if (!served && !exchange.waiting && exchange.reply != null && debugging.isAskedFor(exchange)) {
            exchange.reply = exchange.reply.with(Debugging.HEADER, Decision.of(exchange));
        }
        return served;
    }

    @Override
    void response(InboundExchange exchange, int status, ResponseHeaders headers) {
        inner.response(exchange, status, headers);
        if (exchange.claimed && debugging.isAskedFor(exchange)) {
            exchange.responseChanges = exchange.responseChanges.andAdd(Debugging.HEADER, Decision.of(exchange));
        }
    }
}
