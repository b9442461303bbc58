package io.weft.dataplane;

import static io.weft.dataplane.Policies.any;
import static io.weft.dataplane.Policies.cluster;
import static io.weft.dataplane.Policies.endpoint;
import static io.weft.dataplane.Policies.host;
import static io.weft.dataplane.Policies.limits;
import static io.weft.dataplane.Policies.match;
import static io.weft.dataplane.Policies.retryOn;
import static io.weft.dataplane.Policies.route;
import static io.weft.dataplane.Policies.snapshot;
import static org.assertj.core.api.Assertions.assertThat;

import io.weft.dataplane.Exchange.Failure;
import io.weft.dataplane.Exchange.Step;
import io.weft.dataplane.metrics.Outcome;
import io.weft.policy.load.InboundRefusals;
import io.weft.policy.model.AccessLog;
import io.weft.policy.model.DescriptorLimits;
import io.weft.policy.model.EndpointAssignment.LbEndpoint;
import io.weft.policy.model.Format;
import io.weft.policy.model.FormatOperator;
import io.weft.policy.model.HeaderChanges;
import io.weft.policy.model.HostPort;
import io.weft.policy.model.HttpFilter;
import io.weft.policy.model.HttpFilter.Abort;
import io.weft.policy.model.HttpFilter.AccessControl;
import io.weft.policy.model.HttpFilter.Delay;
import io.weft.policy.model.HttpFilter.Fault;
import io.weft.policy.model.HttpFilter.LocalRateLimit;
import io.weft.policy.model.HttpFilter.RateLimited;
import io.weft.policy.model.Listener;
import io.weft.policy.model.NamedFilter;
import io.weft.policy.model.Rbac;
import io.weft.policy.model.Resending;
import io.weft.policy.model.RetryPolicy;
import io.weft.policy.model.RetryPolicy.BackOff;
import io.weft.policy.model.RetryPolicy.Conditions;
import io.weft.policy.model.RetryPolicy.HostSelection;
import io.weft.policy.model.RetryPolicy.On;
import io.weft.policy.model.RetryPolicy.PerTry;
import io.weft.policy.model.Route;
import io.weft.policy.model.RouteAction;
import io.weft.policy.model.RouteAction.ClusterChoice;
import io.weft.policy.model.RouteAction.Rewrite;
import io.weft.policy.model.RouteAction.StreamDuration;
import io.weft.policy.model.RouteAction.Timeouts;
import io.weft.policy.model.RouteAction.WeightedCluster;
import io.weft.policy.model.RouteMatch;
import io.weft.policy.model.RouteMatch.Fraction;
import io.weft.policy.model.RoutingPriority;
import io.weft.policy.model.TokenBucket;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.BiConsumer;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Envoy's response flags and details, as the access log has them and as the metrics count them: each way in which a request ends. */
class ResponseFlagsTest {
    private static final Duration SECOND = Duration.ofSeconds(1);
    private static final Fraction ALL = new Fraction(100, 100);

    private final List<String> written = new ArrayList<>();

    private static final class Sent extends Request {
        Sent(String path) {
            super("GET", "orders", path);
        }

        @Override
        protected void abort() {}
    }

    private static Stream<Arguments> outbound() {
        return Stream.of(
                out("a response", "/a", 200, "200 - via_upstream", (mesh, request) -> {
                    mesh.dialled(request);
                    request.onResponse(200, Fixture.NO_HEADERS);
                    request.end();
                }),
                out("no connection", "/a", 503, "0 UF upstream_reset_before_response_started{connection_failure}",
                        (mesh, request) -> mesh.dialled(request).onFailure(Failure.CONNECT)),
                out("the connection ends", "/a", 503, "0 UC upstream_reset_before_response_started{connection_termination}",
                        (mesh, request) -> mesh.dialled(request).onFailure(Failure.RESET)),
                out("the peer refuses the stream", "/a", 503, "0 UR upstream_reset_before_response_started{remote_reset}",
                        (mesh, request) -> mesh.dialled(request).onFailure(Failure.REFUSED)),
                out("the app's patience is over", "/a", 504, "0 UT response_timeout",
                        (mesh, request) -> mesh.dialled(request).onFailure(Failure.TIMEOUT)),
                out("the app breaks off", "/a", 0, "0 DC downstream_remote_disconnect",
                        (mesh, request) -> mesh.dialled(request).onFailure(Failure.CANCELLED)),
                out("the app forgets it", "/a", 0, "0 DC downstream_remote_disconnect",
                        (mesh, request) -> mesh.dialled(request).end()),
                out("the body breaks off", "/a", 200, "200 UC upstream_reset_after_response_started{connection_termination}",
                        (mesh, request) -> {
                            mesh.dialled(request).onResponse(200, Fixture.NO_HEADERS);
                            request.onFailure(Failure.RESET);
                        }),
                out("the app does not read the body to its end", "/a", 200, "200 DC downstream_remote_disconnect",
                        (mesh, request) -> {
                            mesh.dialled(request).onResponse(200, Fixture.NO_HEADERS);
                            request.onFailure(Failure.CANCELLED);
                        }),
                out("no route", "/none", 404, "404 NR route_not_found", Fixture::reply),
                out("no cluster", "/gone", 503, "503 NC cluster_not_found", Fixture::reply),
                out("no endpoint", "/empty", 503, "503 UH no_healthy_upstream", Fixture::reply),
                out("the circuit breaker", "/full", 503, "503 UO upstream_reset_before_response_started{overflow}", Fixture::reply),
                out("an answer of the route's own", "/direct", 403, "403 - direct_response", Fixture::reply),
                out("the last of its retries", "/r", 503, "503 URX via_upstream", (mesh, request) -> {
                    mesh.dialled(request).onResponse(503, Fixture.NO_HEADERS);
                    assertThat(request.next()).isEqualTo(Step.DIAL);
                    assertThat(request.onResponse(503, Fixture.NO_HEADERS)).isFalse();
                    request.end();
                }),
                out("a retry that helps", "/r", 200, "200 - via_upstream", (mesh, request) -> {
                    mesh.dialled(request).onResponse(503, Fixture.NO_HEADERS);
                    request.next();
                    request.onResponse(200, Fixture.NO_HEADERS);
                    request.end();
                }),
                out("the last of its retries without a connection", "/r", 503,
                        "0 UF,URX upstream_reset_before_response_started{connection_failure}", (mesh, request) -> {
                            mesh.dialled(request).onFailure(Failure.CONNECT);
                            request.next();
                            request.onFailure(Failure.CONNECT);
                        }),
                out("no retries left in the circuit breaker", "/no-retries", 503, "503 UO via_upstream", (mesh, request) -> {
                    assertThat(mesh.dialled(request).onResponse(503, Fixture.NO_HEADERS)).isFalse();
                    request.end();
                }),
                out("the route's timeout", "/timeout", 504, "504 UT response_timeout", ResponseFlagsTest::late),
                out("the time of the only attempt", "/per-try", 504, "504 UT,URX upstream_per_try_timeout", ResponseFlagsTest::late),
                out("nothing moves on", "/idle", 504, "504 SI stream_idle_timeout", ResponseFlagsTest::late),
                out("the longest that a stream may take", "/stream", 504, "504 DT max_duration_timeout", ResponseFlagsTest::late),
                out("the cluster's longest stream", "/upstream-stream", 408, "408 UMSDR upstream_max_stream_duration_reached",
                        ResponseFlagsTest::late),
                out("the route's timeout in the body, by the timer", "/timeout", 200, "200 UT response_timeout", (mesh, request) -> {
                    mesh.dialled(request).onResponse(200, Fixture.NO_HEADERS);
                    mesh.time.advance(SECOND);
                    request.onFailure(Failure.RESET);
                }),
                out("the route's timeout in the body, by who reads it", "/timeout-or-limited", 200, "200 UT response_timeout",
                        (mesh, request) -> {
                            overtaken(mesh, request);
                            request.onFailure(Failure.RESET);
                        }),
                out("the route's timeout in the body, which is then closed", "/timeout-or-limited", 200, "200 UT response_timeout",
                        (mesh, request) -> {
                            overtaken(mesh, request);
                            request.end();
                        }),
                out("nothing moves on in the body", "/idle", 200, "200 SI stream_idle_timeout", (mesh, request) -> {
                    mesh.dialled(request).onResponse(200, Fixture.NO_HEADERS);
                    mesh.time.advance(SECOND);
                }),
                out("a body in time", "/timeout", 200, "200 - via_upstream", (mesh, request) -> {
                    mesh.dialled(request).onResponse(200, Fixture.NO_HEADERS);
                    request.end();
                    mesh.time.advance(SECOND);
                }),
                out("an error on purpose", "/fault", 418, "418 DI,FI fault_filter_abort", (mesh, request) -> {
                    assertThat(mesh.claimed(request).next()).isEqualTo(Step.WAIT);
                    assertThat(request.next()).isEqualTo(Step.REPLY);
                }));
    }

    private static Arguments out(String name, String path, int code, String line, BiConsumer<Fixture, Sent> what) {
        return Arguments.of(name, path, code, line, what);
    }

    /** The timer thread ends the response while its head is looked at, and leaves it to whoever looks. */
    private static void overtaken(Fixture mesh, Sent request) {
        assertThat(mesh.dialled(request).onResponse(200, name -> {
            mesh.time.advance(SECOND);
            return null;
        })).isFalse();
    }

    private static void late(Fixture mesh, Sent request) {
        mesh.dialled(request);
        assertThat(request.connected()).isTrue();
        mesh.time.advance(SECOND);
        assertThat(request.onFailure(Failure.RESET)).isTrue();
        assertThat(request.next()).isEqualTo(Step.REPLY);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("outbound")
    void whatGoesOut(String name, String path, int code, String line, BiConsumer<Fixture, Sent> what) {
        Fixture mesh = outboundMesh();
        what.accept(mesh, new Sent(path));
        assertThat(written).containsExactly(line + "\n");
        assertThat(mesh.dataPlane.requestStats()).singleElement().satisfies(stats -> {
            assertThat(stats.requests()).isEqualTo(1);
            assertThat(stats.durations().count()).isEqualTo(1);
            assertThat(stats.outcome()).isEqualTo(new Outcome(
                    code, false, -1, stats.outcome().flags(), false, stats.outcome().byMesh(), false));
            assertThat(stats.outcome().flagNames()).isEqualTo(line.split(" ")[1]);
        });
    }

    private Fixture outboundMesh() {
        Fault fault = new Fault(
                Optional.of(new Delay(Optional.of(SECOND), ALL)), Optional.of(new Abort(418, -1, ALL)), Optional.empty(), "faulty",
                List.of(), Set.of(), Integer.MAX_VALUE);
        RetryPolicy oneAttempt = new RetryPolicy(
                Conditions.on(On.GATEWAY_ERROR), 0, new PerTry(SECOND, Duration.ZERO), BackOff.DEFAULT, Optional.empty(), HostSelection.ANY);
        return logged(Fixture.with(snapshot()
                .listener("outbound", Listener.Kind.OUTBOUND, new HostPort("0.0.0.0", 80),
                        List.of(logs(), new NamedFilter("fault", fault, false)),
                        Policies.routes(host(
                                "orders",
                                at("/direct", new RouteAction.DirectResponse(403, "no")),
                                at("/gone", Policies.forward("gone")),
                                at("/empty", Policies.forward("empty")),
                                at("/full", Policies.forward("full")),
                                at("/fault", Policies.forward("faulty")),
                                at("/no-retries", Policies.forward("no-retries", retryOn(1, On.SERVER_ERROR_5XX), Duration.ZERO)),
                                at("/r", Policies.forward("orders", retryOn(1, On.SERVER_ERROR_5XX), Duration.ZERO)),
                                at("/timeout-or-limited", Policies.forward("orders", retryOn(1, On.ENVOY_RATELIMITED), SECOND)),
                                at("/timeout", forward(Resending.NONE, Timeouts.of(SECOND))),
                                at("/per-try", forward(Resending.of(oneAttempt), Timeouts.NONE)),
                                at("/idle", forward(Resending.NONE,
                                        new Timeouts(Duration.ZERO, Optional.of(SECOND), Optional.empty(), Optional.empty()))),
                                at("/stream", forward(Resending.NONE, new Timeouts(Duration.ZERO, Optional.empty(), Optional.empty(),
                                        Optional.of(new StreamDuration(Optional.of(SECOND), Optional.empty()))))),
                                at("/upstream-stream", Policies.forward("short")),
                                at("/a", Policies.forward("orders")))))
                .cluster("orders", 1)
                .cluster(cluster("empty"), new LbEndpoint[0])
                .cluster(cluster("full").with(limits(0, 0, 0, 0)), endpoint(2))
                .cluster(cluster("no-retries").with(limits(9, 9, 9, 0)), endpoint(3))
                .cluster("faulty", 4)
                .cluster(cluster("short").lasting(SECOND), endpoint(5))));
    }

    private static Route at(String path, RouteAction action) {
        return route(match(new RouteMatch.Exact(path)), action);
    }

    private static RouteAction.Forward forward(Resending resending, Timeouts timeouts) {
        return new RouteAction.Forward(
                ClusterChoice.of(WeightedCluster.of("orders", 1)), Rewrite.NONE, resending, timeouts, List.of(), Map.of(),
                RoutingPriority.DEFAULT);
    }

    private static Stream<Arguments> inbound() {
        LocalRateLimit none = new LocalRateLimit(
                Optional.of(new TokenBucket(1, 1, Duration.ofHours(1))), ALL, ALL, false,
                new RateLimited(429, HeaderChanges.NONE, false, false), DescriptorLimits.NONE);
        Fault slow = new Fault(
                Optional.of(new Delay(Optional.of(SECOND), ALL)), Optional.empty(), Optional.empty(), "", List.of(), Set.of(),
                Integer.MAX_VALUE);
        Fault abort = new Fault(
                Optional.empty(), Optional.of(new Abort(503, -1, ALL)), Optional.empty(), "", List.of(), Set.of(), Integer.MAX_VALUE);
        Rbac.Policy admins = new Rbac.Policy("admins only", List.of(new Rbac.Any()), List.of(new Rbac.Any()));
        return Stream.of(
                Arguments.of("a response", slow, 200, "200 DI via_upstream", (BiConsumer<Incoming, SimulatedTime>) (request, time) -> {
                    request.next();
                    request.next();
                    request.onResponse(200, Fixture.NO_HEADERS);
                }),
                Arguments.of("the caller goes", slow, 0, "0 DI,DC downstream_remote_disconnect",
                        (BiConsumer<Incoming, SimulatedTime>) (request, time) -> request.next()),
                Arguments.of("a response that refuses", slow, 403, "403 DI via_upstream", (BiConsumer<Incoming, SimulatedTime>) (request, time) -> {
                    request.next();
                    request.next();
                    request.onResponse(403, Fixture.NO_HEADERS);
                }),
                Arguments.of("an error on purpose", abort, 503, "503 FI fault_filter_abort",
                        (BiConsumer<Incoming, SimulatedTime>) (request, time) -> request.next()),
                Arguments.of("a rate limit", none, 429, "429 RL local_rate_limited",
                        (BiConsumer<Incoming, SimulatedTime>) (request, time) -> request.next()),
                Arguments.of("no rule lets it in", new AccessControl(new Rbac(
                                Optional.of(new Rbac.Policies(Rbac.Action.ALLOW, List.of())), Optional.empty())),
                        403, "403 - rbac_access_denied_matched_policy[none]",
                        (BiConsumer<Incoming, SimulatedTime>) (request, time) -> request.next()),
                Arguments.of("a rule keeps it out", new AccessControl(new Rbac(
                                Optional.of(new Rbac.Policies(Rbac.Action.DENY, List.of(admins))), Optional.empty())),
                        403, "403 - rbac_access_denied_matched_policy[admins_only]",
                        (BiConsumer<Incoming, SimulatedTime>) (request, time) -> request.next()));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("inbound")
    void whatComesIn(String name, HttpFilter filter, int code, String line, BiConsumer<Incoming, SimulatedTime> what) {
        Fixture mesh = logged(Fixture.with(snapshot().listener(
                "inbound", Listener.Kind.INBOUND, new HostPort("0.0.0.0", 8080), List.of(logs(), new NamedFilter("f", filter, false)),
                Policies.routes(host("*", route(any(), Policies.forward("local")))))));
        Inbound.Port port = mesh.dataPlane.inbound().opened("test", new InetSocketAddress("0.0.0.0", 8080), false);
        if (filter instanceof LocalRateLimit) {
            Incoming first = Incoming.get("/");
            port.enter(first);
            first.next();
            first.onResponse(200, Fixture.NO_HEADERS);
            first.end();
            written.clear();
        }
        Incoming request = Incoming.get("/");
        port.enter(request);
        what.accept(request, mesh.time);
        request.end();
        assertThat(written).containsExactly(line + "\n");
        assertThat(mesh.dataPlane.requestStats())
                .filteredOn(stats -> stats.outcome().code() == code && stats.outcome().flagNames().equals(line.split(" ")[1]))
                .singleElement()
                .satisfies(stats -> assertThat(stats.requests()).isEqualTo(1));
        assertThat(mesh.dataPlane.refusals()).as("who refused it").isEqualTo(
                new InboundRefusals(line.contains("rbac") ? 1 : 0, line.contains("RL") ? 1 : 0, line.contains("FI") ? 1 : 0));
    }

    private static NamedFilter logs() {
        AccessLog.TextLine line = new AccessLog.TextLine(
                new Format(List.of(
                        operator(FormatOperator.RESPONSE_CODE), new Format.Text(" "),
                        operator(FormatOperator.RESPONSE_FLAGS), new Format.Text(" "),
                        operator(FormatOperator.RESPONSE_CODE_DETAILS), new Format.Text("\n"))),
                false);
        return new NamedFilter(
                "access log", new HttpFilter.AccessLogs(List.of(new AccessLog("/log", line, AccessLog.Always.WRITTEN))), false);
    }

    private static Format.Command operator(FormatOperator operator) {
        return new Format.Command(operator, List.of(), Integer.MAX_VALUE);
    }

    private Fixture logged(Fixture mesh) {
        mesh.dataPlane.accessLogsTo((path, text) -> written.add(text));
        return mesh;
    }
}
