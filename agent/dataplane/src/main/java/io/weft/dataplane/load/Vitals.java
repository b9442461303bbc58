package io.weft.dataplane.load;

/** What the JVM knows of its own load. Read once a second or so, by one thread at a time, while somebody asks. */
public interface Vitals {
    /** Spent by the process since it began; negative: not known. */
    long cpuNanos();

    /** How many processors it may use; at least 1. */
    int processors();

    /** How long collections have stopped the app since it began, all together; negative: not known. */
    long pauseMillis();

    /** What the last collection left in use of the heap, 0 to 1; negative: not known, or there was none. */
    double heapAfterCollection();
}
