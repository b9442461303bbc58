package io.weft.dataplane;

import java.time.InstantSource;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import java.util.WeakHashMap;

/**
 * The connections that one {@link ClientTls} has secured and that a library may keep for further requests. Once policy wants connections
 * secured in another way, those without a request are closed at once and the others after their response. Thread-safe.
 */
public final class ClientConnections {
    private final InstantSource time;
    private final long endMillis;
    /** Held by the libraries: what they have let go of without a word is not kept for this. Guarded by itself. */
    private final Set<ClientConnection> open = Collections.newSetFromMap(new WeakHashMap<>());
    private volatile boolean retired;

    /** @param endMillis of that time, when the certificate that is shown expires */
    public ClientConnections(InstantSource time, long endMillis) {
        this.time = time;
        this.endMillis = endMillis;
    }

    /**
     * The handshake of a connection is done, and it has a request.
     *
     * @param close called at most once, on the thread that brings policy, when it has none; must not throw. The connection is to refer to
     *     what is returned, for as long as a pool may have it
     */
    public ClientConnection opened(Runnable close) {
        ClientConnection connection = new ClientConnection(this, close);
        synchronized (open) {
            open.add(connection);
        }
        return connection;
    }

    /** From now on none of them gets another request. Not to be undone. */
    public void retire() {
        retired = true;
        List<ClientConnection> all;
        synchronized (open) {
            all = List.copyOf(open);
            open.clear();
        }
        all.forEach(ClientConnection::closeIfIdle);
    }

    public boolean retired() {
        return retired;
    }

    /** Whether they may have further requests. */
    public boolean areGood() {
        return !retired && time.millis() < endMillis;
    }
}
