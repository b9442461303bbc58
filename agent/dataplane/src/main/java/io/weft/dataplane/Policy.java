package io.weft.dataplane;

import io.weft.dataplane.cluster.ClusterView;
import io.weft.dataplane.route.InboundListeners;
import io.weft.dataplane.route.Listeners;

/**
 * One snapshot, ready for lookup. Immutable, so that whoever has read the reference sees nothing of a later snapshot.
 *
 * @param clusters by the index that {@link io.weft.dataplane.route.Destination#cluster()} gives; null where there is none
 */
record Policy(long generation, Listeners listeners, InboundListeners inbound, ClusterView[] clusters) {

    ClusterView cluster(int index) {
        return index < clusters.length ? clusters[index] : null;
    }
}
