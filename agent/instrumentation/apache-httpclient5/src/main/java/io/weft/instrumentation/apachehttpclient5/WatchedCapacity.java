package io.weft.instrumentation.apachehttpclient5;

import io.weft.dataplane.Demand;
import io.weft.dataplane.Exchange;
import java.io.IOException;
import org.apache.hc.core5.http.nio.CapacityChannel;

/** Where the app says how much of a response's body it has room for, from any thread. */
final class WatchedCapacity implements CapacityChannel {
    private final CapacityChannel channel;
    private final Demand demand;
    private final Exchange exchange;

    WatchedCapacity(CapacityChannel channel, Demand demand, Exchange exchange) {
        this.channel = channel;
        this.demand = demand;
        this.exchange = exchange;
    }

    boolean isOf(CapacityChannel asked) {
        return channel == asked;
    }

    @Override
    public void update(int increment) throws IOException {
        if (increment > 0) {
            demand.asks(exchange, Long.MAX_VALUE);
        }
        channel.update(increment);
    }
}
