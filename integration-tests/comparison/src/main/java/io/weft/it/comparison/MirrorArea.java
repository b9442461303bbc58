package io.weft.it.comparison;

import io.envoyproxy.envoy.config.cluster.v3.Cluster;
import io.envoyproxy.envoy.config.core.v3.HeaderValue;
import io.envoyproxy.envoy.config.core.v3.HeaderValueOption;
import io.envoyproxy.envoy.config.core.v3.RuntimeFractionalPercent;
import io.envoyproxy.envoy.config.route.v3.Route;
import io.envoyproxy.envoy.config.route.v3.RouteAction;
import io.envoyproxy.envoy.config.route.v3.RouteAction.RequestMirrorPolicy;
import io.envoyproxy.envoy.config.route.v3.RouteConfiguration;
import io.envoyproxy.envoy.config.route.v3.RouteMatch;
import io.envoyproxy.envoy.config.route.v3.VirtualHost;
import io.envoyproxy.envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager;
import io.envoyproxy.envoy.type.v3.FractionalPercent;
import io.weft.it.comparison.Request.Client;
import java.util.ArrayList;
import java.util.List;

/** Copies of requests: what a mirror gets, of which level's policy, and that nothing becomes of it. */
final class MirrorArea implements Area {
    private static final int FIRST_ENDPOINT = 16;

    private final Clusters clusters;

    MirrorArea(Clusters clusters) {
        this.clusters = clusters;
    }

    @Override
    public String name() {
        return "mirror";
    }

    @Override
    public String summary() {
        return "mirroring of route, virtual host and route configuration";
    }

    @Override
    public int share() {
        return 2;
    }

    /** The original's answer comes late enough for its copies to be there before. */
    @Override
    public boolean slow() {
        return true;
    }

    @Override
    public Case draw(Draw draw) {
        List<Cluster> drawn = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            drawn.add(clusters.of(cluster(i), FIRST_ENDPOINT + i));
        }
        RouteAction.Builder action = RouteAction.newBuilder().setCluster(cluster(0));
        if (draw.chance(70)) {
            action.addAllRequestMirrorPolicies(draw.several(1, 2, () -> policy(draw)));
        }
        if (draw.chance(30)) {
            action.setHostRewriteLiteral(draw.oneOf("inner", "inner:8080", "[::1]:81"));
        }
        if (draw.chance(30)) {
            action.setPrefixRewrite("/new");
        }
        Route.Builder route = Route.newBuilder().setMatch(RouteMatch.newBuilder().setPrefix("/a")).setRoute(action);
        if (draw.chance(40)) {
            route.addRequestHeadersToAdd(HeaderValueOption.newBuilder()
                    .setHeader(HeaderValue.newBuilder().setKey("x-added").setValue("by the route")));
        }
        VirtualHost.Builder host = VirtualHost.newBuilder()
                .setName(Case.ID)
                .addDomains(Case.HOST + ":" + Case.PORT)
                .setIncludeRequestAttemptCount(draw.chance(30))
                .addRoutes(route);
        if (draw.chance(40)) {
            host.addRequestMirrorPolicies(policy(draw));
        }
        RouteConfiguration.Builder routes = RouteConfiguration.newBuilder().addVirtualHosts(host);
        List<Request> requests = draw.several(1, 3, () -> request(draw));
        return new Case(name(), HttpConnectionManager.getDefaultInstance(), routes.build(), drawn, requests, Judgement.COPIES);
    }

    private static String cluster(int i) {
        return Case.ID + "-mirror-" + i;
    }

    private static RequestMirrorPolicy policy(Draw draw) {
        RequestMirrorPolicy.Builder policy = RequestMirrorPolicy.newBuilder();
        if (draw.chance(75)) {
            policy.setCluster(draw.chance(90) ? cluster(draw.between(1, 2)) : "unknown");
        } else {
            policy.setClusterHeader("x-mirror");
        }
        if (draw.chance(30)) {
            policy.setRuntimeFraction(RuntimeFractionalPercent.newBuilder()
                    .setDefaultValue(FractionalPercent.newBuilder().setNumerator(draw.oneOf(0, 100))));
        }
        return policy.setDisableShadowHostSuffixAppend(draw.chance(30)).build();
    }

    private static Request request(Draw draw) {
        boolean post = draw.chance(50);
        List<String> headers = new ArrayList<>(List.of("x-some: value"));
        if (draw.chance(50)) {
            headers.add("x-mirror: " + (draw.chance(80) ? cluster(2) : "nobody"));
        }
        return new Request(
                Client.draw(draw), post ? "POST" : "GET", Case.HOST, draw.oneOf("/a", "/a?b=c", "/a/b"), headers,
                post ? "the body" : "", "wait 200 200");
    }
}
