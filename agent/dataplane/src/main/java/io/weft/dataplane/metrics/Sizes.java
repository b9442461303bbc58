package io.weft.dataplane.metrics;

import java.util.concurrent.atomic.AtomicLongArray;

/** How long bodies were, by {@link #bounds}, each four times the one before. Thread-safe, without locks or allocation. */
public final class Sizes {
    private static final int BOUNDS = 12;
    /** Two to the power of that is the first bound. */
    private static final int FIRST_BITS = 6;

    /** Anybody may announce any length: with what is above that, the sum would overflow. */
    private static final long MOST_BYTES = 1L << 32;

    /** One for each bound, one for what is above them all, and the sum. */
    private final AtomicLongArray buckets = new AtomicLongArray(BOUNDS + 2);

    /**
     * @param counts of each bucket alone, one more than there are bounds: the last has what is above them all
     * @param sumBytes of all together
     */
    public record Snapshot(long[] counts, long sumBytes) {
        public static final Snapshot NONE = new Snapshot(new long[BOUNDS + 1], 0);

        public long count() {
            long count = 0;
            for (long bucket : counts) {
                count += bucket;
            }
            return count;
        }
    }

    /** Upper bounds in bytes, each still in its bucket: from 64 bytes to 256 MiB. */
    public static double[] bounds() {
        double[] bounds = new double[BOUNDS];
        for (int i = 0; i < BOUNDS; i++) {
            bounds[i] = 1L << FIRST_BITS + 2 * i;
        }
        return bounds;
    }

    /** @param weight how many bodies this one stands for */
    void add(long bytes, int weight) {
        buckets.getAndAdd(bucket(bytes), weight);
        buckets.getAndAdd(BOUNDS + 1, Math.min(bytes, MOST_BYTES) * weight);
    }

    static int bucket(long bytes) {
        if (bytes <= 1L << FIRST_BITS) {
            return 0;
        }
        int bits = Long.SIZE - Long.numberOfLeadingZeros(bytes - 1);
        return Math.min(BOUNDS, bits - FIRST_BITS + 1 >> 1);
    }

    /** Counters are read one by one, so that under load they are not all of the same moment. */
    Snapshot snapshot() {
        long[] counts = new long[BOUNDS + 1];
        for (int i = 0; i < counts.length; i++) {
            counts[i] = buckets.get(i);
        }
        return new Snapshot(counts, buckets.get(BOUNDS + 1));
    }
}
