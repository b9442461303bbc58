package io.weft.it.comparison;

import com.google.protobuf.UInt32Value;
import com.google.protobuf.util.Durations;
import io.envoyproxy.envoy.config.cluster.v3.Cluster;
import io.envoyproxy.envoy.config.cluster.v3.Cluster.CommonLbConfig;
import io.envoyproxy.envoy.config.core.v3.HeaderValue;
import io.envoyproxy.envoy.config.core.v3.HeaderValueOption;
import io.envoyproxy.envoy.config.core.v3.HealthCheck;
import io.envoyproxy.envoy.config.core.v3.HealthCheck.HttpHealthCheck;
import io.envoyproxy.envoy.config.core.v3.HealthCheck.TcpHealthCheck;
import io.envoyproxy.envoy.config.route.v3.Route;
import io.envoyproxy.envoy.config.route.v3.RouteAction;
import io.envoyproxy.envoy.config.route.v3.RouteConfiguration;
import io.envoyproxy.envoy.config.route.v3.RouteMatch;
import io.envoyproxy.envoy.config.route.v3.VirtualHost;
import io.envoyproxy.envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager;
import io.envoyproxy.envoy.type.v3.Int64Range;
import io.envoyproxy.envoy.type.v3.Percent;
import io.weft.it.comparison.Request.Client;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.IntStream;

/** Active health checks: who is given requests once everybody was asked often enough. */
final class HealthArea implements Area {
    private static final int FIRST_ENDPOINT = 7;
    private static final int REQUESTS_PER_ENDPOINT = 15;
    private static final String PAUSE = "/pause";
    private static final String CLUSTER = Case.ID + "-health";

    private final Clusters clusters;

    HealthArea(Clusters clusters) {
        this.clusters = clusters;
    }

    @Override
    public String name() {
        return "health";
    }

    @Override
    public String summary() {
        return "active health checks by HTTP and TCP";
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
        List<Integer> endpoints = new ArrayList<>(IntStream.range(FIRST_ENDPOINT, FIRST_ENDPOINT + draw.between(2, 5)).boxed().toList());
        HealthCheck.Builder check = HealthCheck.newBuilder()
                .setInterval(Durations.fromMillis(100))
                .setNoTrafficInterval(Durations.fromMillis(100))
                .setTimeout(Durations.fromMillis(700))
                .setUnhealthyThreshold(UInt32Value.of(draw.between(1, 3)))
                .setHealthyThreshold(UInt32Value.of(draw.between(1, 3)));
        if (draw.chance(70)) {
            check.setHttpHealthCheck(http(draw));
        } else {
            check.setTcpHealthCheck(tcp(draw));
        }
        if (draw.chance(25)) {
            endpoints.add(Upstreams.REFUSING);
        }
        Cluster cluster = clusters.of(CLUSTER, endpoints.stream().mapToInt(Integer::intValue).toArray()).toBuilder()
                .addHealthChecks(check)
                .setCommonLbConfig(CommonLbConfig.newBuilder()
                        .setHealthyPanicThreshold(Percent.newBuilder().setValue(draw.oneOf(0, 0, 50)))
                        .setIgnoreNewHostsUntilFirstHc(draw.chance(30)))
                .build();
        List<Request> requests = new ArrayList<>(List.of(request(PAUSE, "wait 3000 200")));
        requests.addAll(Collections.nCopies(REQUESTS_PER_ENDPOINT * endpoints.size(), request("/", "200")));
        VirtualHost host = VirtualHost.newBuilder()
                .setName(Case.ID)
                .addDomains(Case.HOST + ":" + Case.PORT)
                // Elsewhere: whoever has no healthy endpoint yet would answer at once.
                .addRoutes(Route.newBuilder()
                        .setMatch(RouteMatch.newBuilder().setPath(PAUSE))
                        .setRoute(RouteAction.newBuilder().setCluster(Clusters.FIXED.get(0))))
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
                Judgement.SHARES_AFTER_PAUSE);
    }

    private static HttpHealthCheck http(Draw draw) {
        HttpHealthCheck.Builder http = HttpHealthCheck.newBuilder()
                .setPath("/health")
                .addRequestHeadersToAdd(HeaderValueOption.newBuilder()
                        .setHeader(HeaderValue.newBuilder().setKey(Upstreams.SCRIPT).setValue("at " + FIRST_ENDPOINT + " " + answer(draw)
                                + Upstreams.OTHERWISE + "at " + (FIRST_ENDPOINT + 1) + " " + answer(draw))));
        if (draw.chance(40)) {
            http.addExpectedStatuses(Int64Range.newBuilder().setStart(draw.oneOf(200, 201)).setEnd(draw.oneOf(202, 300)));
        }
        if (draw.chance(25)) {
            http.addRetriableStatuses(Int64Range.newBuilder().setStart(500).setEnd(504));
        }
        if (draw.chance(25)) {
            http.setHost("health.test");
        }
        return http.build();
    }

    private static TcpHealthCheck tcp(Draw draw) {
        TcpHealthCheck.Builder tcp = TcpHealthCheck.newBuilder();
        if (draw.chance(75)) {
            tcp.setSend(payload("GET / HTTP/1.1\r\nhost: a\r\n\r\n"));
            IntStream.range(0, draw.between(0, 2)).forEach(i -> tcp.addReceive(payload(draw.oneOf("HTTP/1.1", "200", "nobody says that"))));
        }
        return tcp.build();
    }

    /** As hexadecimal digits: Envoy sends nothing of what is given as bytes. */
    private static HealthCheck.Payload payload(String text) {
        return HealthCheck.Payload.newBuilder().setText(HexFormat.of().formatHex(text.getBytes(StandardCharsets.US_ASCII))).build();
    }

    private static String answer(Draw draw) {
        return draw.oneOf("200", "201", "302", "404", "500", "503", "reset", "200|x-envoy-immediate-health-check-fail=true");
    }

    private static Request request(String path, String script) {
        return new Request(Client.JAVA_NET_HTTP, "GET", Case.HOST, path, List.of(), "", script);
    }
}
