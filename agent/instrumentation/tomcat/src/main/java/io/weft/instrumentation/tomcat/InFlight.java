package io.weft.instrumentation.tomcat;

import io.weft.dataplane.Inbound;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.coyote.Request;

/**
 * The port on which a request is in flight; empty between two requests. One for each of coyote's requests, which are pooled, and
 * kept in its notes, so that a request costs no allocation. Atomic because a request may end on any thread, and from two at once.
 */
final class InFlight extends AtomicReference<Inbound.Port> {
    /** Tomcat documents 17 to 31 as not used. */
    private static final int NOTE = 30;

    private InFlight() {}

    static void start(Request request, Inbound.Port port) {
        Object note = request.getNote(NOTE);
        if (note == null) {
            note = new InFlight();
            request.setNote(NOTE, note);
        }
        if (note instanceof InFlight inFlight) {
            port.requestStarted();
            end(inFlight.getAndSet(port));
        }
    }

    static void end(Request request) {
        end(take(request));
    }

    /** From now on the caller has to end it. */
    static Inbound.Port take(Request request) {
        return request.getNote(NOTE) instanceof InFlight inFlight && inFlight.get() != null ? inFlight.getAndSet(null) : null;
    }

    static Inbound.Port peek(Request request) {
        return request.getNote(NOTE) instanceof InFlight inFlight ? inFlight.get() : null;
    }

    private static void end(Inbound.Port port) {
        if (port != null) {
            port.requestEnded();
        }
    }
}
