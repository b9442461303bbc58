package io.weft.dataplane.balance;

/**
 * How the requests are shared out when some priorities are left out: by health, the healthy hosts of all priorities first, as Envoy
 * does it for retries. Immutable.
 */
final class SparePriorities {
    /** One without others leaves nothing to choose. */
    static final SparePriorities NONE = new SparePriorities(new PriorityHosts[0]);

    private final int[] healthy;
    private final int[] degraded;

    SparePriorities(PriorityHosts[] priorities) {
        healthy = new int[priorities.length];
        degraded = new int[priorities.length];
        for (int i = 0; i < priorities.length; i++) {
            healthy[i] = priorities[i].healthyPercent();
            degraded[i] = priorities[i].degradedPercent();
        }
    }

    /** @param leftOut a bit for each priority */
    boolean availableOutside(long leftOut) {
        return available(leftOut) > 0;
    }

    private int available(long leftOut) {
        int available = 0;
        for (int i = 0; i < healthy.length; i++) {
            available += percent(healthy, i, leftOut) + percent(degraded, i, leftOut);
        }
        return Math.min(100, available);
    }

    private static int percent(int[] percents, int i, long leftOut) {
        return i < Long.SIZE - 1 && (leftOut >>> i & 1) != 0 ? 0 : percents[i];
    }

    /**
     * @param leftOut so that {@link #availableOutside}
     * @param hash the request's, which says as in Envoy which priority is its
     * @return index of a priority; of one for its degraded hosts, with the number of priorities on top
     */
    int choose(long leftOut, long hash) {
        int available = available(leftOut);
        int point = (int) Long.remainderUnsigned(hash, 100);
        int first = -1;
        int sum = 0;
        for (int i = 0; i < 2 * healthy.length; i++) {
            int percent = i < healthy.length
                    ? percent(healthy, i, leftOut)
                    : percent(degraded, i - healthy.length, leftOut);
            // What rounding leaves over goes to the first that has anything.
            first = first < 0 && percent > 0 ? i : first;
            sum += Math.min(100 - sum, percent * 100 / available);
        }
        int rest = 100 - sum;
        sum = 0;
        for (int i = 0; i < 2 * healthy.length; i++) {
            int percent = i < healthy.length
                    ? percent(healthy, i, leftOut)
                    : percent(degraded, i - healthy.length, leftOut);
            sum += Math.min(100 - sum, percent * 100 / available) + (i == first ? rest : 0);
            if (point < sum) {
                return i;
            }
        }
        return first;
    }
}
