package io.weft.dataplane;

import java.util.concurrent.atomic.LongAdder;

/** Counts the requests that reach the app. */
final class CountInbound extends ServerLayer {
    private final LongAdder requests;

    CountInbound(LongAdder requests, ServerLayer inner) {
        super(inner, Phase.REQUEST);
        this.requests = requests;
    }

    @Override
    boolean request(InboundExchange exchange) {
        requests.increment();
        return innerRequest.request(exchange);
    }
}
