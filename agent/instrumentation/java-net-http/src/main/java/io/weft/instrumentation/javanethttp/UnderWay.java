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
    private static final int FREE = 0;
    private static final int BUSY = 1;
    private static final int OVER = 2;
    private static final AtomicIntegerFieldUpdater<UnderWay> TURN = AtomicIntegerFieldUpdater.newUpdater(UnderWay.class, "turn");

    private final Exchange mesh;
    private final Endpoint endpoint;
    private volatile int turn;
    private volatile boolean connected;

    UnderWay(Exchange mesh, Endpoint endpoint) {
        this.mesh = mesh;
        this.endpoint = endpoint;
    }

    boolean overTls() {
        return endpoint.tls() != null;
    }

    /** @return false: it is too late, nothing is to be done any more */
    boolean connecting() {
        return begin() && end(mesh.connecting());
    }

    /** @return false: it is too late, nothing is to be sent */
    boolean connected() {
        connected = true;
        return begin() && end(mesh.connected());
    }

    /** @see Exchange#awaitsEndOfRequest */
    boolean awaitsEndOfRequest() {
        return mesh.awaitsEndOfRequest();
    }

    void requestSent() {
        if (begin()) {
            mesh.requestSent();
            end(true);
        }
    }

    void bytesSent() {
        mesh.bytesSent();
    }

    private boolean begin() {
        return TURN.compareAndSet(this, FREE, BUSY);
    }

    private boolean end(boolean result) {
        turn = FREE;
        return result;
    }

    /**
     * Before the outcome is said.
     *
     * @return false: somebody else has said it
     */
    boolean over() {
        while (!TURN.compareAndSet(this, FREE, OVER)) {
            if (turn == OVER) {
                return false;
            }
            Thread.onSpinWait();
        }
        return true;
    }

    /** What the JDK is told when the mesh ends the attempt; the app sees it only where the mesh has no answer of its own. */
    IOException ended() {
        if (connected) {
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
