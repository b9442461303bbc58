package io.weft.dataplane;

/** A client span for a traced request that gets the mesh's own answer before there is an attempt. It ends as those of attempts do. */
final class TraceAnswers extends ClientLayer {

    static ClientLayer over(Telling telling, ClientLayer inner) {
        return telling.traces() ? new TraceAnswers(inner) : inner;
    }

    private TraceAnswers(ClientLayer inner) {
        super(inner, Phase.ATTEMPT);
    }

    @Override
    boolean attempt(Exchange exchange) {
        boolean dial = innerAttempt.attempt(exchange);
        if (!dial && exchange.trace != null && exchange.reply != null && exchange.attempt == 1 && exchange.span == null
                && exchange.trace.isSampled() && !exchange.trace.isAppsOwn()) {
            exchange.span = exchange.trace.answered(exchange);
        }
        return dial;
    }
}
