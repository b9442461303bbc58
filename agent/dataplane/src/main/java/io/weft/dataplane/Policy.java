package io.weft.dataplane;

import io.weft.dataplane.cluster.ClusterView;
import io.weft.dataplane.route.Destination;
import io.weft.dataplane.route.InboundListeners;
import io.weft.dataplane.route.Listeners;
import java.util.Map;

/**
 * One snapshot, ready for lookup. Immutable, so that whoever has read the reference sees nothing of a later snapshot.
 *
 * @param clusters by the index that {@link io.weft.dataplane.route.Destination#cluster()} gives; null where there is none
 * @param clustersByName the same, for routes on which the request names the cluster
 * @param secures whether any of them wants mesh TLS
 */
record Policy(
        long generation,
        Listeners listeners,
        InboundListeners inbound,
        ClusterView[] clusters,
        Map<String, ClusterView> clustersByName,
        boolean secures) {
    /** The generation of a policy that no control plane has sent to this process: read from disk, or made up and empty. */
    static final long FROM_DISK = 0;

    /** @return null when there is no such cluster */
    ClusterView cluster(Destination destination, RequestHead request) {
        int index = destination.cluster();
        if (index != Destination.IN_HEADER) {
            return index < clusters.length ? clusters[index] : null;
        }
        String name = destination.clusterName(request);
        return name == null ? null : clustersByName.get(name);
    }
}
