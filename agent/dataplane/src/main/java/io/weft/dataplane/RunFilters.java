package io.weft.dataplane;

/** The HTTP filters of the listener, as the route has them: once for all attempts. */
final class RunFilters extends ClientLayer {

    RunFilters(ClientLayer inner) {
        super(inner, Phase.ATTEMPT, Phase.OUTCOME, Phase.RELEASE);
    }

    @Override
    boolean attempt(Exchange exchange) {
        if (exchange.attempt == 1) {
            switch (exchange.filterRequest()) {
                case DELAY -> {
                    exchange.waiting = true;
                    exchange.backoffNanos = exchange.delayNanos;
                    return false;
                }
                case REPLY -> {
                    answer(exchange);
                    return false;
                }
                case CLOSE -> throw new IllegalStateException("a filter of connections that come in, on a request that goes out");
                case CONTINUE -> { }
            }
        }
        boolean dial = innerAttempt.attempt(exchange);
        if (!dial && !exchange.isOutdone()) {
            answer(exchange);
        }
        return dial;
    }

    /** The mesh's own reply is the answer. */
    static void answer(Exchange exchange) {
        exchange.responseChanges = exchange.replyChanges();
        exchange.filterReply();
    }

    @Override
    void outcome(Exchange exchange) {
        innerOutcome.outcome(exchange);
        if (!exchange.again && exchange.failure == null) {
            exchange.filterResponse(exchange.status, exchange.responseHeaders);
        }
    }

    @Override
    void release(Exchange exchange) {
        innerRelease.release(exchange);
        if (exchange.isLast()) {
            exchange.endFilters();
        }
    }
}
