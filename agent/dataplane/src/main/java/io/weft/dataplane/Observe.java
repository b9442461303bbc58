package io.weft.dataplane;

import io.weft.dataplane.Exchange.Failure;

/** Counts attempts by endpoint, retries and connections that there were not by cluster. A 5xx is a failure; what the app cancels is neither. */
final class Observe extends ClientLayer {

    Observe(ClientLayer inner) {
        super(inner, Phase.ATTEMPT, Phase.OUTCOME);
    }

    @Override
    boolean attempt(Exchange exchange) {
        if (exchange.attempt > 1) {
            exchange.cluster.state().retried();
        }
        return innerAttempt.attempt(exchange);
    }

    @Override
    void outcome(Exchange exchange) {
        innerOutcome.outcome(exchange);
        if (exchange.failure == Failure.CANCELLED) {
            return;
        }
        if (exchange.failure == Failure.CONNECT) {
            exchange.cluster.state().connectFailed();
        }
        if (exchange.failure != null || exchange.status >= 500) {
            exchange.host.failed();
        } else {
            exchange.host.succeeded();
        }
    }
}
