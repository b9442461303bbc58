package io.weft.it.comparison;

import com.google.protobuf.Any;
import com.google.protobuf.Message;
import io.envoyproxy.envoy.config.core.v3.HeaderValue;
import io.envoyproxy.envoy.config.core.v3.HeaderValueOption;
import io.envoyproxy.envoy.config.core.v3.HeaderValueOption.HeaderAppendAction;
import io.envoyproxy.envoy.config.core.v3.TypedExtensionConfig;
import io.envoyproxy.envoy.config.route.v3.RedirectAction;
import io.envoyproxy.envoy.config.route.v3.Route;
import io.envoyproxy.envoy.config.route.v3.RouteAction;
import io.envoyproxy.envoy.config.route.v3.RouteConfiguration;
import io.envoyproxy.envoy.config.route.v3.RouteMatch;
import io.envoyproxy.envoy.config.route.v3.VirtualHost;
import io.envoyproxy.envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager;
import io.envoyproxy.envoy.extensions.path.match.uri_template.v3.UriTemplateMatchConfig;
import io.envoyproxy.envoy.extensions.path.rewrite.uri_template.v3.UriTemplateRewriteConfig;
import io.envoyproxy.envoy.type.matcher.v3.RegexMatchAndSubstitute;
import io.weft.it.comparison.Request.Client;
import java.util.List;

/** URI templates, hosts made of headers and paths, redirects by regular expression, and headers whose values are made of the request. */
final class RewriteArea implements Area {
    /** A pattern with what a path that it matches may be made into. */
    private static final List<String[]> TEMPLATES = List.of(
            new String[] {"/{first}/{second}", "/{second}/{first}"},
            new String[] {"/a/{rest=**}", "/n/{rest}"},
            new String[] {"/a/{one}/**", "/{one}"},
            new String[] {"/*/{last}", "/n-{last}"},
            new String[] {"/{file=**}.y", "/{file}.z"},
            new String[] {"/a/{both=*/b}", "/{both}"},
            new String[] {"/{all=**}", "/n/{all}"});

    private static final List<String> OF_REQUEST = List.of(
            "%REQ(x-a)%", "%REQ(X-A?x-b)%", "%REQ(x-a):1%", "%REQ(:path)%", "%REQ(:method)% %REQ(:authority)%", "<%REQ(x-none)%>", "%REQ(x-none)%",
            "%ROUTE_NAME%", "%UPSTREAM_CLUSTER%", "%PATH%", "%PATH(NQ)%", "%QUERY_PARAM(q)%", "%QUERY_PARAM(q):2%", "100%%", "%REQ(x-b)%%REQ(x-c)%",
            "%HOSTNAME%");

    private static final List<String> OF_RESPONSE = List.of(
            "%RESP(x-a)%", "%RESP(x-none?x-up)%", "%RESP(:status)%", "%RESPONSE_CODE%", "%RESPONSE_CODE_DETAILS%", "%RESPONSE_FLAGS%", "%UPSTREAM_HOST%",
            "%UPSTREAM_REMOTE_PORT%", "%UPSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%", "%UPSTREAM_REQUEST_ATTEMPT_COUNT%");

    @Override
    public String name() {
        return "rewrites";
    }

    @Override
    public String summary() {
        return "URI templates, hosts from headers and paths, redirects by regular expression, headers with command operators";
    }

    @Override
    public int share() {
        return 12;
    }

    @Override
    public Case draw(Draw draw) {
        VirtualHost.Builder host = VirtualHost.newBuilder().setName(Case.ID).addDomains(Case.HOST + ":" + Case.PORT);
        for (int i = draw.between(1, 3); i > 0; i--) {
            host.addRoutes(route(draw).setName("route-" + i));
        }
        if (draw.chance(30)) {
            host.addRequestHeadersToAdd(made(draw, OF_REQUEST)).addResponseHeadersToAdd(made(draw, OF_RESPONSE));
        }
        return new Case(
                name(),
                HttpConnectionManager.getDefaultInstance(),
                RouteConfiguration.newBuilder().addVirtualHosts(host).build(),
                List.of(),
                draw.several(3, 7, () -> request(draw)),
                Judgement.EXACT);
    }

    private static Route.Builder route(Draw draw) {
        Route.Builder route = Route.newBuilder();
        String[] template = draw.oneOf(TEMPLATES);
        boolean byTemplate = draw.chance(60);
        route.setMatch(byTemplate
                ? RouteMatch.newBuilder().setPathMatchPolicy(extension(
                        "envoy.path.match.uri_template.uri_template_matcher", UriTemplateMatchConfig.newBuilder().setPathTemplate(template[0]).build()))
                : RouteMatch.newBuilder().setPrefix(draw.oneOf("/", "/a")));
        if (draw.chance(15)) {
            route.setRedirect(RedirectAction.newBuilder().setRegexRewrite(RoutingArea.rewrite(draw)).setStripQuery(draw.chance(30)));
        } else {
            route.setRoute(forward(draw, byTemplate ? template[1] : null));
        }
        return route
                .addAllRequestHeadersToAdd(draw.several(0, 3, () -> made(draw, OF_REQUEST)))
                .addAllResponseHeadersToAdd(draw.several(0, 3, () -> made(draw, draw.chance(50) ? OF_RESPONSE : OF_REQUEST)));
    }

    /** @param template what a matching path may be made into; null: the match is none by template */
    private static RouteAction.Builder forward(Draw draw, String template) {
        RouteAction.Builder action = RouteAction.newBuilder().setCluster(draw.oneOf(Clusters.FIXED));
        if (template != null && draw.chance(60)) {
            action.setPathRewritePolicy(extension(
                    "envoy.path.rewrite.uri_template.uri_template_rewriter", UriTemplateRewriteConfig.newBuilder().setPathTemplateRewrite(template).build()));
        }
        switch (draw.between(0, 4)) {
            case 0 -> action.setHostRewriteHeader("x-host");
            // Whatever the path, what comes of it is a host: a client library sends nothing else.
            case 1 -> action.setHostRewritePathRegex(RegexMatchAndSubstitute.newBuilder()
                    .setPattern(Vocabulary.regex(draw.oneOf("^/([a-z0-9]*).*$", "^/[^/]*/?([a-z0-9]*).*$")))
                    .setSubstitution(draw.oneOf("h-\\1x", "h\\1.example", "new.example")));
            default -> { }
        }
        if (draw.chance(25)) {
            action.setAppendXForwardedHost(true);
        }
        return action;
    }

    private static TypedExtensionConfig extension(String name, Message config) {
        return TypedExtensionConfig.newBuilder().setName(name).setTypedConfig(Any.pack(config)).build();
    }

    private static HeaderValueOption made(Draw draw, List<String> formats) {
        return HeaderValueOption.newBuilder()
                .setHeader(HeaderValue.newBuilder()
                        .setKey(draw.oneOf("x-made", "x-a", "x-up"))
                        .setValue(draw.chance(25) ? "of " + draw.oneOf(formats) : draw.oneOf(formats)))
                .setAppendAction(draw.oneOf(
                        HeaderAppendAction.APPEND_IF_EXISTS_OR_ADD,
                        HeaderAppendAction.ADD_IF_ABSENT,
                        HeaderAppendAction.OVERWRITE_IF_EXISTS_OR_ADD))
                .setKeepEmptyValue(draw.chance(20))
                .build();
    }

    private static Request request(Draw draw) {
        List<String> headers = Vocabulary.headers(draw);
        if (draw.chance(50)) {
            draw.several(1, 2, () -> headers.add("x-host: " + draw.oneOf("new.example", "NEW.example:81", "a-b")));
        }
        String path = draw.oneOf("/a/b", "/a", "/a/b/c", "/b/a", "/a/", "/x.y", "/a/x.y", "/a/c/b", "/n", "/a_b/b", Vocabulary.path(draw));
        return new Request(
                Client.draw(draw), "GET", Case.HOST, draw.chance(40) ? path + "?" + Vocabulary.query(draw) : path, headers, "",
                draw.oneOf("200", "200|x-up=u1", "201|x-a=a|x-up=u,3", "404|x-b=", "500", "302|x-a=u2"));
    }
}
