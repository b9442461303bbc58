package io.weft.it.comparison;

import com.google.protobuf.UInt32Value;
import com.google.protobuf.util.Durations;
import io.envoyproxy.envoy.config.cluster.v3.Cluster;
import io.envoyproxy.envoy.config.cluster.v3.OutlierDetection;
import io.envoyproxy.envoy.config.route.v3.Route;
import io.envoyproxy.envoy.config.route.v3.RouteAction;
import io.envoyproxy.envoy.config.route.v3.RouteConfiguration;
import io.envoyproxy.envoy.config.route.v3.RouteMatch;
import io.envoyproxy.envoy.config.route.v3.VirtualHost;
import io.envoyproxy.envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager;
import io.weft.it.comparison.Request.Client;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/** Outlier detection that looks at all endpoints from time to time: by success rate and by failure percentage. */
final class OutlierArea implements Area {
    private static final int FIRST_ENDPOINT = 7;
    private static final int REQUESTS_PER_ENDPOINT = 12;
    private static final String CLUSTER = Case.ID + "-outlier";

    private static final UInt32Value OFF = UInt32Value.of(0);

    private final Clusters clusters;

    OutlierArea(Clusters clusters) {
        this.clusters = clusters;
    }

    @Override
    public String name() {
        return "outliers";
    }

    @Override
    public String summary() {
        return "outlier detection by success rate and failure percentage";
    }

    @Override
    public int share() {
        return 1;
    }

    @Override
    public boolean slow() {
        return true;
    }

    /** Enough requests of which one endpoint fails all or breaks them off, which is a success and a failure, a pause in which both sides look at them, and others that show who is left. */
    @Override
    public Case draw(Draw draw) {
        int endpoints = draw.between(3, 6);
        int[] numbers = new int[endpoints];
        for (int i = 0; i < endpoints; i++) {
            numbers[i] = FIRST_ENDPOINT + i;
        }
        OutlierDetection.Builder outliers = OutlierDetection.newBuilder()
                .setEnforcingConsecutive5Xx(OFF)
                .setEnforcingConsecutiveGatewayFailure(OFF)
                .setInterval(Durations.fromSeconds(1))
                // Nobody returns while the case is under way.
                .setBaseEjectionTime(Durations.fromSeconds(300))
                .setMaxEjectionTime(Durations.fromSeconds(300))
                .setMaxEjectionPercent(UInt32Value.of(draw.oneOf(0, 10, 100)));
        if (draw.chance(50)) {
            outliers.setEnforcingSuccessRate(UInt32Value.of(draw.oneOf(0, 100, 100)))
                    .setSuccessRateMinimumHosts(UInt32Value.of(draw.between(3, 5)))
                    .setSuccessRateRequestVolume(volume(draw))
                    .setSuccessRateStdevFactor(UInt32Value.of(draw.oneOf(500, 1_000, 1_900, 3_000)));
        } else {
            outliers.setEnforcingSuccessRate(OFF)
                    .setEnforcingFailurePercentage(UInt32Value.of(draw.oneOf(0, 100, 100)))
                    .setFailurePercentageMinimumHosts(UInt32Value.of(draw.between(3, 5)))
                    .setFailurePercentageRequestVolume(volume(draw))
                    .setFailurePercentageThreshold(UInt32Value.of(draw.oneOf(0, 50, 85, 100)));
        }
        Cluster cluster = clusters.of(CLUSTER, numbers).toBuilder().setOutlierDetection(outliers).build();
        Request request = request("at " + FIRST_ENDPOINT + " " + draw.oneOf("500", "503", "404", "cut"));
        List<Request> requests = new ArrayList<>(Collections.nCopies(REQUESTS_PER_ENDPOINT * endpoints, request));
        requests.add(request("wait 3500 200"));
        requests.addAll(Collections.nCopies(3 * endpoints, request));
        VirtualHost host = VirtualHost.newBuilder()
                .setName(Case.ID)
                .addDomains(Case.HOST + ":" + Case.PORT)
                .addRoutes(Route.newBuilder()
                        .setMatch(RouteMatch.newBuilder().setPrefix("/"))
                        .setRoute(RouteAction.newBuilder().setCluster(CLUSTER)))
                .build();
        return new Case(
                name(),
                HttpConnectionManager.getDefaultInstance(),
                RouteConfiguration.newBuilder().addVirtualHosts(host).build(),
                List.of(cluster),
                requests,
                Judgement.AFTER_PAUSE);
    }

    /** Far below or far above what an endpoint gets, also when both sides look in the middle of it. */
    private static UInt32Value volume(Draw draw) {
        return UInt32Value.of(draw.oneOf(2, 2, 100));
    }

    private static Request request(String script) {
        return new Request(Client.JAVA_NET_HTTP, "GET", Case.HOST, "/", List.of(), "", script);
    }
}
