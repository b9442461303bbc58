package io.weft.controlplane.kubernetes;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.envoyproxy.envoy.config.cluster.v3.Cluster;
import io.envoyproxy.envoy.config.core.v3.SocketAddress;
import io.envoyproxy.envoy.config.listener.v3.Listener;
import io.envoyproxy.envoy.config.route.v3.Route;
import io.envoyproxy.envoy.config.route.v3.RouteConfiguration;
import io.envoyproxy.envoy.extensions.filters.http.rbac.v3.RBAC;
import io.envoyproxy.envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager;
import io.fabric8.kubernetes.api.model.GenericKubernetesResource;
import io.fabric8.kubernetes.api.model.gatewayapi.v1.HTTPRoute;
import io.grpc.Status;
import io.weft.controlplane.ControlPlane;
import io.weft.controlplane.page.PageServer;
import io.weft.controlplane.policy.Problem;
import io.weft.controlplane.port.PortLimits;
import io.weft.controlplane.xds.DeltaClient;
import io.weft.controlplane.xds.Nodes;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.StreamSupport;
import org.awaitility.core.ThrowingRunnable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The control plane on a cluster's API, and a data plane over the wire. */
class ClusterTest {

    private static final String ORDERS = "kri_msvc_default__shop_orders_http";

    @TempDir
    private Path folder;

    private MockCluster cluster;
    private ControlPlane controlPlane;
    private String good;
    private final List<AutoCloseable> opened = new ArrayList<>();

    @BeforeEach
    void start() throws IOException {
        cluster = new MockCluster();
        cluster.apply("""
                apiVersion: v1
                kind: Node
                metadata: {name: node-1, labels: {topology.kubernetes.io/zone: east}}
                ---
                apiVersion: v1
                kind: Service
                metadata: {name: orders, namespace: shop, labels: {team: a}}
                spec:
                  clusterIP: 10.96.0.7
                  clusterIPs: [10.96.0.7]
                  ipFamilies: [IPv4]
                  ports: [{name: http, port: 80, targetPort: web, protocol: TCP}]
                """);
        cluster.apply(pod("shop", "orders-1", "orders", "10.0.0.1", "version: v1"));
        cluster.apply(pod("shop", "orders-2", "orders", "10.0.0.2", "version: v2"));
        cluster.apply(pod("shop", "caller", "storefront", "127.0.0.1", "app: storefront"));
        cluster.apply(slice(endpoint("orders-1", "10.0.0.1", "ready: true"), endpoint("orders-2", "10.0.0.2", "ready: true")));
        good = cluster.token("storefront", "caller");
        controlPlane = controlPlane();
    }

    private ControlPlane controlPlane() throws IOException {
        return controlPlane("default");
    }

    private ControlPlane controlPlane(String mesh) throws IOException {
        return open(ControlPlane.start(new ControlPlane.Settings(
                new ControlPlane.Cluster(Optional.of(cluster.kubeconfig(folder)), Optional.of("weft-system"), mesh),
                new InetSocketAddress("127.0.0.1", 0),
                ControlPlane.Settings.DEFAULT_GRACE,
                ControlPlane.Tokens.ALWAYS,
                Optional.empty(),
                PortLimits.of(PortLimits.INSTANCES_OF_A_POD))));
    }

    private <T extends AutoCloseable> T open(T resource) {
        opened.add(0, resource);
        return resource;
    }

    @AfterEach
    void stop() throws Exception {
        for (AutoCloseable each : opened) {
            each.close();
        }
        cluster.close();
    }

    private static String pod(String namespace, String name, String account, String address, String labels) {
        return """
                apiVersion: v1
                kind: Pod
                metadata: {name: %s, namespace: %s, uid: uid-%s, labels: {%s}}
                spec: {nodeName: node-1, serviceAccountName: %s, containers: []}
                status: {podIP: %s, podIPs: [{ip: %s}]}
                """.formatted(name, namespace, name, labels, account, address, address);
    }

    private static String slice(String... endpoints) {
        return """
                apiVersion: discovery.k8s.io/v1
                kind: EndpointSlice
                metadata: {name: orders-x, namespace: shop, labels: {kubernetes.io/service-name: orders}}
                addressType: IPv4
                ports: [{name: http, port: 8080, protocol: TCP}]
                endpoints:
                """ + String.join("", endpoints);
    }

    private static String endpoint(String pod, String address, String conditions) {
        return "- {addresses: [%s], conditions: {%s}, zone: east, targetRef: {kind: Pod, namespace: shop, name: %s}}%n"
                .formatted(address, conditions, pod);
    }

    private DeltaClient client() {
        return open(new DeltaClient(controlPlane.port(), Nodes.client("storefront"), good));
    }

    private static void eventually(ThrowingRunnable assertion) {
        await().atMost(Duration.ofSeconds(30)).pollInterval(Duration.ofMillis(20)).untilAsserted(assertion);
    }

    /** OK: its stream has not ended. */
    private static Status.Code code(DeltaClient client) {
        return client.failure() == null ? Status.Code.OK : Status.fromThrowable(client.failure()).getCode();
    }

    private static List<String> addresses(DeltaClient client, String name) {
        assertThat(client.endpoints(name)).isNotNull();
        return client.endpoints(name).getEndpointsList().stream()
                .flatMap(locality -> locality.getLbEndpointsList().stream())
                .map(endpoint -> {
                    SocketAddress address = endpoint.getEndpoint().getAddress().getSocketAddress();
                    return address.getAddress() + ":" + address.getPortValue();
                })
                .toList();
    }

    @Test
    void whatIsReadyIsServedUnderTheNamesOfTheCluster() {
        DeltaClient client = client();
        eventually(() -> assertThat(addresses(client, ORDERS)).containsExactly("10.0.0.1:8080", "10.0.0.2:8080"));
        eventually(() -> assertThat(client.routes("outbound_80")).isNotNull());
        assertThat(client.routes("outbound_80").getVirtualHosts(0).getDomainsList()).containsExactly(
                "orders.shop", "orders.shop.svc", "orders.shop.svc.cluster.local", "10.96.0.7", "orders");
    }

    @Test
    void oneThatTerminatesIsTakenOutAndIsTheLastResort() {
        DeltaClient client = client();
        eventually(() -> assertThat(addresses(client, ORDERS)).hasSize(2));
        String terminating = "ready: false, serving: true, terminating: true";
        cluster.apply(slice(endpoint("orders-1", "10.0.0.1", terminating), endpoint("orders-2", "10.0.0.2", "ready: true")));
        eventually(() -> assertThat(addresses(client, ORDERS)).containsExactly("10.0.0.2:8080"));
        cluster.apply(slice(endpoint("orders-1", "10.0.0.1", terminating), endpoint("orders-2", "10.0.0.2", "ready: false")));
        eventually(() -> assertThat(addresses(client, ORDERS)).containsExactly("10.0.0.1:8080"));
    }

    @Test
    void aPolicyIsObeyedAndOneThatIsRefusedIsNamedAndLeavesItsLastGood() {
        String route = """
                apiVersion: kuma.io/v1alpha1
                kind: MeshHTTPRoute
                metadata: {name: canary, namespace: shop, labels: {kuma.io/mesh: default}}
                spec:
                  to:
                  - targetRef: {kind: MeshService, name: orders}
                    rules:
                    - matches: [{path: {type: PathPrefix, value: /}}]
                      default:
                        backendRefs:
                        - {kind: MeshServiceSubset, name: orders, tags: {version: v1}, weight: 90}
                        - {kind: MeshServiceSubset, name: orders, tags: {version: v2}, weight: 10}
                """;
        DeltaClient client = client();
        eventually(() -> assertThat(client.routes("outbound_80")).isNotNull());
        cluster.apply(route);
        eventually(() -> assertThat(client.routes("outbound_80").getVirtualHosts(0).getRoutes(0).getRoute().getWeightedClusters()
                .getClustersList()).extracting(cluster -> cluster.getWeight().getValue()).containsExactly(90, 10));
        cluster.apply(route.replace("weight: 90", "weight: many"));
        eventually(() -> assertThat(controlPlane.policies().problems()).extracting(Problem::toString).singleElement().asString()
                .startsWith("MeshHTTPRoute shop/canary: spec.to[0].rules[0].default.backendRefs[0].weight: needs a whole number"));
        assertThat(controlPlane.policies().inForce()).hasSize(1);
        cluster.delete(route);
        eventually(() -> assertThat(client.routes("outbound_80").getVirtualHosts(0).getRoutes(0).getRoute().getCluster())
                .isEqualTo(ORDERS));
    }

    @Test
    void aRolloutRewritesTheWeightsOfTheClustersRouteAndNothingElse() throws Exception {
        cluster.apply("""
                apiVersion: kuma.io/v1alpha1
                kind: MeshHTTPRoute
                metadata: {name: canary, namespace: shop, labels: {kuma.io/mesh: default}, annotations: {who: orders team}}
                spec:
                  to:
                  - targetRef: {kind: MeshService, name: orders}
                    rules:
                    - matches: [{path: {type: Exact, value: /health}}]
                      default: {filters: []}
                    - matches: [{path: {type: PathPrefix, value: /}}]
                      default:
                        backendRefs:
                        - {kind: MeshServiceSubset, name: orders, tags: {version: v1}, weight: 100}
                """);
        DeltaClient client = client();
        eventually(() -> assertThat(client.routes("outbound_80")).isNotNull());
        ClusterRoutes routes = open(new ClusterRoutes(Optional.of(cluster.kubeconfig(folder))));
        assertThat(routes.split("default", "shop/orders").orElseThrow().weights()).isEqualTo(Map.of("v1", 100L));

        routes.share("default", "shop/orders", Map.of("v1", 75L, "v2", 25L));

        assertThat(routes.split("default", "shop/orders").orElseThrow().weights()).isEqualTo(Map.of("v1", 75L, "v2", 25L));
        GenericKubernetesResource written = cluster.client().genericKubernetesResources("kuma.io/v1alpha1", "MeshHTTPRoute")
                .inNamespace("shop").withName("canary").get();
        assertThat(written.getMetadata().getAnnotations()).containsEntry("who", "orders team");
        assertThat(written.<Object>get("spec", "to", 0, "rules", 0, "matches", 0, "path", "value")).isEqualTo("/health");
        eventually(() -> assertThat(client.routes("outbound_80").getVirtualHosts(0).getRoutesList())
                .anySatisfy(route -> assertThat(route.getRoute().getWeightedClusters().getClustersList())
                        .extracting(each -> each.getWeight().getValue()).containsExactlyInAnyOrder(75, 25)));
        assertThat(controlPlane.policies().problems()).isEmpty();
    }

    @Test
    void aRolloutMakesARouteWhereThereIsNoneAndOneByHeaderIsTakenBack() throws Exception {
        DeltaClient client = client();
        eventually(() -> assertThat(client.routes("outbound_80")).isNotNull());
        ClusterRoutes routes = open(new ClusterRoutes(Optional.of(cluster.kubeconfig(folder))));
        assertThat(routes.split("default", "shop/orders")).isEmpty();

        routes.sendByHeader("default", "shop/orders", Map.entry("x-group", "beta"), "v2", "v1");
        eventually(() -> assertThat(client.routes("outbound_80").getVirtualHosts(0).getRoutes(0).getMatch().getHeadersList())
                .extracting(header -> header.getName()).containsExactly("x-group"));
        assertThat(routes.endByHeader("default", "shop/orders")).isTrue();
        assertThat(routes.endByHeader("default", "shop/orders")).isFalse();

        routes.share("default", "shop/orders", new TreeMap<>(Map.of("v1", 95L, "v2", 5L)));
        eventually(() -> assertThat(client.routes("outbound_80").getVirtualHosts(0).getRoutes(0).getRoute().getWeightedClusters()
                .getClustersList()).extracting(each -> each.getWeight().getValue()).containsExactly(95, 5));
        assertThat(controlPlane.policies().problems()).isEmpty();
        assertThatThrownBy(() -> routes.share("default", "orders", Map.of("v1", 1L))).hasMessageContaining("NAMESPACE/NAME");
    }

    private static final String HTTP_ROUTE = """
            apiVersion: gateway.networking.k8s.io/v1
            kind: HTTPRoute
            metadata: {name: canary, namespace: shop}
            spec:
              parentRefs: [{group: "", kind: Service, name: orders, port: 80}]
              rules:
              - matches: [{path: {type: PathPrefix, value: /orders/}}]
                filters: [{type: RequestHeaderModifier, requestHeaderModifier: {set: [{name: X-Canary, value: "1"}]}}]
                timeouts: {request: 3s, backendRequest: 1s}
                backendRefs: [{name: orders, port: 80, weight: 9}, {name: orders-next, port: 80, weight: 1}]
            """;

    @Test
    void anHttpRouteOfAServiceIsObeyedAndToldSo() {
        DeltaClient client = client();
        cluster.apply(HTTP_ROUTE);
        eventually(() -> assertThat(conditions()).containsExactly("Accepted True", "ResolvedRefs False BackendNotFound"));
        cluster.apply("""
                apiVersion: v1
                kind: Service
                metadata: {name: orders-next, namespace: shop}
                spec: {clusterIP: 10.96.0.8, ports: [{port: 80, protocol: TCP}]}
                """);
        eventually(() -> assertThat(conditions()).containsExactly("Accepted True", "ResolvedRefs True"));
        eventually(() -> assertThat(routesToOrders(client)).isNotEmpty().allSatisfy(route -> {
            assertThat(route.getRoute().getWeightedClusters().getClustersList())
                    .extracting(cluster -> cluster.getName() + " " + cluster.getWeight().getValue())
                    .containsExactly(ORDERS + " 9", "kri_msvc_default__shop_orders-next_80 1");
            assertThat(route.getRoute().getTimeout().getSeconds()).isEqualTo(3);
            assertThat(route.getRoute().getRetryPolicy().getPerTryTimeout().getSeconds()).isEqualTo(1);
            assertThat(route.getRequestHeadersToAdd(0).getHeader().getKey()).isEqualTo("x-canary");
        }));
        // What no rule matches is answered with 404: there is nothing for it.
        assertThat(routesToOrders(client)).extracting(route -> route.getMatch().getPath() + route.getMatch().getPrefix())
                .containsExactly("/orders", "/orders/");
        cluster.delete(HTTP_ROUTE);
        eventually(() -> assertThat(routesToOrders(client)).extracting(route -> route.getMatch().getPrefix()).containsExactly("/"));
    }

    private static List<Route> routesToOrders(DeltaClient client) {
        RouteConfiguration routes = client.routes("outbound_80");
        return routes == null ? List.of() : routes.getVirtualHostsList().stream()
                .filter(host -> host.getName().equals(ORDERS))
                .flatMap(host -> host.getRoutesList().stream())
                .toList();
    }

    private List<String> conditions() {
        HTTPRoute route = cluster.client().resources(HTTPRoute.class).inNamespace("shop").withName("canary").get();
        return route.getStatus() == null ? List.of() : route.getStatus().getParents().get(0).getConditions().stream()
                .map(each -> each.getType() + " " + each.getStatus() + (each.getStatus().equals("True") ? "" : " " + each.getReason()))
                .toList();
    }

    @Test
    void aRouteOfAnotherNamespaceIsForItsOwnCallersAlone() {
        DeltaClient client = client();
        cluster.apply(HTTP_ROUTE.replace("namespace: shop", "namespace: elsewhere")
                .replace("name: orders, port: 80}]\n", "name: orders, namespace: shop, port: 80}]\n"));
        cluster.apply(pod("elsewhere", "visitor", "visitor", "127.0.0.1", "app: visitor"));
        String token = cluster.token("elsewhere", "visitor", "visitor",
                cluster.client().pods().inNamespace("elsewhere").withName("visitor").get().getMetadata().getUid());
        DeltaClient visitor = open(new DeltaClient(controlPlane.port(), Nodes.client("visitor"), token));
        eventually(() -> assertThat(routesToOrders(visitor)).hasSize(2));
        eventually(() -> assertThat(routesToOrders(client)).extracting(route -> route.getMatch().getPrefix()).containsExactly("/"));
        assertThat(visitor.routes("outbound_80").getVirtualHosts(0).getDomainsList()).doesNotContain("orders");
    }

    @Test
    void whoeverTakesVirtualHostsOneByOneHasThoseOfItsNamespaceByTheirShortNames() {
        DeltaClient client = open(new DeltaClient(controlPlane.port(), Nodes.incremental(Nodes.client("storefront")), good));
        cluster.apply(pod("elsewhere", "visitor", "visitor", "127.0.0.1", "app: visitor"));
        String token = cluster.token("elsewhere", "visitor", "visitor",
                cluster.client().pods().inNamespace("elsewhere").withName("visitor").get().getMetadata().getUid());
        DeltaClient visitor = open(new DeltaClient(controlPlane.port(), Nodes.incremental(Nodes.client("visitor")), token));
        String host = "outbound_80/" + ORDERS;
        List<String> everywhere = List.of("orders.shop", "orders.shop.svc", "orders.shop.svc.cluster.local", "10.96.0.7");
        eventually(() -> assertThat(domains(visitor, host)).containsExactlyElementsOf(everywhere));
        eventually(() -> assertThat(domains(client, host)).startsWith(everywhere.toArray(String[]::new)).endsWith("orders").hasSize(5));
        cluster.apply("""
                apiVersion: v1
                kind: Service
                metadata: {name: orders, namespace: elsewhere}
                spec:
                  clusterIP: 10.96.0.9
                  clusterIPs: [10.96.0.9]
                  ipFamilies: [IPv4]
                  ports: [{name: http, port: 80, targetPort: web, protocol: TCP}]
                """);
        String other = host.replace("shop", "elsewhere");
        eventually(() -> assertThat(domains(client, other)).doesNotContain("orders"));
        eventually(() -> assertThat(domains(visitor, other)).contains("orders"));
        assertThat(domains(client, host)).contains("orders");
        cluster.apply(HTTP_ROUTE);
        eventually(() -> assertThat(client.virtualHost(host).getRoutesCount()).isGreaterThan(1));
        eventually(() -> assertThat(visitor.virtualHost(host).getRoutesList()).isEqualTo(client.virtualHost(host).getRoutesList()));
        assertThat(domains(visitor, host)).containsExactlyElementsOf(everywhere);
        assertThat(client.responses().stream().filter(response -> response.getTypeUrl().endsWith("RouteConfiguration"))).hasSize(1);
        cluster.delete("apiVersion: v1\nkind: Service\nmetadata: {name: orders, namespace: elsewhere}\n");
        eventually(() -> assertThat(List.of(visitor, client)).allSatisfy(each -> {
            assertThat(each.virtualHost(other)).isNull();
            assertThat(each.virtualHost(host)).isNotNull();
        }));
    }

    private static List<String> domains(DeltaClient client, String host) {
        assertThat(client.virtualHost(host)).isNotNull();
        return client.virtualHost(host).getDomainsList();
    }

    @Test
    void nobodyIsServedWhoDoesNotProveToBeAPodThatIsThere() {
        String unknown = MockCluster.unknownToken("weft", Instant.now().plusSeconds(600));
        // What a token says itself counts for nothing.
        String otherAudience = MockCluster.unknownToken("weft", Instant.now().plusSeconds(600));
        cluster.know(otherAudience, "shop", "storefront", "caller", "uid-caller", "https://kubernetes.default.svc");
        String earlierPod = cluster.token("shop", "storefront", "caller", "uid-earlier");
        String notThere = cluster.token("shop", "storefront", "gone", "uid-gone");
        for (String token : List.of("bad", unknown, otherAudience, earlierPod)) {
            DeltaClient client = open(new DeltaClient(controlPlane.port(), Nodes.client("storefront"), token));
            eventually(() -> assertThat(code(client)).isEqualTo(Status.Code.UNAUTHENTICATED));
        }
        // It may be newer than what has come of it.
        DeltaClient early = open(new DeltaClient(controlPlane.port(), Nodes.client("storefront"), notThere));
        eventually(() -> assertThat(code(early)).isEqualTo(Status.Code.UNAVAILABLE));
        DeltaClient none = open(new DeltaClient(controlPlane.port(), Nodes.client("storefront")));
        eventually(() -> assertThat(code(none)).isEqualTo(Status.Code.UNAUTHENTICATED));
    }

    @Test
    void nobodyCanBeReachedAtTheAddressOfAnotherPod() {
        String token = cluster.token("orders", "orders-1");
        DeltaClient client = open(new DeltaClient(controlPlane.port(), Nodes.agent("orders", "1", 8080, "v1"), token));
        eventually(() -> assertThat(code(client)).isEqualTo(Status.Code.PERMISSION_DENIED));
        assertThat(client.failure()).hasMessageContaining("shop/orders-1 has the addresses [10.0.0.1]");
    }

    @Test
    void theKubeletMayAskForWhatItProbes() throws IOException {
        cluster.apply("""
                apiVersion: kuma.io/v1alpha1
                kind: MeshIdentity
                metadata: {name: all, namespace: weft-system}
                spec:
                  selector: {dataplane: {matchLabels: {}}}
                  provider: {type: Bundled, bundled: {autogenerate: {enabled: true}}}
                """);
        cluster.apply("""
                apiVersion: v1
                kind: Pod
                metadata: {name: probed, namespace: shop, uid: uid-probed, labels: {app: probed}}
                spec:
                  nodeName: node-1
                  serviceAccountName: probed
                  containers:
                  - name: app
                    ports: [{name: web, containerPort: 8080}]
                    readinessProbe: {httpGet: {path: "/ready?deep=1", port: web}}
                    livenessProbe: {httpGet: {path: /live, port: 8080, scheme: HTTPS}}
                    startupProbe: {grpc: {port: 8080}}
                  - name: sidecar
                    readinessProbe: {httpGet: {port: 8080}}
                status: {podIP: 127.0.0.1, podIPs: [{ip: 127.0.0.1}]}
                """);
        DeltaClient client = open(new DeltaClient(
                controlPlane.port(), Nodes.agent("probed", "1", 8080, "v1"), cluster.token("probed", "probed")));
        eventually(() -> {
            Listener listener = client.listener("self_inbound_dp_8080");
            assertThat(listener).isNotNull();
            assertThat(listener.getFilterChainsList()).hasSize(2);
            HttpConnectionManager manager =
                    listener.getFilterChains(0).getFilters(0).getTypedConfig().unpack(HttpConnectionManager.class);
            assertThat(manager.getHttpFilters(0).getTypedConfig().unpack(RBAC.class).getRules().getPoliciesOrThrow("health-paths")
                            .getPermissionsList())
                    .extracting(permission -> permission.getAndRules().getRules(0).getUrlPath().getPath().getExact())
                    .containsExactly("/grpc.health.v1.Health/Check", "/ready");
        });
    }

    @Test
    void aPodThatIsDeletedIsTurnedAway() {
        DeltaClient client = client();
        eventually(() -> assertThat(client.endpoints(ORDERS)).isNotNull());
        cluster.client().pods().inNamespace("shop").withName("caller").delete();
        eventually(() -> assertThat(client.failure()).isNotNull());
    }

    @Test
    void whatDoesNotSayItsMeshIsOfTheOneThatTheControlPlaneWasStartedWith() throws IOException {
        controlPlane = controlPlane("prod");
        DeltaClient client = open(new DeltaClient(controlPlane.port(), Nodes.inMesh("prod", Nodes.client("storefront")), good));
        eventually(() -> assertThat(client.cluster("kri_msvc_prod__shop_orders_http")).isNotNull());
    }

    /** Though nobody but a caller is connected to this replica. */
    @Test
    void thePageHasTheServicesAndInstancesOfTheCluster() throws Exception {
        client();
        PageServer.Settings settings = new PageServer.Settings(
                new InetSocketAddress("127.0.0.1", 0), Set.of(), Optional.empty(), token -> false);
        PageServer page = open(PageServer.start(settings, controlPlane, Optional.empty()));
        HttpRequest request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + page.port() + "/api/mesh")).build();
        eventually(() -> {
            JsonNode view = new ObjectMapper().readTree(
                    HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofString()).body());
            assertThat(view.path("replica").asText()).isNotEmpty();
            assertThat(view.at("/meshes/0/services").findValuesAsText("name")).contains("shop/orders", "shop/storefront");
            JsonNode orders = StreamSupport.stream(view.at("/meshes/0/services").spliterator(), false)
                    .filter(service -> service.path("name").asText().equals("shop/orders"))
                    .findFirst()
                    .orElseThrow();
            assertThat(orders.path("instances").findValuesAsText("name")).containsExactly("orders-1", "orders-2");
            assertThat(orders.path("instances").findValuesAsText("health")).containsOnly("HEALTHY");
        });
    }

    private static String identity(String namespace, String authority) {
        return """
                apiVersion: kuma.io/v1alpha1
                kind: MeshIdentity
                metadata: {name: everyone, namespace: %s}
                spec:
                  selector: {dataplane: {matchLabels: {}}}
                  spiffeID: {trustDomain: prod.example}
                  provider: {type: Bundled, bundled: {%s}}
                """.formatted(namespace, authority);
    }

    private static final String GENERATED = "autogenerate: {enabled: true}";
    private static final String MISSING = "ca: {certificate: {type: File, file: {path: /none.pem}},"
            + " privateKey: {type: File, file: {path: /none.key}}}";

    @Test
    void whoIsWhoIsSaidInTheControlPlanesNamespaceAlone() {
        cluster.apply(identity("shop", GENERATED));
        eventually(() -> assertThat(controlPlane.policies().problems()).extracting(Problem::toString).singleElement().asString()
                .startsWith("MeshIdentity shop/everyone: metadata.namespace: must be weft-system"));
        assertThat(controlPlane.givesIdentities("default")).isFalse();
    }

    /** Fails closed: nobody of it is served, not even in plaintext; of the others all are. */
    @Test
    void aMeshWhoseIdentitiesCannotBeGivenIsClosedAndTheOthersAreServed() throws IOException {
        cluster.apply(identity("weft-system", MISSING));
        cluster.apply(pod("shop", "visitor", "visitor", "127.0.0.1", "kuma.io/mesh: other"));
        String token = cluster.token("visitor", "visitor");
        cluster.apply("""
                apiVersion: v1
                kind: Service
                metadata: {name: partner, namespace: shop, labels: {kuma.io/mesh: other}}
                spec: {type: ExternalName, externalName: api.partner.example, ports: [{port: 80}]}
                """);
        controlPlane = controlPlane();
        DeltaClient client = client();
        eventually(() -> assertThat(code(client)).isEqualTo(Status.Code.UNAVAILABLE));
        assertThat(client.failure()).hasMessageContaining("mesh default is closed");
        assertThat(client.responses()).isEmpty();
        DeltaClient visitor = open(new DeltaClient(controlPlane.port(), Nodes.inMesh("other", Nodes.client("visitor")), token));
        eventually(() -> assertThat(visitor.cluster("kri_msvc_other__shop_partner_80")).isNotNull());
        cluster.apply(identity("weft-system", GENERATED));
        eventually(() -> {
            DeltaClient again = client();
            await().atMost(Duration.ofSeconds(10)).until(() -> again.failure() != null || again.cluster(ORDERS) != null);
            assertThat(again.failure()).isNull();
        });
        assertThat(visitor.failure()).isNull();
    }

    @Test
    void replicasHaveTheSameRootsAndAWorkloadIsItsServiceAccount() throws IOException {
        cluster.apply(identity("weft-system", GENERATED));
        ControlPlane first = controlPlane;
        DeltaClient client = client();
        client.askForSecret("system_trust_bundle");
        eventually(() -> assertThat(client.secret("system_trust_bundle")).isNotNull());
        controlPlane = controlPlane();
        assertThat(controlPlane.port()).isNotEqualTo(first.port());
        DeltaClient other = client();
        other.askForSecret("system_trust_bundle");
        eventually(() -> assertThat(other.secret("system_trust_bundle")).isEqualTo(client.secret("system_trust_bundle")));
        eventually(() -> assertThat(String.valueOf(client.cluster(ORDERS))).contains("spiffe://prod.example/ns/shop/sa/orders"));
    }

    @Test
    void aServiceThatIsElsewhereIsReachedByItsName() {
        DeltaClient client = client();
        cluster.apply("""
                apiVersion: v1
                kind: Service
                metadata: {name: partner, namespace: shop}
                spec: {type: ExternalName, externalName: api.partner.example, ports: [{port: 80}]}
                ---
                apiVersion: v1
                kind: Service
                metadata: {name: old-orders, namespace: legacy}
                spec: {type: ExternalName, externalName: orders.shop.svc.cluster.local}
                """);
        String partner = "kri_msvc_default__shop_partner_80";
        eventually(() -> assertThat(client.cluster(partner)).isNotNull());
        assertThat(client.cluster(partner).getType()).isEqualTo(Cluster.DiscoveryType.STRICT_DNS);
        assertThat(client.cluster(partner).toString()).contains("api.partner.example");
        eventually(() -> assertThat(client.routes("outbound_80").getVirtualHosts(0).getDomainsList())
                .contains("orders.shop", "old-orders.legacy", "old-orders.legacy.svc.cluster.local").doesNotContain("old-orders"));
    }
}
