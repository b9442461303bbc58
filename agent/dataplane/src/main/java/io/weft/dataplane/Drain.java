package io.weft.dataplane;

import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;

/** Whether this instance is about to go, and how many requests it still has. Thread-safe. */
final class Drain {
    private static final long POLL_MILLIS = 5;

    private final NanoClock clock;
    private final LongAdder entered = new LongAdder();
    private final LongAdder left = new LongAdder();
    private volatile boolean begun;
    private volatile boolean callersTold;

    Drain(NanoClock clock) {
        this.clock = clock;
    }

    void enter() {
        entered.increment();
    }

    void leave() {
        left.increment();
    }

    void begin() {
        begun = true;
    }

    boolean begun() {
        return begun;
    }

    void tellCallers() {
        callersTold = true;
    }

    /** Over the connections that they have open, whatever that takes. */
    boolean callersTold() {
        return callersTold;
    }

    /** How many requests there were so far. */
    long entered() {
        return entered.sum();
    }

    /** Never too low: who left is counted before who entered. */
    long inFlight() {
        long gone = left.sum();
        return entered.sum() - gone;
    }

    /**
     * Polls, so that a request pays nothing for being waited for.
     *
     * @param own that are not waited for
     * @return whether no more were in flight before the time was over
     */
    boolean awaitIdle(int own, Duration timeout) throws InterruptedException {
        long deadline = clock.nanoTime() + timeout.toNanos();
        while (inFlight() > own) {
            if (clock.nanoTime() - deadline >= 0) {
                return false;
            }
            TimeUnit.MILLISECONDS.sleep(POLL_MILLIS);
        }
        return true;
    }
}
