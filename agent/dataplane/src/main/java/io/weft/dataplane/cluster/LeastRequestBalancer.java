package io.weft.dataplane.cluster;

import io.weft.dataplane.Randomness;

/**
 * The least busy of a few hosts drawn at random. Where weights differ, a host is drawn as often as its weight says, and
 * requests under way (to the power of the bias) are compared in proportion to the weight: an idle cluster is shared by
 * weight, a busy one evenly in proportion to it, as by Envoy's scheduler, without its lock.
 */
final class LeastRequestBalancer implements Balancer {
    private final int choices;
    private final double bias;
    private final Randomness randomness;

    LeastRequestBalancer(int choices, double bias, Randomness randomness) {
        this.choices = choices;
        this.bias = bias;
        this.randomness = randomness;
    }

    @Override
    public Host pick(HostSet set) {
        return set.strides == null ? pickEqual(set.hosts) : pickWeighted(set);
    }

    private Host pickEqual(Host[] hosts) {
        Host best = hosts[randomness.below(hosts.length)];
        for (int i = 1; i < choices; i++) {
            Host other = hosts[randomness.below(hosts.length)];
            if (other.active() < best.active()) {
                best = other;
            }
        }
        return best;
    }

    private Host pickWeighted(HostSet set) {
        int best = draw(set.cumulativeWeights);
        // Without a bias load does not count.
        if (bias > 0) {
            double bestLoad = load(set, best);
            for (int i = 1; i < choices; i++) {
                int other = draw(set.cumulativeWeights);
                double load = load(set, other);
                if (load < bestLoad) {
                    best = other;
                    bestLoad = load;
                }
            }
        }
        return set.hosts[best];
    }

    private double load(HostSet set, int index) {
        int active = set.hosts[index].active();
        return (bias == 1 ? active : Math.pow(active, bias)) / set.weight(index);
    }

    private int draw(long[] cumulativeWeights) {
        int high = cumulativeWeights.length - 1;
        long point = (randomness.bits() >>> 1) % cumulativeWeights[high];
        int low = 0;
        while (low < high) {
            int middle = low + high >>> 1;
            if (cumulativeWeights[middle] <= point) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        return low;
    }
}
