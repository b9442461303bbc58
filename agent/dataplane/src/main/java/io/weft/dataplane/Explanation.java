package io.weft.dataplane;

import io.weft.dataplane.ClusterStats.EndpointStats;
import io.weft.dataplane.cluster.ClusterView;
import io.weft.dataplane.route.Destination;
import io.weft.dataplane.route.RouteEntry;
import io.weft.dataplane.route.RouteEntry.Forward;
import io.weft.dataplane.route.Routes;
import java.util.ArrayList;
import java.util.List;

/**
 * Where a request would go.
 *
 * @param inMesh whether a policy names its destination; otherwise it is not touched, and the rest is empty
 * @param route its name, which may be empty
 * @param outcome what the route does
 * @param clusters of a route that sends the request on, each with its share
 */
public record Explanation(boolean inMesh, String virtualHost, String route, Outcome outcome, List<Choice> clusters) {
    static final Explanation NOT_IN_MESH = new Explanation(false, "", "", Outcome.UNTOUCHED, List.of());

    public enum Outcome { UNTOUCHED, NO_ROUTE, ANSWERED, SENT }

    /**
     * @param cluster empty: the request is to name it and does not
     * @param weight of the sum of all weights
     * @param known whether there is such a cluster
     */
    public record Choice(String cluster, long weight, boolean known, List<EndpointStats> endpoints) {}

    static Explanation of(Policy policy, RequestHead request) {
        Routes routes = policy.listeners().find(request.authority());
        if (routes == null) {
            return NOT_IN_MESH;
        }
        RouteEntry route = routes.find(request, 0);
        if (route == null) {
            return new Explanation(true, routes.virtualHost(), "", Outcome.NO_ROUTE, List.of());
        }
        if (!(route instanceof Forward forward)) {
            return new Explanation(true, routes.virtualHost(), route.name(), Outcome.ANSWERED, List.of());
        }
        List<Choice> choices = new ArrayList<>();
        long before = 0;
        for (Destination destination : forward.destinations()) {
            ClusterView cluster = policy.cluster(destination, request);
            String name = destination.clusterName(request);
            choices.add(new Choice(name == null ? "" : name, destination.cumulativeWeight() - before, cluster != null,
                    cluster == null ? List.of() : cluster.stats().endpoints()));
            before = destination.cumulativeWeight();
        }
        return new Explanation(true, routes.virtualHost(), route.name(), Outcome.SENT, choices);
    }
}
