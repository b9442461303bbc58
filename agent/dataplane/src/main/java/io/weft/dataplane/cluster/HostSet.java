package io.weft.dataplane.cluster;

import java.util.List;

/** Hosts that a balancer may choose from, with what the weighted algorithms need. Immutable. */
final class HostSet {
    /** Weights are scaled to this, as in gRPC's static stride scheduler. */
    static final int MAX_STRIDE = 0xffff;

    final Host[] hosts;
    /** Sums of the weights up to and with each host; null when all weigh the same. */
    final long[] cumulativeWeights;
    /** Weights of which the largest is {@link #MAX_STRIDE}; null when all weigh the same. */
    final int[] strides;

    HostSet(List<Host> hosts, List<Integer> weights) {
        this.hosts = hosts.toArray(new Host[0]);
        int max = 0;
        boolean same = true;
        for (int weight : weights) {
            max = Math.max(max, weight);
            same &= weight == weights.get(0);
        }
        cumulativeWeights = same ? null : new long[this.hosts.length];
        strides = same ? null : new int[this.hosts.length];
        if (!same) {
            long sum = 0;
            for (int i = 0; i < strides.length; i++) {
                int weight = weights.get(i);
                sum += weight;
                cumulativeWeights[i] = sum;
                strides[i] = (int) Math.max(1, Math.round((double) weight * MAX_STRIDE / max));
            }
        }
    }

    int weight(int index) {
        return (int) (index == 0 ? cumulativeWeights[0] : cumulativeWeights[index] - cumulativeWeights[index - 1]);
    }
}
