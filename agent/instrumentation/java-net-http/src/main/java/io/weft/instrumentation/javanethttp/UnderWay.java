package io.weft.instrumentation.javanethttp;

import io.weft.dataplane.Endpoint;
import io.weft.dataplane.Exchange;
import io.weft.instrumentation.Handler;
import java.io.IOException;
import java.net.ConnectException;
import java.net.http.HttpConnectTimeoutException;
import java.net.http.HttpResponse.BodyHandler;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicIntegerFieldUpdater;

/**
 * One attempt from its dial to its outcome, as the JDK's own classes come by on their way.
 *
 * <p>They do so one after the other, but an attempt may be cancelled by another thread meanwhile: who comes first goes first, and
 * after the outcome nobody tells the exchange anything.
 */
final class UnderWay extends Body {
    // Bits: somebody speaks to the exchange, the outcome was said, there is a connection.
    private static final int BUSY = 1;
    private static final int OVER = 2;
    private static final int CONNECTED = 4;
    private static final AtomicIntegerFieldUpdater<UnderWay> TURN = AtomicIntegerFieldUpdater.newUpdater(UnderWay.class, "turn");

    private final Exchange mesh;
    private final Endpoint endpoint;
    private volatile int turn;
    /** Written before the JDK waits for what comes after it. */
    private boolean bodyBegun;

    UnderWay(Exchange mesh, Endpoint endpoint) {
        this.mesh = mesh;
        this.endpoint = endpoint;
    }

    boolean overTls() {
        return endpoint.tls() != null;
    }

    /** @return false: it is too late, nothing is to be done any more */
    boolean connecting() {
        return begin(BUSY) && end(mesh.connecting());
    }

    /** @return false: it is too late, nothing is to be sent */
    boolean connected() {
        return begin(BUSY | CONNECTED) && end(mesh.connected());
    }

    /** The JDK sends the request's body: nothing has refused it, and the response is yet to come. */
    void bodyBegun() {
        bodyBegun = true;
    }

    boolean isBodyBegun() {
        return bodyBegun;
    }

    /** @see Exchange#awaitsEndOfRequest */
    boolean awaitsEndOfRequest() {
        return mesh.awaitsEndOfRequest();
    }

    void requestSent() {
        if (begin(BUSY)) {
            mesh.requestSent();
            end(true);
        }
    }

    void bytesSent() {
        mesh.bytesSent();
    }

    private boolean begin(int bits) {
        int free = turn & CONNECTED;
        return TURN.compareAndSet(this, free, free | bits);
    }

    private boolean end(boolean result) {
        TURN.lazySet(this, turn & ~BUSY);
        return result;
    }

    /**
     * Before the outcome is said.
     *
     * @return false: somebody else has said it
     */
    boolean over() {
        while (!begin(OVER)) {
            if ((turn & OVER) != 0) {
                return false;
            }
            Thread.onSpinWait();
        }
        return true;
    }

    /** What the JDK is told when the mesh ends the attempt; the app sees it only where the mesh has no answer of its own. */
    IOException ended() {
        if ((turn & CONNECTED) != 0) {
            return new IOException("Connection reset");
        }
        HttpConnectTimeoutException timeout = new HttpConnectTimeoutException("HTTP connect timed out");
        timeout.initCause(new ConnectException("HTTP connect timed out"));
        return timeout;
    }

    @Override
    Object read(Object exchange, BodyHandler<?> handler) {
        return Handler.PROCEED;
    }

    @Override
    Object ignore(Object exchange) {
        return CompletableFuture.completedFuture(null);
    }

    @Override
    Object none(Object exchange) {
        return Handler.PROCEED;
    }
}
