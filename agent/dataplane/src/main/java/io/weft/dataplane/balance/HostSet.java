package io.weft.dataplane.balance;

import io.weft.dataplane.cluster.Host;
import io.weft.dataplane.cluster.Member;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;

/** Hosts that a balancer may choose from, with what the weighted algorithms need. Immutable but for the position. */
final class HostSet {
    static final HostSet EMPTY = new HostSet(List.of(), false, new AtomicInteger());

    final Host[] hosts;
    /** Sums of the weights up to and with each host; null when all weigh the same. */
    final long[] cumulativeWeights;
    final Turns turns;
    /** Since when the host that has been healthy for longest is, and that for shortest; 0 without hosts. */
    final long oldestNanos;
    final long youngestNanos;

    /** @param reported whether the weights are those that hosts report of themselves */
    HostSet(List<Member> members, boolean reported, AtomicInteger position) {
        int size = members.size();
        hosts = new Host[size];
        double[] weights = new double[size];
        long[] sums = new long[size];
        boolean same = true;
        long sum = 0;
        long oldest = 0;
        long youngest = 0;
        for (int i = 0; i < size; i++) {
            Host host = members.get(i).host();
            int weight = reported ? host.reportedWeight() : members.get(i).weight();
            hosts[i] = host;
            weights[i] = weight;
            same &= weight == weights[0];
            sum += weight;
            sums[i] = sum;
            long since = host.healthySinceNanos();
            oldest = i == 0 || since - oldest < 0 ? since : oldest;
            youngest = i == 0 || since - youngest > 0 ? since : youngest;
        }
        cumulativeWeights = same ? null : sums;
        turns = size == 0 ? null : new Turns(weights, position);
        oldestNanos = oldest;
        youngestNanos = youngest;
    }

    boolean isEmpty() {
        return hosts.length == 0;
    }

    int weight(int index) {
        if (cumulativeWeights == null) {
            return 1;
        }
        return (int) (index == 0 ? cumulativeWeights[0] : cumulativeWeights[index] - cumulativeWeights[index - 1]);
    }
}
