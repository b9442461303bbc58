package io.weft.instrumentation.javanethttp;

import io.weft.instrumentation.ExchangeEnd;

/** How a body ends that the app is given. Safe to call from any thread, and more than once. */
final class BodyEnd implements Runnable {
    private final ExchangeEnd exchange;
    private final Internals internals;
    private final Object multi;

    BodyEnd(ExchangeEnd exchange, Internals internals, Object multi) {
        this.exchange = exchange;
        this.internals = internals;
        this.multi = multi;
    }

    /** All of it has come, or nobody wants it. */
    @Override
    public void run() {
        exchange.run();
    }

    /** The JDK cannot read it any further. */
    void brokeOff(Throwable cause) {
        exchange.brokeOff(cause, internals.cancelled(multi));
    }
}
