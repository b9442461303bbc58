package io.weft.it.comparison;

import com.google.protobuf.UInt32Value;
import io.envoyproxy.envoy.config.core.v3.DataSource;
import io.envoyproxy.envoy.config.route.v3.DirectResponseAction;
import io.envoyproxy.envoy.config.route.v3.RedirectAction;
import io.envoyproxy.envoy.config.route.v3.Route;
import io.envoyproxy.envoy.config.route.v3.RouteAction;
import io.envoyproxy.envoy.config.route.v3.RouteConfiguration;
import io.envoyproxy.envoy.config.route.v3.VirtualHost;
import io.envoyproxy.envoy.config.route.v3.WeightedCluster;
import io.envoyproxy.envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager;
import io.envoyproxy.envoy.type.matcher.v3.RegexMatchAndSubstitute;
import io.weft.it.comparison.Request.Client;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/** Domains, matches, redirects, direct responses, rewrites, weights of zero, header changes at four levels. */
final class RoutingArea implements Area {
    /** The header by which a request names its cluster. */
    private static final String TO = "x-to";

    private static final List<String> LABELS = List.of("", "a.", "b.", "a.b.", "ab.", "x-a.");

    @Override
    public String name() {
        return "routing";
    }

    @Override
    public String summary() {
        return "domains, matches, redirects, direct responses, rewrites, header changes";
    }

    @Override
    public int share() {
        return 80;
    }

    @Override
    public Case draw(Draw draw) {
        List<String> paths = new ArrayList<>();
        RouteConfiguration.Builder routes = settings(draw);
        boolean ignorePort = routes.getIgnorePortInHostMatching();
        Set<String> domains = new LinkedHashSet<>();
        int hosts = draw.chance(70) ? 1 : draw.between(2, 3);
        for (int i = 0; i < hosts; i++) {
            VirtualHost.Builder host = VirtualHost.newBuilder().setName(Case.ID + "-" + i);
            for (int d = draw.between(1, 2); d > 0; d--) {
                String domain = domain(draw, hosts > 1 || draw.chance(20), ignorePort);
                if (domains.add(domain.toLowerCase(Locale.ROOT))) {
                    host.addDomains(domain);
                }
            }
            if (host.getDomainsCount() == 0) {
                continue;
            }
            for (int r = draw.between(1, 4); r > 0; r--) {
                host.addRoutes(route(draw, paths));
            }
            host.addAllRequestHeadersToAdd(Vocabulary.additions(draw, 20))
                    .addAllRequestHeadersToRemove(Vocabulary.removals(draw, 10))
                    .addAllResponseHeadersToAdd(Vocabulary.additions(draw, 20))
                    .addAllResponseHeadersToRemove(Vocabulary.removals(draw, 10));
            routes.addVirtualHosts(host);
        }
        if (routes.getVirtualHostsCount() == 0) {
            routes.addVirtualHosts(VirtualHost.newBuilder().setName(Case.ID).addDomains(withPort(Case.HOST, ignorePort)).addRoutes(route(draw, paths)));
        }
        List<Request> requests = draw.several(3, 7, () -> request(draw, paths, hosts > 1));
        return new Case(name(), HttpConnectionManager.getDefaultInstance(), routes.build(), List.of(), requests, Judgement.EXACT);
    }

    /** Few of them, since cases share a listener only if these are the same. */
    private static RouteConfiguration.Builder settings(Draw draw) {
        RouteConfiguration.Builder routes = RouteConfiguration.newBuilder();
        switch (draw.between(0, 7)) {
            case 0 -> routes.addRequestHeadersToAdd(Vocabulary.addition(new Draw(1))).addRequestHeadersToRemove("x-b").addResponseHeadersToAdd(Vocabulary.addition(new Draw(2)));
            case 1 -> routes.addRequestHeadersToAdd(Vocabulary.addition(new Draw(3))).addResponseHeadersToRemove("x-a").addResponseHeadersToAdd(Vocabulary.addition(new Draw(4)));
            case 2 -> routes.setIgnorePortInHostMatching(true);
            default -> { }
        }
        return routes;
    }

    private static String withPort(String host, boolean ignorePort) {
        return ignorePort ? host : host + ":" + Case.PORT;
    }

    private static String domain(Draw draw, boolean overlapping, boolean ignorePort) {
        if (!overlapping) {
            return withPort(Case.HOST, ignorePort);
        }
        return switch (draw.between(0, 6)) {
            case 0 -> withPort("*." + Case.HOST, ignorePort);
            case 1 -> withPort("*-a." + Case.HOST, ignorePort);
            case 2 -> withPort("*.b." + Case.HOST, ignorePort);
            case 3 -> Case.ID + ".*";
            case 4 -> "a." + Case.ID + ".*";
            default -> withPort(draw.oneOf(LABELS) + (draw.chance(15) ? Case.ID + ".TEST" : Case.HOST), ignorePort);
        };
    }

    private static Request request(Draw draw, List<String> paths, boolean overlapping) {
        String host = (overlapping ? draw.oneOf(LABELS) : "") + Case.HOST;
        if (draw.chance(4)) {
            host = host.toUpperCase(Locale.ROOT).replace(Case.ID.toUpperCase(Locale.ROOT), Case.ID);
        }
        String method = draw.chance(75) ? "GET" : draw.oneOf("POST", "PUT", "DELETE", "HEAD", "OPTIONS");
        List<String> headers = Vocabulary.headers(draw);
        // gRPC knows no HEAD.
        headers.removeIf(header -> method.equals("HEAD") && header.startsWith("content-type"));
        if (draw.chance(20)) {
            draw.several(1, 2, () -> headers.add(TO + ": " + draw.oneOf(draw.oneOf(Clusters.FIXED), "unknown", "")));
        }
        boolean body = method.equals("POST") || method.equals("PUT");
        return new Request(
                Client.draw(draw),
                method,
                host,
                Vocabulary.target(draw, paths),
                headers,
                body ? draw.oneOf("x", "hello=world") : "",
                Vocabulary.goodScript(draw));
    }

    private static Route route(Draw draw, List<String> paths) {
        Route.Builder route = Route.newBuilder().setMatch(Vocabulary.match(draw, paths));
        int kind = draw.between(0, 99);
        if (kind < 60) {
            route.setRoute(forward(draw));
        } else if (kind < 85) {
            route.setRedirect(redirect(draw));
        } else {
            DirectResponseAction.Builder direct = DirectResponseAction.newBuilder().setStatus(draw.oneOf(200, 204, 403, 404, 503, 599));
            // Envoy sends what it is given even where HTTP allows no body.
            if (direct.getStatus() != 204 && draw.chance(60)) {
                direct.setBody(DataSource.newBuilder().setInlineString(draw.oneOf("", "no", "direct response", "{\"a\": 1}")));
            }
            route.setDirectResponse(direct);
        }
        return route.addAllRequestHeadersToAdd(Vocabulary.additions(draw, 25))
                .addAllRequestHeadersToRemove(Vocabulary.removals(draw, 15))
                .addAllResponseHeadersToAdd(Vocabulary.additions(draw, 25))
                .addAllResponseHeadersToRemove(Vocabulary.removals(draw, 15))
                .build();
    }

    private static RouteAction forward(Draw draw) {
        RouteAction.Builder action = RouteAction.newBuilder();
        int kind = draw.between(0, 99);
        if (kind < 80) {
            action.setCluster(draw.oneOf(Clusters.FIXED));
        } else if (kind < 83) {
            action.setCluster("unknown");
        } else if (kind < 84) {
            action.setCluster(draw.oneOf(Clusters.EMPTY, Clusters.REFUSING));
        } else if (kind < 88) {
            action.setClusterHeader(draw.chance(85) ? TO : ":authority");
        } else {
            action.setWeightedClusters(oneOfWeight(draw));
        }
        switch (draw.between(0, 11)) {
            case 0, 1, 2 -> action.setPrefixRewrite(draw.oneOf("/", "/n", "/n/", "/a/b"));
            case 3, 4 -> action.setRegexRewrite(rewrite(draw));
            default -> { }
        }
        if (draw.chance(12)) {
            action.setHostRewriteLiteral(draw.oneOf("new.example", "new.example:81", "NEW.example"));
        }
        return action.build();
    }

    /** What comes of them begins with a slash and fits into a URL, percent-encoded octets too: a client library sends nothing else. */
    static RegexMatchAndSubstitute rewrite(Draw draw) {
        String[] pair = draw.<String[]>oneOf(
                new String[] {"^/a(/.*)?$", "/n\\1"},
                new String[] {"a", "b"},
                new String[] {"/([^/]+)/([^/]+)", "/\\2/\\1"},
                new String[] {"/+", "/"},
                new String[] {"/c*", "/-"},
                new String[] {"(x)|(v)", "(\\1\\2)"},
                new String[] {"^/", "/n/"},
                new String[] {".*", "/n\\0"},
                new String[] {"\\d", "7"});
        return RegexMatchAndSubstitute.newBuilder().setPattern(Vocabulary.regex(pair[0])).setSubstitution(pair[1]).build();
    }

    /** Several clusters of which one has all the weight: which is chosen does not hang on chance. */
    private static WeightedCluster oneOfWeight(Draw draw) {
        WeightedCluster.Builder clusters = WeightedCluster.newBuilder();
        int heavy = draw.between(0, 2);
        for (int i = 0; i < 3; i++) {
            clusters.addClusters(WeightedCluster.ClusterWeight.newBuilder()
                    .setName(draw.oneOf(Clusters.FIXED))
                    .setWeight(UInt32Value.of(i == heavy ? draw.oneOf(1, 100, 4_000_000) : 0))
                    .addAllRequestHeadersToAdd(Vocabulary.additions(draw, 25))
                    .addAllRequestHeadersToRemove(Vocabulary.removals(draw, 15))
                    .addAllResponseHeadersToAdd(Vocabulary.additions(draw, 25))
                    .addAllResponseHeadersToRemove(Vocabulary.removals(draw, 15)));
        }
        return clusters.build();
    }

    private static RedirectAction redirect(Draw draw) {
        RedirectAction.Builder redirect = RedirectAction.newBuilder();
        switch (draw.between(0, 4)) {
            case 0 -> redirect.setHttpsRedirect(true);
            case 1 -> redirect.setSchemeRedirect(draw.oneOf("https", "http", "HTTPS"));
            default -> { }
        }
        if (draw.chance(30)) {
            redirect.setHostRedirect(draw.oneOf("new.example", "new.example:81", "NEW.example"));
        }
        if (draw.chance(30)) {
            redirect.setPortRedirect(draw.oneOf(80, 443, 8443, 1));
        }
        switch (draw.between(0, 5)) {
            case 0, 1 -> redirect.setPathRedirect(draw.oneOf("/n", "/n?x=1", "/n#f", "/a/b", "n"));
            case 2, 3 -> redirect.setPrefixRewrite(draw.oneOf("/", "/n", "/n/", "/n?x=1"));
            default -> { }
        }
        if (draw.chance(25)) {
            redirect.setStripQuery(true);
        }
        return redirect.setResponseCode(draw.oneOf(
                        RedirectAction.RedirectResponseCode.MOVED_PERMANENTLY,
                        RedirectAction.RedirectResponseCode.FOUND,
                        RedirectAction.RedirectResponseCode.SEE_OTHER,
                        RedirectAction.RedirectResponseCode.TEMPORARY_REDIRECT,
                        RedirectAction.RedirectResponseCode.PERMANENT_REDIRECT))
                .build();
    }
}
