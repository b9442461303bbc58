package io.weft.controlplane.page;

import java.util.List;

/**
 * A data plane with a stream: an element of the answer of {@code /api/agents}. The names of the fields are stable; fields may be added.
 *
 * @param service empty: it only calls others, and has no name
 * @param kind {@code agent} or {@code proxy}
 * @param version empty: it does not say
 * @param pid where it runs; null: it does not say
 * @param policy {@code current}: it has accepted all that is meant for it; {@code pending}: not yet; {@code refused}: not all of it
 * @param identity whether it has a certificate to show
 */
record ConnectedAgent(
        String node,
        String mesh,
        String service,
        String zone,
        String kind,
        String version,
        Long pid,
        String policy,
        boolean identity,
        List<Refused> refused) {

    /** @param type of resource, as {@code Cluster} */
    record Refused(String type, String message) {}
}
