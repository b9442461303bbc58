package io.grpc.xds;

import io.grpc.Metadata;
import io.grpc.xds.VirtualHost.Route;
import io.grpc.xds.VirtualHost.Route.RouteAction;
import io.grpc.xds.VirtualHost.Route.RouteAction.ClusterWeight;
import io.grpc.xds.VirtualHost.Route.RouteMatch;
import io.grpc.xds.VirtualHost.Route.RouteMatch.PathMatcher;
import io.grpc.xds.internal.Matchers.HeaderMatcher;
import java.util.List;
import java.util.Map;

/**
 * The routes of one virtual host, matched by grpc-java's own code, which it shows to nobody outside this package. Which of the weighted
 * clusters it is, gRPC draws in a method that needs a whole channel: here it is drawn in the same way.
 */
public final class RouteChoice {
    private static final ThreadSafeRandom RANDOM = ThreadSafeRandom.ThreadSafeRandomImpl.instance;

    private final Route toCanary;
    private final Route toBoth;
    private final List<ClusterWeight> both;

    /** A canary by header, then a 90 to 10 split. */
    public RouteChoice(String header, String value, String canary, String stable) {
        both = List.of(ClusterWeight.create(stable, 90, Map.of()), ClusterWeight.create(canary, 10, Map.of()));
        toCanary = route(
                List.of(HeaderMatcher.forExactValue(header, value, false)), RouteAction.forCluster(canary, List.of(), null, null, false));
        toBoth = route(List.of(), RouteAction.forWeightedClusters(both, List.of(), null, null, false));
    }

    private static Route route(List<HeaderMatcher> headers, RouteAction action) {
        return Route.forAction(RouteMatch.create(PathMatcher.fromPrefix("/", true), headers, null), action, Map.of());
    }

    /** @return the cluster; null: no route matches */
    public String cluster(String path, Metadata headers) {
        if (RoutingUtils.matchRoute(toCanary.routeMatch(), path, headers, RANDOM)) {
            return toCanary.routeAction().cluster();
        }
        return RoutingUtils.matchRoute(toBoth.routeMatch(), path, headers, RANDOM) ? drawn() : null;
    }

    private String drawn() {
        long total = 0;
        for (ClusterWeight cluster : both) {
            total += cluster.weight();
        }
        long point = RANDOM.nextLong(total);
        long sum = 0;
        for (ClusterWeight cluster : both) {
            sum += cluster.weight();
            if (point < sum) {
                return cluster.name();
            }
        }
        throw new IllegalStateException("weights");
    }
}
