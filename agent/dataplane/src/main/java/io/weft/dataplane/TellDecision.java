package io.weft.dataplane;

/** Tells how a request was decided: one that asks, in its response, or in the log where it gets none; and some of all, in the log. */
final class TellDecision extends ClientLayer {
    private final Debugging debugging;

    static ClientLayer over(Telling telling, ClientLayer inner) {
        return telling.debugging() == null ? inner : new TellDecision(telling.debugging(), inner);
    }

    private TellDecision(Debugging debugging, ClientLayer inner) {
        super(inner, Phase.ATTEMPT, Phase.OUTCOME, Phase.RELEASE);
        this.debugging = debugging;
    }

    @Override
    boolean attempt(Exchange exchange) {
        if (exchange.attempt == 1 && exchange.decision == null) {
            boolean answered = debugging.answers(exchange);
            boolean sampled = debugging.samples(exchange.random);
            if (answered || sampled) {
                exchange.decision = new Decision(answered, sampled);
            }
        }
        boolean dial = innerAttempt.attempt(exchange);
        if (!dial && exchange.decision != null && exchange.decision.isAnswered() && !exchange.waiting && exchange.reply != null) {
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
        if (!decision.isAnswered()) {
            return;
        }
        if (!failed && !exchange.again) {
            exchange.responseChanges = exchange.responseChanges.andAdd(Debugging.HEADER, decision.of(exchange));
        } else if (failed && exchange.isLast() && !decision.isLogged()) {
            debugging.log().accept(decision.of(exchange));
        }
    }

    @Override
    void release(Exchange exchange) {
        innerRelease.release(exchange);
        Decision decision = exchange.decision;
        if (decision != null && decision.isLogged() && exchange.isLast()) {
            debugging.log().accept(decision.of(exchange));
        }
    }
}
