package io.weft.instrumentation;

import io.weft.dataplane.Exchange;
import io.weft.dataplane.Exchange.Failure;
import java.io.InterruptedIOException;
import java.util.concurrent.atomic.AtomicReferenceFieldUpdater;

/** Ends an exchange once. Libraries report the end of a body from several threads: its reader, a canceller, a timer. */
public final class ExchangeEnd implements Runnable {
    private static final AtomicReferenceFieldUpdater<ExchangeEnd, Exchange> EXCHANGE =
            AtomicReferenceFieldUpdater.newUpdater(ExchangeEnd.class, Exchange.class, "exchange");

    /** Null: it has ended. */
    private volatile Exchange exchange;
    private final Exchange request;

    public ExchangeEnd(Exchange exchange) {
        this(exchange, null);
    }

    /** @param request that the attempt's response is given to, and that ends with it; null: there is none but the attempt */
    public ExchangeEnd(Exchange attempt, Exchange request) {
        exchange = attempt;
        this.request = request;
    }

    /** @see Exchange#end */
    @Override
    public void run() {
        Exchange first = taken();
        if (first != null) {
            first.end();
            if (request != null) {
                request.end();
            }
        }
    }

    /**
     * The response that was delivered cannot be read to its end. On the thread that has read.
     *
     * @param cause what the app is told; an interrupted read is a time limit of the app's
     * @param byTheApp it has given up
     */
    public void brokeOff(Throwable cause, boolean byTheApp) {
        Failure failure = byTheApp || Interrupted.hasClosed(cause) ? Failure.CANCELLED : cause instanceof InterruptedIOException ? Failure.TIMEOUT : Failure.RESET;
        Exchange first = taken();
        if (first != null) {
            brokeOff(first, failure);
            if (request != null) {
                brokeOff(request, failure);
            }
        }
    }

    /** Null: somebody else has ended it. */
    private Exchange taken() {
        Exchange ends = exchange;
        return ends != null && EXCHANGE.compareAndSet(this, ends, null) ? ends : null;
    }

    private static void brokeOff(Exchange exchange, Failure failure) {
        exchange.onFailure(failure);
        exchange.end();
    }
}
