package io.weft.dataplane;

/** Tells a request that asks, where that is permitted, how it was decided: in its response, or in the log where it gets none. */
final class TellDecision extends ClientLayer {
    private final Debugging debugging;

    static ClientLayer over(Telling telling, ClientLayer inner) {
        return telling.debugging() == null ? inner : new TellDecision(telling.debugging(), inner);
    }

    private TellDecision(Debugging debugging, ClientLayer inner) {
        super(inner, Phase.ATTEMPT, Phase.OUTCOME);
        this.debugging = debugging;
    }

    @Override
    boolean attempt(Exchange exchange) {
        if (exchange.attempt == 1 && exchange.decision == null && Debugging.isAskedFor(exchange)) {
            exchange.decision = new Decision();
        }
        boolean dial = innerAttempt.attempt(exchange);
        if (!dial && exchange.decision != null && !exchange.waiting && exchange.reply != null) {
            exchange.reply = exchange.reply.with(Debugging.HEADER, exchange.decision.of(exchange));
        }
        return dial;
    }

    @Override
    void outcome(Exchange exchange) {
        innerOutcome.outcome(exchange);
        Decision decision = exchange.decision;
        if (decision == null) {
            return;
        }
        boolean failed = exchange.failure != null;
        decision.attempted(exchange.upstreamAddress(), failed ? exchange.failure.name() : Integer.toString(exchange.status));
        if (!failed && !exchange.again) {
            exchange.responseChanges = exchange.responseChanges.andAdd(Debugging.HEADER, decision.of(exchange));
        } else if (failed && exchange.isLast()) {
            debugging.log(decision.of(exchange));
        }
    }
}
