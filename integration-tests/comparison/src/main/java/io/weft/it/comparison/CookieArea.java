package io.weft.it.comparison;

import com.google.protobuf.util.Durations;
import io.envoyproxy.envoy.config.cluster.v3.Cluster;
import io.envoyproxy.envoy.config.cluster.v3.Cluster.LbPolicy;
import io.envoyproxy.envoy.config.route.v3.Route;
import io.envoyproxy.envoy.config.route.v3.RouteAction;
import io.envoyproxy.envoy.config.route.v3.RouteAction.HashPolicy;
import io.envoyproxy.envoy.config.route.v3.RouteConfiguration;
import io.envoyproxy.envoy.config.route.v3.RouteMatch;
import io.envoyproxy.envoy.config.route.v3.VirtualHost;
import io.envoyproxy.envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager;
import io.weft.it.comparison.Request.Client;
import java.util.ArrayList;
import java.util.List;

/** Hash policies that make a cookie for who has none: when one is made, and what is in it beside its value. */
final class CookieArea implements Area {
    private static final String CLUSTER = Case.ID + "-cookies";

    private final Clusters clusters;

    CookieArea(Clusters clusters) {
        this.clusters = clusters;
    }

    @Override
    public String name() {
        return "cookies";
    }

    @Override
    public String summary() {
        return "hash policies that make cookies";
    }

    @Override
    public int share() {
        return 2;
    }

    @Override
    public Case draw(Draw draw) {
        Cluster cluster = clusters.of(CLUSTER, 7, 8, 9).toBuilder()
                .setLbPolicy(draw.oneOf(LbPolicy.RING_HASH, LbPolicy.MAGLEV))
                .build();
        RouteAction.Builder action = RouteAction.newBuilder().setCluster(CLUSTER);
        for (int i = draw.between(1, 2); i > 0; i--) {
            action.addHashPolicy(policy(draw));
        }
        VirtualHost host = VirtualHost.newBuilder()
                .setName(Case.ID)
                .addDomains(Case.HOST + ":" + Case.PORT)
                .addRoutes(Route.newBuilder()
                        .setMatch(RouteMatch.newBuilder().setPrefix("/"))
                        .setRoute(action)
                        .addAllResponseHeadersToAdd(Vocabulary.additions(draw, 20)))
                .build();
        return new Case(
                name(),
                HttpConnectionManager.getDefaultInstance(),
                RouteConfiguration.newBuilder().addVirtualHosts(host).build(),
                List.of(cluster),
                draw.several(4, 8, () -> request(draw)),
                Judgement.MADE_COOKIES);
    }

    private static HashPolicy policy(Draw draw) {
        HashPolicy.Cookie.Builder cookie = HashPolicy.Cookie.newBuilder().setName(draw.oneOf("session", "other", "s-1"));
        cookie.setTtl(Durations.fromSeconds(draw.oneOf(0, 1, 3600)));
        if (draw.chance(40)) {
            cookie.setPath(draw.oneOf("/", "/a", "/a;b"));
        }
        for (int i = draw.chance(30) ? draw.between(1, 2) : 0; i > 0; i--) {
            cookie.addAttributes(HashPolicy.CookieAttribute.newBuilder()
                    .setName(draw.oneOf("SameSite", "Secure", "Domain"))
                    .setValue(draw.oneOf("", "Strict", "a.test")));
        }
        return HashPolicy.newBuilder().setCookie(cookie).setTerminal(draw.chance(40)).build();
    }

    private static Request request(Draw draw) {
        List<String> headers = new ArrayList<>(Vocabulary.headers(draw));
        if (draw.chance(60)) {
            headers.add("cookie: " + draw.oneOf("session=1", "other=2; session=abc", "session=\"quoted\"", "s-1=\"\"", "s-1=a=b; session=", "session"));
        }
        String script = draw.chance(25) ? draw.oneOf("200|set-cookie=own=1", "503", "404", "503;200") : "200";
        return new Request(Client.draw(draw), "GET", Case.HOST, "/", headers, "", script);
    }
}
