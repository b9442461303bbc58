package io.weft.it.comparison;

import com.google.protobuf.UInt32Value;
import io.envoyproxy.envoy.config.core.v3.RuntimeFractionalPercent;
import io.envoyproxy.envoy.config.route.v3.Route;
import io.envoyproxy.envoy.config.route.v3.RouteAction;
import io.envoyproxy.envoy.config.route.v3.RouteConfiguration;
import io.envoyproxy.envoy.config.route.v3.RouteMatch;
import io.envoyproxy.envoy.config.route.v3.VirtualHost;
import io.envoyproxy.envoy.config.route.v3.WeightedCluster;
import io.envoyproxy.envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager;
import io.envoyproxy.envoy.type.v3.FractionalPercent;
import io.envoyproxy.envoy.type.v3.FractionalPercent.DenominatorType;
import java.util.Collections;
import java.util.List;

/** What is left to chance: weighted clusters and fractions of routes, alone and one behind the other. */
final class SplitArea implements Area {
    private static final int REQUESTS = 150;

    @Override
    public String name() {
        return "split";
    }

    @Override
    public String summary() {
        return "weighted clusters and runtime fractions, by how often each outcome occurs";
    }

    @Override
    public int share() {
        return 2;
    }

    @Override
    public Case draw(Draw draw) {
        VirtualHost.Builder host = VirtualHost.newBuilder().setName(Case.ID).addDomains(Case.HOST + ":" + Case.PORT);
        for (int i = draw.between(0, 2); i > 0; i--) {
            host.addRoutes(Route.newBuilder()
                    .setMatch(RouteMatch.newBuilder().setPrefix("/").setRuntimeFraction(fraction(draw)))
                    .setRoute(action(draw)));
        }
        host.addRoutes(Route.newBuilder().setMatch(RouteMatch.newBuilder().setPrefix("/")).setRoute(action(draw)));
        return new Case(
                name(),
                HttpConnectionManager.getDefaultInstance(),
                RouteConfiguration.newBuilder().addVirtualHosts(host).build(),
                List.of(),
                Collections.nCopies(REQUESTS, Request.get(Case.HOST, "/")),
                Judgement.DISTRIBUTION);
    }

    private static RuntimeFractionalPercent fraction(Draw draw) {
        return RuntimeFractionalPercent.newBuilder()
                .setDefaultValue(draw.oneOf(
                        FractionalPercent.newBuilder().setNumerator(draw.between(0, 100)),
                        FractionalPercent.newBuilder().setNumerator(draw.between(0, 10_000)).setDenominator(DenominatorType.TEN_THOUSAND),
                        FractionalPercent.newBuilder().setNumerator(draw.between(0, 1_000_000)).setDenominator(DenominatorType.MILLION)))
                .build();
    }

    private static RouteAction action(Draw draw) {
        if (draw.chance(30)) {
            return RouteAction.newBuilder().setCluster(draw.oneOf(Clusters.FIXED)).build();
        }
        WeightedCluster.Builder clusters = WeightedCluster.newBuilder();
        int scale = draw.oneOf(1, 1, 1, 1_000_000);
        for (int i = 0; i < draw.between(2, 4); i++) {
            clusters.addClusters(WeightedCluster.ClusterWeight.newBuilder()
                    .setName(Clusters.FIXED.get(i))
                    .setWeight(UInt32Value.of(scale * (i == 0 ? draw.between(1, 100) : draw.oneOf(0, 1, draw.between(1, 100))))));
        }
        return RouteAction.newBuilder().setWeightedClusters(clusters).build();
    }
}
