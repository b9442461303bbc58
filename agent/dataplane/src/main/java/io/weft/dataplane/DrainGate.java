package io.weft.dataplane;

/**
 * Lets the drain know of every request. It turns nobody away: a client that has not heard yet that the instance is about to go
 * is served.
 */
final class DrainGate extends ServerLayer {
    private final Drain drain;

    DrainGate(Drain drain, ServerLayer inner) {
        super(inner, Phase.ENTER, Phase.END);
        this.drain = drain;
    }

    @Override
    void enter(InboundExchange exchange) {
        drain.enter();
        innerEnter.enter(exchange);
    }

    @Override
    void end(InboundExchange exchange) {
        innerEnd.end(exchange);
        drain.leave();
    }
}
