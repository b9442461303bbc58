package io.weft.instrumentation;

import io.weft.dataplane.Exchange;
import java.util.concurrent.atomic.AtomicReference;

/** Ends an exchange once. Libraries report the end of a body from several threads: its reader, a canceller, a timer. */
public final class ExchangeEnd implements Runnable {
    private final AtomicReference<Exchange> exchange;

    public ExchangeEnd(Exchange exchange) {
        this.exchange = new AtomicReference<>(exchange);
    }

    /** @see Exchange#end */
    @Override
    public void run() {
        Exchange first = exchange.getAndSet(null);
        if (first != null) {
            first.end();
        }
    }
}
