package io.weft.agent.metrics;

import io.weft.dataplane.metrics.Outcome;
import io.weft.dataplane.metrics.RequestStats;
import io.weft.dataplane.metrics.RequestStats.Direction;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Requests under the names of OpenTelemetry's semantic conventions, 1.37, for HTTP and RPC. Methods are not told apart, so that theirs is the
 * conventions' word for all others.
 */
final class SemanticMetrics {
    private SemanticMetrics() {}

    static List<Metric> of(List<RequestStats> stats) {
        Map<String, Metric> metrics = new TreeMap<>();
        for (RequestStats series : stats) {
            boolean client = series.direction() == Direction.OUTBOUND;
            boolean rpc = series.outcome().grpc();
            String side = (rpc ? "rpc." : "http.") + (client ? "client." : "server.");
            Map<String, String> attributes = rpc ? call(series) : request(series, client);
            metrics.computeIfAbsent(side + (rpc ? "duration" : "request.duration"),
                    name -> Metric.durations(name, rpc ? "Duration of calls." : "Duration of HTTP requests."))
                    .add(attributes, series.durations());
            if (!rpc) {
                metrics.computeIfAbsent(side + "request.body.size", name -> Metric.sizes(name, "Size of HTTP requests' bodies."))
                        .add(attributes, series.requestSizes());
                metrics.computeIfAbsent(side + "response.body.size", name -> Metric.sizes(name, "Size of HTTP responses' bodies."))
                        .add(attributes, series.responseSizes());
            }
        }
        return new ArrayList<>(metrics.values());
    }

    private static Map<String, String> request(RequestStats series, boolean client) {
        Map<String, String> attributes = new LinkedHashMap<>();
        attributes.put("http.request.method", "_OTHER");
        attributes.put("url.scheme", "http");
        if (client) {
            attributes.put("server.address", series.peer().service());
        }
        Outcome outcome = series.outcome();
        if (outcome.code() != 0) {
            attributes.put("http.response.status_code", Integer.toString(outcome.code()));
        }
        if (outcome.overflow() || outcome.code() == 0 || outcome.code() >= (client ? 400 : 500)) {
            attributes.put("error.type", outcome.overflow() || outcome.code() == 0 ? "_OTHER" : Integer.toString(outcome.code()));
        }
        return attributes;
    }

    private static Map<String, String> call(RequestStats series) {
        Map<String, String> attributes = new LinkedHashMap<>();
        attributes.put("rpc.system", "grpc");
        if (series.direction() == Direction.OUTBOUND) {
            attributes.put("server.address", series.peer().service());
        }
        if (series.outcome().grpcStatus() >= 0) {
            attributes.put("rpc.grpc.status_code", Integer.toString(series.outcome().grpcStatus()));
        }
        return attributes;
    }
}
