package io.weft.dataplane.balance;

import io.weft.dataplane.NanoClock;
import io.weft.dataplane.cluster.Host;

/** One host after the other, each as often as its weight says. */
final class RoundRobinBalancer implements Balancer {
    private final SlowStart slowStart;
    private final NanoClock clock;

    /** @param slowStart null: there is none */
    RoundRobinBalancer(SlowStart slowStart, NanoClock clock) {
        this.slowStart = slowStart;
        this.clock = clock;
    }

    @Override
    public Host pick(HostSet set) {
        if (slowStart != null) {
            long now = clock.nanoTime();
            if (now - set.youngestNanos < slowStart.windowNanos) {
                return set.hosts[set.turns.next(slowStart, set, now)];
            }
        }
        return set.hosts[set.turns.next()];
    }
}
