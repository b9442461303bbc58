package io.weft.dataplane;

/**
 * Has tasks run later, one after the other, on one thread of the agent's. Thread-safe. A task must not block: every time limit
 * of every request waits for it.
 */
@FunctionalInterface
public interface Timers {
    /** @param delayNanos at once when not above zero */
    Timer schedule(long delayNanos, Runnable task);

    /** A task that was scheduled. */
    @FunctionalInterface
    interface Timer {
        /** The task does not run, unless it has begun. Safe to call more than once. */
        void cancel();
    }
}
