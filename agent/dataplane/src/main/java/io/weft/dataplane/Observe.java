package io.weft.dataplane;

import io.weft.dataplane.Exchange.Failure;

/** Counts attempts by endpoint, and retries by cluster. A 5xx is a failure; what the app cancels is neither. */
final class Observe extends ClientLayer {

    Observe(ClientLayer inner) {
        super(inner);
    }

    @Override
    boolean attempt(Exchange exchange) {
        if (exchange.attempt > 1) {
            exchange.cluster.state().retried();
        }
        return inner.attempt(exchange);
    }

    @Override
    void outcome(Exchange exchange) {
        inner.outcome(exchange);
        if (exchange.failure == Failure.CANCELLED) {
            return;
        }
        if (exchange.failure != null || exchange.status >= 500) {
            exchange.host.failed();
        } else {
            exchange.host.succeeded();
        }
    }

    @Override
    void release(Exchange exchange) {
        inner.release(exchange);
    }
}
