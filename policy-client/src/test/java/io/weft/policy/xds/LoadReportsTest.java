package io.weft.policy.xds;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import io.weft.policy.load.ClusterLoad;
import io.weft.policy.load.ClusterLoad.Answers;
import io.weft.policy.load.ClusterLoad.EndpointLoad;
import io.weft.policy.load.ClusterLoad.Latencies;
import io.weft.policy.load.InboundRefusals;
import io.weft.policy.model.EndpointAssignment.Locality;
import io.weft.policy.proto.envoy.config.endpoint.v3.ClusterStats;
import io.weft.policy.proto.envoy.config.endpoint.v3.EndpointLoadMetricStats;
import io.weft.policy.proto.envoy.config.endpoint.v3.UpstreamEndpointStats;
import io.weft.policy.proto.envoy.config.endpoint.v3.UpstreamLocalityStats;
import io.weft.policy.proto.envoy.service.load_stats.v3.LoadStatsRequest;
import java.net.InetSocketAddress;
import java.util.List;
import org.junit.jupiter.api.Test;

class LoadReportsTest {
    private static final Locality NORTH = new Locality("", "north", "");
    private static final Locality SOUTH = new Locality("", "south", "");
    private static final List<Double> BOUNDS = List.of(2.5, 10.0);

    private final LoadReports reports = new LoadReports();

    @Test
    void onlyWhatHappenedSinceTheReportBeforeIsSaid() {
        reports.begin(List.of(orders(3, List.of(took("v1", 90L, 15L, 5L)), at(1, NORTH, 100, 10, 0))), InboundRefusals.NONE, 0);

        ClusterStats first = reports.next(
                List.of(orders(5, List.of(took("v1", 95L, 17L, 6L)), at(1, NORTH, 107, 11, 2))), InboundRefusals.NONE, true, 5_500_000_000L).getClusterStats(0);

        assertThat(first.getClusterName()).isEqualTo("orders");
        assertThat(first.getTotalDroppedRequests()).isEqualTo(2);
        assertThat(first.getLoadReportInterval().getSeconds()).isEqualTo(5);
        assertThat(first.getLoadReportInterval().getNanos()).isEqualTo(500_000_000);
        UpstreamLocalityStats north = first.getUpstreamLocalityStats(0);
        assertThat(north.getLocality().getZone()).isEqualTo("north");
        assertThat(north.getTotalSuccessfulRequests()).isEqualTo(7);
        assertThat(north.getTotalErrorRequests()).isEqualTo(1);
        assertThat(north.getTotalIssuedRequests()).isEqualTo(8);
        assertThat(north.getTotalRequestsInProgress()).isEqualTo(2);
        assertThat(north.getLoadMetricStatsList())
                .extracting(EndpointLoadMetricStats::getMetricName, EndpointLoadMetricStats::getNumRequestsFinishedWithMetric)
                .containsExactlyInAnyOrder(
                        tuple("weft.latency_ms{le=\"2.5\",version=\"v1\"}", 5L),
                        tuple("weft.latency_ms{le=\"10\",version=\"v1\"}", 2L),
                        tuple("weft.latency_ms{le=\"inf\",version=\"v1\"}", 1L));
        assertThat(reports.next(
                        List.of(orders(5, List.of(took("v1", 95L, 17L, 6L)), at(1, NORTH, 107, 11, 0))), InboundRefusals.NONE, true, 10_000_000_000L).getClusterStatsList())
                .as("nothing happened").isEmpty();
    }

    @Test
    void whatIsNewCountsFromNothing() {
        reports.begin(List.of(), InboundRefusals.NONE, 0);

        ClusterStats stats = reports.next(List.of(orders(0, List.of(), at(1, NORTH, 4, 0, 0))), InboundRefusals.NONE, false, 1).getClusterStats(0);

        assertThat(stats.getUpstreamLocalityStats(0).getTotalSuccessfulRequests()).isEqualTo(4);
        assertThat(stats.getUpstreamLocalityStats(0).getUpstreamEndpointStatsList()).as("not asked for").isEmpty();
    }

    @Test
    void anEndpointThatCameBackCountsFromNothing() {
        reports.begin(List.of(orders(0, List.of(), at(1, NORTH, 50, 5, 0))), InboundRefusals.NONE, 0);

        ClusterStats stats =
                reports.next(List.of(orders(0, List.of(), at(1, NORTH, 2, 1, 0))), InboundRefusals.NONE, true, 1).getClusterStats(0);

        assertThat(stats.getUpstreamLocalityStats(0).getTotalSuccessfulRequests()).isEqualTo(2);
        assertThat(stats.getUpstreamLocalityStats(0).getTotalErrorRequests()).isEqualTo(1);
    }

    @Test
    void localitiesAreToldApartAndSoAreEndpoints() {
        reports.begin(List.of(), InboundRefusals.NONE, 0);
        EndpointLoad ejected = new EndpointLoad(address(3), SOUTH, 1, 0, 0, 0, true, true);

        ClusterStats stats = reports.next(
                List.of(orders(0, List.of(),
                        at(1, NORTH, 1, 0, 0), at(2, NORTH, 2, 0, 0), ejected, at(4, SOUTH, 0, 0, 0))),
                InboundRefusals.NONE, true, 1).getClusterStats(0);

        assertThat(stats.getUpstreamLocalityStatsList())
                .extracting(each -> each.getLocality().getZone(), UpstreamLocalityStats::getPriority,
                        UpstreamLocalityStats::getTotalSuccessfulRequests)
                .containsExactly(tuple("north", 0, 3L), tuple("south", 1, 0L));
        assertThat(stats.getUpstreamLocalityStats(0).getUpstreamEndpointStatsList())
                .extracting(each -> each.getAddress().getSocketAddress().getPortValue(),
                        UpstreamEndpointStats::getTotalSuccessfulRequests)
                .containsExactly(tuple(1, 1L), tuple(2, 2L));
        assertThat(stats.getUpstreamLocalityStats(1).getUpstreamEndpointStats(0).getLoadMetricStatsList())
                .extracting(EndpointLoadMetricStats::getMetricName)
                .containsExactly("weft.mtls", "weft.ejected");
    }

    @Test
    void whatIsRefusedIsToldOnce() {
        ClusterLoad before = new ClusterLoad("orders", 0, List.of(), List.of(), List.of(new Answers("v1", 1, 5, 7), new Answers("", 0, 0, 1)));
        ClusterLoad now = new ClusterLoad("orders", 0, List.of(), List.of(),
                List.of(new Answers("v1", 5, 6, 9), new Answers("", 0, 0, 1), new Answers("v2", 0, 0, 3)));
        reports.begin(List.of(before), new InboundRefusals(10, 20, 30), 0);

        LoadStatsRequest report = reports.next(List.of(now), new InboundRefusals(11, 22, 30), true, 1);

        assertThat(report.getClusterStats(0).getUpstreamLocalityStats(0).getLoadMetricStatsList())
                .extracting(EndpointLoadMetricStats::getMetricName, EndpointLoadMetricStats::getNumRequestsFinishedWithMetric)
                .containsExactly(tuple("weft.answers_refused{version=\"v1\"}", 2L), tuple("weft.answers_5xx{version=\"v1\"}", 4L),
                        tuple("weft.answers_4xx{version=\"v1\"}", 1L),
                        tuple("weft.answers_refused{version=\"v2\"}", 3L));
        assertThat(report.getClusterStats(1).getClusterName()).isEqualTo("weft.inbound");
        assertThat(report.getClusterStats(1).getUpstreamLocalityStats(0).getLoadMetricStatsList())
                .extracting(EndpointLoadMetricStats::getMetricName, EndpointLoadMetricStats::getNumRequestsFinishedWithMetric)
                .containsExactly(tuple("weft.refused{by=\"permission\"}", 1L), tuple("weft.refused{by=\"rate-limit\"}", 2L));
        assertThat(reports.next(List.of(now), new InboundRefusals(11, 22, 30), true, 2).getClusterStatsList()).isEmpty();
    }

    private static ClusterLoad orders(long dropped, List<Latencies> latencies, EndpointLoad... endpoints) {
        return new ClusterLoad("orders", dropped, List.of(endpoints), latencies, List.of());
    }

    private static EndpointLoad at(int port, Locality locality, long successes, long errors, int inProgress) {
        return new EndpointLoad(address(port), locality, 0, successes, errors, inProgress, false, false);
    }

    private static Latencies took(String version, Long... counts) {
        return new Latencies(version, BOUNDS, List.of(counts));
    }

    private static InetSocketAddress address(int port) {
        return new InetSocketAddress("127.0.0.1", port);
    }
}
