package io.weft.controlplane.xds;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.envoyproxy.controlplane.cache.Resources;
import io.envoyproxy.envoy.config.core.v3.HealthStatus;
import io.envoyproxy.envoy.config.core.v3.Node;
import io.envoyproxy.envoy.config.endpoint.v3.ClusterLoadAssignment;
import io.envoyproxy.envoy.config.endpoint.v3.LbEndpoint;
import io.envoyproxy.envoy.config.route.v3.RouteConfiguration;
import io.envoyproxy.envoy.config.route.v3.WeightedCluster.ClusterWeight;
import io.envoyproxy.envoy.service.discovery.v3.DeltaDiscoveryResponse;
import io.envoyproxy.envoy.service.discovery.v3.Resource;
import io.grpc.Status;
import io.weft.controlplane.ControlPlane;
import io.weft.controlplane.port.PortLimits;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** From files and registrations to what data planes get, over the wire. */
class ControlPlaneTest {

    private static final String ORDERS = "kri_msvc_default___orders_80";

    @TempDir
    private Path folder;

    private ControlPlane controlPlane;

    @BeforeAll
    static void patience() {
        // Envoy's API alone takes a busy machine many seconds to load.
        Awaitility.setDefaultTimeout(Duration.ofSeconds(40));
    }

    @AfterAll
    static void impatience() {
        Awaitility.reset();
    }

    @BeforeEach
    void start() throws IOException {
        controlPlane = start(Duration.ofMillis(800));
    }

    private ControlPlane start(Duration grace) throws IOException {
        return ControlPlane.start(new ControlPlane.Settings(
                ControlPlane.Folder.of(folder), new InetSocketAddress("127.0.0.1", 0), grace,
                ControlPlane.Tokens.WHERE_IDENTITIES_ARE, Optional.empty(), PortLimits.of(PortLimits.INSTANCES)));
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
                split.put(port(client, cluster.getName()), cluster.getWeight().getValue());
            }
        } else {
            split.put(port(client, action.getCluster()), 100);
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
            await().untilAsserted(() -> assertThat(ports(client, ORDERS)).containsExactly(8082));
            assertThat(client.history(ORDERS)).containsSubsequence(
                    Map.of(8081, HealthStatus.HEALTHY, 8082, HealthStatus.HEALTHY),
                    Map.of(8081, HealthStatus.UNHEALTHY, 8082, HealthStatus.HEALTHY),
                    Map.of(8082, HealthStatus.HEALTHY));
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

    @Test
    void leavingInGoodOrderRemovesAtOnce() throws InterruptedException {
        DeltaClient one = connect(Nodes.agent("orders", "1", 8081, "v1"));
        try (DeltaClient two = connect(Nodes.agent("orders", "2", 8082, "v1"));
                DeltaClient client = connect(Nodes.client("batch"))) {
            await().untilAsserted(() -> assertThat(ports(client, ORDERS)).containsExactly(8081, 8082));
            one.leave();
            await().untilAsserted(() -> assertThat(ports(client, ORDERS)).containsExactly(8082));
            assertThat(client.history(ORDERS)).noneMatch(health -> health.containsValue(HealthStatus.UNHEALTHY));
            assertThat(two.failure()).isNull();
        }
    }

    @Test
    void theNewestStreamOfANodeOwnsItsRegistration() throws InterruptedException {
        DeltaClient before = connect(Nodes.agent("orders", "1", 8081, "v1"));
        try (DeltaClient client = connect(Nodes.client("batch"))) {
            await().untilAsserted(() -> assertThat(ports(client, ORDERS)).containsExactly(8081));
            try (DeltaClient after = connect(Nodes.agent("orders", "1", 8091, "v1"))) {
                await().untilAsserted(() -> assertThat(ports(client, ORDERS)).containsExactly(8091));
                before.leave();
                // Longer than the grace: whatever the old stream's end does has been done.
                Thread.sleep(1_200);
                assertThat(ports(client, ORDERS)).containsExactly(8091);
                assertThat(health(client, 8091)).isEqualTo(HealthStatus.HEALTHY);
                assertThat(after.failure()).isNull();
            }
        }
    }

    @Test
    void stateOfTheWorldIsServedToo() {
        try (WholeClient one = new WholeClient(controlPlane.port(), Nodes.agent("orders", "1", 8081, "v1"));
                DeltaClient two = connect(Nodes.agent("orders", "2", 8082, "v2"));
                WholeClient client = new WholeClient(controlPlane.port(), Nodes.client("batch"))) {
            await().untilAsserted(() -> assertThat(client.endpoints(ORDERS)).containsOnlyKeys(8081, 8082));
            await().untilAsserted(() -> assertThat(client.names(ResourceType.ROUTE)).containsExactly("outbound_80"));
            one.update(Nodes.agent("orders", "1", "NotReady", 8081, "v1"));
            await().untilAsserted(() -> assertThat(client.endpoints(ORDERS)).containsOnlyKeys(8082));
            one.update(Nodes.agent("orders", "1", "Ready", 8081, "v1"));
            two.close();
            await().untilAsserted(() -> assertThat(client.endpoints(ORDERS)).containsOnlyKeys(8081));
            assertThat(one.failure()).isNull();
            assertThat(client.failure()).isNull();
        }
    }

    @Test
    void whatDidNotChangeIsNotSentAgain() throws IOException, InterruptedException {
        try (DeltaClient one = connect(Nodes.agent("orders", "1", 8081, "v1"));
                DeltaClient client = connect(Nodes.client("batch"));
                WholeClient whole = new WholeClient(controlPlane.port(), Nodes.client("whole"))) {
            await().untilAsserted(() -> assertThat(ports(client, ORDERS)).containsExactly(8081));
            await().untilAsserted(() -> assertThat(client.routes("outbound_80")).isNotNull());
            await().untilAsserted(() -> assertThat(whole.names(ResourceType.ROUTE)).isNotEmpty());
            write("canary.yaml", canary(100));
            await().untilAsserted(() -> assertThat(client.names(ResourceType.ENDPOINT)).hasSize(3));
            await().untilAsserted(() -> assertThat(whole.names(ResourceType.ENDPOINT)).hasSize(3));
            settle(client, whole);
            int deltas = client.responses().size();
            int wholes = whole.responses().size();
            one.update(Nodes.agent("orders", "1", 8081, "v1"));
            client.update(Nodes.client("batch"));
            whole.update(Nodes.client("whole"));
            write("canary.yaml", "# a comment\n" + canary(100));
            write("unrelated.yaml", "type: Mesh\nname: other\n");
            // A change that all get, after which anything that was to come has come.
            write("canary.yaml", canary(50));
            await().untilAsserted(() -> assertThat(client.responses()).hasSize(deltas + 1));
            await().untilAsserted(() -> assertThat(whole.responses()).hasSize(wholes + 1));
            assertThat(client.responses().get(deltas).getTypeUrl()).isEqualTo(Resources.V3.ROUTE_TYPE_URL);
            assertThat(whole.responses().get(wholes).getTypeUrl()).isEqualTo(Resources.V3.ROUTE_TYPE_URL);
            settle(client, whole);
            assertThat(client.responses()).hasSize(deltas + 1);
            assertThat(whole.responses()).hasSize(wholes + 1);
        }
    }

    private static void settle(DeltaClient client, WholeClient whole) throws InterruptedException {
        for (int seen = -1; seen != client.responses().size() + whole.responses().size(); Thread.sleep(300)) {
            seen = client.responses().size() + whole.responses().size();
        }
    }

    /** It would wait for its first policy else. */
    @Test
    void whereThereIsNothingAReaderIsToldSo() {
        try (DeltaClient client = connect(Nodes.client("batch"))) {
            await().untilAsserted(() -> assertThat(client.responses()).extracting(DeltaDiscoveryResponse::getTypeUrl)
                    .containsExactlyInAnyOrder(Resources.V3.CLUSTER_TYPE_URL, Resources.V3.LISTENER_TYPE_URL));
            assertThat(client.responses()).allSatisfy(response -> assertThat(response.getResourcesList()).isEmpty());

            try (DeltaClient one = connect(Nodes.agent("orders", "1", 8081, "v1"))) {
                await().untilAsserted(() -> assertThat(ports(client, ORDERS)).containsExactly(8081));
                assertThat(one.failure()).isNull();
            }
        }
    }

    @Test
    void aReaderThatComesBackIsToldOnlyTheDifference() {
        try (DeltaClient one = connect(Nodes.agent("orders", "1", 8081, "v1"));
                DeltaClient two = connect(Nodes.agent("stock", "1", 8082, "v1"))) {
            Map<ResourceType, Map<String, String>> had = new EnumMap<>(ResourceType.class);
            try (DeltaClient client = connect(Nodes.client("batch"))) {
                await().untilAsserted(() -> assertThat(client.names(ResourceType.CLUSTER)).hasSize(2));
                await().untilAsserted(() -> assertThat(client.routes("outbound_80").getVirtualHostsCount()).isEqualTo(2));
                had.put(ResourceType.CLUSTER, client.versions(ResourceType.CLUSTER));
                had.put(ResourceType.LISTENER, client.versions(ResourceType.LISTENER));
            }
            two.close();
            try (DeltaClient other = connect(Nodes.client("other"))) {
                await().untilAsserted(() -> assertThat(other.names(ResourceType.CLUSTER)).containsExactly(ORDERS));
            }
            try (DeltaClient again = new DeltaClient(controlPlane.port(), Nodes.client("batch"), had)) {
                await().untilAsserted(() -> assertThat(again.responses()).isNotEmpty());
                DeltaDiscoveryResponse first = again.responses().get(0);
                assertThat(first.getTypeUrl()).isEqualTo(Resources.V3.CLUSTER_TYPE_URL);
                assertThat(first.getResourcesList()).isEmpty();
                assertThat(first.getRemovedResourcesList()).containsExactly("kri_msvc_default___stock_80");
                assertThat(again.responses()).noneSatisfy(response ->
                        assertThat(response.getTypeUrl()).isEqualTo(Resources.V3.LISTENER_TYPE_URL));
            }
            assertThat(one.failure()).isNull();
        }
    }

    private static final String ORDERS_HOST = "outbound_80/" + ORDERS;
    private static final String BILLING_HOST = "outbound_80/kri_msvc_default___billing_80";

    @Test
    void whoeverTakesVirtualHostsOneByOneIsToldOnlyOfThoseThatChange() throws IOException, InterruptedException {
        try (DeltaClient one = connect(Nodes.agent("orders", "1", 8081, "v1"));
                DeltaClient two = connect(Nodes.agent("billing", "1", 8082, "v1"));
                DeltaClient whole = connect(Nodes.client("batch"));
                DeltaClient client = connect(Nodes.incremental(Nodes.client("shop")))) {
            await().untilAsserted(() -> assertThat(client.names(ResourceType.VIRTUAL_HOST))
                    .containsExactlyInAnyOrder(ORDERS_HOST, BILLING_HOST));
            assertThat(client.routes("outbound_80").getVirtualHostsList()).isEmpty();
            await().untilAsserted(() -> assertThat(whole.routes("outbound_80").getVirtualHostsCount()).isEqualTo(2));
            // In the order of their names.
            assertThat(client.virtualHost(ORDERS_HOST).toBuilder().setName(ORDERS).build())
                    .isEqualTo(whole.routes("outbound_80").getVirtualHosts(1));
            int before = client.responses().size();
            write("canary.yaml", canary(100));
            await().untilAsserted(() -> assertThat(client.virtualHost(ORDERS_HOST).getRoutes(0).getRoute().getCluster())
                    .isNotEqualTo(ORDERS));
            assertThat(client.responses().subList(before, client.responses().size()))
                    .extracting(response -> response.getTypeUrl().substring(response.getTypeUrl().lastIndexOf('.') + 1))
                    .containsExactly("Cluster", "ClusterLoadAssignment", "VirtualHost");
            assertThat(client.responses().get(client.responses().size() - 1).getResourcesList())
                    .extracting(Resource::getName).containsExactly(ORDERS_HOST);

            Map<ResourceType, Map<String, String>> had = new HashMap<>();
            for (ResourceType type : ResourceType.values()) {
                had.put(type, client.versions(type));
            }
            client.leave();
            two.leave();
            write("canary.yaml", canary(50));
            await().untilAsserted(() -> assertThat(whole.routes("outbound_80").getVirtualHostsList()).singleElement()
                    .satisfies(host -> assertThat(host.getRoutes(0).getRoute().getWeightedClusters().getClustersCount()).isEqualTo(2)));
            try (DeltaClient again = new DeltaClient(controlPlane.port(), Nodes.incremental(Nodes.client("shop")), had)) {
                again.subscribe(ResourceType.VIRTUAL_HOST, had.get(ResourceType.VIRTUAL_HOST), List.of("outbound_80"));
                await().untilAsserted(() -> assertThat(again.responses()).anySatisfy(response -> {
                    assertThat(response.getRemovedResourcesList()).containsExactly(BILLING_HOST);
                    assertThat(response.getResourcesList()).extracting(Resource::getName).containsExactly(ORDERS_HOST);
                }));
            }
            assertThat(List.of(one, whole)).allSatisfy(each -> assertThat(each.failure()).isNull());
        }
    }

    @Test
    void aChangeIsMadeBeforeItIsBroken() throws IOException {
        try (DeltaClient one = connect(Nodes.agent("orders", "1", 8081, "v1"));
                DeltaClient two = connect(Nodes.agent("orders", "2", 8082, "v2"));
                DeltaClient client = connect(Nodes.client("batch"))) {
            await().untilAsserted(() -> assertThat(ports(client, ORDERS)).containsExactly(8081, 8082));
            await().untilAsserted(() -> assertThat(client.routes("outbound_80")).isNotNull());
            int before = client.responses().size();
            write("canary.yaml", canary(50));
            await().untilAsserted(() -> assertThat(split(client)).isEqualTo(expected(50)));
            assertThat(types(client, before)).containsExactly(
                    Resources.V3.CLUSTER_TYPE_URL, Resources.V3.ENDPOINT_TYPE_URL, Resources.V3.ROUTE_TYPE_URL);

            int afterwards = client.responses().size();
            Files.delete(folder.resolve("canary.yaml"));
            await().untilAsserted(() -> assertThat(client.names(ResourceType.CLUSTER)).containsExactly(ORDERS));
            assertThat(types(client, afterwards).get(0)).isEqualTo(Resources.V3.ROUTE_TYPE_URL);
            assertThat(List.of(one, two, client)).allSatisfy(each -> assertThat(each.failure()).isNull());
        }
    }

    private static List<String> types(DeltaClient client, int from) {
        return client.responses().stream().skip(from).map(DeltaDiscoveryResponse::getTypeUrl).toList();
    }

    @Test
    void aRefusedResourceIsNotedAndNotSentAgainUntilItChanges() throws IOException {
        try (DeltaClient one = connect(Nodes.agent("orders", "1", 8081, "v1"));
                DeltaClient client = connect(Nodes.client("batch"))) {
            await().untilAsserted(() -> assertThat(client.routes("outbound_80")).isNotNull());
            client.refuse("outbound_80");
            write("canary.yaml", canary(100));
            await().untilAsserted(() -> assertThat(rejections("default.batch-0"))
                    .containsExactly(Map.entry(Resources.V3.ROUTE_TYPE_URL, "not this one")));
            assertThat(rejections("default.orders-1")).isEmpty();
            int count = client.responses().size();
            write("canary.yaml", canary(90));
            await().untilAsserted(() -> assertThat(client.responses().size()).isEqualTo(count + 1));
            assertThat(one.failure()).isNull();
        }
    }

    @Test
    void whatARefusedRouteReplacesKeepsItsClusters() throws IOException {
        try (DeltaClient one = connect(Nodes.agent("orders", "1", 8081, "v1"));
                DeltaClient two = connect(Nodes.agent("orders", "2", 8082, "v2"));
                DeltaClient client = connect(Nodes.client("batch"))) {
            write("canary.yaml", canary(50));
            await().untilAsserted(() -> assertThat(split(client)).isEqualTo(expected(50)));
            await().untilAsserted(() -> assertThat(client.names(ResourceType.CLUSTER)).hasSize(3));
            Set<String> inUse = Set.copyOf(client.names(ResourceType.CLUSTER));

            client.refuse("outbound_80");
            Files.delete(folder.resolve("canary.yaml"));
            await().untilAsserted(() -> assertThat(rejections("default.batch-0")).containsKey(Resources.V3.ROUTE_TYPE_URL));
            // Another table of routes is accepted; that says nothing of the refused one.
            write("books.yaml", """
                    type: MeshService
                    name: books
                    spec: {selector: {dataplaneTags: {kuma.io/service: orders}}, ports: [{port: 8080, targetPort: 8081}]}
                    """);
            await().untilAsserted(() -> assertThat(client.routes("outbound_8080")).isNotNull());
            // One more change for all, after whose clusters a removal would have come, and after the answer to the one before.
            write("tapes.yaml", """
                    type: MeshService
                    name: tapes
                    spec: {selector: {dataplaneTags: {kuma.io/service: orders}}, ports: [{port: 8080, targetPort: 8081}]}
                    """);
            await().untilAsserted(() -> assertThat(client.routes("outbound_8080").getVirtualHostsCount()).isEqualTo(2));
            assertThat(client.names(ResourceType.CLUSTER)).containsAll(inUse);
            assertThat(split(client)).isEqualTo(expected(50));
            assertThat(rejections("default.batch-0")).containsKey(Resources.V3.ROUTE_TYPE_URL);

            client.refuse();
            write("last.yaml", """
                    type: MeshService
                    name: last
                    spec: {selector: {dataplaneTags: {kuma.io/service: orders}}, ports: [{port: 80, targetPort: 8081}]}
                    """);
            await().untilAsserted(() -> assertThat(client.routes("outbound_80").getVirtualHostsCount()).isEqualTo(2));
            await().untilAsserted(() -> assertThat(client.names(ResourceType.CLUSTER)).hasSize(4).contains(ORDERS));
            await().untilAsserted(() -> assertThat(rejections("default.batch-0")).isEmpty());
            assertThat(List.of(one, two, client)).allSatisfy(each -> assertThat(each.failure()).isNull());
        }
    }

    private Map<String, String> rejections(String node) {
        return controlPlane.connected().stream()
                .filter(connected -> connected.node().id().equals(node))
                .findFirst()
                .orElseThrow()
                .rejections();
    }

    @Test
    void aBadDocumentLeavesItsLastGoodVersionInForce() throws IOException {
        try (DeltaClient one = connect(Nodes.agent("orders", "1", 8081, "v1"));
                DeltaClient two = connect(Nodes.agent("orders", "2", 8082, "v2"));
                DeltaClient client = connect(Nodes.client("batch"))) {
            write("canary.yaml", canary(90));
            await().untilAsserted(() -> assertThat(split(client)).isEqualTo(expected(90)));
            write("canary.yaml", canary(50).replace("weight: 50", "weight: fifty"));
            await().untilAsserted(() -> assertThat(controlPlane.policies().problems()).hasSize(2));
            assertThat(controlPlane.policies().problems().get(0).toString())
                    .startsWith("canary.yaml:12: spec.to[0].rules[0].default.backendRefs[0].weight: needs a whole number");
            write("other.yaml", canary(100).replace("orders", "stock"));
            await().untilAsserted(() -> assertThat(client.routes("outbound_80").getVirtualHostsCount()).isEqualTo(2));
            assertThat(split(client)).isEqualTo(expected(90));
            assertThat(List.of(one, two)).allSatisfy(each -> assertThat(each.failure()).isNull());
        }
    }

    @Test
    void aPolicyReachesOnlyThoseItIsFor() throws IOException {
        write("canary.yaml", canary(50)
                .replace("{kind: Mesh}", "{kind: MeshService, name: batch}"));
        write("shadow.yaml", canary(10)
                .replace("name: orders-canary", "name: a-shadow\nlabels: {kuma.io/effect: shadow}"));
        try (DeltaClient one = connect(Nodes.agent("orders", "1", 8081, "v1"));
                DeltaClient two = connect(Nodes.agent("orders", "2", 8082, "v2"));
                DeltaClient batch = connect(Nodes.client("batch"));
                DeltaClient other = connect(Nodes.client("other"))) {
            await().untilAsserted(() -> assertThat(split(batch)).isEqualTo(expected(50)));
            await().untilAsserted(() -> assertThat(ports(other, ORDERS)).containsExactly(8081, 8082));
            assertThat(other.routes("outbound_80").getVirtualHosts(0).getRoutes(0).getRoute().getCluster())
                    .isEqualTo(ORDERS);
            assertThat(List.of(one, two)).allSatisfy(each -> assertThat(each.failure()).isNull());
        }
    }

    @Test
    void servicesWithoutAnAgentAreWrittenDown() throws IOException {
        write("legacy.yaml", """
                type: Dataplane
                name: legacy-1
                networking:
                  address: 10.1.2.3
                  inbound: [{port: 7070, tags: {kuma.io/service: legacy, kuma.io/zone: east}}]
                ---
                type: MeshService
                name: books
                spec:
                  selector: {dataplaneTags: {kuma.io/service: legacy}}
                  ports: [{port: 8080, targetPort: 7070, name: main}]
                """);
        try (DeltaClient client = connect(Nodes.client("batch"))) {
            await().untilAsserted(() -> assertThat(ports(client, "kri_msvc_default___legacy_80")).containsExactly(7070));
            await().untilAsserted(() -> assertThat(ports(client, "kri_msvc_default___books_main")).containsExactly(7070));
            await().untilAsserted(() -> assertThat(client.routes("outbound_8080").getVirtualHosts(0).getDomainsList())
                    .contains("books.svc.mesh.local"));
            assertThat(client.endpoints("kri_msvc_default___legacy_80").getEndpoints(0).getLocality().getZone())
                    .isEqualTo("east");
        }
    }

    @Test
    void aRestartRemembersWhoWasThere() throws IOException, InterruptedException {
        try (DeltaClient one = connect(Nodes.agent("orders", "1", 8081, "v1"));
                DeltaClient two = connect(Nodes.agent("orders", "2", 8082, "v1"));
                DeltaClient client = connect(Nodes.client("batch"))) {
            await().untilAsserted(() -> assertThat(ports(client, ORDERS)).containsExactly(8081, 8082));
            assertThat(List.of(one, two)).allSatisfy(each -> assertThat(each.failure()).isNull());
            controlPlane.close();
        }
        Duration grace = Duration.ofMillis(500);
        controlPlane = start(grace);
        try (DeltaClient client = connect(Nodes.client("batch"))) {
            // An agent may take longer than that to come back; nobody is given up before.
            Thread.sleep(grace.multipliedBy(3).toMillis());
            await().untilAsserted(() -> assertThat(ports(client, ORDERS)).containsExactly(8081, 8082));
            assertThat(health(client, 8081)).isEqualTo(HealthStatus.HEALTHY);
            try (DeltaClient back = connect(Nodes.agent("orders", "1", 8081, "v1"))) {
                await().untilAsserted(() -> assertThat(controlPlane.connected()).hasSize(2));
                back.leave();
                await().untilAsserted(() -> assertThat(ports(client, ORDERS)).containsExactly(8082));
            }
        }
    }

    @Test
    void aStateThatCannotBeReadIsNoReasonNotToStart() throws IOException {
        controlPlane.close();
        Files.createDirectories(folder.resolve(".weft"));
        Files.writeString(folder.resolve(".weft/registrations.json"), "{\"format\": 1, \"registra");
        controlPlane = start(Duration.ofSeconds(2));
        try (DeltaClient one = connect(Nodes.agent("orders", "1", 8081, "v1"))) {
            await().untilAsserted(() -> assertThat(ports(one, ORDERS)).containsExactly(8081));
        }
    }

    @Test
    void oneOddFileIsNoReasonNotToStart() throws IOException {
        controlPlane.close();
        Files.createSymbolicLink(folder.resolve("z2.yaml"), Path.of("z2.yaml"));
        write("canary.yaml", canary(50));
        controlPlane = start(Duration.ofSeconds(2));
        assertThat(controlPlane.policies().inForce()).hasSize(1);
        assertThat(controlPlane.policies().problems()).singleElement()
                .satisfies(problem -> assertThat(problem.file()).isEqualTo("z2.yaml"));
        write("other.yaml", canary(50).replace("orders-canary", "other"));
        await().untilAsserted(() -> assertThat(controlPlane.policies().inForce()).hasSize(2));
    }

    @Test
    void aNodeThatMakesNoSenseIsToldWhy() {
        Node unnamed = Nodes.client("batch").toBuilder().clearId().build();
        Node broken = Nodes.agent("orders", "1", "{\"port\": \"x\", \"tags\": {\"kuma.io/service\": \"orders\"}}");
        Node forging = Nodes.client("batch").toBuilder().setId("default.batch\nINFO ControlPlane - all is well").build();
        for (Map.Entry<Node, String> bad : Map.of(
                unnamed, "node.id is empty",
                forging, "node.id has other characters in it than",
                broken, "networking.inbound[0].port: needs a whole number").entrySet()) {
            try (DeltaClient client = connect(bad.getKey())) {
                await().untilAsserted(() -> assertThat(client.failure()).isNotNull());
                assertThat(Status.fromThrowable(client.failure()).getCode()).isEqualTo(Status.Code.INVALID_ARGUMENT);
                assertThat(client.failure()).hasMessageContaining(bad.getValue());
            }
        }
    }

    private DeltaClient connect(Node node) {
        return new DeltaClient(controlPlane.port(), node);
    }

    private void write(String name, String text) throws IOException {
        Path next = Files.writeString(folder.resolve("." + name + ".next"), text);
        Files.move(next, folder.resolve(name), StandardCopyOption.ATOMIC_MOVE);
    }

    private static int port(DeltaClient client, String cluster) {
        List<Integer> ports = ports(client, cluster);
        assertThat(ports).hasSize(1);
        return ports.get(0);
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
