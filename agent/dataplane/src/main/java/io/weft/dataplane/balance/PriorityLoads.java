package io.weft.dataplane.balance;

/**
 * How many percent of the requests each priority gets, and whether it gets them regardless of health: what Envoy's load balancer
 * base works out of the same numbers. Healthy hosts of priority 0 get all of it while they are at least 1 / overprovisioning
 * factor of their number; what they are short of spills over to the next priorities, then to degraded hosts. A priority with
 * less than the panic threshold of usable hosts is used regardless of health, unless the priorities together can carry everything.
 */
final class PriorityLoads {
    final int[] healthy;
    final int[] degraded;
    final boolean[] panic;

    PriorityLoads(PriorityHosts[] priorities, int panicThreshold) {
        int size = priorities.length;
        healthy = new int[size];
        degraded = new int[size];
        panic = new boolean[size];
        int[] healthyShare = new int[size];
        int[] degradedShare = new int[size];
        int available = 0;
        for (int i = 0; i < size; i++) {
            healthyShare[i] = priorities[i].healthyPercent();
            degradedShare[i] = priorities[i].degradedPercent();
            available += healthyShare[i] + degradedShare[i];
        }
        available = Math.min(100, available);
        if (available > 0) {
            int rest = distribute(100, healthyShare, available, healthy);
            rest = distribute(rest, degradedShare, available, degraded);
            giveRoundingErrors(rest, healthyShare, degradedShare);
        } else if (panicThreshold == 0) {
            healthy[0] = 100;
            return;
        }
        boolean totalPanic = true;
        for (int i = 0; i < size; i++) {
            panic[i] = available < 100 && priorities[i].usablePercent() < panicThreshold;
            totalPanic &= panic[i];
        }
        if (totalPanic) {
            distributeByNumber(priorities);
        }
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
        for (int i = 0; i < healthyShare.length; i++) {
            if (healthyShare[i] > 0) {
                healthy[i] += rest;
                return;
            }
        }
        for (int i = 0; i < degradedShare.length; i++) {
            if (degradedShare[i] > 0) {
                degraded[i] += rest;
                return;
            }
        }
    }

    /** Every priority panics: by the number of hosts, whatever their health. */
    private void distributeByNumber(PriorityHosts[] priorities) {
        int total = 0;
        for (PriorityHosts hosts : priorities) {
            total += hosts.all.size();
        }
        if (total == 0) {
            healthy[0] = 100;
            return;
        }
        int rest = 100;
        int first = -1;
        for (int i = 0; i < priorities.length; i++) {
            if (first < 0 && !priorities[i].all.isEmpty()) {
                first = i;
            }
            healthy[i] = 100 * priorities[i].all.size() / total;
            degraded[i] = 0;
            rest -= healthy[i];
        }
        healthy[first] += rest;
    }
}
