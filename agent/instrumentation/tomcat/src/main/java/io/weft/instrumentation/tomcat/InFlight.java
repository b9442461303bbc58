package io.weft.instrumentation.tomcat;

import io.weft.dataplane.Inbound;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.coyote.Request;

/**
 * The request that is in flight in one of coyote's requests; empty between two. Kept in coyote's notes, which like its requests are
 * pooled, so that a request costs no allocation. Atomic because a request may end on any thread, and from two at once.
 */
final class InFlight extends AtomicReference<IncomingRequest> {
    /** Tomcat documents 17 to 31 as not used. */
    private static final int NOTE = 30;

    /** Serves again once it is over; null when a file that is still being sent has taken it along. */
    private IncomingRequest idle;

    private InFlight() {}

    /** @return null when the note is somebody else's */
    static IncomingRequest start(Internals internals, Connections connections, Request request, Inbound.Port port) {
        Object note = request.getNote(NOTE);
        if (note == null) {
            note = new InFlight();
            request.setNote(NOTE, note);
        }
        if (!(note instanceof InFlight inFlight)) {
            return null;
        }
        end(request);
        if (inFlight.idle == null) {
            inFlight.idle = new IncomingRequest(internals, connections, request);
        }
        IncomingRequest incoming = inFlight.idle;
        incoming.renew();
        port.enter(incoming);
        inFlight.setRelease(incoming);
        return incoming;
    }

    static void end(Request request) {
        if (request.getNote(NOTE) instanceof InFlight inFlight) {
            IncomingRequest incoming = inFlight.get() == null ? null : inFlight.getAndSet(null);
            if (incoming != null) {
                incoming.over();
            }
        }
    }

    /** From now on the caller has to end it. */
    static IncomingRequest take(Request request) {
        if (!(request.getNote(NOTE) instanceof InFlight inFlight) || inFlight.get() == null) {
            return null;
        }
        IncomingRequest incoming = inFlight.getAndSet(null);
        if (incoming != null) {
            inFlight.idle = null;
            incoming.giveBack();
        }
        return incoming;
    }

    static IncomingRequest peek(Request request) {
        return request.getNote(NOTE) instanceof InFlight inFlight ? inFlight.get() : null;
    }
}
