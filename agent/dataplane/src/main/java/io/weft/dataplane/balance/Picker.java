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
     * The same with some priorities left out, as Envoy's {@code previous_priorities} does: what they would get the others share by
     * their health. To be called only while {@link #availableOutside}.
     *
     * @param priorities a bit for each, the first the lowest; those beyond the 63rd are never left out
     */
    default Host pickOutside(long priorities, long hash, SubsetCriteria wanted, int attempt) {
        return pick(hash, wanted, attempt);
    }

    /** Whether a priority that is not left out has a host that may be used. */
    default boolean availableOutside(long priorities) {
        return false;
    }

    /**
     * A host that may be used and that is none of these, whatever the algorithm would say.
     *
     * @param random 32 bits
     * @return null when there is none, or when the algorithm allows no other
     */
    Host other(List<Host> not, int random);
}
