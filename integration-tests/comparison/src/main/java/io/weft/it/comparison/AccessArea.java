package io.weft.it.comparison;

import com.google.protobuf.Any;
import com.google.protobuf.UInt32Value;
import io.envoyproxy.envoy.config.core.v3.CidrRange;
import io.envoyproxy.envoy.config.rbac.v3.Permission;
import io.envoyproxy.envoy.config.rbac.v3.Policy;
import io.envoyproxy.envoy.config.rbac.v3.Principal;
import io.envoyproxy.envoy.config.route.v3.Route;
import io.envoyproxy.envoy.config.route.v3.RouteAction;
import io.envoyproxy.envoy.config.route.v3.RouteConfiguration;
import io.envoyproxy.envoy.config.route.v3.RouteMatch;
import io.envoyproxy.envoy.config.route.v3.VirtualHost;
import io.envoyproxy.envoy.extensions.filters.http.rbac.v3.RBAC;
import io.envoyproxy.envoy.extensions.filters.http.rbac.v3.RBACPerRoute;
import io.envoyproxy.envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager;
import io.envoyproxy.envoy.extensions.filters.network.http_connection_manager.v3.HttpFilter;
import io.envoyproxy.envoy.type.matcher.v3.FilterStateMatcher;
import io.envoyproxy.envoy.type.matcher.v3.PathMatcher;
import io.weft.it.comparison.Request.Client;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/** RBAC rules on virtual hosts and routes, over what both sides know of a request that goes out. */
final class AccessArea implements Area {
    private static final String FILTER = "envoy.filters.http.rbac";

    /** Without rules, so that all cases share a listener; they have rules of their own. */
    private static final HttpConnectionManager MANAGER = HttpConnectionManager.newBuilder()
            .addHttpFilters(HttpFilter.newBuilder().setName(FILTER).setTypedConfig(Any.pack(RBAC.getDefaultInstance())))
            .build();

    @Override
    public String name() {
        return "access";
    }

    @Override
    public String summary() {
        return "RBAC rules of virtual hosts and routes";
    }

    @Override
    public int share() {
        return 8;
    }

    @Override
    public Case draw(Draw draw) {
        List<String> paths = new ArrayList<>();
        VirtualHost.Builder host = VirtualHost.newBuilder().setName(Case.ID).addDomains(Case.HOST + ":" + Case.PORT);
        if (draw.chance(50)) {
            host.putTypedPerFilterConfig(FILTER, rules(draw));
        }
        for (int i = draw.between(1, 2); i > 0; i--) {
            Route.Builder route = Route.newBuilder()
                    .setMatch(i == 1 ? RouteMatch.newBuilder().setPrefix("/").build() : Vocabulary.match(draw, paths))
                    .setRoute(RouteAction.newBuilder().setCluster(draw.oneOf(Clusters.FIXED)))
                    .addAllResponseHeadersToAdd(Vocabulary.additions(draw, 25));
            if (draw.chance(60)) {
                route.putTypedPerFilterConfig(FILTER, rules(draw));
            }
            host.addRoutes(route);
        }
        List<Request> requests = draw.several(3, 6, () -> new Request(
                Client.draw(draw), draw.oneOf("GET", "POST"), Case.HOST, Vocabulary.target(draw, paths),
                headers(draw), "", "200"));
        return new Case(
                name(), MANAGER, RouteConfiguration.newBuilder().addVirtualHosts(host).build(), List.of(), requests, Judgement.EXACT);
    }

    /** Of one value each: what speaks against a request is held against each of several here, and not in Envoy (docs/differences-from-envoy.md). */
    static List<String> headers(Draw draw) {
        Set<String> names = new HashSet<>();
        return Vocabulary.headers(draw).stream()
                .filter(header -> header.indexOf(',') < 0 && names.add(header.substring(0, header.indexOf(':')).toLowerCase(Locale.ROOT)))
                .toList();
    }

    static Any rules(Draw draw) {
        RBACPerRoute.Builder perRoute = RBACPerRoute.newBuilder();
        if (draw.chance(90)) {
            io.envoyproxy.envoy.config.rbac.v3.RBAC.Builder rules = io.envoyproxy.envoy.config.rbac.v3.RBAC.newBuilder()
                    .setAction(draw.oneOf(
                            io.envoyproxy.envoy.config.rbac.v3.RBAC.Action.ALLOW,
                            io.envoyproxy.envoy.config.rbac.v3.RBAC.Action.ALLOW,
                            io.envoyproxy.envoy.config.rbac.v3.RBAC.Action.DENY,
                            io.envoyproxy.envoy.config.rbac.v3.RBAC.Action.LOG));
            for (int i = draw.between(0, 2); i > 0; i--) {
                rules.putPolicies("policy-" + i, Policy.newBuilder()
                        .addAllPermissions(draw.several(1, 2, () -> permission(draw, 2)))
                        .addAllPrincipals(draw.several(1, 2, () -> principal(draw, 2)))
                        .build());
            }
            RBAC.Builder rbac = RBAC.newBuilder();
            if (draw.chance(85)) {
                rbac.setRules(rules);
            } else {
                rbac.setShadowRules(rules);
            }
            perRoute.setRbac(rbac);
        }
        return Any.pack(perRoute.build());
    }

    private static Permission permission(Draw draw, int depth) {
        Permission.Builder permission = Permission.newBuilder();
        switch (draw.between(depth == 0 ? 3 : 0, 8)) {
            case 0 -> permission.setAndRules(Permission.Set.newBuilder().addAllRules(draw.several(1, 2, () -> permission(draw, depth - 1))));
            case 1 -> permission.setOrRules(Permission.Set.newBuilder().addAllRules(draw.several(1, 2, () -> permission(draw, depth - 1))));
            case 2 -> permission.setNotRule(permission(draw, depth - 1));
            case 3, 4 -> permission.setHeader(Vocabulary.headerMatcher(draw));
            case 5, 6 -> permission.setUrlPath(path(draw));
            default -> permission.setAny(true);
        }
        return permission.build();
    }

    private static Principal principal(Draw draw, int depth) {
        Principal.Builder principal = Principal.newBuilder();
        switch (draw.between(depth == 0 ? 3 : 0, 12)) {
            case 0 -> principal.setAndIds(Principal.Set.newBuilder().addAllIds(draw.several(1, 2, () -> principal(draw, depth - 1))));
            case 1 -> principal.setOrIds(Principal.Set.newBuilder().addAllIds(draw.several(1, 2, () -> principal(draw, depth - 1))));
            case 2 -> principal.setNotId(principal(draw, depth - 1));
            case 3, 4 -> principal.setHeader(Vocabulary.headerMatcher(draw));
            case 5 -> principal.setUrlPath(path(draw));
            case 6 -> principal.setDirectRemoteIp(range(draw));
            case 7 -> principal.setRemoteIp(range(draw));
            case 8 -> principal.setFilterState(FilterStateMatcher.newBuilder()
                    .setKey("key")
                    .setStringMatch(Vocabulary.string(draw, List.of("a", "1", "-", "of GET"))));
            default -> principal.setAny(true);
        }
        return principal.build();
    }

    private static CidrRange range(Draw draw) {
        return CidrRange.newBuilder()
                .setAddressPrefix(draw.oneOf("127.0.0.0", "10.1.0.0"))
                .setPrefixLen(UInt32Value.of(draw.oneOf(8, 16)))
                .build();
    }

    private static PathMatcher path(Draw draw) {
        return PathMatcher.newBuilder()
                .setPath(Vocabulary.string(draw, List.of("/a", "/a/b", "/ab", "/", "/A", "/a%2Fb", "/b/a")))
                .build();
    }
}
