package io.weft.dataplane;

/** Tells a request that asks, where that is permitted, how it was decided: in its response. */
final class TellDecisionInbound extends ServerLayer {
    static ServerLayer over(Telling telling, ServerLayer inner) {
        return telling.debugging() == null ? inner : new TellDecisionInbound(inner);
    }

    private TellDecisionInbound(ServerLayer inner) {
        super(inner, Phase.REQUEST, Phase.RESPONSE);
    }

    @Override
    boolean request(InboundExchange exchange) {
        boolean served = innerRequest.request(exchange);
        if (!served && !exchange.waiting && exchange.reply != null && Debugging.isAskedFor(exchange)) {
            exchange.reply = exchange.reply.with(Debugging.HEADER, Decision.of(exchange));
        }
        return served;
    }

    @Override
    void response(InboundExchange exchange, int status, ResponseHeaders headers) {
        innerResponse.response(exchange, status, headers);
        if (exchange.claimed && Debugging.isAskedFor(exchange)) {
            exchange.responseChanges = exchange.responseChanges.andAdd(Debugging.HEADER, Decision.of(exchange));
        }
    }
}
