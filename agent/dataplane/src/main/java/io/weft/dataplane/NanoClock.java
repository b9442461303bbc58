package io.weft.dataplane;

/** Monotonic time, as {@link System#nanoTime()}. Thread-safe. */
@FunctionalInterface
public interface NanoClock {
    long nanoTime();
}
