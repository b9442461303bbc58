package io.weft.dataplane;

import java.util.concurrent.atomic.AtomicInteger;

/**
 * One of {@link ClientConnections}, as the pool of its library sees it: with a request, or waiting for one. Thread-safe.
 *
 * <p>Its state is a number: to store a reference twice for each request keeps the threads busy that refine G1's remembered sets.
 */
public final class ClientConnection {
    private static final int BUSY = 0;
    private static final int IDLE = 1;
    private static final int CLOSED = 2;

    private final ClientConnections owner;
    private final Runnable close;
    private final AtomicInteger state = new AtomicInteger(BUSY);

    ClientConnection(ClientConnections owner, Runnable close) {
        this.owner = owner;
        this.close = close;
    }

    /** The pool gives it to a request. @return false: it is closed, or to be closed by the caller */
    public boolean lease() {
        if (!owner.areGood()) {
            state.set(CLOSED);
            return false;
        }
        return state.compareAndSet(IDLE, BUSY) || state.get() == BUSY;
    }

    /** Its request is over, and the pool is about to get it. @return false: it is to be closed by the caller instead */
    public boolean giveBack() {
        // Before the look at the owner, which looks here after it has changed.
        state.set(IDLE);
        if (owner.areGood()) {
            return true;
        }
        state.set(CLOSED);
        return false;
    }

    void closeIfIdle() {
        if (state.compareAndSet(IDLE, CLOSED)) {
            close.run();
        }
    }
}
