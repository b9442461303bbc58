package io.weft.dataplane.balance;

import io.weft.dataplane.cluster.Host;
import io.weft.dataplane.hash.HashTable;
import io.weft.dataplane.hash.MersenneTwister;
import io.weft.dataplane.hash.WeightedKeys;
import java.util.Arrays;
import java.util.function.IntSupplier;

/** The hosts of one priority with the table that tells which hash belongs to which. Immutable. */
class HashedHosts {
    final Host[] hosts;
    final WeightedKeys keys;
    final HashTable table;

    HashedHosts(Host[] hosts, WeightedKeys keys, HashTable table) {
        this.hosts = hosts;
        this.keys = keys;
        this.table = table;
    }

    /** Whether these are the hosts and the keys, so that there is no need for another table. */
    boolean isOf(Host[] others, WeightedKeys otherKeys) {
        return Arrays.equals(hosts, others) && keys.equals(otherKeys);
    }

    Host pick(long hash, int attempt) {
        int index = table.find(hash, attempt);
        return index < 0 ? null : hosts[index];
    }

    /**
     * With bounded load (<a href="https://arxiv.org/abs/1608.01350">paper</a>): a host that has more than its share of what the
     * cluster has under way is passed over for the first in a random order that hangs on the hash. Allocates only then.
     */
    static final class Bounded extends HashedHosts {
        private final int balanceFactor;
        private final IntSupplier clusterActive;

        /**
         * @param balanceFactor percent of the mean that a host may have, 100 or more
         * @param clusterActive requests under way to all hosts of the cluster
         */
        Bounded(Host[] hosts, WeightedKeys keys, HashTable table, int balanceFactor, IntSupplier clusterActive) {
            super(hosts, keys, table);
            this.balanceFactor = balanceFactor;
            this.clusterActive = clusterActive;
        }

        @Override
        Host pick(long hash, int attempt) {
            int index = table.find(hash, attempt);
            if (index < 0) {
                return null;
            }
            double load = load(index);
            return load <= 1 ? hosts[index] : hosts[elsewhere(hash, index, load)];
        }

        private int elsewhere(long hash, int full, double load) {
            int best = full;
            double least = load;
            int[] order = new int[hosts.length];
            for (int i = 0; i < order.length; i++) {
                order[i] = i;
            }
            MersenneTwister random = new MersenneTwister((int) hash);
            for (int i = 0; i < order.length; i++) {
                int swap = i + below(order.length - i, random);
                int index = order[swap];
                order[swap] = order[i];
                order[i] = index;
                if (hosts[index] == hosts[full]) {
                    continue;
                }
                double other = load(index);
                if (other <= 1) {
                    return index;
                }
                if (other < least) {
                    best = index;
                    least = other;
                }
            }
            return best;
        }

        /** As Envoy draws it. */
        private static int below(int bound, MersenneTwister random) {
            long bucket = (1L << 32) / bound;
            long x;
            do {
                x = (random.bits() & 0xffff_ffffL) / bucket;
            } while (x >= bound);
            return (int) x;
        }

        /** Requests under way for each that the host may have; above 1 it has too many. */
        private double load(int index) {
            long slots = ((clusterActive.getAsInt() + 1L) * balanceFactor + 99) / 100;
            long own = Math.max(1, (long) Math.ceil(slots * keys.weights()[index]));
            return (double) hosts[index].active() / own;
        }
    }
}
