package io.weft.instrumentation;

import io.weft.dataplane.ClientConnection;
import io.weft.dataplane.ClientTls;

/** A connection in a pool of a library's, on which several requests may be at once. Thread-safe. */
public final class SharedConnection {
    private final ClientTls tls;
    /** Null: plaintext. */
    private final ClientConnection connection;
    private final long openedNanos = System.nanoTime();
    /** Guarded by this. */
    private int requests;
    private boolean used;

    /**
     * @param tls null: plaintext
     * @param close by the library, so that its pool knows
     */
    public SharedConnection(ClientTls tls, Runnable close) {
        this.tls = tls;
        connection = tls == null ? null : tls.connections().opened(close);
    }

    public boolean isSecuredBy(ClientTls wanted) {
        return tls == wanted;
    }

    /**
     * A request is given it.
     *
     * @param waitsSince by the clock of {@link System#nanoTime}. Whoever has waited for it gets it, whatever has become of it meanwhile: the
     *     next one would be no better
     * @return false: it is closed, or to be closed by the caller
     */
    public synchronized boolean lease(long waitsSince) {
        boolean good = requests > 0 || !used && waitsSince - openedNanos < 0 || connection == null || connection.lease();
        used = true;
        if (good) {
            requests++;
        }
        return good;
    }

    /** After each request that was given it. @return false: it is to be closed by the caller */
    public synchronized boolean giveBack() {
        return --requests > 0 || connection == null || connection.giveBack();
    }

    public synchronized boolean isIdle() {
        return requests == 0;
    }
}
