package io.weft.agent.metrics;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import io.weft.dataplane.DataPlane;
import io.weft.dataplane.InboundPorts;
import io.weft.dataplane.Self;
import io.weft.dataplane.Timers;
import io.weft.dataplane.authorize.AccessStats.RuleStats;
import io.weft.policy.PolicyClientStatus;
import io.weft.policy.model.PolicySnapshot;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What ships for Grafana and Prometheus asks for metrics that there are. */
class DashboardTest {
    private static final Path DEPLOY = Path.of("../../deploy/observability");
    private static final Pattern NAME = Pattern.compile("\\b(?:istio|envoy|weft)_[a-z0-9_]+");
    /** Labels, and what a histogram is written as. */
    private static final Pattern SUFFIX = Pattern.compile("_(bucket|sum|count)$");
    private static final Set<String> LABELS = Set.of("envoy_cluster_name", "envoy_response_code_class", "envoy_response_code");

    private static Set<String> known() {
        Timers never = (nanos, task) -> () -> {};
        PolicyClientStatus stream = new PolicyClientStatus(new PolicyClientStatus.Connecting(Instant.EPOCH), PolicyClientStatus.Variant.DELTA,
                "", Map.of(), List.of(), Optional.empty(), Optional.empty());
        InboundPorts ports = DataPlane.start(Duration.ZERO, never, (where, fault) -> {}, Self.UNKNOWN).inbound();
        List<Metric> metrics = new ArrayList<>(IstioMetrics.of(new Workload("", "", "", "", ""), MeshMetricsTest.requests()));
        metrics.addAll(EnvoyMetrics.of(List.of(MeshMetricsTest.cluster()), MeshMetricsTest.requests()));
        metrics.addAll(ProcessMetrics.of(stream, PolicySnapshot.empty(), ports,
                List.of(new RuleStats("rbac", "p", false, true, 1)), Instant.EPOCH));
        return metrics.stream().map(Metric::name).collect(Collectors.toSet());
    }

    @ParameterizedTest
    @ValueSource(strings = {"weft-dashboard.json", "weft-alerts.yaml"})
    void eachMetricThatIsAskedForExists(String file) throws IOException {
        Set<String> asked = new TreeSet<>();
        Matcher names = NAME.matcher(Files.readString(DEPLOY.resolve(file)));
        while (names.find()) {
            if (!LABELS.contains(names.group())) {
                asked.add(SUFFIX.matcher(names.group()).replaceFirst(""));
            }
        }
        assertThat(asked).hasSizeGreaterThan(3);
        assertThat(known()).containsAll(asked);
    }

    @Test
    void theDashboardIsJson() throws IOException {
        try (JsonParser parser = new JsonFactory().createParser(DEPLOY.resolve("weft-dashboard.json").toFile())) {
            int tokens = 0;
            while (parser.nextToken() != null) {
                tokens++;
            }
            assertThat(tokens).isPositive();
        }
    }
}
