package io.weft.controlplane;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.envoyproxy.envoy.config.core.v3.HealthStatus;
import io.envoyproxy.envoy.config.endpoint.v3.ClusterLoadAssignment;
import io.envoyproxy.envoy.config.endpoint.v3.LbEndpoint;
import io.envoyproxy.envoy.config.route.v3.RouteConfiguration;
import io.envoyproxy.envoy.config.route.v3.WeightedCluster.ClusterWeight;
import io.weft.controlplane.xds.DeltaClient;
import io.weft.controlplane.xds.Nodes;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** From files and registrations to what data planes get, over the wire. */
class ControlPlaneTest {

    private static final String ORDERS = "kri_msvc_default___orders_80";

    @TempDir
    private Path folder;

    private ControlPlane controlPlane;

    @BeforeEach
    void start() throws IOException {
        controlPlane = start(Duration.ofMillis(800));
    }

    private ControlPlane start(Duration grace) throws IOException {
        return ControlPlane.start(new ControlPlane.Settings(
                folder, folder.resolve(".weft"), new InetSocketAddress("127.0.0.1", 0), grace));
    }

    @AfterEach
    void stop() throws IOException {
        controlPlane.close();
    }

    @Test
    void instancesRegisterThemselvesAndAreFound() {
        try (DeltaClient one = connect(Nodes.agent("orders", "1", 8081, "v1"));
                DeltaClient two = connect(Nodes.agent("orders", "2", 8082, "v2"));
                DeltaClient client = connect(Nodes.client("batch"))) {
            await().untilAsserted(() -> assertThat(ports(client, ORDERS)).containsExactly(8081, 8082));
            await().untilAsserted(() -> assertThat(client.routes("outbound_80")).isNotNull());

            RouteConfiguration routes = client.routes("outbound_80");
            assertThat(routes.getVirtualHosts(0).getDomainsList())
                    .containsExactly("orders", "orders.mesh", "orders.svc.mesh.local");
            assertThat(routes.getVirtualHosts(0).getRoutes(0).getRoute().getCluster()).isEqualTo(ORDERS);
            assertThat(client.listener("outbound_80").getAddress().getSocketAddress().getAddress())
                    .isEqualTo("0.0.0.0");
            assertThat(one.listener("self_inbound_dp_8081")).isNotNull();
            assertThat(client.listener("self_inbound_dp_8081")).isNull();
            assertThat(List.of(one, two, client)).allSatisfy(each -> assertThat(each.failure()).isNull());
        }
    }

    @Test
    void aRouteIsFollowedAsItsFileIsEdited() throws IOException {
        try (DeltaClient one = connect(Nodes.agent("orders", "1", 8081, "v1"));
                DeltaClient two = connect(Nodes.agent("orders", "2", 8082, "v2"));
                DeltaClient client = connect(Nodes.client("batch"))) {
            for (int share : List.of(100, 90, 50, 0)) {
                write("canary.yaml", canary(share));
                await().untilAsserted(() -> assertThat(split(client)).isEqualTo(expected(share)));
            }
            assertThat(List.of(one, two, client)).allSatisfy(each -> assertThat(each.failure()).isNull());
        }
    }

    private static Map<Integer, Integer> expected(int share) {
        Map<Integer, Integer> expected = new TreeMap<>();
        if (share > 0) {
            expected.put(8081, share);
        }
        if (share < 100) {
            expected.put(8082, 100 - share);
        }
        return expected;
    }

    /** Weight by the port of the only endpoint of each cluster. */
    private static Map<Integer, Integer> split(DeltaClient client) {
        Map<Integer, Integer> split = new TreeMap<>();
        assertThat(client.routes("outbound_80")).isNotNull();
        var action = client.routes("outbound_80").getVirtualHosts(0).getRoutes(0).getRoute();
        if (action.hasWeightedClusters()) {
            for (ClusterWeight cluster : action.getWeightedClusters().getClustersList()) {
                split.put(ports(client, cluster.getName()).get(0), cluster.getWeight().getValue());
            }
        } else {
            split.put(ports(client, action.getCluster()).get(0), 100);
        }
        return split;
    }

    private static String canary(int share) {
        return """
                type: MeshHTTPRoute
                name: orders-canary
                mesh: default
                spec:
                  targetRef: {kind: Mesh}
                  to:
                  - targetRef: {kind: MeshService, name: orders}
                    rules:
                    - matches: [{path: {type: PathPrefix, value: /}}]
                      default:
                        backendRefs:
                        - {kind: MeshServiceSubset, name: orders, tags: {version: v1}, weight: %d}
                        - {kind: MeshServiceSubset, name: orders, tags: {version: v2}, weight: %d}
                """.formatted(share, 100 - share);
    }

    @Test
    void aBrokenStreamMeansUnhealthyAndThenGone() {
        DeltaClient one = connect(Nodes.agent("orders", "1", 8081, "v1"));
        try (DeltaClient two = connect(Nodes.agent("orders", "2", 8082, "v1"));
                DeltaClient client = connect(Nodes.client("batch"))) {
            await().untilAsserted(() -> assertThat(ports(client, ORDERS)).containsExactly(8081, 8082));
            one.close();
            await().untilAsserted(() -> assertThat(health(client, 8081)).isEqualTo(HealthStatus.UNHEALTHY));
            assertThat(health(client, 8082)).isEqualTo(HealthStatus.HEALTHY);
            await().untilAsserted(() -> assertThat(ports(client, ORDERS)).containsExactly(8082));
            assertThat(two.failure()).isNull();
        }
    }

    @Test
    void drainingRemovesAtOnce() {
        try (DeltaClient one = connect(Nodes.agent("orders", "1", 8081, "v1"));
                DeltaClient two = connect(Nodes.agent("orders", "2", 8082, "v1"));
                DeltaClient client = connect(Nodes.client("batch"))) {
            await().untilAsserted(() -> assertThat(ports(client, ORDERS)).containsExactly(8081, 8082));
            one.update(Nodes.agent("orders", "1", "NotReady", 8081, "v1"));
            await().untilAsserted(() -> assertThat(ports(client, ORDERS)).containsExactly(8082));
            assertThat(List.of(one, two)).allSatisfy(each -> assertThat(each.failure()).isNull());
        }
    }

    private DeltaClient connect(io.envoyproxy.envoy.config.core.v3.Node node) {
        return new DeltaClient(controlPlane.port(), node);
    }

    private void write(String name, String text) throws IOException {
        Path next = Files.writeString(folder.resolve("." + name + ".next"), text);
        Files.move(next, folder.resolve(name), StandardCopyOption.ATOMIC_MOVE);
    }

    private static List<Integer> ports(DeltaClient client, String cluster) {
        return endpoints(client, cluster).stream()
                .map(endpoint -> endpoint.getEndpoint().getAddress().getSocketAddress().getPortValue())
                .toList();
    }

    private static HealthStatus health(DeltaClient client, int port) {
        return endpoints(client, ORDERS).stream()
                .filter(endpoint -> endpoint.getEndpoint().getAddress().getSocketAddress().getPortValue() == port)
                .findFirst()
                .orElseThrow()
                .getHealthStatus();
    }

    private static List<LbEndpoint> endpoints(DeltaClient client, String cluster) {
        ClusterLoadAssignment assignment = client.endpoints(cluster);
        return assignment == null
                ? List.of()
                : assignment.getEndpointsList().stream()
                        .flatMap(locality -> locality.getLbEndpointsList().stream())
                        .toList();
    }
}
