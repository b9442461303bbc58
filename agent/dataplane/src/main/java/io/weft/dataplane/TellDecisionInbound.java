package io.weft.dataplane;

/** Tells how a request was decided: one that asks, in its response; and some of all, in the log. */
final class TellDecisionInbound extends ServerLayer {
    private final Debugging debugging;
    private final Randomness randomness;

    static ServerLayer over(Telling telling, Randomness randomness, ServerLayer inner) {
        return telling.debugging() == null ? inner : new TellDecisionInbound(telling.debugging(), randomness, inner);
    }

    private TellDecisionInbound(Debugging debugging, Randomness randomness, ServerLayer inner) {
        super(inner, Phase.REQUEST, Phase.RESPONSE, Phase.END);
        this.debugging = debugging;
        this.randomness = randomness;
    }

    @Override
    boolean request(InboundExchange exchange) {
        boolean served = innerRequest.request(exchange);
        if (!served && !exchange.waiting && exchange.reply != null && debugging.answers(exchange)) {
            exchange.reply = exchange.reply.with(Debugging.HEADER, Decision.of(exchange));
        }
        return served;
    }

    @Override
    void response(InboundExchange exchange, int status, ResponseHeaders headers) {
        innerResponse.response(exchange, status, headers);
        if (exchange.claimed && debugging.answers(exchange)) {
            exchange.responseChanges = exchange.responseChanges.andAdd(Debugging.HEADER, Decision.of(exchange));
        }
    }

    @Override
    void end(InboundExchange exchange) {
        innerEnd.end(exchange);
        if (exchange.claimed && debugging.samples() && debugging.samples(randomness.bits())) {
            debugging.log().accept(Decision.of(exchange));
        }
    }
}
