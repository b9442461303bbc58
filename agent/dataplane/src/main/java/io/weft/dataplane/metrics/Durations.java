package io.weft.dataplane.metrics;

import java.util.concurrent.atomic.AtomicLongArray;

/**
 * How long requests took, by {@link #bounds}: those of Istio's histograms and of OpenTelemetry's together, so that either can be told
 * without rounding. Thread-safe, without locks or allocation.
 */
public final class Durations {
    private static final double[] MILLIS = {
        0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 50, 75, 100, 250, 500, 750, 1_000, 2_500, 5_000, 7_500, 10_000, 30_000, 60_000, 300_000,
        600_000, 1_800_000, 3_600_000
    };
    private static final long[] NANOS = nanos();
    /** For each position of a number's highest bit, the first bucket that such a number may be in. */
    private static final byte[] FIRST = first();

    private final AtomicLongArray buckets = new AtomicLongArray(NANOS.length + 1);
    private final AtomicLongArray sumNanos = new AtomicLongArray(1);

    /**
     * @param counts of each bucket alone, one more than there are bounds: the last has what is above them all
     * @param sumNanos of all together
     */
    public record Snapshot(long[] counts, long sumNanos) {

        public long count() {
            long count = 0;
            for (long bucket : counts) {
                count += bucket;
            }
            return count;
        }
    }

    /** Upper bounds in milliseconds, each still in its bucket. */
    public static double[] bounds() {
        return MILLIS.clone();
    }

    /** @param weight how many requests this one stands for */
    void add(long nanos, int weight) {
        buckets.getAndAdd(bucket(nanos), weight);
        sumNanos.getAndAdd(0, Math.max(0, nanos) * weight);
    }

    /** Counters are read one by one, so that under load they are not all of the same moment. */
    Snapshot snapshot() {
        long[] counts = new long[buckets.length()];
        for (int i = 0; i < counts.length; i++) {
            counts[i] = buckets.get(i);
        }
        return new Snapshot(counts, sumNanos.get(0));
    }

    static int bucket(long nanos) {
        if (nanos <= 0) {
            return 0;
        }
        int bucket = FIRST[63 - Long.numberOfLeadingZeros(nanos)];
        while (bucket < NANOS.length && nanos > NANOS[bucket]) {
            bucket++;
        }
        return bucket;
    }

    private static long[] nanos() {
        long[] nanos = new long[MILLIS.length];
        for (int i = 0; i < nanos.length; i++) {
            nanos[i] = Math.round(MILLIS[i] * 1e6);
        }
        return nanos;
    }

    private static byte[] first() {
        byte[] first = new byte[63];
        for (int bit = 0; bit < first.length; bit++) {
            byte bucket = 0;
            while (bucket < NANOS.length && 1L << bit > NANOS[bucket]) {
                bucket++;
            }
            first[bit] = bucket;
        }
        return first;
    }
}
