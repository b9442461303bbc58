package io.weft.instrumentation;

import io.weft.dataplane.Exchange;
import io.weft.dataplane.Exchange.Failure;
import java.io.InterruptedIOException;
import java.util.concurrent.atomic.AtomicIntegerFieldUpdater;

/** Ends an exchange once. Libraries report the end of a body from several threads: its reader, a canceller, a timer. */
public class ExchangeEnd implements Runnable {
    private static final AtomicIntegerFieldUpdater<ExchangeEnd> ENDED = AtomicIntegerFieldUpdater.newUpdater(ExchangeEnd.class, "ended");

    private final Exchange exchange;
    private final Exchange request;
    /** 1: it has. */
    private volatile int ended;

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
    public final void run() {
        if (ends()) {
            exchange.end();
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
    public final void brokeOff(Throwable cause, boolean byTheApp) {
        Failure failure = byTheApp || Interrupted.hasClosed(cause) ? Failure.CANCELLED : cause instanceof InterruptedIOException ? Failure.TIMEOUT : Failure.RESET;
        if (ends()) {
            brokeOff(exchange, failure);
            if (request != null) {
                brokeOff(request, failure);
            }
        }
    }

    /** @return false: somebody else has ended it */
    private boolean ends() {
        return ended == 0 && ENDED.compareAndSet(this, 0, 1);
    }

    private static void brokeOff(Exchange exchange, Failure failure) {
        exchange.onFailure(failure);
        exchange.end();
    }
}
