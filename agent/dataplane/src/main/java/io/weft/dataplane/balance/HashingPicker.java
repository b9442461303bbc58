package io.weft.dataplane.balance;

import io.weft.dataplane.cluster.Host;
import java.util.List;

/**
 * The host that a request's hash belongs to; the hash also says which priority. As in Envoy, requests that priorities leave to
 * degraded hosts find none here.
 */
final class HashingPicker implements Picker {
    final HashedHosts[] priorities;
    private final int[] cumulativeLoads;
    private final int[] shares;
    private final SparePriorities spare;

    /**
     * @param priorities by index; null where a priority is the only one and gets nothing
     * @param shares index of the priority for each load
     */
    HashingPicker(HashedHosts[] priorities, List<Integer> shares, List<Integer> loads, SparePriorities spare) {
        this.spare = spare;
        this.priorities = priorities;
        this.shares = shares.stream().mapToInt(Integer::intValue).toArray();
        cumulativeLoads = SpreadingPicker.cumulative(loads);
    }

    @Override
    public Host pick(long hash, SubsetCriteria wanted, int attempt) {
        return priorities[shares[SpreadingPicker.index(cumulativeLoads, hash)]].pick(hash, attempt);
    }

    @Override
    public Host pickOutside(long priorities, long hash, SubsetCriteria wanted, int attempt) {
        return this.priorities[spare.choose(priorities, hash) % this.priorities.length].pick(hash, attempt);
    }

    @Override
    public boolean availableOutside(long priorities) {
        return spare.availableOutside(priorities);
    }

    /** Another host would not have the affinity that the policy is for; a retry policy may ask for it. */
    @Override
    public Host other(List<Host> not, int random) {
        return null;
    }
}
