package io.weft.dataplane;

import static io.weft.dataplane.Policies.cluster;
import static io.weft.dataplane.Policies.endpoint;
import static io.weft.dataplane.Policies.host;
import static io.weft.dataplane.Policies.snapshot;
import static io.weft.dataplane.Policies.to;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.weft.policy.model.LoadBalancing.ClientSideWeightedRoundRobin;
import io.weft.policy.model.LoadBalancing.ZoneAware;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Client-side weighted round robin: endpoints say in their responses how busy they are. */
class ReportedWeightsTest {
    private static final int REQUESTS = 4_000;
    private static final double CLOSE = 0.02;

    private final Map<Integer, String> reports = new HashMap<>();

    private static ClientSideWeightedRoundRobin policy(float errorPenalty, String... metrics) {
        return new ClientSideWeightedRoundRobin(Duration.ofSeconds(10), Duration.ofSeconds(180), Duration.ofSeconds(1),
                errorPenalty, List.of(metrics), ZoneAware.DEFAULT);
    }

    private static Fixture mesh(ClientSideWeightedRoundRobin policy) {
        return Fixture.with(snapshot()
                .routes(host("orders", to("orders")))
                // The control plane's weights do not count.
                .cluster(cluster("orders").with(policy), endpoint(1, 9, io.weft.policy.model.EndpointAssignment.Health.HEALTHY),
                        endpoint(2), endpoint(3)));
    }

    private Map<Integer, Double> send(Fixture mesh, int count) {
        Map<Integer, Double> shares = new HashMap<>(Map.of(1, 0.0, 2, 0.0, 3, 0.0));
        for (int i = 0; i < count; i++) {
            Request request = mesh.dialled(Request.get("orders", "/"));
            String report = reports.get(Fixture.port(request));
            request.onResponse(200, report == null ? Fixture.NO_HEADERS : Fixture.headers("endpoint-load-metrics", "TEXT " + report));
            request.end();
            shares.merge(Fixture.port(request), 1.0 / count, Double::sum);
        }
        return shares;
    }

    /** Until what was reported has been reported for long enough, and the weights are worked out. */
    private void settle(Fixture mesh) {
        send(mesh, 100);
        mesh.time.advance(Duration.ofSeconds(11));
        send(mesh, 100);
    }

    @Test
    void whoIsLessBusyGetsMore() {
        Fixture mesh = mesh(policy(0));
        reports.put(1, "rps_fractional:100,cpu_utilization:0.5");
        reports.put(2, "rps_fractional:100,cpu_utilization:1.0");
        reports.put(3, "rps_fractional:100,cpu_utilization:0.25");
        settle(mesh);

        Map<Integer, Double> shares = send(mesh, REQUESTS);
        assertThat(shares.get(1)).isCloseTo(2 / 7.0, within(CLOSE));
        assertThat(shares.get(2)).isCloseTo(1 / 7.0, within(CLOSE));
        assertThat(shares.get(3)).isCloseTo(4 / 7.0, within(CLOSE));
    }

    @Test
    void reportsAreNotUsedInTheBlackoutPeriod() {
        Fixture mesh = mesh(policy(0));
        reports.put(1, "rps_fractional:100,cpu_utilization:0.1");
        send(mesh, 100);
        mesh.time.advance(Duration.ofSeconds(9));

        assertThat(send(mesh, REQUESTS).values()).allSatisfy(share -> assertThat(share).isCloseTo(1 / 3.0, within(CLOSE)));
    }

    @Test
    void whoDoesNotReportHasTheMedian() {
        Fixture mesh = mesh(policy(0));
        reports.put(1, "rps_fractional:100,cpu_utilization:1");
        reports.put(2, "rps_fractional:300,cpu_utilization:1");
        settle(mesh);

        Map<Integer, Double> shares = send(mesh, REQUESTS);
        assertThat(shares.get(1)).isCloseTo(1 / 6.0, within(CLOSE));
        assertThat(shares.get(3)).as("200").isCloseTo(2 / 6.0, within(CLOSE));
    }

    @Test
    void aReportExpires() {
        Fixture mesh = mesh(policy(0));
        reports.put(1, "rps_fractional:100,cpu_utilization:1");
        reports.put(2, "rps_fractional:300,cpu_utilization:1");
        settle(mesh);
        reports.clear();
        mesh.time.advance(Duration.ofSeconds(181));
        send(mesh, 1);

        assertThat(send(mesh, REQUESTS).values()).allSatisfy(share -> assertThat(share).isCloseTo(1 / 3.0, within(CLOSE)));
    }

    @Test
    void errorsCountAsUtilization() {
        Fixture mesh = mesh(policy(2));
        reports.put(1, "rps_fractional:100,cpu_utilization:0.5,eps:25");
        reports.put(2, "rps_fractional:100,cpu_utilization:0.5");
        reports.put(3, "rps_fractional:100,cpu_utilization:0.5");
        settle(mesh);

        assertThat(send(mesh, REQUESTS).get(1)).isCloseTo(1 / 5.0, within(CLOSE));
    }

    @Test
    void namedMetricsComeFirstThenWhatTheApplicationSays() {
        Fixture mesh = mesh(policy(0, "named_metrics.queue"));
        reports.put(1, "rps_fractional:100,cpu_utilization:0.1,application_utilization:0.2,named_metrics.queue:1");
        reports.put(2, "rps_fractional:100,cpu_utilization:0.1,application_utilization:0.5");
        reports.put(3, "rps_fractional:100,cpu_utilization:1");
        settle(mesh);

        Map<Integer, Double> shares = send(mesh, REQUESTS);
        assertThat(shares.get(1)).isCloseTo(1 / 4.0, within(CLOSE));
        assertThat(shares.get(2)).isCloseTo(2 / 4.0, within(CLOSE));
    }

    @Test
    void aReportThatSaysTooLittleChangesNothing() {
        Fixture mesh = mesh(policy(0));
        reports.put(1, "cpu_utilization:0.1");
        reports.put(2, "rps_fractional:10");
        reports.put(3, "nonsense");
        settle(mesh);

        assertThat(send(mesh, REQUESTS).values()).allSatisfy(share -> assertThat(share).isCloseTo(1 / 3.0, within(CLOSE)));
    }
}
