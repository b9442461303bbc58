package io.weft.agent.metrics;

import static org.assertj.core.api.Assertions.assertThat;

import io.weft.dataplane.ClusterStats;
import io.weft.dataplane.ClusterStats.EndpointStats;
import io.weft.dataplane.format.ResponseFlag;
import io.weft.dataplane.metrics.Durations;
import io.weft.dataplane.metrics.Outcome;
import io.weft.dataplane.metrics.Peer;
import io.weft.dataplane.metrics.RequestStats;
import io.weft.dataplane.metrics.RequestStats.Direction;
import io.weft.dataplane.metrics.Sizes;
import io.weft.policy.model.EndpointAssignment.Health;
import java.net.InetSocketAddress;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Counters under the names that dashboards know, in Prometheus' format. */
class MeshMetricsTest {
    private static final Workload SHOP = new Workload("shop", "web", "v3", "", "spiffe://mesh/shop");
    private static final Peer ORDERS = new Peer("orders.eu.svc", "orders-app", "eu", "v1", "");

    private static Durations.Snapshot durations(int bucket, long count) {
        long[] counts = new long[Durations.bounds().length + 1];
        counts[bucket] = count;
        return new Durations.Snapshot(counts, count * 3_000_000);
    }

    private static Sizes.Snapshot sizes(int bucket, long each, long count) {
        long[] counts = new long[Sizes.bounds().length + 1];
        counts[bucket] = count;
        return new Sizes.Snapshot(counts, count * each);
    }

    private static RequestStats outbound(String cluster, Outcome outcome, long requests) {
        return new RequestStats(Direction.OUTBOUND, cluster, ORDERS, outcome, requests, durations(5, requests),
                Sizes.Snapshot.NONE, sizes(1, 100, requests));
    }

    private static Outcome outcome(int code, ResponseFlag... flags) {
        int bits = 0;
        for (ResponseFlag flag : flags) {
            bits |= flag.bit();
        }
        return new Outcome(code, false, -1, bits, true, false, false);
    }

    private static List<String> samples(List<Metric> metrics, String name) {
        return PrometheusText.of(metrics).lines().filter(line -> line.startsWith(name + "{") || line.startsWith(name + " ")).toList();
    }

    @Test
    void aRequestThatGoesOutHasIstiosLabels() {
        List<Metric> metrics = IstioMetrics.of(SHOP, List.of(outbound("c", outcome(503, ResponseFlag.UF, ResponseFlag.URX), 2)));
        assertThat(samples(metrics, "istio_requests_total")).containsExactly("istio_requests_total{reporter=\"source\","
                + "source_workload=\"shop\",source_workload_namespace=\"web\",source_principal=\"spiffe://mesh/shop\",source_app=\"shop\","
                + "source_version=\"v3\",source_canonical_service=\"shop\",source_canonical_revision=\"v3\",source_cluster=\"unknown\","
                + "destination_workload=\"orders-app\",destination_workload_namespace=\"eu\",destination_principal=\"unknown\","
                + "destination_app=\"orders-app\",destination_version=\"v1\",destination_canonical_service=\"orders-app\","
                + "destination_canonical_revision=\"v1\",destination_cluster=\"unknown\",destination_service=\"orders.eu.svc\","
                + "destination_service_name=\"orders\",destination_service_namespace=\"eu\",request_protocol=\"http\",response_code=\"503\","
                + "grpc_response_status=\"\",response_flags=\"UF,URX\",connection_security_policy=\"mutual_tls\"} 2");
    }

    @Test
    void oneThatComesInHasItsCallerAndThisProcess() {
        RequestStats inbound = new RequestStats(Direction.INBOUND, "", new Peer("batch", "batch", "", "", "spiffe://mesh/batch"),
                outcome(200), 7, durations(0, 7), Sizes.Snapshot.NONE, Sizes.Snapshot.NONE);
        assertThat(samples(IstioMetrics.of(SHOP, List.of(inbound)), "istio_requests_total")).singleElement().asString()
                .contains("reporter=\"destination\",source_workload=\"batch\"", "source_principal=\"spiffe://mesh/batch\"",
                        "destination_workload=\"shop\"", "destination_service=\"shop\"")
                .endsWith("} 7");
    }

    @Test
    void whatHasTheSameLabelsIsOnePoint() {
        List<Metric> metrics = IstioMetrics.of(SHOP, List.of(outbound("a", outcome(200), 2), outbound("b", outcome(200), 3)));
        assertThat(samples(metrics, "istio_requests_total")).singleElement().asString().endsWith("} 5");
        assertThat(samples(metrics, "istio_request_duration_milliseconds_count")).singleElement().asString().endsWith("} 5");
        assertThat(samples(metrics, "istio_request_duration_milliseconds_sum")).singleElement().asString().endsWith("} 15");
    }

    @Test
    void bucketsAddUp() {
        List<String> buckets = samples(IstioMetrics.of(SHOP, List.of(outbound("a", outcome(200), 4))), "istio_request_duration_milliseconds_bucket");
        assertThat(buckets).hasSize(Durations.bounds().length + 1);
        assertThat(buckets).filteredOn(line -> line.contains("le=\"2.5\"}")).singleElement().asString().endsWith("} 0");
        assertThat(buckets).filteredOn(line -> line.contains("le=\"5\"}")).singleElement().asString().endsWith("} 4");
        assertThat(buckets).last().asString().endsWith("le=\"+Inf\"} 4");
    }

    @Test
    void bodiesAreInBytes() {
        List<RequestStats> requests = List.of(outbound("a", outcome(200), 4));
        for (String name : List.of("istio_response_bytes", "envoy_cluster_upstream_rs_body_size")) {
            List<Metric> metrics = new ArrayList<>(IstioMetrics.of(SHOP, requests));
            metrics.addAll(EnvoyMetrics.of(List.of(), requests));
            List<String> buckets = samples(metrics, name + "_bucket");
            assertThat(buckets).hasSize(Sizes.bounds().length + 1);
            assertThat(buckets).filteredOn(line -> line.contains("le=\"64\"}")).singleElement().asString().endsWith("} 0");
            assertThat(buckets).filteredOn(line -> line.contains("le=\"256\"}")).singleElement().asString().endsWith("} 4");
            assertThat(samples(metrics, name + "_sum")).singleElement().asString().endsWith("} 400");
        }
        assertThat(SemanticMetrics.of(requests)).extracting(Metric::name)
                .containsExactlyInAnyOrder("http.client.request.duration", "http.client.request.body.size", "http.client.response.body.size");
        assertThat(OtlpJson.of(Map.of(), SemanticMetrics.of(requests), Instant.EPOCH, Instant.EPOCH))
                .contains("\"name\":\"http.client.response.body.size\",\"description\":\"Size of HTTP responses' bodies.\",\"unit\":\"By\"")
                .contains("\"explicitBounds\":[64.0,256.0,");
    }

    @Test
    void moreThanThereIsRoomForHasNoCode() {
        Outcome overflow = new Outcome(0, false, -1, 0, false, false, true);
        assertThat(samples(IstioMetrics.of(SHOP, List.of(outbound("a", overflow, 1))), "istio_requests_total")).singleElement().asString()
                .contains("response_code=\"other\"", "response_flags=\"other\"");
    }

    @Test
    void clustersHaveEnvoysNames() {
        List<Metric> metrics = EnvoyMetrics.of(List.of(cluster()), List.of(
                outbound("orders", outcome(200), 9), outbound("orders", outcome(204), 1), outbound("orders", outcome(504, ResponseFlag.UT), 2)));
        assertThat(samples(metrics, "envoy_cluster_upstream_rq_total")).containsExactly("envoy_cluster_upstream_rq_total{envoy_cluster_name=\"orders\"} 15");
        assertThat(samples(metrics, "envoy_cluster_upstream_rq_xx")).containsExactlyInAnyOrder(
                "envoy_cluster_upstream_rq_xx{envoy_response_code_class=\"2\",envoy_cluster_name=\"orders\"} 10",
                "envoy_cluster_upstream_rq_xx{envoy_response_code_class=\"5\",envoy_cluster_name=\"orders\"} 2");
        assertThat(samples(metrics, "envoy_cluster_upstream_rq_timeout")).containsExactly("envoy_cluster_upstream_rq_timeout{envoy_cluster_name=\"orders\"} 2");
        assertThat(samples(metrics, "envoy_cluster_outlier_detection_ejections_active"))
                .containsExactly("envoy_cluster_outlier_detection_ejections_active{envoy_cluster_name=\"orders\"} 1");
        assertThat(samples(metrics, "envoy_cluster_membership_healthy")).containsExactly("envoy_cluster_membership_healthy{envoy_cluster_name=\"orders\"} 1");
    }

    @Test
    void aLabelIsEscaped() {
        Metric metric = Metric.gauge("m", "A gauge.");
        metric.add(Map.of("name", "a\"b\\c\nd"), 1.5);
        assertThat(PrometheusText.of(List.of(metric))).isEqualTo("# HELP m A gauge.\n# TYPE m gauge\nm{name=\"a\\\"b\\\\c\\nd\"} 1.5\n");
    }

    /** With one endpoint that is well and one that is ejected. */
    static ClusterStats cluster() {
        List<EndpointStats> endpoints = new ArrayList<>();
        for (boolean ejected : new boolean[] {false, true}) {
            endpoints.add(new EndpointStats(new InetSocketAddress("127.0.0.1", 80), 0, 1, Health.HEALTHY, 0, 7, 1, false, false, ejected, ejected ? 1 : 0));
        }
        return new ClusterStats("orders", 0, 0, 14, 1, 0, 0, 0, 0, 0, 0, 0, 1, endpoints);
    }

    static List<RequestStats> requests() {
        return List.of(outbound("orders", outcome(200), 1));
    }
}
