package io.weft.it.comparison;

import com.google.protobuf.Any;
import com.google.protobuf.FloatValue;
import com.google.protobuf.util.Durations;
import io.envoyproxy.envoy.config.cluster.v3.Cluster;
import io.envoyproxy.envoy.config.cluster.v3.LoadBalancingPolicy;
import io.envoyproxy.envoy.config.core.v3.TypedExtensionConfig;
import io.envoyproxy.envoy.config.route.v3.Route;
import io.envoyproxy.envoy.config.route.v3.RouteAction;
import io.envoyproxy.envoy.config.route.v3.RouteConfiguration;
import io.envoyproxy.envoy.config.route.v3.RouteMatch;
import io.envoyproxy.envoy.config.route.v3.VirtualHost;
import io.envoyproxy.envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager;
import io.envoyproxy.envoy.extensions.load_balancing_policies.client_side_weighted_round_robin.v3.ClientSideWeightedRoundRobin;
import io.weft.it.comparison.Request.Client;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;

/** Client-side weighted round robin: endpoints that say how loaded they are (ORCA), and what each of them is given then. */
final class LoadArea implements Area {
    private static final int FIRST_ENDPOINT = 7;
    /** Enough for each to have reported, and been weighed, before the pause. */
    private static final int REPORTS_PER_ENDPOINT = 10;
    private static final int REQUESTS_PER_ENDPOINT = 40;
    private static final String CLUSTER = Case.ID + "-load";

    private final Clusters clusters;

    LoadArea(Clusters clusters) {
        this.clusters = clusters;
    }

    @Override
    public String name() {
        return "load";
    }

    @Override
    public String summary() {
        return "what endpoints are given that report their load (ORCA)";
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
        int[] endpoints = IntStream.range(FIRST_ENDPOINT, FIRST_ENDPOINT + draw.between(2, 5)).toArray();
        ClientSideWeightedRoundRobin.Builder policy = ClientSideWeightedRoundRobin.newBuilder()
                .setBlackoutPeriod(Durations.fromMillis(draw.oneOf(0, 100, 300)))
                .setWeightUpdatePeriod(Durations.fromMillis(draw.oneOf(100, 200)));
        if (draw.chance(50)) {
            policy.setErrorUtilizationPenalty(FloatValue.of(draw.oneOf(0f, 1f, 2.5f)));
        }
        if (draw.chance(40)) {
            policy.addMetricNamesForComputingUtilization(draw.oneOf("named_metrics.queue", "named_metrics.*", "mem_utilization", "cpu_utilization"));
        }
        Cluster cluster = clusters.of(CLUSTER, endpoints).toBuilder()
                .setLoadBalancingPolicy(LoadBalancingPolicy.newBuilder()
                        .addPolicies(LoadBalancingPolicy.Policy.newBuilder()
                                .setTypedExtensionConfig(TypedExtensionConfig.newBuilder()
                                        .setName("load")
                                        .setTypedConfig(Any.pack(policy.build())))))
                .build();
        String reports = String.join(Upstreams.OTHERWISE, IntStream.of(endpoints).mapToObj(endpoint -> "at " + endpoint + " " + answer(draw)).toList());
        List<Request> requests = new ArrayList<>(Collections.nCopies(REPORTS_PER_ENDPOINT * endpoints.length, request(reports)));
        requests.add(request("wait 1500 200"));
        requests.addAll(Collections.nCopies(REQUESTS_PER_ENDPOINT * endpoints.length, request(reports)));
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
                Judgement.SHARES_AFTER_PAUSE);
    }

    private static String answer(Draw draw) {
        if (draw.chance(15)) {
            return "200";
        }
        List<String> metrics = new ArrayList<>();
        metric(draw, metrics, 95, "rps_fractional", draw.between(50, 200));
        metric(draw, metrics, 80, "cpu_utilization", draw.between(20, 90) / 100.0);
        metric(draw, metrics, 40, "application_utilization", draw.between(20, 120) / 100.0);
        metric(draw, metrics, 30, "mem_utilization", draw.between(20, 90) / 100.0);
        metric(draw, metrics, 30, "eps", draw.between(1, 20));
        metric(draw, metrics, 40, "named_metrics.queue", draw.between(20, 90) / 100.0);
        metric(draw, metrics, 20, "named_metrics.disk", draw.between(20, 90) / 100.0);
        return metrics.isEmpty() ? "200" : "200|endpoint-load-metrics=TEXT " + String.join(",", metrics);
    }

    private static void metric(Draw draw, List<String> metrics, int percent, String name, double value) {
        if (draw.chance(percent)) {
            metrics.add(String.format(Locale.ROOT, "%s=%.2f", name, value));
        }
    }

    private static Request request(String script) {
        return new Request(Client.JAVA_NET_HTTP, "GET", Case.HOST, "/", List.of(), "", script);
    }
}
