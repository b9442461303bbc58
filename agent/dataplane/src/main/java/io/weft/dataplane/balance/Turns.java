package io.weft.dataplane.balance;

import java.util.concurrent.atomic.AtomicInteger;

/**
 * Indexes in turn, each as often as its weight says and spread evenly: in as many rounds as its weight is short of the largest
 * an index is skipped. The order of Envoy's earliest-deadline-first scheduler within one pick, without its lock (the static
 * stride scheduler of gRPC). Costs the largest weight over the mean in steps. Thread-safe.
 */
final class Turns {
    /** Weights are scaled so that the largest is this. */
    static final int MAX_STRIDE = 0xffff;
    private static final int OFFSET = MAX_STRIDE / 2;

    private final int size;
    /** Null when all weigh the same. */
    private final int[] strides;
    private final AtomicInteger position;

    /**
     * @param weights above zero, at least one
     * @param position shared with those that came before and will come after
     */
    Turns(double[] weights, AtomicInteger position) {
        size = weights.length;
        strides = strides(weights);
        this.position = position;
    }

    private static int[] strides(double[] weights) {
        double largest = 0;
        boolean same = true;
        for (double weight : weights) {
            largest = Math.max(largest, weight);
            same &= weight == weights[0];
        }
        if (same) {
            return null;
        }
        int[] strides = new int[weights.length];
        for (int i = 0; i < strides.length; i++) {
            strides[i] = (int) Math.max(1, Math.round(weights[i] * MAX_STRIDE / largest));
        }
        return strides;
    }

    int next() {
        if (size == 1) {
            // All threads would write to the one number.
            return 0;
        }
        if (strides == null) {
            return sequence() % size;
        }
        while (true) {
            int sequence = sequence();
            int index = sequence % size;
            if (isItsTurn(index, sequence / size, strides[index])) {
                return index;
            }
        }
    }

    /** As {@link #next()}, with weights that are less than they were by factors of their own at this time. */
    int next(SlowStart slowStart, HostSet set, long nowNanos) {
        double largest = slowStart.factor(set.oldestNanos, nowNanos);
        while (true) {
            int sequence = sequence();
            int index = sequence % size;
            double factor = slowStart.factor(set.hosts[index].healthySinceNanos(), nowNanos) / largest;
            int stride = strides == null ? MAX_STRIDE : strides[index];
            if (isItsTurn(index, sequence / size, (int) Math.max(1, Math.min(1, factor) * stride))) {
                return index;
            }
        }
    }

    private static boolean isItsTurn(int index, long round, int stride) {
        long phase = (stride * round + (long) index * OFFSET) % MAX_STRIDE;
        return phase >= MAX_STRIDE - stride;
    }

    private int sequence() {
        return position.getAndIncrement() & Integer.MAX_VALUE;
    }
}
