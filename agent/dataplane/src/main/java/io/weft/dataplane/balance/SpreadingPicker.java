package io.weft.dataplane.balance;

import io.weft.dataplane.cluster.Host;
import java.util.List;

/** Chooses a priority, then a locality where localities count, then a host: every algorithm that does not go by a hash. */
final class SpreadingPicker implements Picker {
    private final Share[] shares;
    /** Percent of the requests for each share, summed up; the last is 100. */
    private final int[] cumulativeLoads;
    private final Balancer balancer;
    private final SparePriorities spare;
    /** By priority, healthy hosts first, then degraded ones; empty where there is one priority alone. */
    private final Share[] byPriority;

    /** @param byPriority null where nobody is */
    SpreadingPicker(List<Share> shares, List<Integer> loads, Balancer balancer, SparePriorities spare, Share[] byPriority) {
        this.spare = spare;
        this.byPriority = byPriority;
        this.shares = shares.toArray(new Share[0]);
        this.balancer = balancer;
        cumulativeLoads = cumulative(loads);
    }

    static int[] cumulative(List<Integer> loads) {
        int[] cumulative = new int[loads.size()];
        int sum = 0;
        for (int i = 0; i < cumulative.length; i++) {
            sum += loads.get(i);
            cumulative[i] = sum;
        }
        return cumulative;
    }

    /** Which of several loads a number falls into. */
    static int index(int[] cumulativeLoads, long hash) {
        int i = 0;
        if (cumulativeLoads.length > 1) {
            int point = (int) Long.remainderUnsigned(hash, 100);
            while (i < cumulativeLoads.length - 1 && cumulativeLoads[i] <= point) {
                i++;
            }
        }
        return i;
    }

    @Override
    public Host pick(long hash, SubsetCriteria wanted, int attempt) {
        HostSet set = shares[index(cumulativeLoads, hash)].next();
        return set.isEmpty() ? null : balancer.pick(set);
    }

    @Override
    public Host pickOutside(long priorities, long hash, SubsetCriteria wanted, int attempt) {
        HostSet set = byPriority[spare.choose(priorities, hash)].next();
        return set.isEmpty() ? null : balancer.pick(set);
    }

    @Override
    public boolean availableOutside(long priorities) {
        return spare.availableOutside(priorities);
    }

    @Override
    public Host other(List<Host> not, int random) {
        for (Share share : shares) {
            for (HostSet set : share.sets()) {
                Host[] hosts = set.hosts;
                for (int i = 0; i < hosts.length; i++) {
                    Host host = hosts[(int) (((random & 0xffff_ffffL) + i) % hosts.length)];
                    if (!not.contains(host)) {
                        return host;
                    }
                }
            }
        }
        return null;
    }
}
