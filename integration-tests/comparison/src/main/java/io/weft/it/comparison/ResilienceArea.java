package io.weft.it.comparison;

import com.google.protobuf.UInt32Value;
import com.google.protobuf.util.Durations;
import io.envoyproxy.envoy.config.cluster.v3.Cluster;
import io.envoyproxy.envoy.config.cluster.v3.OutlierDetection;
import io.envoyproxy.envoy.config.route.v3.RetryPolicy;
import io.envoyproxy.envoy.config.route.v3.RetryPolicy.RetryBackOff;
import io.envoyproxy.envoy.config.route.v3.Route;
import io.envoyproxy.envoy.config.route.v3.RouteAction;
import io.envoyproxy.envoy.config.route.v3.RouteAction.MaxStreamDuration;
import io.envoyproxy.envoy.config.route.v3.RouteConfiguration;
import io.envoyproxy.envoy.config.route.v3.RouteMatch;
import io.envoyproxy.envoy.config.route.v3.VirtualHost;
import io.envoyproxy.envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager;
import io.weft.it.comparison.Request.Client;
import java.util.Collections;
import java.util.List;

/** What hangs on time or on the requests before: ejections, the pauses between attempts, timeouts. */
final class ResilienceArea implements Area {
    private static final int FIRST_ENDPOINT = 7;
    private static final String CLUSTER = Case.ID + "-resilience";

    private final Clusters clusters;

    ResilienceArea(Clusters clusters) {
        this.clusters = clusters;
    }

    @Override
    public String name() {
        return "resilience";
    }

    @Override
    public String summary() {
        return "ejections, pauses between attempts, timeouts of routes, attempts and streams";
    }

    @Override
    public int share() {
        return 3;
    }

    @Override
    public boolean slow() {
        return true;
    }

    @Override
    public Case draw(Draw draw) {
        return switch (draw.between(0, 12)) {
            case 0, 1, 2, 3 -> ejection(draw);
            case 4, 5 -> spacing(draw);
            case 10, 11, 12 -> streams(draw);
            default -> timeouts(draw);
        };
    }

    /** One of several endpoints fails until it is ejected, and stays so. */
    private Case ejection(Draw draw) {
        int endpoints = draw.between(2, 5);
        int[] numbers = new int[endpoints];
        for (int i = 0; i < endpoints; i++) {
            numbers[i] = FIRST_ENDPOINT + i;
        }
        OutlierDetection.Builder outliers = OutlierDetection.newBuilder()
                .setConsecutive5Xx(UInt32Value.of(draw.between(1, 6)))
                .setConsecutiveGatewayFailure(UInt32Value.of(draw.between(1, 6)))
                .setEnforcingConsecutiveGatewayFailure(UInt32Value.of(draw.oneOf(0, 100)))
                .setEnforcingConsecutive5Xx(UInt32Value.of(draw.oneOf(0, 100, 100)))
                // Nobody returns while the case is under way.
                .setBaseEjectionTime(Durations.fromSeconds(300))
                .setMaxEjectionTime(Durations.fromSeconds(300))
                .setInterval(Durations.fromSeconds(300));
        if (draw.chance(70)) {
            outliers.setMaxEjectionPercent(UInt32Value.of(draw.oneOf(0, 10, 34, 50, 100)));
        }
        if (draw.chance(30)) {
            outliers.setSplitExternalLocalOriginErrors(true)
                    .setConsecutiveLocalOriginFailure(UInt32Value.of(draw.between(1, 6)))
                    .setEnforcingConsecutiveLocalOriginFailure(UInt32Value.of(draw.oneOf(0, 100)));
        }
        Cluster cluster = clusters.of(CLUSTER, numbers).toBuilder().setOutlierDetection(outliers).build();
        Request request = new Request(
                Client.JAVA_NET_HTTP,
                "GET",
                Case.HOST,
                "/",
                List.of(),
                "",
                "at " + draw.oneOf(FIRST_ENDPOINT, FIRST_ENDPOINT + 1) + " " + draw.oneOf("500", "501", "503", "504", "404"));
        return of(List.of(cluster), RouteAction.newBuilder(), Collections.nCopies(12 * endpoints, request), Judgement.STATUS_COUNTS);
    }

    private Case spacing(Draw draw) {
        RetryBackOff.Builder backOff = RetryBackOff.newBuilder().setBaseInterval(Durations.fromMillis(draw.oneOf(20, 30)));
        if (draw.chance(40)) {
            backOff.setMaxInterval(Durations.fromMillis(draw.oneOf(40, 60)));
        }
        RouteAction.Builder action = RouteAction.newBuilder()
                .setRetryPolicy(RetryPolicy.newBuilder().setRetryOn("5xx").setNumRetries(UInt32Value.of(2)).setRetryBackOff(backOff));
        Request request = new Request(Client.JAVA_NET_HTTP, "GET", Case.HOST, "/", List.of(), "", "503");
        return of(List.of(clusters.of(CLUSTER, FIRST_ENDPOINT)), action, Collections.nCopies(30, request), Judgement.SPACING);
    }

    /** What is slow is so by far, and what is not is quick by far: the machine's own pauses decide nothing. */
    private Case timeouts(Draw draw) {
        RouteAction.Builder action = RouteAction.newBuilder();
        if (draw.chance(60)) {
            action.setTimeout(Durations.fromMillis(draw.oneOf(0, 900)));
        }
        if (draw.chance(60)) {
            RetryPolicy.Builder retry = RetryPolicy.newBuilder()
                    .setRetryOn(draw.oneOf("5xx", "gateway-error", "reset", "connect-failure", "retriable-4xx"))
                    .setNumRetries(UInt32Value.of(draw.between(0, 2)))
                    .setRetryBackOff(RetryBackOff.newBuilder().setBaseInterval(Durations.fromMillis(1)));
            if (draw.chance(50)) {
                retry.setPerTryTimeout(Durations.fromMillis(600));
            }
            action.setRetryPolicy(retry);
        }
        List<Request> requests = draw.several(1, 2, () -> new Request(
                Client.JAVA_NET_HTTP, "GET", Case.HOST, "/", List.of(), "",
                String.join(";", draw.several(1, 3, () -> draw.oneOf("200", "503", "wait 2000 200", "wait 2000 503")))));
        return of(List.of(clusters.of(CLUSTER, FIRST_ENDPOINT)), action, requests, Judgement.EXACT);
    }

    /** Time limits of a stream, whatever the attempts: as with {@link #timeouts} by far over or by far not. */
    private Case streams(Draw draw) {
        RouteAction.Builder action = RouteAction.newBuilder();
        if (draw.chance(50)) {
            action.setIdleTimeout(Durations.fromMillis(draw.oneOf(0, 900)));
        }
        if (draw.chance(70)) {
            MaxStreamDuration.Builder duration = MaxStreamDuration.newBuilder();
            if (draw.chance(70)) {
                duration.setMaxStreamDuration(Durations.fromMillis(draw.oneOf(0, 900)));
            }
            if (draw.chance(50)) {
                duration.setGrpcTimeoutHeaderMax(Durations.fromMillis(draw.oneOf(0, 900, 9_000)));
            }
            action.setMaxStreamDuration(duration);
        }
        List<Request> requests = draw.several(1, 2, () -> new Request(
                Client.JAVA_NET_HTTP, "GET", Case.HOST, "/",
                draw.chance(40) ? List.of("content-type: application/grpc", "grpc-timeout: " + draw.oneOf("900m", "9S", "x")) : List.of(),
                "", draw.oneOf("200", "wait 2000 200", "wait 2000 503")));
        return of(List.of(clusters.of(CLUSTER, FIRST_ENDPOINT)), action, requests, Judgement.EXACT);
    }

    private Case of(List<Cluster> clusters, RouteAction.Builder action, List<Request> requests, Judgement judgement) {
        VirtualHost host = VirtualHost.newBuilder()
                .setName(Case.ID)
                .addDomains(Case.HOST + ":" + Case.PORT)
                .addRoutes(Route.newBuilder().setMatch(RouteMatch.newBuilder().setPrefix("/")).setRoute(action.setCluster(CLUSTER)))
                .build();
        return new Case(
                name(),
                HttpConnectionManager.getDefaultInstance(),
                RouteConfiguration.newBuilder().addVirtualHosts(host).build(),
                clusters,
                requests,
                judgement);
    }
}
