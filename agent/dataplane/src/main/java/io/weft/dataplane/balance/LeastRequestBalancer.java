package io.weft.dataplane.balance;

import io.weft.dataplane.NanoClock;
import io.weft.dataplane.Randomness;
import io.weft.dataplane.cluster.Host;
import java.util.OptionalInt;

/**
 * The least busy of a few hosts drawn at random, or of all. Where weights differ, a host is drawn as often as its weight says,
 * and requests under way (to the power of the bias) are compared in proportion to the weight: an idle cluster is shared by
 * weight, a busy one evenly in proportion to it, as by Envoy's scheduler, without its lock.
 */
final class LeastRequestBalancer implements Balancer {
    private static final int ALL = 0;
    private static final int DRAWS_WHERE_WEIGHTS_DIFFER = 2;
    /** How often a host in slow start is passed over for another one before it is taken all the same. */
    private static final int MAX_PASSES = 256;

    private final int choices;
    private final double bias;
    private final SlowStart slowStart;
    private final NanoClock clock;
    private final Randomness randomness;

    /**
     * @param choices empty: all
     * @param slowStart null: there is none
     */
    LeastRequestBalancer(OptionalInt choices, double bias, SlowStart slowStart, NanoClock clock, Randomness randomness) {
        this.choices = choices.orElse(ALL);
        this.bias = bias;
        this.slowStart = slowStart;
        this.clock = clock;
        this.randomness = randomness;
    }

    @Override
    public Host pick(HostSet set) {
        if (slowStart != null) {
            long now = clock.nanoTime();
            if (now - set.youngestNanos < slowStart.windowNanos) {
                return pickStarting(set, now);
            }
        }
        if (set.cumulativeWeights != null) {
            return pickWeighted(set);
        }
        return choices == ALL ? pickOfAll(set.hosts) : pickEqual(set.hosts);
    }

    /** Each number drawn is enough for two hosts. */
    private Host pickEqual(Host[] hosts) {
        long bits = randomness.bits();
        Host best = hosts[Randomness.below(hosts.length, (int) (bits >>> 32))];
        for (int i = 1; i < choices; i++) {
            bits = (i & 1) == 0 ? randomness.bits() : bits << 32;
            Host other = hosts[Randomness.below(hosts.length, (int) (bits >>> 32))];
            if (other.active() < best.active()) {
                best = other;
            }
        }
        return best;
    }

    /** Of those that tie any, with the same chance for each. */
    private Host pickOfAll(Host[] hosts) {
        Host best = hosts[0];
        int least = best.active();
        int ties = 1;
        for (int i = 1; i < hosts.length; i++) {
            int active = hosts[i].active();
            if (active < least) {
                best = hosts[i];
                least = active;
                ties = 1;
            } else if (active == least && randomness.below(++ties) == 0) {
                best = hosts[i];
            }
        }
        return best;
    }

    private Host pickWeighted(HostSet set) {
        int best = draw(set);
        // Without a bias load does not count.
        if (bias > 0) {
            double bestLoad = load(set, best, 1);
            for (int i = 1; i < draws(); i++) {
                int other = draw(set);
                double load = load(set, other, 1);
                if (load < bestLoad) {
                    best = other;
                    bestLoad = load;
                }
            }
        }
        return set.hosts[best];
    }

    private Host pickStarting(HostSet set, long now) {
        double largest = slowStart.factor(set.oldestNanos, now);
        int best = drawStarting(set, largest, now);
        if (bias > 0) {
            double bestLoad = load(set, best, factor(set, best, now) / largest);
            for (int i = 1; i < draws(); i++) {
                int other = drawStarting(set, largest, now);
                double load = load(set, other, factor(set, other, now) / largest);
                if (load < bestLoad) {
                    best = other;
                    bestLoad = load;
                }
            }
        }
        return set.hosts[best];
    }

    private double factor(HostSet set, int index, long now) {
        return slowStart.factor(set.hosts[index].healthySinceNanos(), now);
    }

    private int draws() {
        return choices == ALL ? DRAWS_WHERE_WEIGHTS_DIFFER : choices;
    }

    private double load(HostSet set, int index, double factor) {
        int active = set.hosts[index].active();
        return (bias == 1 ? active : Math.pow(active, bias)) / (set.weight(index) * factor);
    }

    private int drawStarting(HostSet set, double largest, long now) {
        int index = draw(set);
        for (int i = 0; i < MAX_PASSES; i++) {
            double chance = (randomness.bits() >>> 11) * 0x1p-53;
            if (chance * largest < factor(set, index, now)) {
                break;
            }
            index = draw(set);
        }
        return index;
    }

    private int draw(HostSet set) {
        long[] sums = set.cumulativeWeights;
        if (sums == null) {
            return randomness.below(set.hosts.length);
        }
        int high = sums.length - 1;
        long point = (randomness.bits() >>> 1) % sums[high];
        int low = 0;
        while (low < high) {
            int middle = low + high >>> 1;
            if (sums[middle] <= point) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        return low;
    }
}
