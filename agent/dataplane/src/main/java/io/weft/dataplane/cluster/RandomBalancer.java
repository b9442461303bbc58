package io.weft.dataplane.cluster;

import io.weft.dataplane.Randomness;

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
