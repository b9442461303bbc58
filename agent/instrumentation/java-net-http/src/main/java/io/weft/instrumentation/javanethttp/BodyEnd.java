package io.weft.instrumentation.javanethttp;

import io.weft.dataplane.Exchange;
import io.weft.instrumentation.ExchangeEnd;

/** How a body ends that the app is given. Safe to call from any thread, and more than once. */
final class BodyEnd extends ExchangeEnd {
    private final Internals internals;
    private final Object multi;

    /** @param request null: the attempt's exchange is the request's */
    BodyEnd(Exchange attempt, Exchange request, Internals internals, Object multi) {
        super(attempt, request);
        this.internals = internals;
        this.multi = multi;
    }

    /** The JDK cannot read it any further. */
    void brokeOff(Throwable cause) {
        brokeOff(cause, internals.cancelled(multi));
    }
}
