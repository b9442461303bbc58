package io.weft.dataplane;

import static io.weft.dataplane.Policies.any;
import static io.weft.dataplane.Policies.forward;
import static io.weft.dataplane.Policies.host;
import static io.weft.dataplane.Policies.retryOn;
import static io.weft.dataplane.Policies.route;
import static io.weft.dataplane.Policies.snapshot;
import static org.assertj.core.api.Assertions.assertThat;

import io.weft.dataplane.Exchange.Failure;
import io.weft.dataplane.Exchange.Step;
import io.weft.dataplane.Policies.SnapshotBuilder;
import io.weft.dataplane.trace.Span;
import io.weft.dataplane.trace.Span.Kind;
import io.weft.dataplane.trace.Tracer;
import io.weft.policy.model.CircuitBreakers;
import io.weft.policy.model.CircuitBreakers.Thresholds;
import io.weft.policy.model.HostPort;
import io.weft.policy.model.HttpFilter.Abort;
import io.weft.policy.model.HttpFilter.Delay;
import io.weft.policy.model.HttpFilter.Fault;
import io.weft.policy.model.HttpFilter.Traces;
import io.weft.policy.model.Listener;
import io.weft.policy.model.NamedFilter;
import io.weft.policy.model.RetryPolicy.On;
import io.weft.policy.model.RouteAction;
import io.weft.policy.model.RouteMatch.Fraction;
import io.weft.policy.model.Tracing;
import io.weft.policy.model.Tracing.Sampling;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A client span for each attempt and a server span for each request, in the trace that the headers name. */
class TraceTest {
    private static final String TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
    private static final String PARENT = "00f067aa0ba902b7";
    private static final String SAMPLED = "00-" + TRACE + "-" + PARENT + "-01";
    private static final String NOT_SAMPLED = "00-" + TRACE + "-" + PARENT + "-00";
    private static final Pattern TRACEPARENT = Pattern.compile("00-([0-9a-f]{32})-([0-9a-f]{16})-0([01])");

    private final List<Span> spans = new ArrayList<>();
    private final Fixture mesh = new Fixture();
    private Tracer tracer;

    private static Tracing tracing(double random, Tracing.Tag... tags) {
        return new Tracing(new Sampling(100, random, 100), 20, List.of(tags));
    }

    private void traced(double random) {
        traced(random, orders());
    }

    private void traced(double random, SnapshotBuilder policy) {
        tracer = mesh.dataPlane.trace((span, by) -> spans.add(span), by -> true, Optional.of(tracing(random)));
        mesh.apply(policy);
    }

    private static SnapshotBuilder orders() {
        return snapshot()
                .routes(host("orders", route(any(), forward("orders", retryOn(2, On.SERVER_ERROR_5XX, On.CONNECT_FAILURE), Duration.ZERO))))
                .cluster("orders", 1, 2);
    }

    private static String sent(Exchange request, String header) {
        return request.sentHead().header(header);
    }

    private Span only() {
        assertThat(spans).hasSize(1);
        return spans.get(0);
    }

    @Test
    void eachAttemptIsAChildOfTheSpanThatTheAppIsIn() {
        traced(0);
        Request request = mesh.dialled(Request.get("orders", "/items?page=1").with("traceparent", SAMPLED));
        String first = sent(request, "traceparent");
        mesh.time.advance(Duration.ofMillis(3));
        assertThat(request.onFailure(Failure.CONNECT)).isTrue();
        assertThat(request.next()).isEqualTo(Step.DIAL);
        String second = sent(request, "traceparent");
        mesh.time.advance(Duration.ofMillis(5));
        assertThat(request.onResponse(200, Fixture.NO_HEADERS)).isFalse();
        assertThat(spans).as("its body is under way").hasSize(1);
        request.end();

        assertThat(spans).hasSize(2).allSatisfy(span -> {
            assertThat(span.traceId()).isEqualTo(TRACE);
            assertThat(span.parentId()).isEqualTo(PARENT);
            assertThat(span.kind()).isEqualTo(Kind.CLIENT);
            assertThat(span.name()).isEqualTo("GET");
        });
        assertThat(first).isEqualTo("00-" + TRACE + "-" + spans.get(0).spanId() + "-01");
        assertThat(second).isEqualTo("00-" + TRACE + "-" + spans.get(1).spanId() + "-01").isNotEqualTo(first);
        assertThat(spans.get(0).failed()).isTrue();
        assertThat(spans.get(0).endNanos() - spans.get(0).startNanos()).isEqualTo(3_000_000);
        assertThat(spans.get(0).attributes()).containsEntry("error.type", "connect").containsKey("network.peer.port")
                .doesNotContainKeys("http.response.status_code", "http.request.resend_count");
        assertThat(spans.get(1).failed()).isFalse();
        assertThat(spans.get(1).endNanos() - spans.get(1).startNanos()).isEqualTo(5_000_000);
        assertThat(spans.get(1).attributes()).containsEntry("http.response.status_code", 200L).containsEntry("http.request.resend_count", 1L)
                .containsEntry("upstream_cluster.name", "orders").containsEntry("url.full", "http://orders/items?page=1")
                .containsEntry("http.request.method", "GET").containsEntry("server.address", "orders").doesNotContainKey("error.type");
    }

    @Test
    void whoeverBeganTheTraceHasDecidedForAllOfIt() {
        traced(100);
        Request request = mesh.dialled(Request.get("orders", "/").with("traceparent", NOT_SAMPLED));
        assertThat(request.requestChanges()).isSameAs(RequestChanges.NONE);
        assertThat(mesh.dialled(Request.get("orders", "/").with("b3", "0")).requestChanges()).isSameAs(RequestChanges.NONE);
        request.onResponse(200, Fixture.NO_HEADERS);
        request.end();
        assertThat(spans).isEmpty();
    }

    @Test
    void whatComesInAndIsNotTracedSaysSoToTheApp() {
        serving(0);
        assertThat(TRACEPARENT.matcher(served(Incoming.get("/"), 200).sentHead().header("traceparent")).matches()).isTrue();
        assertThat(served(Incoming.get("/").with("traceparent", NOT_SAMPLED), 200).sentHead().header("traceparent")).isEqualTo(NOT_SAMPLED);
        assertThat(spans).isEmpty();
    }

    @Test
    void aRetryOfWhatIsNotTracedSaysTheSame() {
        traced(0);
        Request request = mesh.dialled(Request.get("orders", "/"));
        String first = sent(request, "traceparent");
        request.onFailure(Failure.CONNECT);
        assertThat(request.next()).isEqualTo(Step.DIAL);
        assertThat(sent(request, "traceparent")).isEqualTo(first).endsWith("-00");
    }

    @ParameterizedTest
    @CsvSource({"0,0,0", "100,100,200", "25,40,60"})
    void aShareOfTheOthersBeginsATraceAndTheRestIsToldOn(double percent, int least, int most) {
        traced(percent);
        for (int i = 0; i < 200; i++) {
            Request request = mesh.dialled(Request.get("orders", "/"));
            int before = spans.size();
            var told = TRACEPARENT.matcher(sent(request, "traceparent"));
            assertThat(told.matches()).isTrue();
            request.onResponse(200, Fixture.NO_HEADERS);
            request.end();
            assertThat(spans).hasSize(before + (told.group(3).equals("1") ? 1 : 0));
        }
        assertThat(spans).hasSizeBetween(least, most).allMatch(span -> span.parentId() == null);
        assertThat(spans.stream().map(Span::traceId).distinct()).hasSize(spans.size());
    }

    @ParameterizedTest
    @ValueSource(strings = {"x-client-trace-id", "x-envoy-force-trace"})
    void whoeverAsksForItIsTraced(String header) {
        traced(0);
        Request request = mesh.dialled(Request.get("orders", "/").with(header, "1"));
        request.onResponse(200, Fixture.NO_HEADERS);
        request.end();
        assertThat(only().parentId()).isNull();
    }

    @Test
    void noMoreThanTheOverallShareWhoeverAsks() {
        mesh.dataPlane.trace((span, by) -> spans.add(span), by -> true, Optional.of(new Tracing(new Sampling(100, 100, 0), 256, List.of())));
        mesh.apply(orders());
        Request request = mesh.dialled(Request.get("orders", "/").with("x-client-trace-id", "1"));
        assertThat(sent(request, "traceparent")).endsWith("-00");
    }

    @Test
    void b3IsAnsweredInB3() {
        traced(0);
        Request request = mesh.dialled(Request.get("orders", "/").with("x-b3-traceid", "a3ce929d0e0e4736").with("x-b3-spanid", PARENT)
                .with("x-b3-sampled", "1"));
        request.onResponse(200, Fixture.NO_HEADERS);
        request.end();

        assertThat(only().traceId()).isEqualTo("0000000000000000a3ce929d0e0e4736");
        assertThat(sent(request, "x-b3-traceid")).isEqualTo(only().traceId());
        assertThat(sent(request, "x-b3-spanid")).isEqualTo(only().spanId());
        assertThat(sent(request, "x-b3-parentspanid")).isEqualTo(PARENT);
        assertThat(sent(request, "x-b3-sampled")).isEqualTo("1");
        assertThat(sent(request, "traceparent")).isNull();
    }

    @Test
    void whatHasNoEndpointIsASpanThatSaysSo() {
        traced(100, snapshot().routes(host("orders", route(any(), forward("orders")))).cluster("orders"));
        assertThat(mesh.reply(Request.get("orders", "/")).status()).isEqualTo(503);
        assertThat(only().failed()).isTrue();
        assertThat(only().attributes()).containsEntry("response_flags", "UH").containsEntry("http.response.status_code", 503L)
                .containsEntry("error.type", "503").doesNotContainKey("network.peer.address");
    }

    @ParameterizedTest
    @CsvSource({"orders,429,'DI,FI',20", "users,203,,0", "none,404,NR,0", "nowhere,503,NC,0"})
    void whatTheMeshAnswersByItselfIsASpanThatSaysSo(String authority, int status, String flags, int millis) {
        Fraction all = new Fraction(100, 100);
        Fault fault = new Fault(Optional.of(new Delay(Optional.of(Duration.ofMillis(20)), all)), Optional.of(new Abort(429, -1, all)), Optional.empty(),
                "orders", List.of(), Set.of(), Integer.MAX_VALUE);
        traced(100, snapshot()
                .listener("outbound", Listener.Kind.OUTBOUND, new HostPort("0.0.0.0", 80), List.of(new NamedFilter("fault", fault, false)),
                        Policies.routes(host("orders", route(any(), forward("orders"))),
                                host("users", route(any(), new RouteAction.DirectResponse(203, "none of yours"))),
                                host("none"),
                                host("nowhere", route(any(), forward("nowhere")))))
                .cluster("orders", 1));
        Request request = mesh.claimed(Request.get(authority, "/").with("traceparent", SAMPLED));
        Step step = request.next();
        if (step == Step.WAIT) {
            assertThat(spans).as("not answered yet").isEmpty();
            mesh.time.advance(Duration.ofNanos(request.backoffNanos()));
            step = request.next();
        }
        assertThat(step).isEqualTo(Step.REPLY);
        request.end();

        assertThat(only().kind()).isEqualTo(Kind.CLIENT);
        assertThat(only().parentId()).isEqualTo(PARENT);
        assertThat(only().attributes()).containsEntry("http.response.status_code", (long) status).doesNotContainKey("network.peer.address");
        assertThat(only().attributes().get("response_flags")).isEqualTo(flags);
        assertThat(only().failed()).isEqualTo(status >= 400);
        assertThat(only().endNanos() - only().startNanos()).as("with the filters").isEqualTo(Duration.ofMillis(millis).toNanos());
    }

    @Test
    void theAppsOwnTracerTellsOfWhatTheMeshAnswers() {
        traced(100, snapshot().routes(host("none")));
        tracer.appTraces();
        mesh.reply(Request.get("none", "/").with("traceparent", SAMPLED));
        assertThat(spans).isEmpty();
    }

    @Test
    void anAttemptThatFailedIsNotTakenForTheOneThatWasNotMade() {
        traced(100, snapshot()
                .routes(host("orders", route(any(), forward("orders", retryOn(2, On.CONNECT_FAILURE), Duration.ZERO))))
                .cluster(Policies.cluster("orders").with(new CircuitBreakers(
                        new Thresholds(1_024, 1_024, 1, 3, Optional.empty(), Integer.MAX_VALUE), Thresholds.DEFAULT)), Policies.endpoint(1)));
        Request first = mesh.dialled(Request.get("orders", "/"));
        assertThat(mesh.reply(Request.get("orders", "/")).status()).isEqualTo(503);
        assertThat(only().attributes()).containsEntry("response_flags", "UO").doesNotContainKey("network.peer.address");
        assertThat(first.onFailure(Failure.CONNECT)).isTrue();
        assertThat(spans.get(1).attributes()).containsEntry("error.type", "connect").containsEntry("network.peer.port", 1L);
    }

    @Test
    void theAppsOwnTracerTellsOfTheFirstAttempt() {
        traced(100);
        tracer.appTraces();
        Request request = mesh.dialled(Request.get("orders", "/").with("traceparent", SAMPLED));
        assertThat(request.requestChanges()).isSameAs(RequestChanges.NONE);
        assertThat(request.onResponse(503, Fixture.NO_HEADERS)).isTrue();
        assertThat(request.next()).isEqualTo(Step.DIAL);
        assertThat(sent(request, "traceparent")).isNotEqualTo(SAMPLED).startsWith("00-" + TRACE);
        request.onResponse(200, Fixture.NO_HEADERS);
        request.end();
        assertThat(only().parentId()).isEqualTo(PARENT);
        assertThat(only().attributes()).containsEntry("http.request.resend_count", 1L);

        Request untold = mesh.dialled(Request.get("orders", "/"));
        untold.onResponse(200, Fixture.NO_HEADERS);
        untold.end();
        assertThat(spans).as("of what it did not put into a trace, it tells nothing").hasSize(2);
    }

    @Test
    void aQuestionIsNoRequest() {
        traced(100);
        assertThat(mesh.dataPlane.pick("http", "orders", "POST", "/")).isNotNull();
        mesh.apply(snapshot().routes(host("orders")));
        assertThat(mesh.dataPlane.pick("http", "orders", "POST", "/")).isNull();
        assertThat(spans).isEmpty();
    }

    @Test
    void withoutAReceiverOfSpansPolicyHasNothingDone() {
        mesh.apply(withTracing(Listener.Kind.OUTBOUND, new HostPort("0.0.0.0", 80), tracing(100)).cluster("orders", 1));
        assertThat(mesh.dialled(Request.get("orders", "/")).requestChanges()).isSameAs(RequestChanges.NONE);
    }

    @Test
    void whatTheControlPlaneSaysGoesBeforeTheSetting() {
        traced(100, withTracing(Listener.Kind.OUTBOUND, new HostPort("0.0.0.0", 80), tracing(0)).cluster("orders", 1));
        assertThat(sent(mesh.dialled(Request.get("orders", "/")), "traceparent")).endsWith("-00");
    }

    private static SnapshotBuilder withTracing(Listener.Kind kind, HostPort address, Tracing tracing) {
        return snapshot().listener("traced", kind, address, List.of(new NamedFilter("tracing", new Traces(tracing), false)),
                Policies.routes(host("*", route(any(), forward("orders")))));
    }

    private Incoming served(Incoming request, int status) {
        Inbound.Port port = mesh.dataPlane.inbound().opened("test", new InetSocketAddress("0.0.0.0", 8080), false);
        port.enter(request);
        if (request.next() == InboundExchange.Step.PROCEED) {
            request.onResponse(status, Fixture.NO_HEADERS);
        }
        request.end();
        port.close();
        return request;
    }

    private void serving(double random, Tracing.Tag... tags) {
        tracer = mesh.dataPlane.trace((span, by) -> spans.add(span), by -> true, Optional.empty());
        mesh.apply(withTracing(Listener.Kind.INBOUND, new HostPort("0.0.0.0", 8080), tracing(random, tags)));
    }

    @Test
    void whatComesInIsAServerSpanThatTheAppIsToldOf() {
        serving(0, new Tracing.Literal("mesh", "default"), new Tracing.OfHeader("who", "x-user", "nobody"),
                new Tracing.OfHeader("what", "x-what", ""), new Tracing.OfEnvironment("set", "SURELY_NOT_SET", "no"));
        Incoming request = served(Incoming.get("/items/1234567890123456?page=1").with("traceparent", SAMPLED).with("x-user", "me")
                .with("x-request-id", "f3a1"), 200);

        Span span = only();
        assertThat(span.kind()).isEqualTo(Kind.SERVER);
        assertThat(span.traceId()).isEqualTo(TRACE);
        assertThat(span.parentId()).isEqualTo(PARENT);
        assertThat(request.sentHead().header("traceparent")).isEqualTo("00-" + TRACE + "-" + span.spanId() + "-01");
        assertThat(span.attributes()).containsEntry("url.path", "/items/1234567890123").containsEntry("http.response.status_code", 200L)
                .containsEntry("guid:x-request-id", "f3a1").containsEntry("mesh", "default").containsEntry("who", "me")
                .containsEntry("set", "no").containsEntry("network.peer.address", "127.0.0.1").doesNotContainKeys("what", "url.query", "error.type");
    }

    @ParameterizedTest
    @CsvSource({"404,false", "500,true"})
    void aCallersFaultIsNoneOfTheServers(int status, boolean failed) {
        serving(100);
        served(Incoming.get("/"), status);
        assertThat(only().failed()).isEqualTo(failed);
    }

    @Test
    void anObjectThatServesTheNextRequestIsTracedAnew() {
        serving(100);
        Incoming request = Incoming.get("/");
        served(request, 200);
        served(request, 200);
        assertThat(spans).hasSize(2);
        assertThat(spans.get(0).spanId()).isNotEqualTo(spans.get(1).spanId());
        assertThat(spans.get(0).traceId()).isNotEqualTo(spans.get(1).traceId());
    }

    @Test
    void theAppsOwnTracerTellsOfWhatComesIn() {
        serving(100);
        tracer.appTraces();
        Incoming request = served(Incoming.get("/").with("traceparent", SAMPLED), 200);
        assertThat(request.requestChanges()).isSameAs(RequestChanges.NONE);
        assertThat(spans).isEmpty();
    }

    @Test
    void aCallOfGrpcHasItsOwnNames() {
        traced(100);
        Request request = mesh.dialled(new Request("POST", "orders", "/shop.Orders/List").with("content-type", "application/grpc"));
        request.onResponse(200, Fixture.NO_HEADERS);
        request.endsWith(14);
        request.end();
        assertThat(only().name()).isEqualTo("shop.Orders/List");
        assertThat(only().failed()).isTrue();
        assertThat(only().attributes()).containsAllEntriesOf(Map.of(
                "rpc.system", "grpc", "rpc.service", "shop.Orders", "rpc.method", "List", "rpc.grpc.status_code", 14L));
    }
}
