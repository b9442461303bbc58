package io.weft.dataplane;

import static io.weft.dataplane.Policies.addition;
import static io.weft.dataplane.Policies.any;
import static io.weft.dataplane.Policies.forward;
import static io.weft.dataplane.Policies.host;
import static io.weft.dataplane.Policies.match;
import static io.weft.dataplane.Policies.route;
import static io.weft.dataplane.Policies.snapshot;
import static io.weft.dataplane.Policies.to;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.weft.policy.model.FilterOverrides;
import io.weft.policy.model.Format;
import io.weft.policy.model.FormatOperator;
import io.weft.policy.model.HeaderChanges;
import io.weft.policy.model.HeaderChanges.Action;
import io.weft.policy.model.HostPort;
import io.weft.policy.model.Listener.Kind;
import io.weft.policy.model.Resending;
import io.weft.policy.model.Route;
import io.weft.policy.model.RouteAction;
import io.weft.policy.model.RouteAction.ClusterChoice;
import io.weft.policy.model.RouteAction.DirectResponse;
import io.weft.policy.model.RouteAction.HostLiteral;
import io.weft.policy.model.RouteAction.PathRewrite;
import io.weft.policy.model.RouteAction.Redirect;
import io.weft.policy.model.RouteAction.ReplaceMatched;
import io.weft.policy.model.RouteAction.ReplaceRegex;
import io.weft.policy.model.RouteAction.Rewrite;
import io.weft.policy.model.RouteAction.WeightedCluster;
import io.weft.policy.model.RouteConfiguration;
import io.weft.policy.model.RouteMatch;
import io.weft.policy.model.RouteMatch.Exact;
import io.weft.policy.model.RouteMatch.PathMatch;
import io.weft.policy.model.RouteMatch.Prefix;
import io.weft.policy.model.RouteMatch.Regex;
import io.weft.policy.model.RouteMatch.SeparatedPrefix;
import io.weft.policy.model.RoutingPriority;
import io.weft.policy.model.VirtualHost;
import io.weft.policy.model.VirtualHost.AttemptCount;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RouteActionTest {

    private static Fixture mesh(Route... routes) {
        return Fixture.with(snapshot().routes(host("orders", routes)).cluster("orders", 1001));
    }

    @Test
    void trafficIsSplitByWeight() {
        Fixture mesh = Fixture.with(snapshot()
                .routes(host(
                        "orders",
                        route(
                                any(),
                                forward(
                                        WeightedCluster.of("v1", 9),
                                        WeightedCluster.of("none", 0),
                                        WeightedCluster.of("v2", 1)))))
                .cluster("v1", 1)
                .cluster("none", 2)
                .cluster("v2", 3));

        Map<Integer, Integer> spread = mesh.spread("orders", 20_000);
        assertThat(spread).containsOnlyKeys(1, 3);
        assertThat(spread.get(3)).isCloseTo(2_000, within(130));
    }

    @Test
    void largeWeightsSplitAsExactly() {
        Fixture mesh = Fixture.with(snapshot()
                .routes(host(
                        "orders",
                        route(
                                any(),
                                forward(
                                        WeightedCluster.of("v1", Integer.MAX_VALUE),
                                        WeightedCluster.of("v2", Integer.MAX_VALUE)))))
                .cluster("v1", 1)
                .cluster("v2", 2));

        assertThat(mesh.spread("orders", 10_000).get(2)).isCloseTo(5_000, within(200));
    }

    @Test
    void aRequestWithoutARouteIsNotFound() {
        LocalReply reply = mesh(route(match(new Prefix("/a")), forward("orders"))).reply(Request.get("orders", "/b"));

        assertThat(reply.status()).isEqualTo(404);
        assertThat(reply.body()).isEmpty();
    }

    @Test
    void anUnknownClusterIsUnavailable() {
        assertThat(mesh(to("elsewhere")).reply(Request.get("orders", "/")).status()).isEqualTo(503);
    }

    @Test
    void aDirectResponseIsPlainText() {
        LocalReply reply = mesh(route(any(), new DirectResponse(418, "short and stout"))).reply(Request.get("orders", "/"));

        assertThat(reply.status()).isEqualTo(418);
        assertThat(new String(reply.body(), StandardCharsets.UTF_8)).isEqualTo("short and stout");
        assertThat(reply.headers())
                .containsExactly(Map.entry("content-length", "15"), Map.entry("content-type", "text/plain"));
    }

    @Test
    void repliesHaveTheResponseHeadersOfTheirRoute() {
        HeaderChanges changes = new HeaderChanges(
                List.of(),
                List.of(),
                List.of(
                        addition("x-by", "mesh", Action.APPEND_IF_EXISTS_OR_ADD),
                        addition("location", "/fixed", Action.OVERWRITE_IF_EXISTS),
                        addition("x-absent", "no", Action.OVERWRITE_IF_EXISTS),
                        addition("x-by", "other", Action.ADD_IF_ABSENT)),
                List.of("content-type"));
        Fixture mesh = mesh(
                new Route("", match(new Exact("/direct")), new DirectResponse(200, "x"), changes, FilterOverrides.NONE),
                new Route("", any(), redirectTo().build(), changes, FilterOverrides.NONE));

        Request direct = Request.get("orders", "/direct");
        assertThat(mesh.reply(direct).headers())
                .as("all conditions look at what was there before, and a body has a type")
                .containsExactlyInAnyOrder(
                        Map.entry("content-length", "1"),
                        Map.entry("content-type", "text/plain"),
                        Map.entry("x-by", "mesh"),
                        Map.entry("x-by", "other"));
        assertThat(direct.responseChanges()).isEqualTo(ResponseChanges.NONE);
        assertThat(mesh.reply(Request.get("orders", "/")).headers())
                .containsExactlyInAnyOrder(
                        Map.entry("location", "/fixed"), Map.entry("x-by", "mesh"), Map.entry("x-by", "other"));
    }

    @Test
    void aReplyThatIsBeingMadeHasItsStatusAndNoAttempt() {
        Format format = new Format(List.of(
                new Format.Command(FormatOperator.RESP, List.of(":status"), Integer.MAX_VALUE),
                new Format.Text(" after "),
                new Format.Command(FormatOperator.UPSTREAM_REQUEST_ATTEMPT_COUNT, List.of(), Integer.MAX_VALUE)));
        HeaderChanges changes = new HeaderChanges(
                List.of(), List.of(), List.of(new HeaderChanges.Addition("x-was", format, Action.APPEND_IF_EXISTS_OR_ADD, false)), List.of());
        Fixture mesh = mesh(new Route("", any(), redirectTo().build(), changes, FilterOverrides.NONE));

        assertThat(mesh.reply(Request.get("orders", "/")).header("x-was")).isEqualTo("308 after 0");
    }

    @Test
    void theHeadersOfARedirectAreMadeOfTheNewPath() {
        Format format = new Format(List.of(
                new Format.Command(FormatOperator.REQ, List.of(":path"), Integer.MAX_VALUE),
                new Format.Text(" of "),
                new Format.Command(FormatOperator.PATH, List.of(), Integer.MAX_VALUE)));
        HeaderChanges changes = new HeaderChanges(
                List.of(), List.of(), List.of(new HeaderChanges.Addition("x-to", format, Action.APPEND_IF_EXISTS_OR_ADD, false)), List.of());
        RouteAction moved = new Redirect(
                Optional.empty(), Optional.empty(), 0, Optional.empty(), Optional.of(new ReplaceRegex("^/old(/.*)?$", "\\1")), false, 308);
        Fixture mesh = mesh(new Route("", any(), moved, changes, FilterOverrides.NONE));

        LocalReply reply = mesh.reply(Request.get("orders", "/old/a?b"));
        assertThat(reply.header("location")).isEqualTo("http://orders/a?b");
        assertThat(reply.header("x-to")).isEqualTo("/a?b of /old/a?b");
        assertThat(mesh.reply(Request.get("orders", "/old?b")).header("location")).as("nothing is left").isEqualTo("http://orders/old?b");
    }

    private static final class RedirectBuilder {
        Optional<String> scheme = Optional.empty();
        Optional<String> host = Optional.empty();
        int port;
        Optional<String> path = Optional.empty();
        Optional<String> prefix = Optional.empty();
        boolean stripQuery;

        RouteAction build() {
            return new Redirect(scheme, host, port, path, prefix.map(ReplaceMatched::new), stripQuery, 308);
        }
    }

    private static RedirectBuilder redirectTo() {
        return new RedirectBuilder();
    }

    @ParameterizedTest
    @CsvSource(nullValues = "-", value = {
        // authority        path          scheme host   port path      prefix strip  location
        "orders:80,         /api/x?y=1,   https, -,     0,   -,        -,     false, https://orders/api/x?y=1",
        "orders:8080,       /api/x,       https, -,     0,   -,        -,     false, https://orders:8080/api/x",
        "orders:80,         /api/x,       -,     -,     0,   -,        -,     false, http://orders:80/api/x",
        "orders,            /api/x,       -,     -,     8443,-,        -,     false, http://orders:8443/api/x",
        "orders:80,         /api/x,       https, -,     8443,-,        -,     false, https://orders:8443/api/x",
        "[::1]:80,          /api/x,       https, -,     0,   -,        -,     false, https://[::1]/api/x",
        "orders:80,         /api/x,       -,     other, 0,   -,        -,     false, http://other/api/x",
        "orders,            /api/x?y=1,   -,     -,     0,   /new,     -,     false, http://orders/new?y=1",
        "orders,            /api/x?y=1,   -,     -,     0,   /new,     -,     true,  http://orders/new",
        "orders,            /api/x?y=1,   -,     -,     0,   /new?z=2, -,     true,  http://orders/new?z=2",
        "orders,            /api/x,       -,     -,     0,   new,      -,     false, http://orders/new",
        "orders,            /api/x?y=1,   -,     -,     0,   -,        /v2,   false, http://orders/v2/x?y=1",
        "orders,            /api/x?y=1,   -,     -,     0,   -,        -,     true,  http://orders/api/x",
    })
    void redirectsPointWhereEnvoysDo(
            String authority, String path, String scheme, String host, int port, String newPath, String prefix, boolean strip,
            String location) {
        RedirectBuilder redirect = redirectTo();
        redirect.scheme = Optional.ofNullable(scheme);
        redirect.host = Optional.ofNullable(host);
        redirect.port = port;
        redirect.path = Optional.ofNullable(newPath);
        redirect.prefix = Optional.ofNullable(prefix);
        redirect.stripQuery = strip;
        Route route = route(match(new Prefix("/api")), redirect.build());
        Fixture mesh = Fixture.with(snapshot()
                .listener("80", Kind.OUTBOUND, new HostPort("0.0.0.0", 80), Policies.routes(host("*", route)))
                .listener("8080", Kind.OUTBOUND, new HostPort("0.0.0.0", 8080), Policies.routes(host("*", route))));

        LocalReply reply = mesh.reply(Request.get(authority, path));

        assertThat(reply.status()).isEqualTo(308);
        assertThat(reply.headers()).containsExactly(Map.entry("location", location));
        assertThat(reply.body()).isEmpty();
    }

    private static Fixture rewriting(PathMatch path, PathRewrite rewrite) {
        return mesh(route(
                new RouteMatch(path, false, List.of(), List.of(), Optional.empty(), false),
                new RouteAction.Forward(
                        ClusterChoice.of(WeightedCluster.of("orders", 1)),
                        new Rewrite(Optional.of(rewrite), Optional.empty(), false),
                        Resending.NONE,
                        RouteAction.Timeouts.NONE, List.of(), Map.of(), RoutingPriority.DEFAULT)));
    }

    private static String rewritten(PathMatch path, PathRewrite rewrite, String target) {
        return rewriting(path, rewrite).dialled(Request.get("orders", target)).requestChanges().path();
    }

    @Test
    void theMatchedPartOfThePathIsReplaced() {
        assertThat(rewritten(new Prefix("/api"), new ReplaceMatched("/v2"), "/api/x?y=/api")).isEqualTo("/v2/x?y=/api");
        assertThat(rewritten(new Prefix("/Api"), new ReplaceMatched("/"), "/apis")).isEqualTo("/s");
        assertThat(rewritten(new SeparatedPrefix("/api"), new ReplaceMatched("/v2"), "/api?y")).isEqualTo("/v2?y");
        assertThat(rewritten(new Exact("/api"), new ReplaceMatched("/v2"), "/api?y=1")).isEqualTo("/v2?y=1");
        assertThat(rewritten(new Regex("/a.*"), new ReplaceMatched("/v2"), "/api/x?y=1")).isEqualTo("/v2?y=1");
    }

    @Test
    void aRegularExpressionReplacesInThePathOnly() {
        PathRewrite swap = new ReplaceRegex("/(\\w+)/(\\w+)", "/\\2/\\1$1\\\\");
        assertThat(rewritten(new Prefix("/"), swap, "/a/b/c/d?q=/e/f")).isEqualTo("/b/a$1\\/d/c$1\\?q=/e/f");
        assertThat(rewritten(new Prefix("/"), new ReplaceRegex("x", "y"), "/a")).isEqualTo("/a");
        assertThat(rewritten(new Prefix("/"), new ReplaceRegex("(a)|(b)", "[\\0\\2]"), "/ab")).isEqualTo("/[a][bb]");
        // not a second time for the empty match behind the first
        assertThat(rewritten(new Prefix("/"), new ReplaceRegex(".*", "/n\\0"), "/a")).isEqualTo("/n/a");
    }

    @Test
    void theHostIsRewritten() {
        Fixture mesh = mesh(route(
                any(),
                new RouteAction.Forward(
                        ClusterChoice.of(WeightedCluster.of("orders", 1)),
                        new Rewrite(Optional.empty(), Optional.of(new HostLiteral("internal")), false),
                        Resending.NONE,
                        RouteAction.Timeouts.NONE, List.of(), Map.of(), RoutingPriority.DEFAULT)));
        Request first = mesh.dialled(Request.get("orders", "/"));

        assertThat(first.requestChanges()).isEqualTo(new RequestChanges(null, "internal", List.of(), List.of(), List.of()));
        assertThat(first.requestChanges()).as("made once").isSameAs(mesh.dialled(Request.get("orders", "/")).requestChanges());
    }

    private static HeaderChanges add(String name, String value, Action action) {
        return new HeaderChanges(
                List.of(addition(name, value, action)), List.of(), List.of(addition(name, value, action)), List.of());
    }

    private static Fixture levels(HeaderChanges cluster, HeaderChanges route, HeaderChanges host, HeaderChanges configuration) {
        VirtualHost virtualHost = new VirtualHost(
                "orders",
                List.of("orders"),
                List.of(new Route(
                        "",
                        any(),
                        forward(WeightedCluster.of("orders", 1, cluster)),
                        route,
                        FilterOverrides.NONE)),
                false,
                AttemptCount.NOWHERE,
                Resending.NONE,
                host,
                FilterOverrides.NONE);
        return Fixture.with(snapshot()
                .routes(new RouteConfiguration("routes", List.of(virtualHost), false, false, configuration, FilterOverrides.NONE))
                .cluster("orders", 1001));
    }

    @Test
    void headersAreChangedFromTheClusterToTheConfiguration() {
        HeaderChanges cluster = add("x", "cluster", Action.APPEND_IF_EXISTS_OR_ADD);
        HeaderChanges route = add("x", "route", Action.APPEND_IF_EXISTS_OR_ADD);
        HeaderChanges host = add("x", "host", Action.OVERWRITE_IF_EXISTS_OR_ADD);
        HeaderChanges configuration = add("x", "configuration", Action.APPEND_IF_EXISTS_OR_ADD);

        Request appended = levels(cluster, route, HeaderChanges.NONE, configuration).dialled(Request.get("orders", "/"));
        assertThat(appended.requestChanges().add())
                .containsExactly(Map.entry("x", "cluster"), Map.entry("x", "route"), Map.entry("x", "configuration"));
        assertThat(appended.requestChanges().set()).isEmpty();
        appended.onResponse(200, Fixture.NO_HEADERS);
        assertThat(appended.responseChanges().add()).isEqualTo(appended.requestChanges().add());

        Request overwritten = levels(cluster, route, host, configuration).dialled(Request.get("orders", "/"));
        assertThat(overwritten.requestChanges().set()).containsExactly(Map.entry("x", "host"));
        assertThat(overwritten.requestChanges().add()).containsExactly(Map.entry("x", "configuration"));
    }

    @Test
    void removalComesBeforeAdditionOfTheSameLevelAndAfterThatOfAMoreSpecificOne() {
        HeaderChanges both = new HeaderChanges(
                List.of(addition("x", "new", Action.APPEND_IF_EXISTS_OR_ADD)), List.of("x", "y"), List.of(), List.of());
        RequestChanges sameLevel = levels(both, HeaderChanges.NONE, HeaderChanges.NONE, HeaderChanges.NONE)
                .dialled(Request.get("orders", "/"))
                .requestChanges();
        assertThat(sameLevel.set()).containsExactly(Map.entry("x", "new"));
        assertThat(sameLevel.remove()).containsExactly("y");

        HeaderChanges removal = new HeaderChanges(List.of(), List.of("x"), List.of(), List.of());
        RequestChanges later = levels(both, removal, HeaderChanges.NONE, HeaderChanges.NONE)
                .dialled(Request.get("orders", "/"))
                .requestChanges();
        assertThat(later.set()).isEmpty();
        assertThat(later.add()).isEmpty();
        assertThat(later.remove()).containsExactlyInAnyOrder("x", "y");
    }

    @Test
    void conditionsLookAtTheRequest() {
        Fixture absent = levels(
                add("x", "default", Action.ADD_IF_ABSENT),
                add("x", "second", Action.ADD_IF_ABSENT),
                HeaderChanges.NONE,
                HeaderChanges.NONE);
        assertThat(absent.dialled(Request.get("orders", "/")).requestChanges().add())
                .containsExactly(Map.entry("x", "default"));
        assertThat(absent.dialled(Request.get("orders", "/").with("x", "mine")).requestChanges())
                .isEqualTo(RequestChanges.NONE);

        Fixture existing = levels(
                HeaderChanges.NONE, add("x", "theirs", Action.OVERWRITE_IF_EXISTS), HeaderChanges.NONE, HeaderChanges.NONE);
        assertThat(existing.dialled(Request.get("orders", "/")).requestChanges()).isEqualTo(RequestChanges.NONE);
        assertThat(existing.dialled(Request.get("orders", "/").with("x", "mine")).requestChanges().set())
                .containsExactly(Map.entry("x", "theirs"));

        Fixture decided = levels(
                add("x", "first", Action.APPEND_IF_EXISTS_OR_ADD),
                add("x", "second", Action.OVERWRITE_IF_EXISTS),
                HeaderChanges.NONE,
                HeaderChanges.NONE);
        assertThat(decided.dialled(Request.get("orders", "/")).requestChanges().set())
                .containsExactly(Map.entry("x", "second"));
    }
}
