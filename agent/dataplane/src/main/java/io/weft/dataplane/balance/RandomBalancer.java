package io.weft.dataplane.balance;

import io.weft.dataplane.Randomness;
import io.weft.dataplane.cluster.Host;

/** Any host; weights do not count, as in Envoy. */
final class RandomBalancer implements Balancer {
    private final Randomness randomness;

    RandomBalancer(Randomness randomness) {
        this.randomness = randomness;
    }

    @Override
    public Host pick(HostSet set) {
        return set.hosts[randomness.below(set.hosts.length)];
    }
}
