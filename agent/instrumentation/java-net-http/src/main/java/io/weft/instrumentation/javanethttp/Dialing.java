package io.weft.instrumentation.javanethttp;

import io.weft.dataplane.Endpoint;

/**
 * The endpoint of the request that this thread is sending. The JDK asks for the address, and looks for pooled connections by it,
 * before {@code responseAsyncImpl} returns.
 */
final class Dialing {
    /** @param exchange the JDK's */
    record Dial(Object request, Object exchange, Endpoint endpoint, UnderWay attempt, Dial outer) {}

    private final ThreadLocal<Dial> current = new ThreadLocal<>();

    /** To be ended by the same thread. May nest: a body publisher may send a request of its own. */
    void begin(Object request, Object exchange, Endpoint endpoint, UnderWay attempt) {
        current.set(new Dial(request, exchange, endpoint, attempt, current.get()));
    }

    void end() {
        Dial outer = current.get().outer();
        if (outer == null) {
            current.remove();
        } else {
            current.set(outer);
        }
    }

    /** Null: the request goes where its URI says. */
    Dial of(Object request) {
        for (Dial dial = current.get(); dial != null; dial = dial.outer()) {
            if (dial.request() == request) {
                return dial;
            }
        }
        return null;
    }
}
