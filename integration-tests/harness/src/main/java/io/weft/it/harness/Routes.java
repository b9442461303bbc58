package io.weft.it.harness;

import com.google.protobuf.UInt32Value;
import com.google.protobuf.util.Durations;
import io.envoyproxy.envoy.config.core.v3.DataSource;
import io.envoyproxy.envoy.config.route.v3.DirectResponseAction;
import io.envoyproxy.envoy.config.route.v3.HeaderMatcher;
import io.envoyproxy.envoy.config.route.v3.RetryPolicy;
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

    /** Everything is answered by the mesh itself. */
    public static Route answer(int status, String body) {
        return Route.newBuilder()
                .setMatch(EVERYTHING)
                .setDirectResponse(DirectResponseAction.newBuilder()
                        .setStatus(status)
                        .setBody(DataSource.newBuilder().setInlineString(body)))
                .build();
    }

    /** The same route with this retry policy and next to no back-off. */
    public static Route retried(String on, int retries, Route route) {
        RetryPolicy policy = RetryPolicy.newBuilder()
                .setRetryOn(on)
                .setNumRetries(UInt32Value.of(retries))
                .setRetryBackOff(RetryPolicy.RetryBackOff.newBuilder().setBaseInterval(Durations.fromMillis(1)))
                .build();
        return route.toBuilder().setRoute(route.getRoute().toBuilder().setRetryPolicy(policy)).build();
    }

    /** The same route, for paths that begin so. */
    public static Route whenPrefix(String prefix, Route route) {
        return route.toBuilder().setMatch(route.getMatch().toBuilder().setPrefix(prefix)).build();
    }
}
