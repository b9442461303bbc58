package io.weft.dataplane;

import static io.weft.dataplane.Policies.addition;
import static io.weft.dataplane.Policies.any;
import static io.weft.dataplane.Policies.forward;
import static io.weft.dataplane.Policies.retryOn;
import static io.weft.dataplane.Policies.snapshot;
import static org.assertj.core.api.Assertions.assertThat;

import io.weft.dataplane.format.ResponseFlag;
import io.weft.policy.model.EndpointAssignment.LbEndpoint;
import io.weft.policy.model.FilterOverrides;
import io.weft.policy.model.Format;
import io.weft.policy.model.Format.Command;
import io.weft.policy.model.FormatOperator;
import io.weft.policy.model.HeaderChanges;
import io.weft.policy.model.HeaderChanges.Action;
import io.weft.policy.model.HeaderChanges.Addition;
import io.weft.policy.model.Resending;
import io.weft.policy.model.RetryPolicy.On;
import io.weft.policy.model.Route;
import io.weft.policy.model.RouteAction;
import io.weft.policy.model.RouteAction.ClusterChoice;
import io.weft.policy.model.RouteAction.HostFromHeader;
import io.weft.policy.model.RouteAction.HostFromPath;
import io.weft.policy.model.RouteAction.HostLiteral;
import io.weft.policy.model.RouteAction.HostRewrite;
import io.weft.policy.model.RouteAction.InHeader;
import io.weft.policy.model.RouteAction.ReplaceRegex;
import io.weft.policy.model.RouteAction.Rewrite;
import io.weft.policy.model.RouteAction.Timeouts;
import io.weft.policy.model.RouteAction.WeightedCluster;
import io.weft.policy.model.RouteConfiguration;
import io.weft.policy.model.RouteMatch;
import io.weft.policy.model.RoutingPriority;
import io.weft.policy.model.VirtualHost;
import io.weft.policy.model.VirtualHost.AttemptCount;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Where the request itself, or the response, has a say in what the route makes of it. */
class RouteRewriteTest {

    private static Fixture mesh(boolean tls, AttemptCount attempts, RouteAction action, HeaderChanges changes) {
        VirtualHost host = new VirtualHost(
                "orders",
                List.of("orders"),
                List.of(new Route("by-hand", any(), action, changes, FilterOverrides.NONE)),
                tls,
                attempts,
                Resending.NONE,
                HeaderChanges.NONE,
                FilterOverrides.NONE);
        return Fixture.with(snapshot()
                .routes(new RouteConfiguration(
                        "routes", List.of(host), false, false, HeaderChanges.NONE, FilterOverrides.NONE))
                .cluster("v1", 1)
                .cluster("v2", 2));
    }

    private static Fixture mesh(RouteAction action) {
        return mesh(false, AttemptCount.NOWHERE, action, HeaderChanges.NONE);
    }

    private static RouteAction.Forward to(ClusterChoice clusters, Rewrite rewrite) {
        return new RouteAction.Forward(clusters, rewrite, Resending.NONE, Timeouts.NONE, List.of(), Map.of(), RoutingPriority.DEFAULT);
    }

    private static WeightedCluster inHeader(String header) {
        return new WeightedCluster(
                new InHeader(header), 1, HeaderChanges.NONE, Optional.empty(), FilterOverrides.NONE, Map.of());
    }

    @Test
    void theRequestNamesTheCluster() {
        Fixture mesh = mesh(to(new ClusterChoice(List.of(inHeader("x-cluster")), Optional.empty(), 404), Rewrite.NONE));

        Request second = mesh.dialled(Request.get("orders", "/").with("x-cluster", "v2"));
        assertThat(Fixture.port(second)).isEqualTo(2);
        assertThat(second.upstreamCluster()).isEqualTo("v2");
        assertThat(Fixture.port(mesh.dialled(Request.get("orders", "/").with("x-cluster", "v2", "v1")))).as("the first").isEqualTo(2);
        assertThat(mesh.reply(Request.get("orders", "/").with("x-cluster", "v3")).status()).isEqualTo(404);
        Request unnamed = Request.get("orders", "/");
        assertThat(mesh.reply(unnamed).status()).isEqualTo(404);
        assertThat(unnamed.responseCodeDetails()).isEqualTo("cluster_not_found");
    }

    @ParameterizedTest
    @CsvSource({"0, 1", "89, 1", "90, 2", "99, 2", "100, 1", "190, 2", "18446744073709551615, 1"})
    void aNumberInTheRequestChoosesByWeight(String value, int port) {
        ClusterChoice choice = new ClusterChoice(
                List.of(WeightedCluster.of("v1", 90), WeightedCluster.of("v2", 10)), Optional.of("x-value"), 503);

        Request request = mesh(to(choice, Rewrite.NONE)).dialled(Request.get("orders", "/").with("x-value", value));
        assertThat(Fixture.port(request)).isEqualTo(port);
    }

    @Test
    void whatIsNoNumberLeavesTheChoiceToChance() {
        ClusterChoice choice = new ClusterChoice(
                List.of(WeightedCluster.of("v1", 1), WeightedCluster.of("v2", 1)), Optional.of("x-value"), 503);
        Fixture mesh = mesh(to(choice, Rewrite.NONE));

        for (String value : List.of("", "-1", "1.5", "18446744073709551616", "99999999999999999999999")) {
            assertThat(Fixture.port(mesh.dialled(Request.get("orders", "/").with("x-value", value)))).isIn(1, 2);
        }
    }

    private static RequestChanges rewritten(HostRewrite host, boolean append, Request request) {
        Rewrite rewrite = new Rewrite(Optional.empty(), Optional.of(host), append);
        return mesh(to(ClusterChoice.of(WeightedCluster.of("v1", 1)), rewrite)).dialled(request).requestChanges();
    }

    @Test
    void hostsFromHeadersAndPaths() {
        HostRewrite header = new HostFromHeader("x-host");
        assertThat(rewritten(header, false, Request.get("orders", "/").with("x-host", "inner")).authority()).isEqualTo("inner");
        assertThat(rewritten(header, false, Request.get("orders", "/"))).isEqualTo(RequestChanges.NONE);
        assertThat(rewritten(header, false, Request.get("orders", "/").with("x-host", "first", "second")).authority())
                .as("of several values the first")
                .isEqualTo("first");

        HostRewrite path = new HostFromPath(new ReplaceRegex("^/([^/]+)/.*$", "\\1.local"));
        assertThat(rewritten(path, false, Request.get("orders", "/shop/a?b")).authority()).isEqualTo("shop.local");
    }

    @Test
    void theHostThatIsReplacedIsForwarded() {
        HostRewrite literal = new HostLiteral("inner");
        assertThat(rewritten(literal, true, Request.get("orders", "/")).set())
                .containsExactly(Map.entry("x-forwarded-host", "orders"));
        assertThat(rewritten(literal, true, Request.get("orders", "/").with("x-forwarded-host", "front")).set())
                .containsExactly(Map.entry("x-forwarded-host", "front,orders"));
        assertThat(rewritten(literal, true, Request.get("orders", "/").with("x-forwarded-host", "front,orders")).set())
                .as("not twice in a row")
                .isEmpty();
    }

    @Test
    void aClusterHasAHostOfItsOwnUnlessTheRouteHas() {
        WeightedCluster named = new WeightedCluster(
                new RouteAction.Named("v1"), 1, HeaderChanges.NONE, Optional.of("one"), FilterOverrides.NONE, Map.of());
        Request request = Request.get("orders", "/");
        assertThat(mesh(to(ClusterChoice.of(named), Rewrite.NONE)).dialled(request).requestChanges().authority())
                .isEqualTo("one");
        Rewrite both = new Rewrite(Optional.empty(), Optional.of(new HostLiteral("route")), false);
        assertThat(mesh(to(ClusterChoice.of(named), both)).dialled(Request.get("orders", "/")).requestChanges().authority())
                .isEqualTo("route");
    }

    @Test
    void plaintextIsSentToHttps() {
        Fixture mesh = mesh(true, AttemptCount.NOWHERE, forward("v1"), HeaderChanges.NONE);

        LocalReply reply = mesh.reply(Request.get("orders", "/a?b"));
        assertThat(reply.status()).isEqualTo(301);
        assertThat(reply.headers()).containsExactly(Map.entry("location", "https://orders/a?b"));
        mesh.dialled(Request.get("orders", "/").with("x-forwarded-proto", "https"));
    }

    @Test
    void attemptsAreCountedOnTheWireAndForTheApp() {
        RouteAction action = forward("v1", retryOn(2, On.SERVER_ERROR_5XX), Duration.ZERO);
        Request request = mesh(false, new AttemptCount(true, true), action, HeaderChanges.NONE).dialled(Request.get("orders", "/"));

        assertThat(request.requestChanges().set()).containsExactly(Map.entry("x-envoy-attempt-count", "1"));
        assertThat(request.onResponse(503, Fixture.NO_HEADERS)).isTrue();
        request.next();
        assertThat(request.requestChanges().set()).containsExactly(Map.entry("x-envoy-attempt-count", "2"));
        request.onResponse(200, Fixture.NO_HEADERS);
        assertThat(request.responseChanges().set()).containsExactly(Map.entry("x-envoy-attempt-count", "2"));
    }

    private static Addition value(String name, FormatOperator operator, String... arguments) {
        Format format = new Format(List.of(new Command(operator, List.of(arguments), Integer.MAX_VALUE)));
        return new Addition(name, format, Action.OVERWRITE_IF_EXISTS_OR_ADD, false);
    }

    @Test
    void operatorsLookAtTheRequestTheRouteAndTheResponse() {
        HeaderChanges changes = new HeaderChanges(
                List.of(
                        value("x-was", FormatOperator.REQ, "x-user"),
                        value("x-route", FormatOperator.ROUTE_NAME),
                        value("x-host", FormatOperator.UPSTREAM_HOST),
                        value("x-none", FormatOperator.REQ, "x-none")),
                List.of(),
                List.of(
                        value("x-served-by", FormatOperator.UPSTREAM_HOST),
                        value("x-type", FormatOperator.RESP, "content-type"),
                        value("x-code", FormatOperator.RESPONSE_CODE)),
                List.of());
        Request request = mesh(false, AttemptCount.NOWHERE, forward("v1"), changes)
                .dialled(Request.get("orders", "/").with("x-user", "ann"));

        assertThat(request.requestChanges().set())
                .as("the endpoint is not chosen yet, and an empty value adds no header")
                .containsExactly(Map.entry("x-was", "ann"), Map.entry("x-route", "by-hand"));
        request.onResponse(200, Fixture.headers("content-type", "text/html"));
        assertThat(request.responseChanges().set()).containsExactly(
                Map.entry("x-served-by", "127.0.0.1:1"), Map.entry("x-type", "text/html"), Map.entry("x-code", "200"));
    }

    @Test
    void ofOneLevelHeadersAreSetBeforeAnyIsAdded() {
        HeaderChanges changes = new HeaderChanges(
                List.of(
                        addition("x", "added", Action.APPEND_IF_EXISTS_OR_ADD),
                        addition("x", "set", Action.OVERWRITE_IF_EXISTS_OR_ADD),
                        addition("x", "absent", Action.ADD_IF_ABSENT)),
                List.of(),
                List.of(),
                List.of());
        RequestChanges made =
                mesh(false, AttemptCount.NOWHERE, forward("v1"), changes).dialled(Request.get("orders", "/")).requestChanges();

        assertThat(made.set()).containsExactly(Map.entry("x", "set"));
        assertThat(made.add()).containsExactly(Map.entry("x", "added"), Map.entry("x", "absent"));
    }

    @Test
    void theMostSpecificLevelCanHaveTheLastWord() {
        HeaderChanges route = new HeaderChanges(
                List.of(addition("x", "route", Action.OVERWRITE_IF_EXISTS_OR_ADD)), List.of(), List.of(), List.of());
        HeaderChanges everywhere = new HeaderChanges(
                List.of(addition("x", "everywhere", Action.OVERWRITE_IF_EXISTS_OR_ADD)), List.of(), List.of(), List.of());
        VirtualHost host = new VirtualHost(
                "orders",
                List.of("orders"),
                List.of(new Route("", any(), forward("v1"), route, FilterOverrides.NONE)),
                false,
                AttemptCount.NOWHERE,
                Resending.NONE,
                HeaderChanges.NONE,
                FilterOverrides.NONE);
        for (boolean mostSpecific : new boolean[] {false, true}) {
            Fixture mesh = Fixture.with(snapshot()
                    .routes(new RouteConfiguration(
                            "routes", List.of(host), false, mostSpecific, everywhere, FilterOverrides.NONE))
                    .cluster("v1", 1));
            assertThat(mesh.dialled(Request.get("orders", "/")).requestChanges().set())
                    .containsExactly(Map.entry("x", mostSpecific ? "route" : "everywhere"));
        }
    }

    @Test
    void flagsSayWhyThereIsNoResponse() {
        Fixture mesh = Fixture.with(snapshot()
                .routes(Policies.host(
                        "orders", Policies.route(Policies.match(new RouteMatch.Prefix("/a")), forward("v1"))))
                .cluster(Policies.cluster("v1"), new LbEndpoint[0]));
        Request none = Request.get("orders", "/a");
        mesh.reply(none);
        assertThat(none.responseFlags()).isEqualTo(ResponseFlag.UH.bit());
        Request noRoute = Request.get("orders", "/b");
        mesh.reply(noRoute);
        assertThat(noRoute.responseFlags()).isEqualTo(ResponseFlag.NR.bit());
    }
}
