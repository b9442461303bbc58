package io.weft.instrumentation.javanethttp;

import io.weft.dataplane.Endpoint;

/**
 * The endpoint of the request that this thread is sending. The JDK asks for the address, and looks for pooled connections by it,
 * before {@code responseAsyncImpl} returns.
 */
final class Dialing {
    /** @param exchange the JDK's */
    record Dial(Object request, Object exchange, Endpoint endpoint, UnderWay attempt, Dial outer) {}

    /** Of a thread, and kept: to put a value into a thread and take it out again costs more than all else here. */
    private static final class Current {
        private Dial dial;
    }

    private final ThreadLocal<Current> current = ThreadLocal.withInitial(Current::new);
    private final Runnable firstSecured;
    private volatile boolean secured;

    /** @param firstSecured runs before an endpoint is dialled by TLS for the first time, on more than one thread maybe */
    Dialing(Runnable firstSecured) {
        this.firstSecured = firstSecured;
    }

    /** To be ended by the same thread. May nest: a body publisher may send a request of its own. */
    void begin(Object request, Object exchange, Endpoint endpoint, UnderWay attempt) {
        if (endpoint.tls() != null && !secured) {
            firstSecured.run();
            secured = true;
        }
        Current here = current.get();
        here.dial = new Dial(request, exchange, endpoint, attempt, here.dial);
    }

    void end() {
        Current here = current.get();
        here.dial = here.dial.outer();
    }

    /** Null: the request goes where its URI says. */
    Dial of(Object request) {
        for (Dial dial = current.get().dial; dial != null; dial = dial.outer()) {
            if (dial.request() == request) {
                return dial;
            }
        }
        return null;
    }
}
