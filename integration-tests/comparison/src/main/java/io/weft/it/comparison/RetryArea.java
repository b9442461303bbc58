package io.weft.it.comparison;

import com.google.protobuf.UInt32Value;
import com.google.protobuf.util.Durations;
import io.envoyproxy.envoy.config.cluster.v3.CircuitBreakers;
import io.envoyproxy.envoy.config.cluster.v3.Cluster;
import io.envoyproxy.envoy.config.route.v3.HeaderMatcher;
import io.envoyproxy.envoy.config.route.v3.RetryPolicy;
import io.envoyproxy.envoy.config.route.v3.Route;
import io.envoyproxy.envoy.config.route.v3.RouteAction;
import io.envoyproxy.envoy.config.route.v3.RouteConfiguration;
import io.envoyproxy.envoy.config.route.v3.RouteMatch;
import io.envoyproxy.envoy.config.route.v3.VirtualHost;
import io.envoyproxy.envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager;
import io.envoyproxy.envoy.type.v3.Percent;
import io.weft.it.comparison.Request.Client;
import java.util.ArrayList;
import java.util.List;

/** Retry policies on routes and virtual hosts, upstreams that fail by script: how many attempts, and what comes of them. */
final class RetryArea implements Area {
    private final Clusters clusters;

    RetryArea(Clusters clusters) {
        this.clusters = clusters;
    }

    @Override
    public String name() {
        return "retry";
    }

    @Override
    public String summary() {
        return "retry policies against upstreams that fail by script";
    }

    @Override
    public int share() {
        return 15;
    }

    @Override
    public Case draw(Draw draw) {
        VirtualHost.Builder host = VirtualHost.newBuilder().setName(Case.ID).addDomains(Case.HOST + ":" + Case.PORT);
        boolean refusing = draw.chance(25);
        String cluster = Case.ID + "-retry";
        Cluster drawn = refusing
                ? clusters.of(cluster, Upstreams.REFUSING)
                : clusters.of(cluster, Upstreams.UNKEPT);
        if (draw.chance(20)) {
            drawn = limited(draw, drawn);
        }
        boolean onHost = draw.chance(40);
        if (onHost) {
            host.setRetryPolicy(policy(draw));
        }
        RouteAction.Builder action = RouteAction.newBuilder().setCluster(cluster);
        if (!onHost || draw.chance(30)) {
            action.setRetryPolicy(policy(draw));
        }
        Route.Builder route = Route.newBuilder().setMatch(RouteMatch.newBuilder().setPrefix("/")).setRoute(action);
        if (draw.chance(15)) {
            route.setPerRequestBufferLimitBytes(UInt32Value.of(draw.oneOf(0, 4, 5, 6, 100)));
        }
        if (draw.chance(15)) {
            host.setPerRequestBufferLimitBytes(UInt32Value.of(draw.oneOf(0, 4, 5, 6, 100)));
        }
        host.addRoutes(route);
        List<Request> requests = draw.several(2, 4, () -> request(draw));
        return new Case(
                name(),
                HttpConnectionManager.getDefaultInstance(),
                RouteConfiguration.newBuilder().addVirtualHosts(host).build(),
                List.of(drawn),
                requests,
                Judgement.EXACT);
    }

    /** One request after the other: what a limit lets through does not hang on how fast the machine is. */
    private static Cluster limited(Draw draw, Cluster cluster) {
        Cluster.Builder limited = cluster.toBuilder();
        CircuitBreakers.Thresholds.Builder thresholds = limited.getCircuitBreakersBuilder().getThresholdsBuilder(0);
        if (draw.chance(50)) {
            thresholds.setMaxRetries(UInt32Value.of(draw.oneOf(0, 1)));
        } else {
            thresholds.setRetryBudget(CircuitBreakers.Thresholds.RetryBudget.newBuilder()
                    .setBudgetPercent(Percent.newBuilder().setValue(0))
                    .setMinRetryConcurrency(UInt32Value.of(draw.oneOf(0, 1))));
        }
        return limited.build();
    }

    private static RetryPolicy policy(Draw draw) {
        List<String> on = draw.several(1, 2, () -> draw.oneOf(
                "5xx", "gateway-error", "reset", "connect-failure", "retriable-4xx", "retriable-status-codes", "refused-stream",
                "reset-before-request", "retriable-headers", "cancelled", "unavailable", "deadline-exceeded", "resource-exhausted", "internal", "bogus"));
        RetryPolicy.Builder policy = RetryPolicy.newBuilder().setRetryOn(String.join(draw.oneOf(",", ", "), on));
        if (draw.chance(70)) {
            policy.setNumRetries(UInt32Value.of(draw.between(0, 4)));
        }
        if (draw.chance(50)) {
            policy.addAllRetriableStatusCodes(draw.several(1, 3, () -> draw.oneOf(200, 404, 409, 429, 500, 503, 504)));
        }
        if (draw.chance(40)) {
            policy.addAllRetriableHeaders(draw.several(1, 2, () -> Vocabulary.headerMatcher(draw)));
        }
        if (draw.chance(20)) {
            policy.addAllRetriableRequestHeaders(draw.several(1, 2, () -> HeaderMatcher.newBuilder().setName(Vocabulary.headerName(draw)).setPresentMatch(true).build()));
        }
        // Short, so that cases are fast; the spacing of attempts is an area of its own.
        policy.setRetryBackOff(RetryPolicy.RetryBackOff.newBuilder().setBaseInterval(Durations.fromMillis(2)));
        return policy.build();
    }

    private static Request request(Draw draw) {
        List<String> steps = draw.several(1, 5, () -> draw.oneOf(
                "200", "500", "502", "503", "504", "404", "409", "429", "reset", "503|grpc-status=14", "200|grpc-status=14", "200|grpc-status=1",
                "200|grpc-status=8", "200|grpc-status=13", "200|grpc-status=0", "503|x-envoy-ratelimited=true", "501", "200|x-a=1", "404|x-b=ab|x-a=a", "200|x-c=on"));
        Client client = Client.draw(draw);
        String method = draw.chance(70) ? "GET" : draw.oneOf("POST", "PUT", "DELETE");
        List<String> script = new ArrayList<>(steps);
        if (client == Client.HTTP_URL_CONNECTION || client == Client.JAVA_NET_HTTP && method.equals("GET")) {
            // They send a request a second time by themselves, mesh or not, when the connection ends before the response.
            script.replaceAll(step -> step.equals("reset") ? "503" : step);
        }
        if (draw.chance(70)) {
            script.add("200");
        }
        return new Request(
                client,
                method,
                Case.HOST,
                "/a",
                Vocabulary.headers(draw),
                method.equals("POST") || method.equals("PUT") ? "again" : "",
                String.join(";", script));
    }
}
