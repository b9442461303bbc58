package io.weft.instrumentation.apachehttpclient5;

import java.util.concurrent.atomic.AtomicReference;
import org.apache.hc.client5.http.async.AsyncExecRuntime;
import org.apache.hc.core5.concurrent.Cancellable;
import org.apache.hc.core5.reactor.IOSession;

/**
 * An attempt's place on a connection of a client that speaks HTTP/2 alone: others have requests there, so that it is the stream that
 * ends with the attempt.
 *
 * <p>Thread rule: the library begins the stream on the reactor's thread; whoever ends the attempt does so on any.
 */
final class Http2Stream {
    private final AsyncInternals internals;
    private final AsyncDialing dialing;
    private final long sinceNanos = System.nanoTime();

    /** Which counts the attempt among its requests; null: none with mesh TLS, or no more. */
    private final AtomicReference<IOSession> leased = new AtomicReference<>();

    /** The library's; null: the request still waits for it, or it is not known. On the reactor's thread. */
    private Cancellable channel;

    private volatile boolean begun;

    /** The same for as long as the peer has to be told that nobody wants it any more; null: it need not be. */
    private final AtomicReference<Cancellable> open = new AtomicReference<>();

    Http2Stream(AsyncInternals internals, AsyncDialing dialing) {
        this.internals = internals;
        this.dialing = dialing;
    }

    /** Before the request is given to a connection with mesh TLS. @return false: policy has taken that one away, and it is closed */
    boolean lease(AsyncExecRuntime connections) {
        IOSession session = internals.http2Session(connections);
        if (!dialing.lease(session, sinceNanos)) {
            return false;
        }
        leased.set(session);
        return true;
    }

    /** However the attempt ends. */
    void giveBack() {
        IOSession session = leased.getAndSet(null);
        if (session != null) {
            dialing.giveBack(session);
        }
    }

    void begins(Cancellable channel) {
        this.channel = channel;
        begun = true;
    }

    boolean hasBegun() {
        return begun;
    }

    /** The request's head has gone out. */
    void sent() {
        begun = true;
        open.set(channel);
        internals.sent(channel);
    }

    /** The library would send the request now, and nobody wants it any more. @return false: only an exception keeps it from that */
    boolean drop() {
        return internals.dropStream(channel);
    }

    /** Nobody wants it any more; the peer is told if it has it. */
    void reset() {
        Cancellable known = open.getAndSet(null);
        if (known != null) {
            internals.resetStream(known);
        }
    }

    /** The peer or the library has ended it. */
    void over() {
        open.set(null);
    }
}
