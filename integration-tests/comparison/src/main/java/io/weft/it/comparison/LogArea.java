package io.weft.it.comparison;

import com.google.protobuf.Any;
import com.google.protobuf.Message;
import com.google.protobuf.Struct;
import com.google.protobuf.UInt32Value;
import com.google.protobuf.Value;
import com.google.protobuf.util.Durations;
import io.envoyproxy.envoy.config.accesslog.v3.AccessLog;
import io.envoyproxy.envoy.config.accesslog.v3.AccessLogFilter;
import io.envoyproxy.envoy.config.accesslog.v3.AndFilter;
import io.envoyproxy.envoy.config.accesslog.v3.ComparisonFilter;
import io.envoyproxy.envoy.config.accesslog.v3.DurationFilter;
import io.envoyproxy.envoy.config.accesslog.v3.GrpcStatusFilter;
import io.envoyproxy.envoy.config.accesslog.v3.HeaderFilter;
import io.envoyproxy.envoy.config.accesslog.v3.OrFilter;
import io.envoyproxy.envoy.config.accesslog.v3.ResponseFlagFilter;
import io.envoyproxy.envoy.config.accesslog.v3.StatusCodeFilter;
import io.envoyproxy.envoy.config.cluster.v3.Cluster;
import io.envoyproxy.envoy.config.core.v3.DataSource;
import io.envoyproxy.envoy.config.core.v3.HeaderValue;
import io.envoyproxy.envoy.config.core.v3.HeaderValueOption;
import io.envoyproxy.envoy.config.core.v3.HeaderValueOption.HeaderAppendAction;
import io.envoyproxy.envoy.config.core.v3.RuntimeFractionalPercent;
import io.envoyproxy.envoy.config.core.v3.RuntimeUInt32;
import io.envoyproxy.envoy.config.core.v3.SubstitutionFormatString;
import io.envoyproxy.envoy.config.route.v3.DirectResponseAction;
import io.envoyproxy.envoy.config.route.v3.HeaderMatcher;
import io.envoyproxy.envoy.config.route.v3.RedirectAction;
import io.envoyproxy.envoy.config.route.v3.RetryPolicy;
import io.envoyproxy.envoy.config.route.v3.Route;
import io.envoyproxy.envoy.config.route.v3.RouteAction;
import io.envoyproxy.envoy.config.route.v3.RouteConfiguration;
import io.envoyproxy.envoy.config.route.v3.RouteMatch;
import io.envoyproxy.envoy.config.route.v3.VirtualHost;
import io.envoyproxy.envoy.extensions.access_loggers.file.v3.FileAccessLog;
import io.envoyproxy.envoy.extensions.filters.http.fault.v3.FaultAbort;
import io.envoyproxy.envoy.extensions.filters.http.fault.v3.HTTPFault;
import io.envoyproxy.envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit;
import io.envoyproxy.envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager;
import io.envoyproxy.envoy.type.v3.FractionalPercent;
import io.envoyproxy.envoy.type.v3.TokenBucket;
import io.weft.it.comparison.Request.Client;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** What is written into access logs of requests that go well, are answered by the mesh, are tried again, and fail. */
final class LogArea implements Area {
    private static final RuntimeFractionalPercent ALL = RuntimeFractionalPercent.newBuilder()
            .setDefaultValue(FractionalPercent.newBuilder().setNumerator(100))
            .build();
    private static final String CLUSTER = Case.ID + "-log";

    private final Clusters clusters;
    private final AccessLogs logs;

    LogArea(Clusters clusters, AccessLogs logs) {
        this.clusters = clusters;
        this.logs = logs;
    }

    @Override
    public String name() {
        return "logs";
    }

    @Override
    public String summary() {
        return "lines of access logs: which requests are written, and what of them";
    }

    @Override
    public int share() {
        return 2;
    }

    /** All cases have the same logs, and so one listener. */
    private HttpConnectionManager manager() {
        HttpConnectionManager.Builder manager = FilterArea.MANAGER.toBuilder();
        text(manager, null, "request", "%REQ(:METHOD)%", "%REQ(X-ENVOY-ORIGINAL-PATH?:PATH)%", "%PATH(NQ)%", "%QUERY_PARAM(q)%", "%QUERY_PARAMS(ORIG)%",
                "%REQ(:AUTHORITY)%", "%REQ(X-A?X-B):3%", "%REQ(x-a)%", "%REQ(:SCHEME)%");
        text(manager, null, "response", "%RESPONSE_CODE%", "%RESP(content-type)%", "%RESP(x-none?x-once):4%", "%RESP(:STATUS)%", "%LOCAL_REPLY_BODY%");
        text(manager, null, "why", "%RESPONSE_FLAGS%", "%RESPONSE_FLAGS_LONG%", "%RESPONSE_CODE_DETAILS%");
        text(manager, null, "upstream", "%UPSTREAM_CLUSTER%", "%UPSTREAM_HOST%", "%UPSTREAM_REMOTE_ADDRESS%", "%UPSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%",
                "%UPSTREAM_REMOTE_PORT%", "%ROUTE_NAME%", "%UPSTREAM_REQUEST_ATTEMPT_COUNT%", "%UPSTREAM_CLUSTER_RAW%");
        text(manager, null, "size", "%BYTES_RECEIVED%", "%BYTES_SENT%");
        text(manager, null, "grpc", "%GRPC_STATUS%", "%GRPC_STATUS(SNAKE_STRING)%", "%GRPC_STATUS_NUMBER%");
        text(manager, AccessLogFilter.newBuilder().setStatusCodeFilter(StatusCodeFilter.newBuilder().setComparison(than(ComparisonFilter.Op.GE, 400))), "from 400");
        text(manager, AccessLogFilter.newBuilder().setStatusCodeFilter(StatusCodeFilter.newBuilder().setComparison(than(ComparisonFilter.Op.EQ, 200))), "200");
        text(manager, AccessLogFilter.newBuilder().setStatusCodeFilter(StatusCodeFilter.newBuilder().setComparison(than(ComparisonFilter.Op.LE, 302))), "to 302");
        text(manager, AccessLogFilter.newBuilder().setResponseFlagFilter(ResponseFlagFilter.getDefaultInstance()), "flagged");
        text(manager, AccessLogFilter.newBuilder().setResponseFlagFilter(ResponseFlagFilter.newBuilder().addFlags("UF").addFlags("UT").addFlags("FI")), "UF, UT, FI");
        text(manager, header("x-a"), "x-a");
        text(manager, AccessLogFilter.newBuilder().setGrpcStatusFilter(GrpcStatusFilter.newBuilder().addStatuses(GrpcStatusFilter.Status.UNAVAILABLE)), "unavailable");
        text(manager, AccessLogFilter.newBuilder()
                .setGrpcStatusFilter(GrpcStatusFilter.newBuilder().setExclude(true).addStatuses(GrpcStatusFilter.Status.OK)), "not OK");
        text(manager, AccessLogFilter.newBuilder().setDurationFilter(DurationFilter.newBuilder().setComparison(than(ComparisonFilter.Op.GE, 700))), "slow");
        text(manager, AccessLogFilter.newBuilder()
                .setAndFilter(AndFilter.newBuilder()
                        .addFilters(header("x-a"))
                        .addFilters(AccessLogFilter.newBuilder().setOrFilter(OrFilter.newBuilder().addFilters(header("x-b")).addFilters(header("x-c"))))),
                "x-a and x-b or x-c");
        json(manager, "JSON", false);
        json(manager, "JSON without what is empty", true);
        text(manager, null, AccessLogs.END);
        return manager.build();
    }

    private void text(HttpConnectionManager.Builder manager, AccessLogFilter.Builder filter, String name, String... parts) {
        String line = String.join(" | ", Stream.concat(Stream.of(parts), Stream.of(name)).toList());
        log(manager, filter, SubstitutionFormatString.newBuilder().setTextFormatSource(DataSource.newBuilder().setInlineString(AccessLogs.KEY + " " + line + "\n")));
    }

    private void json(HttpConnectionManager.Builder manager, String name, boolean omitEmpty) {
        Struct inner = Struct.newBuilder()
                .putFields("attempts", text("%UPSTREAM_REQUEST_ATTEMPT_COUNT%"))
                .putFields("b", text("%REQ(x-b)%"))
                .build();
        log(manager, null, SubstitutionFormatString.newBuilder()
                .setOmitEmptyValues(omitEmpty)
                .setJsonFormat(Struct.newBuilder()
                        .putFields("key", text(AccessLogs.KEY))
                        .putFields("log", text(name))
                        .putFields("status", text("%RESPONSE_CODE%"))
                        .putFields("a", text("%REQ(x-a)%"))
                        .putFields("a and b", text("%REQ(x-a)% and %REQ(x-b)%"))
                        .putFields("path", text("%REQ(:PATH)%"))
                        .putFields("number", Value.newBuilder().setNumberValue(1.5).build())
                        .putFields("yes", Value.newBuilder().setBoolValue(true).build())
                        .putFields("inner", Value.newBuilder().setStructValue(inner).build())));
    }

    private static Value text(String format) {
        return Value.newBuilder().setStringValue(format).build();
    }

    private void log(HttpConnectionManager.Builder manager, AccessLogFilter.Builder filter, SubstitutionFormatString.Builder format) {
        AccessLog.Builder log = AccessLog.newBuilder()
                .setName("file")
                .setTypedConfig(Any.pack(FileAccessLog.newBuilder().setPath(logs.file().toString()).setLogFormat(format).build()));
        manager.addAccessLog(filter == null ? log : log.setFilter(filter));
    }

    private static AccessLogFilter.Builder header(String name) {
        return AccessLogFilter.newBuilder()
                .setHeaderFilter(HeaderFilter.newBuilder().setHeader(HeaderMatcher.newBuilder().setName(name).setPresentMatch(true)));
    }

    private static ComparisonFilter.Builder than(ComparisonFilter.Op operation, int value) {
        return ComparisonFilter.newBuilder().setOp(operation).setValue(RuntimeUInt32.newBuilder().setDefaultValue(value).setRuntimeKey("none"));
    }

    @Override
    public Case draw(Draw draw) {
        VirtualHost.Builder host = VirtualHost.newBuilder().setName(Case.ID).addDomains(Case.HOST + ":" + Case.PORT);
        List<String> paths = List.of("/a", "/b", "/");
        for (String path : paths) {
            Route.Builder route = Route.newBuilder()
                    .setMatch(RouteMatch.newBuilder().setPrefix(path))
                    .addAllRequestHeadersToAdd(Vocabulary.additions(draw, 20))
                    .addAllResponseHeadersToAdd(Vocabulary.additions(draw, 20));
            if (draw.chance(30)) {
                route.addResponseHeadersToAdd(HeaderValueOption.newBuilder()
                        .setHeader(HeaderValue.newBuilder().setKey("x-once").setValue("by the route"))
                        .setAppendAction(draw.oneOf(HeaderAppendAction.OVERWRITE_IF_EXISTS_OR_ADD, HeaderAppendAction.ADD_IF_ABSENT)));
            }
            if (draw.chance(60)) {
                route.setName(draw.oneOf("first", "second"));
            }
            answer(draw, route);
            if (draw.chance(25)) {
                Message filter = draw.chance(50) ? fault(draw) : limit();
                route.putTypedPerFilterConfig(filter instanceof HTTPFault ? FilterArea.FAULT : FilterArea.LIMIT, Any.pack(filter));
            }
            host.addRoutes(route);
        }
        Cluster slow = clusters.of(CLUSTER, 7);
        return new Case(
                name(),
                manager(),
                RouteConfiguration.newBuilder().addVirtualHosts(host).build(),
                List.of(slow),
                draw.several(3, 6, () -> request(draw, paths)),
                Judgement.EXACT);
    }

    private static void answer(Draw draw, Route.Builder route) {
        switch (draw.between(0, 9)) {
            case 0 -> route.setDirectResponse(DirectResponseAction.newBuilder()
                    .setStatus(draw.oneOf(200, 403, 503))
                    .setBody(DataSource.newBuilder().setInlineString(draw.oneOf("", "said by the route"))));
            case 1 -> route.setRedirect(RedirectAction.newBuilder().setHostRedirect("elsewhere.test").setPathRedirect(draw.oneOf("", "/b")));
            case 2 -> route.setRoute(RouteAction.newBuilder().setCluster(draw.oneOf(Clusters.REFUSING, Clusters.EMPTY)));
            case 3 -> route.setRoute(RouteAction.newBuilder().setCluster(CLUSTER).setTimeout(Durations.fromMillis(900)));
            default -> {
                RouteAction.Builder action = RouteAction.newBuilder().setCluster(draw.oneOf(Clusters.FIXED));
                if (draw.chance(30)) {
                    action.setPrefixRewrite("/rewritten");
                }
                if (draw.chance(50)) {
                    action.setRetryPolicy(RetryPolicy.newBuilder().setRetryOn(draw.oneOf("5xx", "reset")).setNumRetries(UInt32Value.of(draw.between(1, 2))));
                }
                route.setRoute(action);
            }
        }
    }

    private static HTTPFault fault(Draw draw) {
        FaultAbort.Builder abort = FaultAbort.newBuilder().setPercentage(FilterArea.percent(draw));
        return HTTPFault.newBuilder()
                .setAbort(draw.chance(30) ? abort.setGrpcStatus(14) : abort.setHttpStatus(draw.oneOf(400, 503)))
                .build();
    }

    private static LocalRateLimit limit() {
        return FilterArea.UNLIMITED.toBuilder()
                .setTokenBucket(TokenBucket.newBuilder().setMaxTokens(1).setTokensPerFill(UInt32Value.of(1)).setFillInterval(Durations.fromSeconds(600)))
                .setFilterEnabled(ALL)
                .setFilterEnforced(ALL)
                .build();
    }

    private static Request request(Draw draw, List<String> paths) {
        List<String> headers = new ArrayList<>(Vocabulary.headers(draw));
        // Of a call without a status in its head Envoy makes one up: a difference that stays.
        headers.removeIf(header -> header.startsWith("content-type"));
        headers.add(AccessLogs.CASE + ": " + Case.ID);
        boolean body = draw.chance(30);
        String target = draw.oneOf(paths) + (draw.chance(40) ? "?" + Vocabulary.query(draw) : "");
        String script = draw.chance(10) ? "wait 1500 200" : draw.chance(30) ? draw.oneOf("503;200", "500", "204", "304", "200|grpc-status=14", "200|x-once=u1") : Vocabulary.goodScript(draw);
        // A body that nobody was sent is nothing to a library that does not know its length.
        return new Request(body ? Client.drawKnowing(draw) : Client.draw(draw), body ? "POST" : "GET", Case.HOST, target, headers, body ? "a body" : "", script);
    }
}
