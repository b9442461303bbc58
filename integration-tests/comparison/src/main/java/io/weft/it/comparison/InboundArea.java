package io.weft.it.comparison;

import com.google.protobuf.Any;
import com.google.protobuf.Message;
import com.google.protobuf.UInt32Value;
import com.google.protobuf.util.Durations;
import io.envoyproxy.envoy.config.core.v3.DataSource;
import io.envoyproxy.envoy.config.core.v3.HeaderValue;
import io.envoyproxy.envoy.config.core.v3.HeaderValueOption;
import io.envoyproxy.envoy.config.core.v3.SubstitutionFormatString;
import io.envoyproxy.envoy.config.route.v3.DirectResponseAction;
import io.envoyproxy.envoy.config.route.v3.RedirectAction;
import io.envoyproxy.envoy.config.route.v3.Route;
import io.envoyproxy.envoy.config.route.v3.RouteAction;
import io.envoyproxy.envoy.config.route.v3.RouteConfiguration;
import io.envoyproxy.envoy.config.route.v3.RouteMatch;
import io.envoyproxy.envoy.config.route.v3.VirtualHost;
import io.envoyproxy.envoy.extensions.filters.common.fault.v3.FaultDelay;
import io.envoyproxy.envoy.extensions.filters.common.set_filter_state.v3.FilterStateValue;
import io.envoyproxy.envoy.extensions.filters.http.buffer.v3.Buffer;
import io.envoyproxy.envoy.extensions.filters.http.cors.v3.Cors;
import io.envoyproxy.envoy.extensions.filters.http.fault.v3.HTTPFault;
import io.envoyproxy.envoy.extensions.filters.http.header_mutation.v3.HeaderMutation;
import io.envoyproxy.envoy.extensions.filters.http.header_mutation.v3.HeaderMutationPerRoute;
import io.envoyproxy.envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication;
import io.envoyproxy.envoy.extensions.filters.http.jwt_authn.v3.JwtHeader;
import io.envoyproxy.envoy.extensions.filters.http.jwt_authn.v3.JwtProvider;
import io.envoyproxy.envoy.extensions.filters.http.jwt_authn.v3.JwtRequirement;
import io.envoyproxy.envoy.extensions.filters.http.jwt_authn.v3.JwtRequirementAndList;
import io.envoyproxy.envoy.extensions.filters.http.jwt_authn.v3.JwtRequirementOrList;
import io.envoyproxy.envoy.extensions.filters.http.jwt_authn.v3.PerRouteConfig;
import io.envoyproxy.envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit;
import io.envoyproxy.envoy.extensions.filters.http.rbac.v3.RBAC;
import io.envoyproxy.envoy.extensions.filters.http.set_filter_state.v3.Config;
import io.envoyproxy.envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager;
import io.envoyproxy.envoy.extensions.filters.network.http_connection_manager.v3.HttpFilter;
import io.envoyproxy.envoy.type.v3.FractionalPercent;
import io.weft.it.comparison.Request.Client;
import java.util.ArrayList;
import java.util.List;

/** What stands in front of the app: the filters of an inbound listener, and routes that answer by themselves. */
final class InboundArea implements Area {
    private static final String STATE = "state";
    private static final String CORS = "cors";
    private static final String FAULT = "fault";
    private static final String LIMIT = "limit";
    private static final String TOKENS = "tokens";
    private static final String ACCESS = "access";
    private static final String BUFFER = "buffer";
    private static final String HEADERS = "headers";
    private static final List<String> FILTERS = List.of(STATE, CORS, FAULT, LIMIT, TOKENS, ACCESS, BUFFER, HEADERS);

    /** Without effect, so that all cases share a listener. */
    static final HttpConnectionManager MANAGER = HttpConnectionManager.newBuilder()
            .addHttpFilters(filter(STATE, Config.getDefaultInstance()))
            .addHttpFilters(filter(CORS, Cors.getDefaultInstance()))
            .addHttpFilters(filter(FAULT, HTTPFault.getDefaultInstance()))
            .addHttpFilters(filter(LIMIT, LocalRateLimit.newBuilder().setStatPrefix("limit").build()))
            .addHttpFilters(filter(TOKENS, tokens()))
            .addHttpFilters(filter(ACCESS, RBAC.getDefaultInstance()))
            .addHttpFilters(filter(BUFFER, Buffer.newBuilder().setMaxRequestBytes(UInt32Value.of(1_000_000)).build()))
            .addHttpFilters(filter(HEADERS, HeaderMutation.getDefaultInstance()))
            .build();

    @Override
    public String name() {
        return "inbound";
    }

    @Override
    public String summary() {
        return "in front of the app: rate limits, faults, RBAC, CORS, tokens, headers, sizes, direct responses";
    }

    @Override
    public int share() {
        return 12;
    }

    private static HttpFilter filter(String name, Message config) {
        return HttpFilter.newBuilder().setName(name).setTypedConfig(Any.pack(config)).build();
    }

    private static JwtAuthentication tokens() {
        JwtRequirement first = JwtRequirement.newBuilder().setProviderName("first").build();
        JwtRequirement second = JwtRequirement.newBuilder().setProviderName("second").build();
        return JwtAuthentication.newBuilder()
                .putProviders("first", JwtProvider.newBuilder()
                        .setIssuer("issuer-1")
                        .addAudiences("a")
                        .setLocalJwks(DataSource.newBuilder().setInlineString(Tokens.KEYS))
                        .build())
                .putProviders("second", JwtProvider.newBuilder()
                        .setIssuer("issuer-2")
                        .setForward(true)
                        .addFromHeaders(JwtHeader.newBuilder().setName("x-token"))
                        .addFromParams("token")
                        .setForwardPayloadHeader("x-payload")
                        .setLocalJwks(DataSource.newBuilder().setInlineString(Tokens.KEYS))
                        .build())
                .putRequirementMap("first", first)
                .putRequirementMap("second", second)
                .putRequirementMap("any", JwtRequirement.newBuilder()
                        .setRequiresAny(JwtRequirementOrList.newBuilder().addRequirements(first).addRequirements(second))
                        .build())
                .putRequirementMap("all", JwtRequirement.newBuilder()
                        .setRequiresAll(JwtRequirementAndList.newBuilder().addRequirements(first).addRequirements(second))
                        .build())
                .putRequirementMap("first-or-none", JwtRequirement.newBuilder()
                        .setRequiresAny(JwtRequirementOrList.newBuilder()
                                .addRequirements(first)
                                .addRequirements(JwtRequirement.newBuilder().setAllowMissing(com.google.protobuf.Empty.getDefaultInstance())))
                        .build())
                .build();
    }

    @Override
    public Case draw(Draw draw) {
        List<String> paths = new ArrayList<>();
        List<String> filters = draw.several(1, 3, () -> draw.oneOf(FILTERS));
        VirtualHost.Builder host = VirtualHost.newBuilder().setName(Case.ID).addDomains(Case.HOST);
        for (int i = draw.between(1, 2); i > 0; i--) {
            Route.Builder route = Route.newBuilder()
                    .setMatch(i == 1 ? RouteMatch.newBuilder().setPrefix("/").build() : Vocabulary.match(draw, paths))
                    .addAllRequestHeadersToAdd(Vocabulary.additions(draw, 20))
                    .addAllRequestHeadersToRemove(Vocabulary.removals(draw, 10))
                    .addAllResponseHeadersToAdd(Vocabulary.additions(draw, 20))
                    .addAllResponseHeadersToRemove(Vocabulary.removals(draw, 10));
            if (draw.chance(30)) {
                route.addRequestHeadersToAdd(told(draw));
            }
            switch (draw.between(0, 9)) {
                case 0 -> route.setDirectResponse(DirectResponseAction.newBuilder()
                        .setStatus(draw.oneOf(200, 403, 503))
                        .setBody(DataSource.newBuilder().setInlineString(draw.oneOf("", "said by the route"))));
                case 1 -> route.setRedirect(RedirectAction.newBuilder().setHostRedirect("elsewhere.test").setPathRedirect(draw.oneOf("", "/b")));
                default -> route.setRoute(RouteAction.newBuilder().setCluster(Clusters.APP));
            }
            for (String name : filters) {
                if (draw.chance(70)) {
                    route.putTypedPerFilterConfig(name, override(draw, name, filters));
                }
            }
            if (filters.contains(LIMIT) && route.hasRoute() && draw.chance(50)) {
                route.getRouteBuilder().addAllRateLimits(draw.several(1, 2, () -> FilterArea.rateLimit(draw)));
            }
            host.addRoutes(route);
        }
        for (String name : filters) {
            if (draw.chance(50)) {
                host.putTypedPerFilterConfig(name, override(draw, name, filters));
            }
        }
        if (filters.contains(LIMIT) && draw.chance(30)) {
            host.addRateLimits(FilterArea.rateLimit(draw));
        }
        List<Request> requests = draw.several(3, 7, () -> request(draw, paths, filters));
        return new Case(
                name(),
                HttpConnectionManager.getDefaultInstance(),
                RouteConfiguration.newBuilder().addVirtualHosts(host).build(),
                List.of(),
                requests,
                Judgement.EXACT,
                Case.Conduct.through(draw.oneOf(Case.Way.IN_JDK_HTTPSERVER, Case.Way.IN_TOMCAT)));
    }

    /** Says what only the mesh knows of a request. */
    private static HeaderValueOption told(Draw draw) {
        return HeaderValueOption.newBuilder()
                .setHeader(HeaderValue.newBuilder().setKey("x-told").setValue(draw.oneOf(
                        "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%",
                        "%DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT%",
                        "%FILTER_STATE(key:PLAIN)%",
                        "%FILTER_STATE(key)%",
                        "%REQ(x-a?x-b)% %PROTOCOL%",
                        "%REQ(:path)%")))
                .build();
    }

    private static Any override(Draw draw, String filter, List<String> filters) {
        return switch (filter) {
            case STATE -> Any.pack(Config.newBuilder().addAllOnRequestHeaders(draw.several(1, 2, () -> state(draw))).build());
            case CORS -> Any.pack(FilterArea.cors(draw));
            case FAULT -> Any.pack(fault(draw, !filters.contains(BUFFER)));
            case LIMIT -> Any.pack(limit(draw));
            case TOKENS -> Any.pack(draw.chance(15)
                    ? PerRouteConfig.newBuilder().setDisabled(true).build()
                    : PerRouteConfig.newBuilder().setRequirementName(draw.oneOf("first", "second", "any", "all", "first-or-none")).build());
            case ACCESS -> AccessArea.rules(draw);
            case BUFFER -> Any.pack(FilterArea.buffer(draw));
            case HEADERS -> Any.pack(HeaderMutationPerRoute.newBuilder().setMutations(FilterArea.mutations(draw)).build());
            default -> throw new IllegalArgumentException(filter);
        };
    }

    private static FilterStateValue state(Draw draw) {
        return FilterStateValue.newBuilder()
                .setObjectKey("key")
                .setFactoryKey(draw.oneOf("envoy.string", "envoy.hashable_string"))
                .setFormatString(SubstitutionFormatString.newBuilder()
                        .setTextFormatSource(DataSource.newBuilder().setInlineString(draw.oneOf("%REQ(x-a)%", "%REQ(x-b)%", "a", "of %REQ(:method)%")))
                        .setOmitEmptyValues(draw.chance(60)))
                .setSkipIfEmpty(draw.chance(50))
                .build();
    }

    /** @param delays not before a buffer: what Envoy takes in meanwhile, it lets pass whatever its size */
    private static HTTPFault fault(Draw draw, boolean delays) {
        HTTPFault.Builder fault = FilterArea.fault(draw).toBuilder();
        if (delays && draw.chance(30)) {
            fault.setDelay(FaultDelay.newBuilder()
                    .setFixedDelay(Durations.fromMillis(draw.between(1, 20)))
                    .setPercentage(FractionalPercent.newBuilder().setNumerator(100)));
        }
        return fault.build();
    }

    private static LocalRateLimit limit(Draw draw) {
        return FilterArea.limit(draw).toBuilder().setRateLimitedAsResourceExhausted(draw.chance(30)).build();
    }

    private static Request request(Draw draw, List<String> paths, List<String> filters) {
        List<String> headers = new ArrayList<>(AccessArea.headers(draw));
        String method = draw.oneOf("GET", "GET", "POST", "PUT", "HEAD");
        if (filters.contains(CORS)) {
            if (draw.chance(80)) {
                headers.add("origin: " + draw.oneOf("http://a.example", "https://b.example", "http://x.test"));
            }
            if (draw.chance(40)) {
                method = "OPTIONS";
                if (draw.chance(80)) {
                    headers.add("access-control-request-method: " + draw.oneOf("GET", "DELETE"));
                }
            }
        }
        if (filters.contains(LIMIT) && draw.chance(60)) {
            headers.add("x-key: " + draw.oneOf("1", "2", "3"));
        }
        if (filters.contains(FAULT) && draw.chance(40)) {
            headers.add("x-envoy-fault-abort-request: " + draw.oneOf("503", "404", "999", "x"));
        }
        if (filters.contains(TOKENS) && draw.chance(70)) {
            headers.add("authorization: Bearer " + (draw.chance(50) ? Tokens.GOOD : draw.oneOf(Tokens.ALL)));
        }
        if (filters.contains(TOKENS) && draw.chance(50)) {
            headers.add("x-token: " + (draw.chance(50) ? Tokens.OF_OTHER_ISSUER : draw.oneOf(Tokens.ALL)));
        }
        if (draw.chance(15)) {
            headers.add("x-forwarded-for: " + draw.oneOf("10.1.2.3", "203.0.113.7, 10.1.2.3", "::1", "nobody"));
        }
        boolean body = method.equals("POST") || method.equals("PUT");
        return new Request(
                Client.JAVA_NET_HTTP, method, Case.HOST, target(draw, paths), headers, body ? draw.oneOf("x", "hello=world", "12345") : "",
                Vocabulary.goodScript(draw));
    }

    /** A server refuses by itself a path that leads out of its root, and the JDK's takes two slashes for the begin of a host. */
    private static String target(Draw draw, List<String> paths) {
        String target = Vocabulary.target(draw, paths);
        return target.contains("..") || target.startsWith("//") ? "/a" : target;
    }
}
