package io.weft.it.comparison;

import com.google.protobuf.Any;
import com.google.protobuf.Message;
import com.google.protobuf.UInt32Value;
import com.google.protobuf.util.Durations;
import io.envoyproxy.envoy.config.common.mutation_rules.v3.HeaderMutation;
import io.envoyproxy.envoy.config.core.v3.RuntimeFractionalPercent;
import io.envoyproxy.envoy.config.core.v3.TypedExtensionConfig;
import io.envoyproxy.envoy.config.route.v3.RateLimit;
import io.envoyproxy.envoy.config.route.v3.Route;
import io.envoyproxy.envoy.config.route.v3.RouteAction;
import io.envoyproxy.envoy.config.route.v3.RouteConfiguration;
import io.envoyproxy.envoy.config.route.v3.RouteMatch;
import io.envoyproxy.envoy.config.route.v3.VirtualHost;
import io.envoyproxy.envoy.config.route.v3.WeightedCluster;
import io.envoyproxy.envoy.extensions.common.ratelimit.v3.LocalRateLimitDescriptor;
import io.envoyproxy.envoy.extensions.common.ratelimit.v3.RateLimitDescriptor;
import io.envoyproxy.envoy.extensions.filters.http.buffer.v3.Buffer;
import io.envoyproxy.envoy.extensions.filters.http.buffer.v3.BufferPerRoute;
import io.envoyproxy.envoy.extensions.filters.http.cors.v3.Cors;
import io.envoyproxy.envoy.extensions.filters.http.cors.v3.CorsPolicy;
import io.envoyproxy.envoy.extensions.filters.http.fault.v3.FaultAbort;
import io.envoyproxy.envoy.extensions.filters.http.fault.v3.HTTPFault;
import io.envoyproxy.envoy.extensions.filters.http.header_mutation.v3.HeaderMutationPerRoute;
import io.envoyproxy.envoy.extensions.filters.http.header_mutation.v3.Mutations;
import io.envoyproxy.envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit;
import io.envoyproxy.envoy.extensions.filters.http.stateful_session.v3.StatefulSession;
import io.envoyproxy.envoy.extensions.filters.http.stateful_session.v3.StatefulSessionPerRoute;
import io.envoyproxy.envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager;
import io.envoyproxy.envoy.extensions.filters.network.http_connection_manager.v3.HttpFilter;
import io.envoyproxy.envoy.extensions.http.stateful_session.cookie.v3.CookieBasedSessionState;
import io.envoyproxy.envoy.extensions.http.stateful_session.header.v3.HeaderBasedSessionState;
import io.envoyproxy.envoy.type.http.v3.Cookie;
import io.envoyproxy.envoy.type.matcher.v3.StringMatcher;
import io.envoyproxy.envoy.type.v3.FractionalPercent;
import io.envoyproxy.envoy.type.v3.HttpStatus;
import io.envoyproxy.envoy.type.v3.StatusCode;
import io.envoyproxy.envoy.type.v3.TokenBucket;
import io.weft.it.comparison.Request.Client;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;

/** The HTTP filters that a listener has, with what weighted clusters, routes and virtual hosts say instead. */
final class FilterArea implements Area {
    private static final int FIRST_ENDPOINT = 7;
    private static final int ENDPOINTS = 3;

    private static final String BUFFER = "buffer";
    private static final String CORS = "cors";
    static final String FAULT = "fault";
    static final String LIMIT = "limit";
    private static final String HEADERS = "headers";
    private static final String SESSION = "session";

    static final LocalRateLimit UNLIMITED = LocalRateLimit.newBuilder().setStatPrefix("limit").build();

    /** Without effect, so that all cases share a listener. */
    static final HttpConnectionManager MANAGER = HttpConnectionManager.newBuilder()
            .addHttpFilters(filter(CORS, Cors.getDefaultInstance()))
            .addHttpFilters(filter(BUFFER, Buffer.newBuilder().setMaxRequestBytes(UInt32Value.of(1_000_000)).build()))
            .addHttpFilters(filter(FAULT, HTTPFault.getDefaultInstance()))
            .addHttpFilters(filter(LIMIT, UNLIMITED))
            .addHttpFilters(filter(HEADERS, io.envoyproxy.envoy.extensions.filters.http.header_mutation.v3.HeaderMutation.getDefaultInstance()))
            .addHttpFilters(filter(SESSION, StatefulSession.getDefaultInstance()))
            .build();

    private final Clusters clusters;

    FilterArea(Clusters clusters) {
        this.clusters = clusters;
    }

    @Override
    public String name() {
        return "filters";
    }

    @Override
    public String summary() {
        return "buffer, local rate limit, fault, header mutation, CORS and stateful session, on three levels";
    }

    @Override
    public int share() {
        return 12;
    }

    private static HttpFilter filter(String name, Message config) {
        return HttpFilter.newBuilder().setName(name).setTypedConfig(Any.pack(config)).build();
    }

    @Override
    public Case draw(Draw draw) {
        List<String> paths = new ArrayList<>();
        VirtualHost.Builder host = VirtualHost.newBuilder().setName(Case.ID).addDomains(Case.HOST + ":" + Case.PORT);
        List<String> filters = new ArrayList<>(draw.several(1, 3, () -> draw.oneOf(BUFFER, CORS, FAULT, LIMIT, HEADERS, SESSION)));
        String cluster = Case.ID + "-filters";
        for (int i = draw.between(1, 2); i > 0; i--) {
            Route.Builder route = Route.newBuilder()
                    .setMatch(i == 1 ? RouteMatch.newBuilder().setPrefix("/").build() : Vocabulary.match(draw, paths))
                    .addAllRequestHeadersToAdd(Vocabulary.additions(draw, 20))
                    .addAllResponseHeadersToAdd(Vocabulary.additions(draw, 20));
            if (filters.contains(SESSION)) {
                route.setRoute(RouteAction.newBuilder().setCluster(cluster));
            } else if (draw.chance(75)) {
                route.setRoute(RouteAction.newBuilder().setCluster(draw.oneOf(Clusters.FIXED)));
            } else {
                WeightedCluster.ClusterWeight.Builder only = WeightedCluster.ClusterWeight.newBuilder()
                        .setName(draw.oneOf(Clusters.FIXED))
                        .setWeight(UInt32Value.of(1));
                String name = draw.oneOf(filters);
                only.putTypedPerFilterConfig(name, Any.pack(override(draw, name)));
                route.setRoute(RouteAction.newBuilder().setWeightedClusters(WeightedCluster.newBuilder().addClusters(only)));
            }
            if (filters.contains(LIMIT) && draw.chance(50)) {
                route.getRouteBuilder().addAllRateLimits(draw.several(1, 2, () -> rateLimit(draw)));
            }
            for (String name : filters) {
                if (draw.chance(65)) {
                    route.putTypedPerFilterConfig(name, Any.pack(override(draw, name)));
                }
            }
            host.addRoutes(route);
        }
        for (String name : filters) {
            // Without a session anywhere the endpoint would be left to chance.
            if (name.equals(SESSION) || draw.chance(50)) {
                host.putTypedPerFilterConfig(name, Any.pack(override(draw, name)));
            }
        }
        if (filters.contains(LIMIT) && draw.chance(30)) {
            host.addRateLimits(rateLimit(draw));
        }
        List<Request> requests = draw.several(3, 7, () -> request(draw, paths, filters));
        return new Case(
                name(),
                MANAGER,
                RouteConfiguration.newBuilder().addVirtualHosts(host).build(),
                filters.contains(SESSION)
                        ? List.of(clusters.of(cluster, FIRST_ENDPOINT, FIRST_ENDPOINT + 1, FIRST_ENDPOINT + 2))
                        : List.of(),
                requests,
                Judgement.EXACT);
    }

    private static Message override(Draw draw, String filter) {
        return switch (filter) {
            case BUFFER -> buffer(draw);
            case CORS -> cors(draw);
            case FAULT -> fault(draw);
            case LIMIT -> limit(draw);
            case HEADERS -> HeaderMutationPerRoute.newBuilder().setMutations(mutations(draw)).build();
            case SESSION -> session(draw);
            default -> throw new IllegalArgumentException(filter);
        };
    }

    static BufferPerRoute buffer(Draw draw) {
        return draw.chance(20)
                ? BufferPerRoute.newBuilder().setDisabled(true).build()
                : BufferPerRoute.newBuilder().setBuffer(Buffer.newBuilder().setMaxRequestBytes(UInt32Value.of(draw.oneOf(1, 4, 5, 10)))).build();
    }

    static CorsPolicy cors(Draw draw) {
        CorsPolicy.Builder cors = CorsPolicy.newBuilder()
                .addAllAllowOriginStringMatch(draw.several(0, 2, () -> draw.oneOf(
                        StringMatcher.newBuilder().setExact("http://a.example").build(),
                        StringMatcher.newBuilder().setSuffix(".example").build(),
                        StringMatcher.newBuilder().setExact("*").build(),
                        StringMatcher.newBuilder().setSafeRegex(Vocabulary.regex("https?://[a-c]\\.example(:\\d+)?")).build())));
        if (draw.chance(60)) {
            cors.setAllowMethods(draw.oneOf("GET", "GET, POST", "*"));
        }
        if (draw.chance(50)) {
            cors.setAllowHeaders(draw.oneOf("x-a", "x-a,x-b", "*"));
        }
        if (draw.chance(50)) {
            cors.setExposeHeaders(draw.oneOf("x-up", "*"));
        }
        if (draw.chance(50)) {
            cors.setMaxAge(draw.oneOf("60", "0"));
        }
        if (draw.chance(40)) {
            cors.setAllowCredentials(com.google.protobuf.BoolValue.of(draw.chance(70)));
        }
        if (draw.chance(30)) {
            cors.setForwardNotMatchingPreflights(com.google.protobuf.BoolValue.of(draw.chance(50)));
        }
        if (draw.chance(20)) {
            cors.setFilterEnabled(fraction(draw));
        }
        return cors.build();
    }

    /** All or nothing. */
    static RuntimeFractionalPercent fraction(Draw draw) {
        return RuntimeFractionalPercent.newBuilder().setDefaultValue(percent(draw)).build();
    }

    static FractionalPercent percent(Draw draw) {
        return FractionalPercent.newBuilder().setNumerator(draw.oneOf(0, 100, 100)).build();
    }

    static HTTPFault fault(Draw draw) {
        HTTPFault.Builder fault = HTTPFault.newBuilder();
        FaultAbort.Builder abort = FaultAbort.newBuilder();
        switch (draw.between(0, 3)) {
            case 0 -> abort.setHeaderAbort(FaultAbort.HeaderAbort.getDefaultInstance());
            case 1 -> abort.setGrpcStatus(draw.oneOf(1, 5, 14));
            default -> abort.setHttpStatus(draw.oneOf(200, 400, 429, 503));
        }
        fault.setAbort(abort.setPercentage(percent(draw)));
        if (draw.chance(30)) {
            fault.addHeaders(Vocabulary.headerMatcher(draw));
        }
        if (draw.chance(15)) {
            fault.setUpstreamCluster(draw.oneOf(Clusters.FIXED));
        }
        return fault.build();
    }

    static LocalRateLimit limit(Draw draw) {
        LocalRateLimit.Builder limit = UNLIMITED.toBuilder()
                .setTokenBucket(TokenBucket.newBuilder()
                        .setMaxTokens(draw.between(1, 3))
                        .setTokensPerFill(UInt32Value.of(1))
                        .setFillInterval(Durations.fromSeconds(600)))
                .setFilterEnabled(fraction(draw))
                .setFilterEnforced(fraction(draw));
        if (draw.chance(30)) {
            limit.setStatus(HttpStatus.newBuilder().setCode(draw.oneOf(StatusCode.ServiceUnavailable, StatusCode.TooManyRequests, StatusCode.OK)));
        }
        if (draw.chance(40)) {
            for (String value : draw.several(1, 2, () -> draw.oneOf("1", "2", "3", ""))) {
                addDescriptor(draw, limit, value);
            }
            if (draw.chance(60)) {
                limit.addAllRateLimits(draw.several(1, 2, () -> rateLimit(draw)));
            }
            limit.setAlwaysConsumeDefaultTokenBucket(com.google.protobuf.BoolValue.of(draw.chance(50)));
            limit.setVhRateLimitsValue(draw.between(0, 2));
        }
        limit.addAllResponseHeadersToAdd(Vocabulary.additions(draw, 40));
        if (draw.chance(30)) {
            limit.addAllRequestHeadersToAddWhenNotEnforced(Vocabulary.additions(draw, 100));
        }
        return limit.build();
    }

    private static void addDescriptor(Draw draw, LocalRateLimit.Builder limit, String value) {
        RateLimitDescriptor.Entry entry = RateLimitDescriptor.Entry.newBuilder().setKey("key").setValue(value).build();
        if (limit.getDescriptorsList().stream().noneMatch(descriptor -> descriptor.getEntries(0).equals(entry))) {
            limit.addDescriptors(LocalRateLimitDescriptor.newBuilder()
                    .addEntries(entry)
                    .setTokenBucket(TokenBucket.newBuilder()
                            .setMaxTokens(draw.between(1, 2))
                            .setTokensPerFill(UInt32Value.of(1))
                            // No two fill equally fast: which of them is asked first would be left open.
                            .setFillInterval(Durations.fromSeconds(600 * (value.isEmpty() ? 4 : Integer.parseInt(value))))));
        }
    }

    static RateLimit rateLimit(Draw draw) {
        RateLimit.Action.Builder action = RateLimit.Action.newBuilder();
        String value = draw.oneOf("1", "2", "3");
        switch (draw.between(0, 5)) {
            case 0 -> action.setGenericKey(RateLimit.Action.GenericKey.newBuilder().setDescriptorKey("key").setDescriptorValue(value));
            case 1 -> action.setQueryParameterValueMatch(RateLimit.Action.QueryParameterValueMatch.newBuilder()
                    .setDescriptorKey("key")
                    .setDescriptorValue(value)
                    .setExpectMatch(com.google.protobuf.BoolValue.of(draw.chance(70)))
                    .addQueryParameters(Vocabulary.queryMatcher(draw)));
            case 2 -> action.setQueryParameters(RateLimit.Action.QueryParameters.newBuilder()
                    .setQueryParameterName(draw.oneOf("q", "r"))
                    .setDescriptorKey("key")
                    .setSkipIfAbsent(draw.chance(30)));
            case 3 -> action.setHeaderValueMatch(RateLimit.Action.HeaderValueMatch.newBuilder()
                    .setDescriptorKey("key")
                    .setDescriptorValue(value)
                    .setExpectMatch(com.google.protobuf.BoolValue.of(draw.chance(70)))
                    .addHeaders(Vocabulary.headerMatcher(draw)));
            default -> action.setRequestHeaders(RateLimit.Action.RequestHeaders.newBuilder()
                    .setHeaderName("x-key")
                    .setDescriptorKey("key")
                    .setSkipIfAbsent(draw.chance(30)));
        }
        return RateLimit.newBuilder().addActions(action).build();
    }

    static Mutations mutations(Draw draw) {
        return Mutations.newBuilder()
                .addAllRequestMutations(draw.several(0, 3, () -> mutation(draw)))
                .addAllResponseMutations(draw.several(0, 3, () -> mutation(draw)))
                .build();
    }

    private static HeaderMutation mutation(Draw draw) {
        return draw.chance(30)
                ? HeaderMutation.newBuilder().setRemove(draw.chance(80) ? Vocabulary.headerName(draw) : "x-up").build()
                : HeaderMutation.newBuilder().setAppend(Vocabulary.addition(draw)).build();
    }

    private static StatefulSessionPerRoute session(Draw draw) {
        boolean header = draw.chance(50);
        Message state = header
                ? HeaderBasedSessionState.newBuilder().setName("x-session").build()
                : CookieBasedSessionState.newBuilder()
                        .setCookie(Cookie.newBuilder().setName("to").setPath(draw.oneOf("", "/")))
                        .build();
        return StatefulSessionPerRoute.newBuilder()
                .setStatefulSession(StatefulSession.newBuilder()
                        .setStrict(draw.chance(30))
                        .setSessionState(TypedExtensionConfig.newBuilder()
                                .setName("envoy.http.stateful_session." + (header ? "header" : "cookie"))
                                .setTypedConfig(Any.pack(state))))
                .build();
    }

    private static String base64(String text) {
        return Base64.getEncoder().encodeToString(text.getBytes(StandardCharsets.US_ASCII));
    }

    private Request request(Draw draw, List<String> paths, List<String> filters) {
        List<String> headers = Vocabulary.headers(draw);
        String method = draw.oneOf("GET", "GET", "POST", "PUT");
        Client client = Client.draw(draw);
        if (filters.contains(BUFFER)) {
            // HttpURLConnection connects before it knows how long a body is.
            client = Client.drawKnowing(draw);
        }
        if (filters.contains(CORS)) {
            // HttpURLConnection sends none of these headers for an app.
            client = Client.drawKnowing(draw);
            if (draw.chance(80)) {
                headers.add("origin: " + draw.oneOf("http://a.example", "https://b.example:81", "http://evil.test", "null"));
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
        if (filters.contains(FAULT) && draw.chance(20)) {
            headers.add("x-envoy-fault-abort-request-percentage: " + draw.oneOf("0", "100"));
        }
        if (filters.contains(SESSION)) {
            // Always one of both, or the endpoint would be left to chance.
            String address = clusters.address(FIRST_ENDPOINT + draw.between(0, ENDPOINTS - 1)).toString().replaceFirst("^.*/", "");
            headers.add("x-session: " + base64(address));
            // A message whose first field is the address.
            headers.add("cookie: " + draw.oneOf("", "a=b; ") + "to=" + base64("\n" + (char) address.length() + address));
        }
        boolean body = method.equals("POST") || method.equals("PUT");
        return new Request(
                client, method, Case.HOST, Vocabulary.target(draw, paths), headers, body ? draw.oneOf("x", "hello=world", "12345") : "",
                Vocabulary.goodScript(draw));
    }
}
