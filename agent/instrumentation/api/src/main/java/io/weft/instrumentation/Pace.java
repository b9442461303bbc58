package io.weft.instrumentation;

import java.util.concurrent.locks.LockSupport;

/**
 * Slows down whoever sends a response's body, as a slow caller would. For one thread at a time.
 */
public final class Pace {
    private static final int SLICES_PER_SECOND = 16;
    private static final long NANOS_PER_SECOND = 1_000_000_000L;

    private final long bytesPerSecond;
    private final int slice;
    private long due;

    public Pace(long bytesPerSecond) {
        this.bytesPerSecond = bytesPerSecond;
        slice = (int) Math.max(1, Math.min(Integer.MAX_VALUE, bytesPerSecond / SLICES_PER_SECOND));
        due = System.nanoTime();
    }

    /** Most bytes to send in one piece. */
    public int slice() {
        return slice;
    }

    /** Before a piece: returns when the pieces before have had their time. */
    public void await() {
        for (long left = waitNanos(); left > 0 && !Thread.currentThread().isInterrupted(); left = waitNanos()) {
            LockSupport.parkNanos(left);
        }
    }

    /** For whoever must not wait in place: until the pieces before have had their time; 0: they have. */
    public long waitNanos() {
        long now = System.nanoTime();
        if (due - now < 0) {
            due = now;
        }
        return due - now;
    }

    /** After a piece. */
    public void sent(int bytes) {
        due += (long) (bytes * (double) NANOS_PER_SECOND / bytesPerSecond);
    }
}
