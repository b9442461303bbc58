package io.weft.controlplane.load;

import java.util.Arrays;

/**
 * A histogram of latencies over fixed buckets. What comes with other bounds goes into the bucket of the next bound above, so that a
 * quantile is never told too small.
 */
final class Latencies {

    /** Upper bounds in milliseconds, inclusive; what is above the last has a bucket of its own. */
    static final double[] BOUNDS = {
        0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 50, 75, 100, 250, 500, 750, 1_000, 2_500, 5_000, 7_500, 10_000, 30_000, 60_000
    };

    static final int BUCKETS = BOUNDS.length + 1;

    private Latencies() {}

    static int bucket(double millis) {
        int found = Arrays.binarySearch(BOUNDS, millis);
        return found >= 0 ? found : -found - 1;
    }

    /**
     * Within the bucket of the quantile as if its requests were spread evenly.
     *
     * @param quantile from 0 to 1
     * @return milliseconds; NaN when there are no requests; the last bound for what is above it
     */
    static double quantile(long[] counts, double quantile) {
        long all = Arrays.stream(counts).sum();
        if (all == 0) {
            return Double.NaN;
        }
        double rank = quantile * all;
        long below = 0;
        for (int i = 0; i < BOUNDS.length; i++) {
            if (counts[i] > 0 && below + counts[i] >= rank) {
                double from = i == 0 ? 0 : BOUNDS[i - 1];
                return from + (BOUNDS[i] - from) * Math.max(0, rank - below) / counts[i];
            }
            below += counts[i];
        }
        return BOUNDS[BOUNDS.length - 1];
    }
}
