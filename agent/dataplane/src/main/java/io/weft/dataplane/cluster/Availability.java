package io.weft.dataplane.cluster;

import io.weft.policy.model.EndpointAssignment.Health;
import java.util.ArrayList;
import java.util.List;

/**
 * Which hosts get traffic now, by priority, health and panic: what Envoy's load balancer base works out of the same numbers.
 * Healthy hosts of priority 0 get all of it while they are at least 1 / overprovisioning factor of their number; what they
 * are short of spills over to the next priorities, then to degraded hosts. A priority with less than the panic threshold of
 * usable hosts is used regardless of health, unless the priorities together can carry everything. Immutable.
 */
final class Availability {
    private final HostSet[] sets;
    /** Percent of the traffic for each set, summed up; the last is 100. */
    private final int[] cumulativeLoad;

    private Availability(List<HostSet> sets, List<Integer> loads) {
        this.sets = sets.toArray(new HostSet[0]);
        cumulativeLoad = new int[this.sets.length];
        int sum = 0;
        for (int i = 0; i < cumulativeLoad.length; i++) {
            sum += loads.get(i);
            cumulativeLoad[i] = sum;
        }
    }

    /** Whether one set gets everything, so that no number needs to be drawn. */
    boolean single() {
        return sets.length == 1;
    }

    HostSet only() {
        return sets[0];
    }

    /** @param point 0 to 99 */
    HostSet at(int point) {
        int i = 0;
        while (i < sets.length - 1 && cumulativeLoad[i] <= point) {
            i++;
        }
        return sets[i];
    }

    /** Whether any host gets traffic. */
    boolean isEmpty() {
        for (HostSet set : sets) {
            if (set.hosts.length > 0) {
                return false;
            }
        }
        return true;
    }

    int sets() {
        return sets.length;
    }

    HostSet set(int index) {
        return sets[index];
    }

    static Availability of(List<Tier> tiers, int overprovisioningFactor, int panicThreshold) {
        return new Calculation(tiers, overprovisioningFactor, panicThreshold).result();
    }

    /** The hosts of one priority as the control plane lists them. */
    record Tier(int priority, List<Host> hosts, List<Integer> weights, List<Health> health) {

        Health health(int index) {
            return hosts.get(index).ejected() ? Health.UNHEALTHY : health.get(index);
        }
    }

    private static final class Calculation {
        private final List<Tier> tiers;
        private final int size;
        private final HostSet[] all;
        private final HostSet[] healthy;
        private final HostSet[] degraded;
        private final int[] healthyLoad;
        private final int[] degradedLoad;
        private final boolean[] panic;

        Calculation(List<Tier> tiers, int overprovisioningFactor, int panicThreshold) {
            this.tiers = tiers;
            size = tiers.size();
            all = new HostSet[size];
            healthy = new HostSet[size];
            degraded = new HostSet[size];
            healthyLoad = new int[size];
            degradedLoad = new int[size];
            panic = new boolean[size];
            int[] healthyShare = new int[size];
            int[] degradedShare = new int[size];
            int available = 0;
            for (int i = 0; i < size; i++) {
                split(i);
                int hosts = all[i].hosts.length;
                if (hosts > 0) {
                    healthyShare[i] = Math.min(100, overprovisioningFactor * healthy[i].hosts.length / hosts);
                    degradedShare[i] = Math.min(100, overprovisioningFactor * degraded[i].hosts.length / hosts);
                }
                available += healthyShare[i] + degradedShare[i];
            }
            available = Math.min(100, available);
            if (available > 0) {
                int rest = distribute(100, healthyShare, available, healthyLoad);
                rest = distribute(rest, degradedShare, available, degradedLoad);
                giveRoundingErrors(rest, healthyShare, degradedShare);
            }
            boolean totalPanic = true;
            for (int i = 0; i < size; i++) {
                panic[i] = available < 100 && usablePercent(i) < panicThreshold;
                totalPanic &= panic[i];
            }
            if (totalPanic) {
                distributeByNumber();
            }
        }

        private void split(int priority) {
            Tier tier = tiers.get(priority);
            all[priority] = new HostSet(tier.hosts(), tier.weights());
            healthy[priority] = only(tier, Health.HEALTHY);
            degraded[priority] = only(tier, Health.DEGRADED);
        }

        private static HostSet only(Tier tier, Health health) {
            List<Host> hosts = new ArrayList<>();
            List<Integer> weights = new ArrayList<>();
            for (int i = 0; i < tier.hosts().size(); i++) {
                if (tier.health(i) == health) {
                    hosts.add(tier.hosts().get(i));
                    weights.add(tier.weights().get(i));
                }
            }
            return new HostSet(hosts, weights);
        }

        private double usablePercent(int priority) {
            int hosts = all[priority].hosts.length;
            return hosts == 0
                    ? 0
                    : 100.0 * (healthy[priority].hosts.length + degraded[priority].hosts.length) / hosts;
        }

        private static int distribute(int load, int[] shares, int available, int[] loads) {
            int rest = load;
            for (int i = 0; i < shares.length; i++) {
                loads[i] = Math.min(rest, shares[i] * 100 / available);
                rest -= loads[i];
            }
            return rest;
        }

        private void giveRoundingErrors(int rest, int[] healthyShare, int[] degradedShare) {
            for (int i = 0; i < size; i++) {
                if (healthyShare[i] > 0) {
                    healthyLoad[i] += rest;
                    return;
                }
            }
            for (int i = 0; i < size; i++) {
                if (degradedShare[i] > 0) {
                    degradedLoad[i] += rest;
                    return;
                }
            }
        }

        /** Every priority panics: by the number of hosts, whatever their health. */
        private void distributeByNumber() {
            int total = 0;
            for (HostSet set : all) {
                total += set.hosts.length;
            }
            int rest = 100;
            int first = -1;
            for (int i = 0; i < size && total > 0; i++) {
                if (first < 0 && all[i].hosts.length > 0) {
                    first = i;
                }
                healthyLoad[i] = 100 * all[i].hosts.length / total;
                degradedLoad[i] = 0;
                rest -= healthyLoad[i];
            }
            if (first >= 0) {
                healthyLoad[first] += rest;
            }
        }

        Availability result() {
            List<HostSet> sets = new ArrayList<>(1);
            List<Integer> loads = new ArrayList<>(1);
            for (int i = 0; i < size; i++) {
                if (healthyLoad[i] > 0) {
                    sets.add(panic[i] ? all[i] : healthy[i]);
                    loads.add(healthyLoad[i]);
                }
            }
            for (int i = 0; i < size; i++) {
                if (degradedLoad[i] > 0) {
                    sets.add(panic[i] ? all[i] : degraded[i]);
                    loads.add(degradedLoad[i]);
                }
            }
            if (sets.isEmpty()) {
                sets.add(new HostSet(List.of(), List.of()));
                loads.add(100);
            }
            return new Availability(sets, loads);
        }
    }
}
