package io.weft.instrumentation.javanethttp;

import java.net.InetSocketAddress;

/**
 * The endpoint of the request that this thread is sending. The JDK asks for the address, and looks for pooled connections by it,
 * before {@code responseAsyncImpl} returns.
 */
final class Dialing {
    /** @param exchange the JDK's */
    record Dial(Object request, Object exchange, InetSocketAddress address, UnderWay attempt, Dial outer) {}

    private final ThreadLocal<Dial> current = new ThreadLocal<>();

    /** To be ended by the same thread. May nest: a body publisher may send a request of its own. */
    void begin(Object request, Object exchange, InetSocketAddress address, UnderWay attempt) {
        current.set(new Dial(request, exchange, address, attempt, current.get()));
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
