package io.weft.dataplane;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;

/**
 * The attempts of one hedged request, each with an {@link Exchange} of its own: the first good response counts, and a bad one only
 * when no other attempt is left. Thread-safe without locks.
 */
final class Race {
    /** The one that the app's library made. */
    final Exchange original;

    /** Attempts under way, waiting for their turn, or about to be tried again. */
    private final AtomicInteger running = new AtomicInteger(1);
    /** Made or decided on. */
    private final AtomicInteger attempts = new AtomicInteger(1);
    private final AtomicReference<Exchange> winner = new AtomicReference<>();

    Race(Exchange original) {
        this.original = original;
    }

    /** Whether another one's outcome is the request's. */
    boolean isLost(Exchange attempt) {
        Exchange first = winner.get();
        return first != null && first != attempt;
    }

    boolean isDecided() {
        return winner.get() != null;
    }

    /** @return false: another one's outcome is the request's */
    boolean win(Exchange attempt) {
        return winner.compareAndSet(null, attempt) || winner.get() == attempt;
    }

    /** One more; {@link #leave} or {@link #win} is to follow. */
    void join() {
        running.incrementAndGet();
    }

    /** @return false: it is the last, so that its outcome is the request's however bad it is */
    boolean leave() {
        while (true) {
            int now = running.get();
            if (now == 1) {
                return false;
            }
            if (running.compareAndSet(now, now - 1)) {
                return true;
            }
        }
    }

    boolean hasAttemptsLeft(int retries) {
        return attempts.get() <= retries;
    }

    /** @return the number of the next attempt; 0: there have been as many as there may be */
    int reserve(int retries) {
        while (true) {
            int made = attempts.get();
            if (made > retries) {
                return 0;
            }
            if (attempts.compareAndSet(made, made + 1)) {
                return made + 1;
            }
        }
    }

    /** It is not made after all. */
    void giveBack() {
        attempts.decrementAndGet();
    }
}
