package io.weft.dataplane;

import java.util.concurrent.atomic.AtomicReference;

/** One of {@link ClientConnections}, as the pool of its library sees it: with a request, or waiting for one. Thread-safe. */
public final class ClientConnection {
    private enum State { BUSY, IDLE, CLOSED }

    private final ClientConnections owner;
    private final Runnable close;
    private final AtomicReference<State> state = new AtomicReference<>(State.BUSY);

    ClientConnection(ClientConnections owner, Runnable close) {
        this.owner = owner;
        this.close = close;
    }

    /** The pool gives it to a request. @return false: it is closed, or to be closed by the caller */
    public boolean lease() {
        if (!owner.areGood()) {
            state.set(State.CLOSED);
            return false;
        }
        return state.compareAndSet(State.IDLE, State.BUSY) || state.get() == State.BUSY;
    }

    /** Its request is over, and the pool is about to get it. @return false: it is to be closed by the caller instead */
    public boolean giveBack() {
        // Before the look at the owner, which looks here after it has changed.
        state.set(State.IDLE);
        if (owner.areGood()) {
            return true;
        }
        state.set(State.CLOSED);
        return false;
    }

    void closeIfIdle() {
        if (state.compareAndSet(State.IDLE, State.CLOSED)) {
            close.run();
        }
    }
}
