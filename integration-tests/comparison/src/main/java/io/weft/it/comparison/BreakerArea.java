package io.weft.it.comparison;

import com.google.protobuf.UInt32Value;
import com.google.protobuf.util.Durations;
import io.envoyproxy.envoy.config.cluster.v3.CircuitBreakers.Thresholds;
import io.envoyproxy.envoy.config.cluster.v3.Cluster;
import io.envoyproxy.envoy.config.route.v3.RetryPolicy;
import io.envoyproxy.envoy.config.route.v3.RetryPolicy.RetryBackOff;
import io.envoyproxy.envoy.config.route.v3.Route;
import io.envoyproxy.envoy.config.route.v3.RouteAction;
import io.envoyproxy.envoy.config.route.v3.RouteConfiguration;
import io.envoyproxy.envoy.config.route.v3.RouteMatch;
import io.envoyproxy.envoy.config.route.v3.VirtualHost;
import io.envoyproxy.envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager;
import io.envoyproxy.envoy.type.v3.Percent;
import java.util.List;

/** Circuit breakers with several requests under way: which of them are let through. */
final class BreakerArea implements Area {
    private static final String CLUSTER = Case.ID + "-breaker";

    private final Clusters clusters;

    BreakerArea(Clusters clusters) {
        this.clusters = clusters;
    }

    @Override
    public String name() {
        return "breakers";
    }

    @Override
    public String summary() {
        return "circuit breakers with several requests and retries under way";
    }

    @Override
    public int share() {
        return 1;
    }

    @Override
    public boolean slow() {
        return true;
    }

    /** An answer comes long after the last request is under way. */
    @Override
    public Case draw(Draw draw) {
        boolean retries = draw.chance(50);
        boolean ofConnections = draw.chance(40);
        Cluster.Builder cluster = clusters.of(CLUSTER, Upstreams.UNKEPT).toBuilder();
        Thresholds.Builder thresholds = cluster.getCircuitBreakersBuilder().getThresholdsBuilder(0);
        RouteAction.Builder action = RouteAction.newBuilder()
                .setCluster(CLUSTER)
                // Whoever waits for a connection in Envoy is to be answered in the end.
                .setTimeout(Durations.fromSeconds(60));
        if (retries) {
            limitRetries(draw, thresholds);
            action.setRetryPolicy(RetryPolicy.newBuilder()
                    .setRetryOn("5xx")
                    .setNumRetries(UInt32Value.of(draw.between(1, 2)))
                    .setRetryBackOff(RetryBackOff.newBuilder().setBaseInterval(Durations.fromMillis(1))));
        } else {
            limitRequests(draw, thresholds, ofConnections);
        }
        VirtualHost host = VirtualHost.newBuilder()
                .setName(Case.ID)
                .addDomains(Case.HOST + ":" + Case.PORT)
                .addRoutes(Route.newBuilder().setMatch(RouteMatch.newBuilder().setPrefix("/")).setRoute(action))
                .build();
        List<Request> requests = draw.several(3, 6, () -> new Request(
                Request.Client.draw(draw), draw.oneOf("GET", "POST"), Case.HOST, "/", List.of(), "",
                retries
                        ? draw.oneOf("503;wait 4000 200", "503;wait 4000 503", "200", "503")
                        // Who waits for one of few connections in Envoy is under way here: quick ones would let others in.
                        : ofConnections ? "wait 4000 200" : draw.oneOf("wait 4000 200", "wait 4000 200", "200")));
        return new Case(
                name(),
                HttpConnectionManager.getDefaultInstance(),
                RouteConfiguration.newBuilder().addVirtualHosts(host).build(),
                List.of(cluster.build()),
                requests,
                Judgement.EXACT,
                Case.Conduct.at(Case.Pace.STAGGERED));
    }

    private static void limitRequests(Draw draw, Thresholds.Builder thresholds, boolean ofConnections) {
        if (ofConnections) {
            thresholds.setMaxConnections(UInt32Value.of(draw.between(1, 3))).setMaxPendingRequests(UInt32Value.of(draw.between(1, 3)));
        } else {
            thresholds.setMaxRequests(UInt32Value.of(draw.between(0, 4)));
        }
    }

    private static void limitRetries(Draw draw, Thresholds.Builder thresholds) {
        if (draw.chance(60)) {
            thresholds.setMaxRetries(UInt32Value.of(draw.between(0, 3)));
        } else {
            thresholds.setRetryBudget(Thresholds.RetryBudget.newBuilder()
                    .setBudgetPercent(Percent.newBuilder().setValue(draw.oneOf(0, 25, 50, 100)))
                    .setMinRetryConcurrency(UInt32Value.of(draw.between(0, 3))));
        }
    }
}
