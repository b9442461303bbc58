package io.weft.it.harness;

import com.google.protobuf.UInt32Value;
import io.envoyproxy.envoy.config.route.v3.HeaderMatcher;
import io.envoyproxy.envoy.config.route.v3.Route;
import io.envoyproxy.envoy.config.route.v3.RouteAction;
import io.envoyproxy.envoy.config.route.v3.RouteMatch;
import io.envoyproxy.envoy.config.route.v3.WeightedCluster;
import io.envoyproxy.envoy.type.matcher.v3.StringMatcher;
import java.util.Map;

/** Envoy routes that tests often need. */
public final class Routes {
    private static final RouteMatch EVERYTHING = RouteMatch.newBuilder().setPrefix("/").build();

    private Routes() {}

    /** Everything to one cluster. */
    public static Route to(String cluster) {
        return Route.newBuilder().setMatch(EVERYTHING).setRoute(RouteAction.newBuilder().setCluster(cluster)).build();
    }

    /** Everything, shared out by weight. */
    public static Route split(Map<String, Integer> weights) {
        WeightedCluster.Builder clusters = WeightedCluster.newBuilder();
        weights.forEach((cluster, weight) ->
                clusters.addClusters(WeightedCluster.ClusterWeight.newBuilder().setName(cluster).setWeight(UInt32Value.of(weight))));
        return Route.newBuilder().setMatch(EVERYTHING).setRoute(RouteAction.newBuilder().setWeightedClusters(clusters)).build();
    }

    /** The same route, for requests whose header has exactly this value. */
    public static Route whenHeader(String name, String value, Route route) {
        return route.toBuilder()
                .setMatch(route.getMatch().toBuilder()
                        .addHeaders(HeaderMatcher.newBuilder().setName(name).setStringMatch(StringMatcher.newBuilder().setExact(value))))
                .build();
    }

    /** The same route, for paths that begin so. */
    public static Route whenPrefix(String prefix, Route route) {
        return route.toBuilder().setMatch(route.getMatch().toBuilder().setPrefix(prefix)).build();
    }
}
