package io.weft.agent.metrics;

import io.weft.dataplane.metrics.Outcome;
import io.weft.dataplane.metrics.Peer;
import io.weft.dataplane.metrics.RequestStats;
import io.weft.dataplane.metrics.RequestStats.Direction;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Requests under Istio's standard names and labels, both as their source and as their destination saw them. */
final class IstioMetrics {
    private static final String UNKNOWN = "unknown";
    private static final String OTHER = "other";

    private final Metric requests = Metric.counter("istio_requests_total", "Requests, each with all its attempts.");
    private final Metric durations =
            Metric.durations("istio_request_duration_milliseconds", "From the beginning of a request to the end of its response.");
    private final Metric requestSizes = Metric.sizes("istio_request_bytes", "Bytes of requests' bodies.");
    private final Metric responseSizes = Metric.sizes("istio_response_bytes", "Bytes of responses' bodies.");
    private final Workload self;

    private IstioMetrics(Workload self) {
        this.self = self;
    }

    static List<Metric> of(Workload self, List<RequestStats> stats) {
        IstioMetrics metrics = new IstioMetrics(self);
        for (RequestStats series : stats) {
            Map<String, String> labels = metrics.labels(series);
            metrics.requests.add(labels, series.requests());
            metrics.durations.add(labels, series.durations());
            metrics.requestSizes.add(labels, series.requestSizes());
            metrics.responseSizes.add(labels, series.responseSizes());
        }
        return List.of(metrics.requests, metrics.durations, metrics.requestSizes, metrics.responseSizes);
    }

    private Map<String, String> labels(RequestStats series) {
        Map<String, String> labels = new LinkedHashMap<>();
        if (series.direction() == Direction.OUTBOUND) {
            labels.put("reporter", "source");
            self(labels, "source");
            peer(labels, "destination", series.peer());
            service(labels, series.peer().service(), series.peer().namespace());
        } else {
            labels.put("reporter", "destination");
            peer(labels, "source", series.peer());
            self(labels, "destination");
            service(labels, self.service(), self.namespace());
        }
        outcome(labels, series.outcome());
        return labels;
    }

    private void self(Map<String, String> labels, String side) {
        side(labels, side, new Peer(self.service(), self.service(), self.namespace(), self.version(), self.principal()));
        put(labels, side + "_cluster", self.cluster());
    }

    private static void peer(Map<String, String> labels, String side, Peer peer) {
        side(labels, side, peer);
        put(labels, side + "_cluster", "");
    }

    private static void side(Map<String, String> labels, String side, Peer peer) {
        put(labels, side + "_workload", peer.workload());
        put(labels, side + "_workload_namespace", peer.namespace());
        put(labels, side + "_principal", peer.principal());
        put(labels, side + "_app", peer.workload());
        put(labels, side + "_version", peer.version());
        put(labels, side + "_canonical_service", peer.workload());
        put(labels, side + "_canonical_revision", peer.version().isEmpty() ? "latest" : peer.version());
    }

    private static void service(Map<String, String> labels, String service, String namespace) {
        put(labels, "destination_service", service);
        int dot = service.indexOf('.');
        put(labels, "destination_service_name", dot < 0 ? service : service.substring(0, dot));
        put(labels, "destination_service_namespace", namespace);
    }

    private static void outcome(Map<String, String> labels, Outcome outcome) {
        if (outcome.overflow()) {
            for (String name : List.of("request_protocol", "response_code", "grpc_response_status", "response_flags",
                    "connection_security_policy")) {
                labels.put(name, OTHER);
            }
            return;
        }
        labels.put("request_protocol", outcome.grpc() ? "grpc" : "http");
        labels.put("response_code", Integer.toString(outcome.code()));
        labels.put("grpc_response_status", outcome.grpcStatus() < 0 ? "" : Integer.toString(outcome.grpcStatus()));
        labels.put("response_flags", outcome.flagNames());
        labels.put("connection_security_policy", outcome.secured() ? "mutual_tls" : "none");
    }

    private static void put(Map<String, String> labels, String name, String value) {
        labels.put(name, value.isEmpty() ? UNKNOWN : value);
    }
}
