package io.weft.dataplane;

import io.weft.dataplane.ClusterStats.EndpointStats;
import io.weft.dataplane.cluster.ClusterView;
import io.weft.dataplane.route.Destination;
import io.weft.dataplane.route.RetryRule;
import io.weft.dataplane.route.RouteEntry;
import io.weft.dataplane.route.RouteEntry.Forward;
import io.weft.dataplane.route.Routes;
import io.weft.dataplane.route.TimeoutRule;
import java.util.ArrayList;
import java.util.List;

/**
 * Where a request would go.
 *
 * @param inMesh whether a policy names its destination; otherwise it is not touched, and the rest is empty
 * @param route its name, which may be empty
 * @param outcome what the route does
 * @param clusters of a route that sends the request on, each with its share
 * @param limits how long such a request may take
 */
public record Explanation(boolean inMesh, String virtualHost, String route, Outcome outcome, List<Choice> clusters, Limits limits) {
    static final Explanation NOT_IN_MESH = new Explanation(false, "", "", Outcome.UNTOUCHED, List.of(), Limits.NONE);

    public enum Outcome { UNTOUCHED, NO_ROUTE, ANSWERED, SENT }

    /**
     * @param cluster empty: the request is to name it and does not
     * @param weight of the sum of all weights
     * @param known whether there is such a cluster
     */
    public record Choice(String cluster, long weight, boolean known, List<EndpointStats> endpoints) {}

    /**
     * @param requestNanos all attempts together; 0: without end
     * @param perTryNanos one attempt; 0: no less than all
     * @param retries attempts after the first, at most
     */
    public record Limits(long requestNanos, long perTryNanos, int retries) {
        static final Limits NONE = new Limits(0, 0, 0);

        private static Limits of(Forward route, RequestHead request) {
            TimeoutRule times = TimeoutRule.withWishes(route.timeouts(), request);
            RetryRule retry = RetryRule.withWishes(route.retry(), request);
            long whole = times == null ? 0 : times.requestNanos(request);
            return new Limits(whole, times == null ? 0 : times.perTryNanos(whole), retry == null || !retry.covers(request) ? 0 : retry.retries());
        }
    }

    static Explanation of(Policy policy, RequestHead request) {
        Routes routes = policy.listeners().find(request.authority());
        if (routes == null) {
            return NOT_IN_MESH;
        }
        RouteEntry route = routes.find(request, 0);
        if (route == null) {
            return new Explanation(true, routes.virtualHost(), "", Outcome.NO_ROUTE, List.of(), Limits.NONE);
        }
        if (!(route instanceof Forward forward)) {
            return new Explanation(true, routes.virtualHost(), route.name(), Outcome.ANSWERED, List.of(), Limits.NONE);
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
        return new Explanation(true, routes.virtualHost(), route.name(), Outcome.SENT, choices, Limits.of(forward, request));
    }
}
