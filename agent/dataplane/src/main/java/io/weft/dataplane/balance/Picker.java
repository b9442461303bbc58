package io.weft.dataplane.balance;

import io.weft.dataplane.cluster.Host;
import java.util.List;

/** Chooses a host of a cluster as it is at one moment. Thread-safe without locks; allocates nothing. */
public interface Picker {
    /**
     * @param hash of the request where it has one; else random, and another number for each choice
     * @param wanted null: any
     * @param attempt 0 for the first choice of an attempt, growing while the request refuses what it is given
     * @return null when there is no host that may be used
     */
    Host pick(long hash, SubsetCriteria wanted, int attempt);

    /**
     * A host that may be used and that is none of these, whatever the algorithm would say.
     *
     * @param random 32 bits
     * @return null when there is none, or when the algorithm allows no other
     */
    Host other(List<Host> not, int random);
}
