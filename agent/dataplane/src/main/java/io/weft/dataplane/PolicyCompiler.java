package io.weft.dataplane;

import io.weft.dataplane.cluster.ClusterCompiler;
import io.weft.dataplane.cluster.ClusterView;
import io.weft.dataplane.dns.Names;
import io.weft.dataplane.filter.FilterCompiler;
import io.weft.dataplane.format.ProcessInfo;
import io.weft.dataplane.health.HealthProber;
import io.weft.dataplane.route.InboundListeners;
import io.weft.dataplane.route.Listeners;
import io.weft.dataplane.route.RouteCompiler;
import io.weft.policy.model.PolicySnapshot;
import java.util.HashMap;
import java.util.Map;

/**
 * Makes snapshots ready, each from what changed since the one before. For one thread.
 *
 * <p>Compiled routes name clusters by an index that stays the same from snapshot to snapshot, so that new endpoints do not
 * mean new routes. Indexes of clusters that are gone are not used again until they outnumber the others; then all routes are
 * compiled anew.
 */
final class PolicyCompiler {
    private static final int SPARE_INDEXES = 64;

    private final ClusterCompiler clusterCompiler;
    private Map<String, Integer> indexes = new HashMap<>();
    private final FilterCompiler filterCompiler;
    private final ProcessInfo process;
    private final TransportSecurity security;
    private RouteCompiler routeCompiler;
    /** Of the last round; null before the first. */
    private Listeners listeners;

    PolicyCompiler(
            Surroundings surroundings, HealthProber prober, TransportSecurity security, Names names, FilterCompiler filterCompiler) {
        clusterCompiler = new ClusterCompiler(surroundings, prober, security, names);
        this.filterCompiler = filterCompiler;
        this.security = security;
        process = filterCompiler.process();
        routeCompiler = new RouteCompiler(this::index, filterCompiler, process);
    }

    Policy compile(PolicySnapshot snapshot) {
        if (indexes.size() > 2 * snapshot.clusters().size() + SPARE_INDEXES) {
            indexes = new HashMap<>();
            routeCompiler = new RouteCompiler(this::index, filterCompiler, process);
        }
        Map<String, ClusterView> views = clusterCompiler.compile(snapshot);
        listeners = Listeners.of(snapshot, routeCompiler, listeners);
        InboundListeners inbound = new InboundListeners(snapshot, routeCompiler, security);
        routeCompiler.endRound();
        filterCompiler.endRound();
        for (String cluster : views.keySet()) {
            index(cluster);
        }
        ClusterView[] clusters = new ClusterView[indexes.size()];
        for (Map.Entry<String, Integer> index : indexes.entrySet()) {
            clusters[index.getValue()] = views.get(index.getKey());
        }
        boolean secures = views.values().stream().anyMatch(ClusterView::secures);
        return new Policy(snapshot.generation(), listeners, inbound, clusters, views, secures);
    }

    private int index(String cluster) {
        Integer index = indexes.get(cluster);
        if (index == null) {
            index = indexes.size();
            indexes.put(cluster, index);
        }
        return index;
    }
}
