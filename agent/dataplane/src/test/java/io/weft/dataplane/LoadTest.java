package io.weft.dataplane;

import static io.weft.dataplane.Policies.cluster;
import static io.weft.dataplane.Policies.host;
import static io.weft.dataplane.Policies.snapshot;
import static io.weft.dataplane.Policies.to;
import static org.assertj.core.api.Assertions.assertThat;

import io.weft.dataplane.metrics.Durations;
import io.weft.policy.load.ClusterLoad;
import io.weft.policy.load.ClusterLoad.Answers;
import io.weft.policy.load.ClusterLoad.EndpointLoad;
import io.weft.policy.load.ClusterLoad.Latencies;
import io.weft.policy.model.EndpointAssignment.Health;
import io.weft.policy.model.EndpointAssignment.LbEndpoint;
import io.weft.policy.model.EndpointAssignment.Locality;
import io.weft.policy.model.EndpointAssignment.LocalityEndpoints;
import io.weft.policy.model.HostPort;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** What a control plane can be told of the load. */
class LoadTest {
    private static final Locality NORTH = new Locality("", "north", "");
    private static final Locality SOUTH = new Locality("", "south", "");

    private final Fixture mesh = Fixture.with(snapshot()
            .routes(host("orders", to("orders")), host("empty", to("empty")))
            .cluster(cluster("orders"),
                    new LocalityEndpoints(NORTH, 0, 0, List.of(endpoint(1, "v1"))),
                    new LocalityEndpoints(SOUTH, 0, 0, List.of(endpoint(2, "v2"))))
            .cluster(cluster("empty"), new LocalityEndpoints(NORTH, 0, 0, List.of())));

    private static LbEndpoint endpoint(int port, String version) {
        return new LbEndpoint(new HostPort("127.0.0.1", port), "", 1, Health.HEALTHY, Map.of("version", version), Map.of());
    }

    private void send(Duration takes) {
        Request request = mesh.dialled(Request.get("orders", "/"));
        mesh.time.advance(takes);
        // The second endpoint fails.
        request.onResponse(Fixture.port(request) == 2 ? 503 : 200, Fixture.NO_HEADERS);
        request.end();
    }

    private ClusterLoad load(String name) {
        return mesh.dataPlane.load().stream().filter(cluster -> cluster.name().equals(name)).findFirst().orElseThrow();
    }

    @Test
    void endpointsAreToldApartByPlaceAndOutcome() {
        for (int i = 0; i < 6; i++) {
            send(Duration.ofMillis(3));
        }
        Request open = mesh.dialled(Request.get("orders", "/"));

        assertThat(load("orders").endpoints()).extracting(each -> each.address().getPort()).containsExactlyInAnyOrder(1, 2);
        for (EndpointLoad endpoint : load("orders").endpoints()) {
            boolean good = endpoint.address().getPort() == 1;
            assertThat(endpoint.locality()).isEqualTo(good ? NORTH : SOUTH);
            assertThat(endpoint.successes()).isEqualTo(good ? 3 : 0);
            assertThat(endpoint.errors()).isEqualTo(good ? 0 : 3);
            assertThat(endpoint.inProgress()).isEqualTo(Fixture.port(open) == endpoint.address().getPort() ? 1 : 0);
            assertThat(endpoint.secured()).isFalse();
        }
    }

    @Test
    void latenciesAreToldApartByVersion() {
        for (int i = 0; i < 4; i++) {
            send(Duration.ofMillis(3));
        }

        List<Latencies> latencies = load("orders").latencies().stream().filter(each -> !each.version().isEmpty()).toList();
        assertThat(latencies).extracting(Latencies::version).containsExactly("v1", "v2");
        assertThat(latencies).allSatisfy(each -> {
            assertThat(each.boundsMillis()).hasSize(Durations.bounds().length);
            assertThat(each.counts()).hasSize(Durations.bounds().length + 1);
            assertThat(each.counts().get(each.boundsMillis().indexOf(5.0))).isEqualTo(2);
            assertThat(each.counts().stream().mapToLong(Long::longValue).sum()).isEqualTo(2);
        });
    }

    @Test
    void refusalsAndOtherClientErrorsAreToldApartByVersion() {
        for (int status : new int[] {200, 401, 403, 429, 404, 400, 200, 503}) {
            Request request = mesh.dialled(Request.get("orders", "/"));
            request.onResponse(status, Fixture.NO_HEADERS);
            request.end();
        }
        mesh.reply(Request.get("empty", "/"));

        List<Answers> answers = load("orders").answers();
        assertThat(answers).extracting(Answers::version).contains("v1", "v2");
        assertThat(answers.stream().mapToLong(Answers::refused).sum()).isEqualTo(3);
        assertThat(answers.stream().mapToLong(Answers::clientErrors).sum()).isEqualTo(2);
        assertThat(load("empty").answers()).as("not sent").allSatisfy(each -> assertThat(each.refused()).isZero());
        assertThat(mesh.dataPlane.stats().stream().filter(each -> each.name().equals("orders")).findFirst().orElseThrow().refused())
                .isEqualTo(3);
    }

    @Test
    void whatIsNotSentIsDropped() {
        mesh.reply(Request.get("empty", "/"));
        assertThat(load("empty").dropped()).isEqualTo(1);
        assertThat(load("orders").dropped()).isZero();
    }
}
