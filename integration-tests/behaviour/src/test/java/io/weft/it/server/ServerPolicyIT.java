package io.weft.it.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.google.protobuf.Any;
import com.google.protobuf.BoolValue;
import com.google.protobuf.Message;
import com.google.protobuf.UInt32Value;
import com.google.protobuf.util.Durations;
import io.envoyproxy.envoy.config.common.mutation_rules.v3.HeaderMutation;
import io.envoyproxy.envoy.config.core.v3.Address;
import io.envoyproxy.envoy.config.core.v3.HeaderValue;
import io.envoyproxy.envoy.config.core.v3.HeaderValueOption;
import io.envoyproxy.envoy.config.core.v3.HeaderValueOption.HeaderAppendAction;
import io.envoyproxy.envoy.config.core.v3.RuntimeFractionalPercent;
import io.envoyproxy.envoy.config.core.v3.SocketAddress;
import io.envoyproxy.envoy.config.core.v3.TrafficDirection;
import io.envoyproxy.envoy.config.listener.v3.Filter;
import io.envoyproxy.envoy.config.listener.v3.FilterChain;
import io.envoyproxy.envoy.config.listener.v3.Listener;
import io.envoyproxy.envoy.config.rbac.v3.Permission;
import io.envoyproxy.envoy.config.rbac.v3.Principal;
import io.envoyproxy.envoy.config.route.v3.DirectResponseAction;
import io.envoyproxy.envoy.config.route.v3.Route;
import io.envoyproxy.envoy.config.route.v3.RouteAction;
import io.envoyproxy.envoy.config.route.v3.RouteConfiguration;
import io.envoyproxy.envoy.config.route.v3.RouteMatch;
import io.envoyproxy.envoy.config.route.v3.VirtualHost;
import io.envoyproxy.envoy.extensions.filters.common.fault.v3.FaultDelay;
import io.envoyproxy.envoy.extensions.filters.common.fault.v3.FaultRateLimit;
import io.envoyproxy.envoy.extensions.filters.http.buffer.v3.Buffer;
import io.envoyproxy.envoy.extensions.filters.http.cors.v3.Cors;
import io.envoyproxy.envoy.extensions.filters.http.cors.v3.CorsPolicy;
import io.envoyproxy.envoy.extensions.filters.http.fault.v3.FaultAbort;
import io.envoyproxy.envoy.extensions.filters.http.fault.v3.HTTPFault;
import io.envoyproxy.envoy.extensions.filters.http.header_mutation.v3.Mutations;
import io.envoyproxy.envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit;
import io.envoyproxy.envoy.extensions.filters.http.rbac.v3.RBAC;
import io.envoyproxy.envoy.extensions.filters.http.router.v3.Router;
import io.envoyproxy.envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager;
import io.envoyproxy.envoy.extensions.filters.network.http_connection_manager.v3.HttpFilter;
import io.envoyproxy.envoy.type.matcher.v3.PathMatcher;
import io.envoyproxy.envoy.type.matcher.v3.StringMatcher;
import io.envoyproxy.envoy.type.v3.FractionalPercent;
import io.envoyproxy.envoy.type.v3.HttpStatus;
import io.envoyproxy.envoy.type.v3.StatusCode;
import io.envoyproxy.envoy.type.v3.TokenBucket;
import io.weft.it.harness.Jdk;
import io.weft.it.harness.Policy;
import io.weft.it.harness.PolicyServer;
import io.weft.it.harness.Testbed;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpClient.Version;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInfo;
import org.junit.jupiter.params.AfterParameterizedClassInvocation;
import org.junit.jupiter.params.BeforeParameterizedClassInvocation;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.ArgumentsSource;

/** What an inbound listener's policy does in front of every server: each path is a route with one filter of its own. */
@ParameterizedClass(name = "{arguments}")
@ArgumentsSource(Server.Matrix.class)
class ServerPolicyIT {
    /** What every node of a mesh is sent, too. */
    private static final Policy OTHER = Policy.empty().service("other", new InetSocketAddress("127.0.0.1", 1));

    private static final FractionalPercent ALL = FractionalPercent.newBuilder().setNumerator(100).build();
    private static final RuntimeFractionalPercent ALWAYS = RuntimeFractionalPercent.newBuilder().setDefaultValue(ALL).build();
    private static final HttpClient HTTP_1 = HttpClient.newBuilder().version(Version.HTTP_1_1).build();
    private static final HttpClient HTTP_2 = HttpClient.newBuilder().version(Version.HTTP_2).build();

    @Parameter(0)
    Jdk jdk;

    @Parameter(1)
    Server server;

    private static Testbed testbed;
    private static int port;

    @BeforeParameterizedClassInvocation
    static void start(Jdk jdk, Server server) {
        testbed = new Testbed();
        PolicyServer policies = testbed.policyServer();
        policies.serve(OTHER);
        port = server.start(testbed.jvm(server.toString(), jdk).mesh(policies.uri(), "orders").unguarded(), "app").awaitPort();
        policies.serve(OTHER.listener(inbound(port)));
        await().atMost(Duration.ofSeconds(60)).until(() -> get("/direct").statusCode() == 418);
        assertThat(policies.refusals()).isEmpty();
    }

    @AfterParameterizedClassInvocation
    static void stop() throws Exception {
        testbed.close();
    }

    @BeforeEach
    void isExpectedOfTheServer(TestInfo test) {
        Trait.assume(test, server);
    }

    @Test
    void aRouteAnswersAndTheRestGoesToTheApp() throws Exception {
        assertThat(get("/direct").body()).isEqualTo("tea");
        assertThat(get("/nobody").statusCode()).isEqualTo(404);
        HttpResponse<String> served = get("/plain");
        assertThat(served.statusCode()).isEqualTo(200);
        assertThat(served.body()).isEqualTo("app");
    }

    @Test
    void headersAreChangedForTheAppAndForTheCaller() throws Exception {
        HttpResponse<String> response = get("/headers/header/x-in", "x-in", "caller");
        assertThat(response.body()).isEqualTo("policy");
        assertThat(response.headers().allValues("x-out")).containsExactly("route", "filter");
    }

    @Test
    void aForbiddenPathIsRefusedBeforeTheAppHearsOfIt() throws Exception {
        int before = Integer.parseInt(get("/count").body());
        for (int i = 0; i < 3; i++) {
            HttpResponse<String> refused = get("/forbidden/count");
            assertThat(refused.statusCode()).isEqualTo(403);
            assertThat(refused.body()).isEqualTo("RBAC: access denied");
        }
        assertThat(get("/count").body()).isEqualTo(Integer.toString(before + 1));
    }

    @Test
    void aLimitIsKept() throws Exception {
        List<Integer> statuses = new ArrayList<>();
        for (int i = 0; i < 5; i++) {
            statuses.add(get("/limited").statusCode());
        }
        assertThat(statuses).containsExactly(200, 200, 423, 423, 423);
        assertThat(get("/limited").headers().firstValue("x-limited")).hasValue("true");
    }

    @Test
    void aFaultAborts() throws Exception {
        HttpResponse<String> aborted = get("/aborted");
        assertThat(aborted.statusCode()).isEqualTo(503);
        assertThat(aborted.body()).isEqualTo("fault filter abort");
    }

    /** More at once than Tomcat has threads. */
    @Test
    void aDelayHoldsNoThread() throws Exception {
        long start = System.nanoTime();
        List<CompletableFuture<HttpResponse<String>>> delayed = new ArrayList<>();
        for (int i = 0; i < 250; i++) {
            delayed.add(HTTP_1.sendAsync(request("/delayed").build(), BodyHandlers.ofString()));
        }
        assertThat(get("/plain").statusCode()).isEqualTo(200);
        for (CompletableFuture<HttpResponse<String>> response : delayed) {
            assertThat(response.get().body()).isEqualTo("app");
        }
        assertThat(Duration.ofNanos(System.nanoTime() - start)).isBetween(Duration.ofSeconds(1), Duration.ofSeconds(20));
    }

    @Test
    void aResponseIsSlowedDown() throws Exception {
        long start = System.nanoTime();
        assertThat(get("/slowed/bytes/4096").body()).hasSize(4096);
        assertThat(Duration.ofNanos(System.nanoTime() - start)).isGreaterThan(Duration.ofMillis(300));
    }

    @Test
    void aBodyIsLimitedWhetherItsLengthIsSaidOrNot() throws Exception {
        HttpRequest.Builder small = request("/small/length").POST(BodyPublishers.ofString("12345678"));
        assertThat(HTTP_1.send(small.build(), BodyHandlers.ofString()).body()).isEqualTo("8");
        HttpRequest.Builder said = request("/small/length").POST(BodyPublishers.ofString("123456789"));
        assertThat(HTTP_1.send(said.build(), BodyHandlers.ofString()).statusCode()).isEqualTo(413);
        byte[] chunk = new byte[9];
        HttpRequest.Builder chunked = request("/small/length").POST(BodyPublishers.ofInputStream(() -> new ByteArrayInputStream(chunk)));
        assertThat(HTTP_1.send(chunked.build(), BodyHandlers.ofString()).statusCode()).isEqualTo(413);
    }

    @Test
    void aPreflightIsAnsweredAndAResponseMayBeRead() throws Exception {
        HttpRequest preflight = request("/cors")
                .method("OPTIONS", BodyPublishers.noBody())
                .header("Origin", "https://shop.example")
                .header("Access-Control-Request-Method", "PUT")
                .build();
        HttpResponse<String> answer = HTTP_1.send(preflight, BodyHandlers.ofString());
        assertThat(answer.headers().firstValue("access-control-allow-methods")).hasValue("GET,PUT");
        assertThat(get("/cors", "Origin", "https://shop.example").headers().firstValue("access-control-allow-origin"))
                .hasValue("https://shop.example");
    }

    @Test
    @Takes(Trait.SPEAKS_HTTP_2)
    void faultsAndHeadersAreTheSameOverHttp2() throws Exception {
        assertThat(HTTP_2.send(request("/direct").build(), BodyHandlers.ofString()).statusCode()).isEqualTo(418);
        if (server.answersUpgradesUnseen()) {
            assertThat(HTTP_2.send(request("/plain").build(), BodyHandlers.ofString()).body()).isEqualTo("app");
        }
        HttpResponse<String> changed = HTTP_2.send(request("/headers/header/x-in").build(), BodyHandlers.ofString());
        assertThat(changed.version()).isEqualTo(Version.HTTP_2);
        assertThat(changed.body()).isEqualTo("policy");
        // Over HTTP/2 Helidon makes one header of several of a name, or sends one of them.
        assertThat(String.join(", ", changed.headers().allValues("x-out"))).isEqualTo("route, filter");
        assertThat(HTTP_2.send(request("/delayed").build(), BodyHandlers.ofString()).body()).isEqualTo("app");
        assertThat(HTTP_2.send(request("/aborted").build(), BodyHandlers.ofString()).statusCode()).isEqualTo(503);
        assertThat(HTTP_2.send(request("/forbidden/a").build(), BodyHandlers.ofString()).statusCode()).isEqualTo(403);
    }

    @Test
    void asynchronousAnswersAndFilesAreChangedToo() throws Exception {
        HttpResponse<String> async = get("/async/50");
        assertThat(async.body()).isEqualTo("app");
        assertThat(async.headers().firstValue("x-out")).hasValue("route");
    }

    private static HttpRequest.Builder request(String path) {
        return HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + path)).timeout(Duration.ofSeconds(30));
    }

    private static HttpResponse<String> get(String path, String... headers) throws IOException, InterruptedException {
        HttpRequest.Builder request = request(path);
        if (headers.length > 0) {
            request.headers(headers);
        }
        return HTTP_1.send(request.build(), BodyHandlers.ofString());
    }

    private static Listener inbound(int port) {
        RouteConfiguration routes = RouteConfiguration.newBuilder()
                .setName("inbound")
                .addVirtualHosts(VirtualHost.newBuilder()
                        .setName("inbound")
                        .addDomains("*")
                        .addRoutes(Route.newBuilder()
                                .setMatch(RouteMatch.newBuilder().setPath("/direct"))
                                .setDirectResponse(DirectResponseAction.newBuilder()
                                        .setStatus(418)
                                        .setBody(io.envoyproxy.envoy.config.core.v3.DataSource.newBuilder().setInlineString("tea"))))
                        .addRoutes(to("/plain"))
                        .addRoutes(to("/count"))
                        .addRoutes(to("/forbidden"))
                        .addRoutes(to("/async/")
                                .addResponseHeadersToAdd(header("x-out", "route", HeaderAppendAction.APPEND_IF_EXISTS_OR_ADD)))
                        .addRoutes(to("/headers/")
                                .addRequestHeadersToAdd(header("x-in", "policy", HeaderAppendAction.OVERWRITE_IF_EXISTS_OR_ADD))
                                .addResponseHeadersToAdd(header("x-out", "route", HeaderAppendAction.APPEND_IF_EXISTS_OR_ADD))
                                .putTypedPerFilterConfig("mutation", Any.pack(io.envoyproxy.envoy.extensions.filters.http.header_mutation.v3.HeaderMutationPerRoute.newBuilder()
                                        .setMutations(Mutations.newBuilder().addResponseMutations(HeaderMutation.newBuilder()
                                                .setAppend(header("x-out", "filter", HeaderAppendAction.APPEND_IF_EXISTS_OR_ADD))))
                                        .build())))
                        .addRoutes(to("/limited").putTypedPerFilterConfig("limit", Any.pack(LocalRateLimit.newBuilder()
                                .setStatPrefix("limited")
                                .setTokenBucket(TokenBucket.newBuilder()
                                        .setMaxTokens(2)
                                        .setFillInterval(Durations.fromHours(1)))
                                .setFilterEnabled(ALWAYS)
                                .setFilterEnforced(ALWAYS)
                                .setStatus(HttpStatus.newBuilder().setCode(StatusCode.Locked))
                                .addResponseHeadersToAdd(header("x-limited", "true", HeaderAppendAction.OVERWRITE_IF_EXISTS_OR_ADD))
                                .build())))
                        .addRoutes(to("/aborted").putTypedPerFilterConfig("fault", Any.pack(HTTPFault.newBuilder()
                                .setAbort(FaultAbort.newBuilder().setHttpStatus(503).setPercentage(ALL))
                                .build())))
                        .addRoutes(to("/delayed").putTypedPerFilterConfig("fault", Any.pack(HTTPFault.newBuilder()
                                .setDelay(FaultDelay.newBuilder().setFixedDelay(Durations.fromSeconds(1)).setPercentage(ALL))
                                .build())))
                        .addRoutes(to("/slowed/").putTypedPerFilterConfig("fault", Any.pack(HTTPFault.newBuilder()
                                .setResponseRateLimit(FaultRateLimit.newBuilder()
                                        .setFixedLimit(FaultRateLimit.FixedLimit.newBuilder().setLimitKbps(8))
                                        .setPercentage(ALL))
                                .build())))
                        .addRoutes(to("/small").putTypedPerFilterConfig("buffer", Any.pack(
                                io.envoyproxy.envoy.extensions.filters.http.buffer.v3.BufferPerRoute.newBuilder()
                                        .setBuffer(Buffer.newBuilder().setMaxRequestBytes(UInt32Value.of(8)))
                                        .build())))
                        .addRoutes(to("/cors").putTypedPerFilterConfig("cors", Any.pack(CorsPolicy.newBuilder()
                                .addAllowOriginStringMatch(StringMatcher.newBuilder().setExact("https://shop.example"))
                                .setAllowMethods("GET,PUT")
                                .setAllowCredentials(BoolValue.of(true))
                                .build()))))
                .build();
        HttpConnectionManager manager = HttpConnectionManager.newBuilder()
                .setStatPrefix("inbound")
                .setRouteConfig(routes)
                .addHttpFilters(filter("access", RBAC.newBuilder().setRules(forbidding("/forbidden")).build()))
                .addHttpFilters(filter("cors", Cors.getDefaultInstance()))
                .addHttpFilters(filter("limit", LocalRateLimit.newBuilder().setStatPrefix("none").build()))
                .addHttpFilters(filter("fault", HTTPFault.getDefaultInstance()))
                .addHttpFilters(filter("mutation", io.envoyproxy.envoy.extensions.filters.http.header_mutation.v3.HeaderMutation.getDefaultInstance()))
                .addHttpFilters(filter("buffer", Buffer.newBuilder().setMaxRequestBytes(UInt32Value.of(1 << 30)).build()).toBuilder().setDisabled(true))
                .addHttpFilters(filter("envoy.filters.http.router", Router.getDefaultInstance()))
                .build();
        return Listener.newBuilder()
                .setName("inbound:" + port)
                .setTrafficDirection(TrafficDirection.INBOUND)
                .setAddress(Address.newBuilder().setSocketAddress(
                        SocketAddress.newBuilder().setAddress("127.0.0.1").setPortValue(port)))
                .addFilterChains(FilterChain.newBuilder().addFilters(Filter.newBuilder()
                        .setName("envoy.filters.network.http_connection_manager")
                        .setTypedConfig(Any.pack(manager))))
                .build();
    }

    private static io.envoyproxy.envoy.config.rbac.v3.RBAC forbidding(String prefix) {
        return io.envoyproxy.envoy.config.rbac.v3.RBAC.newBuilder()
                .setAction(io.envoyproxy.envoy.config.rbac.v3.RBAC.Action.DENY)
                .putPolicies("forbidden", io.envoyproxy.envoy.config.rbac.v3.Policy.newBuilder()
                        .addPermissions(Permission.newBuilder().setUrlPath(
                                PathMatcher.newBuilder().setPath(StringMatcher.newBuilder().setPrefix(prefix))))
                        .addPrincipals(Principal.newBuilder().setAny(true))
                        .build())
                .build();
    }

    private static Route.Builder to(String prefix) {
        return Route.newBuilder()
                .setMatch(RouteMatch.newBuilder().setPrefix(prefix))
                .setRoute(RouteAction.newBuilder().setCluster("app"));
    }

    private static HttpFilter filter(String name, Message config) {
        return HttpFilter.newBuilder().setName(name).setTypedConfig(Any.pack(config)).build();
    }

    private static HeaderValueOption header(String name, String value, HeaderAppendAction action) {
        return HeaderValueOption.newBuilder()
                .setHeader(HeaderValue.newBuilder().setKey(name).setValue(value))
                .setAppendAction(action)
                .build();
    }
}
