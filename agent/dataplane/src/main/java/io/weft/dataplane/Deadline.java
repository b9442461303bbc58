package io.weft.dataplane;

import io.weft.dataplane.route.RouteEntry.Forward;

/** The route's timeout: past it, or when the back-off would end past it, nothing is tried again. */
final class Deadline extends ClientLayer {
    private final NanoClock clock;

    Deadline(NanoClock clock, ClientLayer inner) {
        super(inner);
        this.clock = clock;
    }

    @Override
    boolean attempt(Exchange exchange) {
        if (exchange.attempt == 1 && exchange.retry != null) {
            long timeout = timeout(exchange);
            if (timeout != 0) {
                exchange.deadlineNanos = clock.nanoTime() + timeout;
            }
        }
        return inner.attempt(exchange);
    }

    @Override
    void outcome(Exchange exchange) {
        inner.outcome(exchange);
        if (exchange.again && timeout(exchange) != 0) {
            exchange.again = clock.nanoTime() + exchange.backoffNanos - exchange.deadlineNanos < 0;
        }
    }

    private static long timeout(Exchange exchange) {
        return ((Forward) exchange.route).timeoutNanos();
    }
}
