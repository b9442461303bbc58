package io.weft.dataplane.cluster;

import java.util.concurrent.atomic.AtomicInteger;

/**
 * One host after the other. Where weights differ, each host is skipped in as many rounds as its weight is short of the
 * largest, spread evenly: the order of Envoy's earliest-deadline-first scheduler within one pick, without its lock (the
 * static stride scheduler of gRPC). Costs the largest weight over the mean in steps.
 */
final class RoundRobinBalancer implements Balancer {
    private static final int OFFSET = HostSet.MAX_STRIDE / 2;

    private final AtomicInteger position;

    /** @param position shared with the balancers of earlier and later snapshots */
    RoundRobinBalancer(AtomicInteger position) {
        this.position = position;
    }

    @Override
    public Host pick(HostSet set) {
        int size = set.hosts.length;
        if (set.strides == null) {
            return set.hosts[next() % size];
        }
        while (true) {
            int sequence = next();
            int index = sequence % size;
            long round = sequence / size;
            int weight = set.strides[index];
            long phase = (weight * round + (long) index * OFFSET) % HostSet.MAX_STRIDE;
            if (phase >= HostSet.MAX_STRIDE - weight) {
                return set.hosts[index];
            }
        }
    }

    private int next() {
        return position.getAndIncrement() & Integer.MAX_VALUE;
    }
}
