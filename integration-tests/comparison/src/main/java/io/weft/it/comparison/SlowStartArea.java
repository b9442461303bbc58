package io.weft.it.comparison;

import com.google.protobuf.util.Durations;
import io.envoyproxy.envoy.config.cluster.v3.Cluster;
import io.envoyproxy.envoy.config.cluster.v3.Cluster.LbPolicy;
import io.envoyproxy.envoy.config.cluster.v3.Cluster.LeastRequestLbConfig;
import io.envoyproxy.envoy.config.cluster.v3.Cluster.RoundRobinLbConfig;
import io.envoyproxy.envoy.config.cluster.v3.Cluster.SlowStartConfig;
import io.envoyproxy.envoy.config.core.v3.RuntimeDouble;
import io.envoyproxy.envoy.config.route.v3.Route;
import io.envoyproxy.envoy.config.route.v3.RouteAction;
import io.envoyproxy.envoy.config.route.v3.RouteConfiguration;
import io.envoyproxy.envoy.config.route.v3.RouteMatch;
import io.envoyproxy.envoy.config.route.v3.VirtualHost;
import io.envoyproxy.envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager;
import io.envoyproxy.envoy.type.v3.Percent;
import io.weft.it.harness.Policy;
import java.util.Collections;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Endpoints that come to others, which have had their slow start: how many requests they are given meanwhile.
 *
 * <p>What an endpoint gets hangs on its age, so that the requests are sent at the same times on both sides, from the beginning of the
 * window nearly to its end. And in Envoy it hangs on how old the endpoint was when it was last chosen, or came: with less than a tenth of
 * its weight it would not be chosen before the requests are over.
 */
final class SlowStartArea implements Area {
    static final long WINDOW_MILLIS = 10_000;

    private static final int FIRST_ENDPOINT = 7;
    private static final int REQUESTS = (int) (9 * WINDOW_MILLIS / 10 / Comparison.STEADY_MILLIS);

    private final Clusters clusters;

    SlowStartArea(Clusters clusters) {
        this.clusters = clusters;
    }

    @Override
    public String name() {
        return "slow-start";
    }

    @Override
    public String summary() {
        return "what endpoints that are new get of the requests";
    }

    @Override
    public int share() {
        return 1;
    }

    @Override
    public boolean slow() {
        return true;
    }

    @Override
    public Case draw(Draw draw) {
        SlowStartConfig.Builder slowStart = SlowStartConfig.newBuilder().setSlowStartWindow(Durations.fromMillis(WINDOW_MILLIS));
        if (draw.chance(50)) {
            slowStart.setAggression(RuntimeDouble.newBuilder().setDefaultValue(draw.oneOf(0.5, 1.0, 2.0)).setRuntimeKey("none"));
        }
        if (draw.chance(70)) {
            slowStart.setMinWeightPercent(Percent.newBuilder().setValue(draw.oneOf(10, 20, 30)));
        }
        int old = draw.between(1, 3);
        int all = old + draw.between(1, 2);
        Cluster.Builder cluster = Cluster.newBuilder();
        if (draw.chance(70)) {
            cluster.setLbPolicy(LbPolicy.ROUND_ROBIN).setRoundRobinLbConfig(RoundRobinLbConfig.newBuilder().setSlowStartConfig(slowStart));
        } else {
            cluster.setLbPolicy(LbPolicy.LEAST_REQUEST).setLeastRequestLbConfig(LeastRequestLbConfig.newBuilder().setSlowStartConfig(slowStart));
        }
        VirtualHost host = VirtualHost.newBuilder()
                .setName(Case.ID)
                .addDomains(Case.HOST + ":" + Case.PORT)
                .addRoutes(Route.newBuilder()
                        .setMatch(RouteMatch.newBuilder().setPrefix("/"))
                        .setRoute(RouteAction.newBuilder().setCluster(Case.ID + "-slow")))
                .build();
        return new Case(
                name(),
                HttpConnectionManager.getDefaultInstance(),
                RouteConfiguration.newBuilder().addVirtualHosts(host).build(),
                List.of(with(cluster, all)),
                Collections.nCopies(REQUESTS, Request.get(Case.HOST, "/")),
                Judgement.DISTRIBUTION,
                Case.Conduct.after(List.of(with(cluster, old)), Case.Pace.STEADY));
    }

    /** Endpoints come to a cluster and leave it only where they are sent apart from it. */
    private Cluster with(Cluster.Builder settings, int endpoints) {
        return clusters.of(Case.ID + "-slow", IntStream.range(FIRST_ENDPOINT, FIRST_ENDPOINT + endpoints).toArray()).toBuilder()
                .mergeFrom(settings.build())
                .setType(Cluster.DiscoveryType.EDS)
                .setEdsClusterConfig(Cluster.EdsClusterConfig.newBuilder().setEdsConfig(Policy.ads()))
                .build();
    }
}
