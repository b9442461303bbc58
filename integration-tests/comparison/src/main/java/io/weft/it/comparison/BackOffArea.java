package io.weft.it.comparison;

import com.google.protobuf.UInt32Value;
import com.google.protobuf.util.Durations;
import io.envoyproxy.envoy.config.route.v3.RetryPolicy;
import io.envoyproxy.envoy.config.route.v3.RetryPolicy.RateLimitedRetryBackOff;
import io.envoyproxy.envoy.config.route.v3.RetryPolicy.ResetHeader;
import io.envoyproxy.envoy.config.route.v3.RetryPolicy.ResetHeaderFormat;
import io.envoyproxy.envoy.config.route.v3.RetryPolicy.RetryBackOff;
import io.envoyproxy.envoy.config.route.v3.Route;
import io.envoyproxy.envoy.config.route.v3.RouteAction;
import io.envoyproxy.envoy.config.route.v3.RouteConfiguration;
import io.envoyproxy.envoy.config.route.v3.RouteMatch;
import io.envoyproxy.envoy.config.route.v3.VirtualHost;
import io.envoyproxy.envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager;
import io.weft.it.comparison.Request.Client;
import java.util.List;

/** Upstreams that say when to come back: which of their words is followed. */
final class BackOffArea implements Area {
    private static final String CLUSTER = Case.ID + "-backoff";

    private final Clusters clusters;

    BackOffArea(Clusters clusters) {
        this.clusters = clusters;
    }

    @Override
    public String name() {
        return "backoff";
    }

    @Override
    public String summary() {
        return "retries after the time that the response says";
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
        RateLimitedRetryBackOff.Builder limited = RateLimitedRetryBackOff.newBuilder()
                .addAllResetHeaders(draw.several(1, 2, () -> ResetHeader.newBuilder()
                        .setName(draw.oneOf("retry-after", "X-Reset"))
                        .setFormat(draw.chance(80) ? ResetHeaderFormat.SECONDS : ResetHeaderFormat.UNIX_TIMESTAMP)
                        .build()));
        if (draw.chance(40)) {
            limited.setMaxInterval(Durations.fromMillis(draw.oneOf(500, 1_000, 60_000)));
        }
        RetryPolicy retry = RetryPolicy.newBuilder()
                .setRetryOn("5xx")
                .setNumRetries(UInt32Value.of(draw.between(1, 2)))
                .setRetryBackOff(RetryBackOff.newBuilder().setBaseInterval(Durations.fromMillis(2)))
                .setRateLimitedRetryBackOff(limited)
                .build();
        VirtualHost host = VirtualHost.newBuilder()
                .setName(Case.ID)
                .addDomains(Case.HOST + ":" + Case.PORT)
                .addRoutes(Route.newBuilder()
                        .setMatch(RouteMatch.newBuilder().setPrefix("/"))
                        .setRoute(RouteAction.newBuilder().setCluster(CLUSTER).setRetryPolicy(retry)))
                .build();
        List<Request> requests = draw.several(1, 2, () -> request(draw));
        return new Case(
                name(),
                HttpConnectionManager.getDefaultInstance(),
                RouteConfiguration.newBuilder().addVirtualHosts(host).build(),
                List.of(clusters.of(CLUSTER, Upstreams.UNKEPT)),
                requests,
                Judgement.PAUSES);
    }

    private static Request request(Draw draw) {
        Client client = Client.draw(draw);
        String script = String.join(";", draw.several(1, 3, () -> "503" + draw.oneOf(
                "", "|retry-after=1", "|x-reset=1", "|retry-after=1|x-reset=0", "|retry-after=0", "|retry-after=-1", "|retry-after=1.5",
                "|x-reset=one", "|retry-after= 1 ", "|x-reset=1000000000000000000000")));
        // The library asks again by itself where it may do so at once.
        boolean followed = client == Client.OK_HTTP && script.contains("retry-after=0");
        return new Request(followed ? Client.JAVA_NET_HTTP : client, "GET", Case.HOST, "/", List.of(), "", script);
    }
}
