package io.weft.agent.metrics;

import io.weft.dataplane.ClusterStats;
import io.weft.dataplane.ClusterStats.EndpointStats;
import io.weft.dataplane.format.ResponseFlag;
import io.weft.dataplane.metrics.RequestStats;
import io.weft.dataplane.metrics.Sizes;
import io.weft.policy.model.EndpointAssignment.Health;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;

/** Clusters under Envoy's names. Connections are the app's libraries' own; of them is told what the mesh sees. */
final class EnvoyMetrics {
    static final String PREFIX = "envoy_cluster_";
    private static final String CLUSTER = "envoy_cluster_name";

    private final Map<String, Metric> metrics = new LinkedHashMap<>();

    private EnvoyMetrics() {}

    static List<Metric> of(List<ClusterStats> clusters, List<RequestStats> requests) {
        EnvoyMetrics envoy = new EnvoyMetrics();
        clusters.forEach(envoy::cluster);
        for (RequestStats series : requests) {
            if (!series.cluster().isEmpty()) {
                envoy.requests(series);
            }
        }
        return new ArrayList<>(envoy.metrics.values());
    }

    private void cluster(ClusterStats cluster) {
        Map<String, String> labels = Map.of(CLUSTER, cluster.name());
        counter("upstream_rq_total", "Attempts that are over.", labels, cluster.successes() + cluster.failures());
        gauge("upstream_rq_active", "Attempts under way.", labels, cluster.active());
        counter("upstream_rq_retry", "Attempts after the first.", labels, cluster.retries());
        counter("upstream_rq_retry_overflow", "Retries that the circuit breaker refused.", labels, cluster.retryOverflows());
        counter("upstream_rq_pending_overflow", "Requests that the circuit breaker refused.", labels, cluster.overflows());
        counter("upstream_cx_none_healthy", "Requests for which there was no healthy endpoint.", labels, cluster.withoutEndpoint());
        counter("upstream_cx_connect_fail", "Attempts that got no connection.", labels, cluster.connectFailures());
        gauge("membership_total", "Endpoints.", labels, cluster.endpoints().size());
        gauge("membership_healthy", "Endpoints that are healthy and not ejected.", labels,
                count(cluster, endpoint -> endpoint.health() == Health.HEALTHY && !endpoint.ejected() && !endpoint.failsChecks()));
        gauge("membership_degraded", "Endpoints that are degraded.", labels,
                count(cluster, endpoint -> endpoint.health() == Health.DEGRADED));
        gauge("outlier_detection_ejections_active", "Endpoints that are ejected.", labels, count(cluster, EndpointStats::ejected));
        counter("outlier_detection_ejections_enforced_total", "How often an endpoint was ejected.", labels, cluster.ejections());
    }

    private static long count(ClusterStats cluster, Predicate<EndpointStats> which) {
        return cluster.endpoints().stream().filter(which).count();
    }

    private void requests(RequestStats series) {
        Map<String, String> labels = Map.of(CLUSTER, series.cluster());
        int code = series.outcome().code();
        if (code >= 100 && code < 600 && !series.outcome().overflow()) {
            counter("upstream_rq", "Requests by the response that the app got.",
                    labels("envoy_response_code", Integer.toString(code), series), series.requests());
            counter("upstream_rq_xx", "Requests by the class of the response that the app got.",
                    labels("envoy_response_code_class", Integer.toString(code / 100), series), series.requests());
        }
        int flags = series.outcome().flags();
        counter("upstream_rq_timeout", "Requests whose time was over.", labels, ifSet(flags, ResponseFlag.UT, series));
        counter("upstream_rq_retry_limit_exceeded", "Requests that were not tried again since they had been as often as they may.", labels,
                ifSet(flags, ResponseFlag.URX, series));
        metrics.computeIfAbsent(PREFIX + "upstream_rq_time",
                name -> Metric.durations(name, "From the beginning of a request to the end of its response, in milliseconds."))
                .add(labels, series.durations());
        sizes("upstream_rq_body_size", "Bytes of requests' bodies.", labels, series.requestSizes());
        sizes("upstream_rs_body_size", "Bytes of responses' bodies.", labels, series.responseSizes());
    }

    private void sizes(String name, String help, Map<String, String> labels, Sizes.Snapshot sizes) {
        metrics.computeIfAbsent(PREFIX + name, full -> Metric.sizes(full, help)).add(labels, sizes);
    }

    private static long ifSet(int flags, ResponseFlag flag, RequestStats series) {
        return (flags & flag.bit()) == 0 ? 0 : series.requests();
    }

    private static Map<String, String> labels(String name, String value, RequestStats series) {
        Map<String, String> labels = new LinkedHashMap<>();
        labels.put(name, value);
        labels.put(CLUSTER, series.cluster());
        return labels;
    }

    private void counter(String name, String help, Map<String, String> labels, long value) {
        metrics.computeIfAbsent(PREFIX + name, full -> Metric.counter(full, help)).add(labels, value);
    }

    private void gauge(String name, String help, Map<String, String> labels, long value) {
        metrics.computeIfAbsent(PREFIX + name, full -> Metric.gauge(full, help)).add(labels, value);
    }
}
