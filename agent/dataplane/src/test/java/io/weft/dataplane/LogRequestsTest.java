package io.weft.dataplane;

import static io.weft.dataplane.Policies.forward;
import static io.weft.dataplane.Policies.host;
import static io.weft.dataplane.Policies.match;
import static io.weft.dataplane.Policies.retryOn;
import static io.weft.dataplane.Policies.route;
import static io.weft.dataplane.Policies.snapshot;
import static org.assertj.core.api.Assertions.assertThat;

import io.weft.dataplane.Exchange.Failure;
import io.weft.policy.model.AccessLog;
import io.weft.policy.model.AccessLog.AllOf;
import io.weft.policy.model.AccessLog.Always;
import io.weft.policy.model.AccessLog.AnyOf;
import io.weft.policy.model.AccessLog.ByDuration;
import io.weft.policy.model.AccessLog.ByFlags;
import io.weft.policy.model.AccessLog.ByHeader;
import io.weft.policy.model.AccessLog.ByStatus;
import io.weft.policy.model.AccessLog.Comparison;
import io.weft.policy.model.AccessLog.Filter;
import io.weft.policy.model.AccessLog.JsonArray;
import io.weft.policy.model.AccessLog.JsonFormat;
import io.weft.policy.model.AccessLog.JsonLine;
import io.weft.policy.model.AccessLog.JsonLiteral;
import io.weft.policy.model.AccessLog.JsonObject;
import io.weft.policy.model.AccessLog.Line;
import io.weft.policy.model.AccessLog.Sampled;
import io.weft.policy.model.AccessLog.TextLine;
import io.weft.policy.model.AccessLog.Traceable;
import io.weft.policy.model.Format;
import io.weft.policy.model.Format.Command;
import io.weft.policy.model.Format.Text;
import io.weft.policy.model.FormatOperator;
import io.weft.policy.model.HeaderMatch;
import io.weft.policy.model.HostPort;
import io.weft.policy.model.HttpFilter;
import io.weft.policy.model.Listener;
import io.weft.policy.model.NamedFilter;
import io.weft.policy.model.RetryPolicy.On;
import io.weft.policy.model.RouteAction;
import io.weft.policy.model.RouteMatch;
import io.weft.policy.model.RouteMatch.Fraction;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/** Requests as the access log tells of them. */
class LogRequestsTest {
    private final List<String> written = new ArrayList<>();

    private Fixture mesh(Line line, Filter filter, NamedFilter... further) {
        AccessLog log = new AccessLog("/var/log/mesh.log", line, filter);
        List<NamedFilter> filters = new ArrayList<>(List.of(new NamedFilter("access log", new HttpFilter.AccessLogs(List.of(log)), false)));
        filters.addAll(List.of(further));
        Fixture mesh = Fixture.with(snapshot()
                .listener(
                        "outbound",
                        Listener.Kind.OUTBOUND,
                        new HostPort("0.0.0.0", 80),
                        filters,
                        Policies.routes(host(
                                "orders",
                                route(match(new RouteMatch.Exact("/direct")), new RouteAction.DirectResponse(403, "no")),
                                route(match(new RouteMatch.Prefix("/r")), forward("orders", retryOn(1, On.SERVER_ERROR_5XX), Duration.ZERO)),
                                route(match(new RouteMatch.Prefix("/a")), forward("orders")))))
                .cluster("orders", 1001));
        mesh.dataPlane.accessLogsTo((path, text) -> {
            assertThat(path).isEqualTo("/var/log/mesh.log");
            written.add(text);
        });
        return mesh;
    }

    private static Command operator(FormatOperator operator, String... arguments) {
        return new Command(operator, List.of(arguments), Integer.MAX_VALUE);
    }

    private static final Line LINE = new TextLine(
            new Format(List.of(
                    operator(FormatOperator.REQ, ":path"), new Text(" "),
                    operator(FormatOperator.RESPONSE_CODE), new Text(" "),
                    operator(FormatOperator.RESPONSE_FLAGS), new Text(" "),
                    operator(FormatOperator.DURATION), new Text(" "),
                    operator(FormatOperator.RESP, "x-out"), new Text(" "),
                    operator(FormatOperator.UPSTREAM_HOST), new Text(" "),
                    operator(FormatOperator.BYTES_SENT), new Text("\n"))),
            false);

    private static final Map<String, String> HEAD = Map.of("x-out", "o", "content-length", "12");

    private static Request sent(Fixture mesh, Request request, int status) {
        mesh.dialled(request);
        mesh.time.advance(Duration.ofMillis(7));
        request.onResponse(status, HEAD::get);
        mesh.time.advance(Duration.ofMillis(3));
        request.end();
        return request;
    }

    @Test
    void aLineForEachRequestWhenItsResponseIsOver() {
        Fixture mesh = mesh(LINE, Always.WRITTEN);
        Request open = mesh.dialled(Request.get("orders", "/a?open"));
        open.onResponse(200, HEAD::get);
        assertThat(written).isEmpty();

        sent(mesh, Request.get("orders", "/a"), 200);
        assertThat(written).containsExactly("/a 200 - 10 o 127.0.0.1:1001 12\n");
    }

    /** Metrics look at the sizes of few requests then. */
    @Test
    void aRequestsSizeIsWrittenInARushToo() {
        Fixture mesh = mesh(
                new TextLine(new Format(List.of(operator(FormatOperator.BYTES_RECEIVED), new Text("\n"))), false), Always.WRITTEN);
        for (int i = 0; i < 1_100; i++) {
            mesh.reply(Request.get("orders", "/direct").body("a body"));
            Request sent = mesh.dialled(Request.get("orders", "/a").body("a body"));
            sent.onResponse(200, HEAD::get);
            sent.end();
        }
        assertThat(written).hasSize(2_200).containsOnly("6\n");
    }

    @Test
    void onlyOneLineForAllAttempts() {
        Fixture mesh = mesh(LINE, Always.WRITTEN);
        Request request = mesh.dialled(Request.get("orders", "/r"));
        assertThat(request.onResponse(503, HEAD::get)).isTrue();
        assertThat(written).isEmpty();
        request.next();
        request.onResponse(200, HEAD::get);
        request.end();
        assertThat(written).containsExactly("/r 200 - 0 o 127.0.0.1:1001 12\n");
    }

    @Test
    void theMeshsOwnAnswersAndWhatHasNoRoute() {
        Fixture mesh = mesh(LINE, Always.WRITTEN);
        mesh.reply(Request.get("orders", "/direct"));
        mesh.reply(Request.get("orders", "/none"));
        mesh.dialled(Request.get("orders", "/a")).onFailure(Failure.CONNECT);
        assertThat(written).containsExactly(
                "/direct 403 - 0 - - 2\n", "/none 404 NR 0 - - 0\n", "/a 0 UF 0 - 127.0.0.1:1001 0\n");
    }

    @Test
    void jsonAsEnvoyWritesIt() {
        TreeMap<String, AccessLog.JsonValue> inner = new TreeMap<>(Map.of(
                "e", new JsonFormat(new Format(List.of(operator(FormatOperator.REQ, "x-none"))))));
        TreeMap<String, AccessLog.JsonValue> fields = new TreeMap<>(Map.of(
                "z", new JsonFormat(new Format(List.of(operator(FormatOperator.RESPONSE_CODE)))),
                "a", new JsonFormat(new Format(List.of(operator(FormatOperator.REQ, "x-none")))),
                "m", new JsonFormat(new Format(List.of(
                        operator(FormatOperator.REQ, "x-none"), new Text(" and "), operator(FormatOperator.RESPONSE_CODE)))),
                "q", new JsonFormat(new Format(List.of(operator(FormatOperator.REQ, "x-q")))),
                "n", new JsonObject(inner),
                "l", new JsonArray(List.of(new JsonFormat(Format.of("t")), new JsonLiteral("5"))),
                "empty", new JsonFormat(Format.of(""))));

        sent(mesh(new JsonLine(new JsonObject(fields), false), Always.WRITTEN), Request.get("orders", "/a").with("x-q", "a\"b\\c\n"), 200);
        sent(mesh(new JsonLine(new JsonObject(fields), true), Always.WRITTEN), Request.get("orders", "/a"), 200);
        assertThat(written).containsExactly(
                "{\"a\":null,\"empty\":\"\",\"l\":[\"t\",5],\"m\":\"- and 200\",\"n\":{\"e\":null},\"q\":\"a\\\"b\\\\c\\n\",\"z\":200}\n",
                "{\"empty\":\"\",\"l\":[\"t\",5],\"m\":\" and 200\",\"z\":200}\n");
    }

    @Test
    void whatFiltersPutDownIsToldInJsonAsEnvoyTellsIt() {
        Command typed = operator(FormatOperator.FILTER_STATE, "tenant");
        Command plain = operator(FormatOperator.FILTER_STATE, "tenant", "PLAIN");
        TreeMap<String, AccessLog.JsonValue> fields = new TreeMap<>(Map.of(
                "among", new JsonFormat(new Format(List.of(new Text("of "), typed))),
                "both", new JsonFormat(new Format(List.of(plain, new Text("/"), typed))),
                "cut", new JsonFormat(new Format(List.of(new Command(FormatOperator.FILTER_STATE, plain.arguments(), 2)))),
                "field", new JsonFormat(new Format(List.of(operator(FormatOperator.FILTER_STATE, "tenant", "FIELD", "x")))),
                "none", new JsonFormat(new Format(List.of(operator(FormatOperator.FILTER_STATE, "other")))),
                "plain", new JsonFormat(new Format(List.of(plain))),
                "typed", new JsonFormat(new Format(List.of(typed))),
                "whole", new JsonFormat(new Format(List.of(new Command(FormatOperator.FILTER_STATE, typed.arguments(), 2))))));
        HttpFilter tenant = new HttpFilter.SetFilterState(List.of(new HttpFilter.StateValue(
                "tenant", false, new Format(List.of(operator(FormatOperator.REQ, "x-tenant"))), true, true)));
        Fixture mesh = mesh(new JsonLine(new JsonObject(fields), false), Always.WRITTEN, new NamedFilter("state", tenant, false));

        sent(mesh, Request.get("orders", "/a").with("x-tenant", "blue"), 200);
        sent(mesh, Request.get("orders", "/a").with("x-tenant", "42"), 200);
        sent(mesh, Request.get("orders", "/a"), 200);
        assertThat(written).containsExactly(
                "{\"among\":\"of \\\"blue\\\"\",\"both\":\"blue/\\\"blue\\\"\",\"cut\":\"bl\",\"field\":null,\"none\":null,"
                        + "\"plain\":\"blue\",\"typed\":\"blue\",\"whole\":\"blue\"}\n",
                "{\"among\":\"of \\\"42\\\"\",\"both\":\"42/\\\"42\\\"\",\"cut\":\"42\",\"field\":null,\"none\":null,"
                        + "\"plain\":\"42\",\"typed\":\"42\",\"whole\":\"42\"}\n",
                "{\"among\":\"of -\",\"both\":\"-/-\",\"cut\":null,\"field\":null,\"none\":null,"
                        + "\"plain\":null,\"typed\":null,\"whole\":null}\n");
    }

    private boolean isWritten(Filter filter, Request request, int status) {
        written.clear();
        sent(mesh(LINE, filter), request, status);
        return !written.isEmpty();
    }

    private static Request request() {
        return Request.get("orders", "/a").with("x-log", "yes");
    }

    @Test
    void filtersChooseWhatIsWritten() {
        assertThat(isWritten(new Always(false), request(), 200)).isFalse();
        assertThat(isWritten(new ByStatus(Comparison.GREATER_OR_EQUAL, 500), request(), 499)).isFalse();
        assertThat(isWritten(new ByStatus(Comparison.GREATER_OR_EQUAL, 500), request(), 500)).isTrue();
        assertThat(isWritten(new ByStatus(Comparison.EQUAL, 404), request(), 404)).isTrue();
        assertThat(isWritten(new ByDuration(Comparison.LESS_OR_EQUAL, 9), request(), 200)).isFalse();
        assertThat(isWritten(new ByDuration(Comparison.LESS_OR_EQUAL, 10), request(), 200)).isTrue();
        ByHeader header = new ByHeader(new HeaderMatch("x-log", new HeaderMatch.Present(true), false, false));
        assertThat(isWritten(header, request(), 200)).isTrue();
        assertThat(isWritten(header, Request.get("orders", "/a"), 200)).isFalse();
        assertThat(isWritten(new ByFlags(Set.of()), request(), 200)).isFalse();
        assertThat(isWritten(new AllOf(List.of(header, new Always(false))), request(), 200)).isFalse();
        assertThat(isWritten(new AnyOf(List.of(header, new Always(false))), request(), 200)).isTrue();
    }

    @Test
    void samplesGoByTheRequestsId() {
        Sampled half = new Sampled(new Fraction(50, 100), false);
        Request low = request().with("x-request-id", "00000031-0000-4000-8000-000000000000");
        Request high = request().with("x-request-id", "00000032-0000-4000-8000-000000000000");
        assertThat(isWritten(half, low, 200)).as("49 of 100").isTrue();
        assertThat(isWritten(half, high, 200)).as("50 of 100").isFalse();
        Request forced = request().with("x-request-id", "00000031-0000-a000-8000-000000000000");
        assertThat(isWritten(new Traceable(), forced, 200)).isTrue();
        assertThat(isWritten(new Traceable(), low, 200)).isFalse();
    }
}
