package io.weft.instrumentation.httpurlconnection;

import io.weft.dataplane.Exchange.Failure;
import java.util.concurrent.atomic.AtomicReference;

/**
 * The exchange that a connection is busy with; empty between two requests. It does not know the connection, nor does anything that
 * it refers to: an app that asks for the status and drops the connection is noticed by the connection's being garbage.
 */
final class Carried extends AtomicReference<OutgoingRequest> implements ObservedSocket.Observer, Runnable {

    Carried(OutgoingRequest exchange) {
        super(exchange);
    }

    /** The next one. */
    void carry(OutgoingRequest next) {
        setRelease(next);
    }

    @Override
    public void bytesSent() {
        OutgoingRequest current = get();
        if (current != null) {
            current.bytesSent();
        }
    }

    @Override
    public void awaitsBytes() {
        OutgoingRequest current = get();
        if (current != null) {
            current.awaitsBytes();
        }
    }

    @Override
    public void bytesReceived() {
        OutgoingRequest current = get();
        if (current != null) {
            current.bytesReceived();
        }
    }

    /** The JDK says nothing of it where it knows the length. */
    @Override
    public void peerLeft() {
        OutgoingRequest current = get();
        if (current != null && current.isBounded() && compareAndSet(current, null)) {
            current.onFailure(Failure.RESET);
            current.end();
        }
    }

    /** Ends the exchange, if there is one. From any thread. */
    @Override
    public void run() {
        OutgoingRequest current = getAndSet(null);
        if (current != null) {
            current.end();
        }
    }
}
