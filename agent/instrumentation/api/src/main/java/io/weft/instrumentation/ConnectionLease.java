package io.weft.instrumentation;

import io.weft.dataplane.ClientConnection;
import io.weft.dataplane.ClientTls;
import java.lang.ref.WeakReference;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;

/** Whose a connection by mesh TLS is, in libraries whose pool gets it before the request that has waited for it. Thread-safe. */
public final class ConnectionLease {
    /** Null before the handshake is done. */
    private volatile ClientConnection pooled;

    /** Policy has taken it away before the pool had it: it is for the request that has waited for it, if there is one, and no other. */
    private final AtomicBoolean forOne = new AtomicBoolean();

    /**
     * The handshake is done; the pool is about to have it.
     *
     * @param connection held weakly
     * @param close must not refer to it by itself
     */
    public <C> void opened(ClientTls tls, C connection, Consumer<C> close) {
        WeakReference<C> open = new WeakReference<>(connection);
        pooled = tls.connections().opened(() -> {
            C still = open.get();
            if (still != null) {
                close.accept(still);
            }
        });
        forOne.set(!pooled.giveBack());
    }

    /** The pool has it, and whoever has waited for it. @return false: it is to be closed */
    public boolean handedOver() {
        return !forOne.compareAndSet(true, false);
    }

    /** For a request. @return false: it is to be closed */
    public boolean begin() {
        return forOne.compareAndSet(true, false) || pooled.lease();
    }

    /** The response of the request that has it is over, before the pool hears of that. @return false: it is to be closed */
    public boolean end() {
        return pooled.giveBack();
    }
}
