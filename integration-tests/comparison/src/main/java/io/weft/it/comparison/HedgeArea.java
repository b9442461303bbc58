package io.weft.it.comparison;

import com.google.protobuf.UInt32Value;
import com.google.protobuf.util.Durations;
import io.envoyproxy.envoy.config.route.v3.HedgePolicy;
import io.envoyproxy.envoy.config.route.v3.RetryPolicy;
import io.envoyproxy.envoy.config.route.v3.RetryPolicy.RetryBackOff;
import io.envoyproxy.envoy.config.route.v3.Route;
import io.envoyproxy.envoy.config.route.v3.RouteAction;
import io.envoyproxy.envoy.config.route.v3.RouteConfiguration;
import io.envoyproxy.envoy.config.route.v3.RouteMatch;
import io.envoyproxy.envoy.config.route.v3.VirtualHost;
import io.envoyproxy.envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager;
import io.weft.it.comparison.Request.Client;
import java.util.List;

/** Slow attempts that get another beside them: how many there are, and whose response counts. */
final class HedgeArea implements Area {
    private static final String CLUSTER = Case.ID + "-hedge";

    private final Clusters clusters;

    HedgeArea(Clusters clusters) {
        this.clusters = clusters;
    }

    @Override
    public String name() {
        return "hedge";
    }

    @Override
    public String summary() {
        return "hedging on a per-try timeout";
    }

    @Override
    public int share() {
        return 2;
    }

    @Override
    public boolean slow() {
        return true;
    }

    /** An attempt may take 500 ms: what is slow takes by far longer, and steps are by far apart. */
    @Override
    public Case draw(Draw draw) {
        RetryPolicy retry = RetryPolicy.newBuilder()
                .setRetryOn(draw.oneOf("5xx", "gateway-error", "connect-failure"))
                .setNumRetries(UInt32Value.of(draw.between(0, 2)))
                .setPerTryTimeout(Durations.fromMillis(500))
                .setRetryBackOff(RetryBackOff.newBuilder().setBaseInterval(Durations.fromMillis(1)))
                .build();
        HedgePolicy hedge = HedgePolicy.newBuilder().setHedgeOnPerTryTimeout(draw.chance(85)).build();
        RouteAction.Builder action = RouteAction.newBuilder().setCluster(CLUSTER).setRetryPolicy(retry).setTimeout(Durations.fromMillis(2_000));
        VirtualHost.Builder host = VirtualHost.newBuilder().setName(Case.ID).addDomains(Case.HOST + ":" + Case.PORT);
        if (draw.chance(70)) {
            action.setHedgePolicy(hedge);
        } else {
            host.setHedgePolicy(hedge);
        }
        host.addRoutes(Route.newBuilder().setMatch(RouteMatch.newBuilder().setPrefix("/")).setRoute(action));
        List<Request> requests = draw.several(1, 2, () -> new Request(
                Client.JAVA_NET_HTTP, draw.oneOf("GET", "POST"), Case.HOST, "/", List.of(), "",
                String.join(";", draw.several(1, 3, () -> draw.oneOf("200", "503", "404", "hang", "wait 750 200", "wait 750 503")))));
        return new Case(
                name(),
                HttpConnectionManager.getDefaultInstance(),
                RouteConfiguration.newBuilder().addVirtualHosts(host).build(),
                List.of(clusters.of(CLUSTER, Upstreams.UNKEPT)),
                requests,
                Judgement.EXACT);
    }
}
