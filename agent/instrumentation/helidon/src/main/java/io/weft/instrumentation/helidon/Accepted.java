package io.weft.instrumentation.helidon;

import io.weft.dataplane.InboundConnection;
import io.weft.transport.AcceptedChannel;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.channels.ByteChannel;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.ReentrantLock;

/**
 * A connection that a listener has accepted, without TLS of the app's. It is found out what it is when Helidon first reads from it or writes to it, on the virtual thread that
 * serves it, which waits. Thread-safe.
 */
final class Accepted {
    private final InboundConnection connection;
    private final AcceptedChannel bytes;
    private final ByteChannel socket;
    private final ReentrantLock deciding = new ReentrantLock();
    private final Semaphore resumed = new Semaphore(0);
    private final AtomicBoolean told = new AtomicBoolean();
    private volatile boolean refused;
    /** What Helidon knows it by; null: no request has come yet. */
    private volatile Object context;
    /** Null: it does not speak HTTP/2, or not yet. */
    private volatile Object http2;

    /**
     * @param connection null: it is not let in
     * @param speaksHttp2 the app can
     */
    Accepted(ByteChannel socket, InboundConnection connection, boolean speaksHttp2) {
        this.socket = socket;
        this.connection = connection;
        bytes = connection == null ? null : new AcceptedChannel(socket, connection, speaksHttp2);
        refused = connection == null;
    }

    InboundConnection connection() {
        return connection;
    }

    AcceptedChannel bytes() {
        return bytes;
    }

    Object context() {
        return context;
    }

    void knownBy(Object helidons) {
        context = helidons;
    }

    Object http2() {
        return http2;
    }

    void speaksHttp2(Object over) {
        http2 = over;
    }

    /** Whether nobody has asked before: whoever speaks HTTP/2 over it is told once that it has to go. */
    boolean isToldFirst() {
        return told.compareAndSet(false, true);
    }

    /** @return false: it is not let in, and there is nothing to be read from it */
    boolean isReady() throws IOException {
        return !refused && (bytes.isReady() || makeReady());
    }

    private boolean makeReady() throws IOException {
        deciding.lock();
        try {
            while (!refused && !bytes.isReady()) {
                if (connection.held(resumed::release)) {
                    resumed.acquire();
                } else {
                    bytes.handshake();
                }
            }
            return !refused;
        } catch (InterruptedException stopped) {
            Thread.currentThread().interrupt();
            refuse();
            throw new InterruptedIOException("the server stops");
        } catch (IOException notLetIn) {
            // As one that goes without a word.
            refuse();
            return false;
        } finally {
            deciding.unlock();
        }
    }

    /** On any thread. */
    void refuse() {
        refused = true;
        resumed.release();
        try {
            socket.close();
        } catch (IOException closed) {
            return;
        }
    }

    boolean isRefused() {
        return refused;
    }
}
