package io.weft.dataplane.cluster;

/** Chooses a host. Thread-safe; allocates nothing. */
interface Balancer {
    /** @param set not empty */
    Host pick(HostSet set);
}
