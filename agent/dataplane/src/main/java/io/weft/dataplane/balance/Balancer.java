package io.weft.dataplane.balance;

import io.weft.dataplane.cluster.Host;

/** Chooses a host. Thread-safe; allocates nothing. */
interface Balancer {
    /** @param set not empty */
    Host pick(HostSet set);
}
