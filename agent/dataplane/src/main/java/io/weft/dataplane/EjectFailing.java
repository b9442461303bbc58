package io.weft.dataplane;

import io.weft.dataplane.cluster.Ejection;

/** Tells the cluster's outlier detection how the attempt went. */
final class EjectFailing extends ClientLayer {
    private final NanoClock clock;

    EjectFailing(NanoClock clock, ClientLayer inner) {
        super(inner);
        this.clock = clock;
    }

    @Override
    void outcome(Exchange exchange) {
        inner.outcome(exchange);
        if (exchange.failure == null) {
            Ejection.onResponse(exchange.cluster, exchange.host, exchange.status, clock);
        } else {
            Ejection.onFailure(exchange.cluster, exchange.host, exchange.failure, clock);
        }
    }
}
