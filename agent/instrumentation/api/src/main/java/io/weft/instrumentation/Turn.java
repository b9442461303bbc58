package io.weft.instrumentation;

import java.util.concurrent.atomic.AtomicInteger;

/**
 * Who may speak to the exchange about one attempt, in libraries that send a request and receive its response on different threads: one at a
 * time, and nobody after the outcome. What is said in a turn neither blocks nor waits, so that who has to wait for it spins.
 */
public final class Turn {
    private static final int FREE = 0;
    private static final int TAKEN = 1;
    private static final int OVER = 2;

    private final AtomicInteger state = new AtomicInteger();

    /** @return false: the outcome was said; else {@link #end} is next */
    public boolean begin() {
        return take(TAKEN);
    }

    public void end() {
        state.setRelease(FREE);
    }

    /** Before the outcome is said. @return false: it was said before */
    public boolean last() {
        return take(OVER);
    }

    public boolean isOver() {
        return state.get() == OVER;
    }

    private boolean take(int next) {
        while (!state.compareAndSet(FREE, next)) {
            if (state.get() == OVER) {
                return false;
            }
            Thread.onSpinWait();
        }
        return true;
    }
}
