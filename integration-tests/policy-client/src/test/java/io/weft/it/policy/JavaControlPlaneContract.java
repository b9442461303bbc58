package io.weft.it.policy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.google.protobuf.Any;
import com.google.protobuf.util.Durations;
import io.envoyproxy.envoy.config.cluster.v3.Cluster;
import io.envoyproxy.envoy.config.cluster.v3.Cluster.DiscoveryType;
import io.envoyproxy.envoy.config.endpoint.v3.ClusterLoadAssignment;
import io.envoyproxy.envoy.config.listener.v3.ApiListener;
import io.envoyproxy.envoy.config.listener.v3.Filter;
import io.envoyproxy.envoy.config.listener.v3.FilterChain;
import io.envoyproxy.envoy.config.listener.v3.Listener;
import io.envoyproxy.envoy.config.route.v3.RouteConfiguration;
import io.envoyproxy.envoy.config.route.v3.VirtualHost;
import io.weft.it.harness.Policy;
import io.weft.it.harness.PolicyServer;
import io.weft.it.harness.PolicyServer.Protocol;
import io.weft.it.harness.Routes;
import io.weft.policy.Dialect;
import io.weft.policy.Node;
import io.weft.policy.PolicyClient;
import io.weft.policy.PolicyClientConfig;
import io.weft.policy.PolicyClientStatus;
import io.weft.policy.PolicyClientStatus.Connected;
import io.weft.policy.PolicyClientStatus.Variant;
import io.weft.policy.identity.IdentityConfig;
import io.weft.policy.model.EndpointAssignment.Locality;
import io.weft.policy.model.HttpConnectionManager.Inline;
import io.weft.policy.model.Listener.Kind;
import io.weft.policy.model.PolicySnapshot;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;
import org.junit.jupiter.api.Test;

/** The policy client against a control plane that others wrote, in both variants of xDS. */
abstract class JavaControlPlaneContract {
    private static final Node NODE = new Node("default.web-1", "web", Locality.UNKNOWN, Map.of("dataplane.proxyType", "dataplane"));

    abstract Protocol protocol();

    @Test
    void aPolicyIsAddedToChangedAndReduced() {
        try (PolicyServer server = PolicyServer.start(protocol()); PolicyClient client = client(server)) {
            Policy orders = Policy.empty().service("orders", endpoint(1));
            server.serve(orders);
            PolicySnapshot first = awaitCluster(client, "orders");
            assertThat(first.listeners()).containsOnlyKeys("outbound:80");
            assertThat(first.assignments().get("orders").localities().get(0).endpoints()).hasSize(1);

            server.serve(orders.service("users", endpoint(2)));
            PolicySnapshot added = awaitCluster(client, "users");
            assertThat(added.routeConfigurations().get("outbound:80").virtualHosts()).hasSize(2);
            assertThat(added.clusters().get("orders")).isSameAs(first.clusters().get("orders"));

            server.serve(orders.service("users", endpoint(2), endpoint(3)));
            awaitSnapshot(client, snapshot ->
                    snapshot.assignments().get("users").localities().get(0).endpoints().size() == 2);

            server.serve(orders.cluster("orders", cluster -> cluster.setConnectTimeout(Durations.fromSeconds(9)), endpoint(1)));
            PolicySnapshot reduced = awaitSnapshot(client, snapshot -> !snapshot.clusters().containsKey("users")
                    && snapshot.clusters().get("orders").resilience().connectTimeout().equals(Duration.ofSeconds(9)));
            assertThat(reduced.assignments()).containsOnlyKeys("orders");

            server.serve(Policy.empty());
            awaitSnapshot(client, snapshot -> snapshot.clusters().isEmpty() && snapshot.listeners().isEmpty());

            server.serve(orders);
            awaitCluster(client, "orders");
            PolicyClientStatus status = client.status();
            assertThat(status.refused()).isEmpty();
            assertThat(status.variant()).isEqualTo(
                    protocol() == Protocol.STATE_OF_THE_WORLD ? Variant.STATE_OF_THE_WORLD : Variant.DELTA);
            assertThat(server.refusals()).isEmpty();
        }
    }

    @Test
    void whatIsInUseOutlivesItsRemoval() {
        try (PolicyServer server = PolicyServer.start(protocol()); PolicyClient client = client(server)) {
            Policy orders = Policy.empty().service("orders", endpoint(1));
            server.serve(orders);
            PolicySnapshot before = awaitCluster(client, "orders");

            // Without endpoints of its own to ask for: java-control-plane answers no request that names a missing resource.
            Cluster marker = Cluster.newBuilder().setName("marker").setType(DiscoveryType.STATIC).build();
            server.serve(new Policy(orders.listeners(), Map.of(), orders.clusters(), Map.of(), Map.of()).cluster(marker));
            PolicySnapshot after = awaitCluster(client, "marker");
            assertThat(after.assignments().get("orders")).isSameAs(before.assignments().get("orders"));
            assertThat(after.routeConfigurations()).isEqualTo(before.routeConfigurations());

            server.serve(new Policy(orders.listeners(), orders.routes(), Map.of(), Map.of(), Map.of()));
            PolicySnapshot withoutCluster = awaitSnapshot(client, snapshot -> snapshot.clusters().isEmpty());
            assertThat(withoutCluster.routeConfigurations()).containsOnlyKeys("outbound:80");
        }
    }

    @Test
    void tenThousandResources() {
        try (PolicyServer server = PolicyServer.start(protocol()); PolicyClient client = client(server)) {
            Map<String, Cluster> clusters = new HashMap<>();
            Map<String, ClusterLoadAssignment> endpoints = new HashMap<>();
            for (int i = 0; i < 5000; i++) {
                Policy one = Policy.empty().cluster("service-" + i, endpoint(1 + i));
                clusters.putAll(one.clusters());
                endpoints.putAll(one.endpoints());
            }
            // With a listener: java-control-plane's delta says nothing at all of a type without resources.
            Policy many = new Policy(Map.of(), Map.of(), clusters, endpoints, Map.of()).virtualHost("service-1", Routes.to("service-1"));
            server.serve(many);
            PolicySnapshot all = await().atMost(Duration.ofSeconds(60)).until(
                    client::snapshot, snapshot -> snapshot.clusters().size() == 5000);
            assertThat(all.assignments()).hasSize(5000);
            // Nothing was shown before it was whole.
            assertThat(all.generation()).isEqualTo(1);

            server.serve(many.cluster("one-more", endpoint(9)));
            PolicySnapshot more = await().atMost(Duration.ofSeconds(60)).until(
                    client::snapshot, snapshot -> snapshot.clusters().containsKey("one-more"));
            assertThat(more.clusters().get("service-17")).isSameAs(all.clusters().get("service-17"));
        }
    }

    @Test
    void routesInsideAListenerAndApiListeners() {
        RouteConfiguration routes = RouteConfiguration.newBuilder()
                .setName("inside")
                .addVirtualHosts(VirtualHost.newBuilder().setName("orders").addDomains("orders").addRoutes(Routes.to("orders")))
                .build();
        Any inline = Any.pack(Policy.connectionManager("unused").toBuilder().setRouteConfig(routes).build());
        Listener sidecar = Policy.outbound(80, "sidecar").toBuilder().clearFilterChains()
                .addFilterChains(FilterChain.newBuilder().addFilters(
                        Filter.newBuilder().setName("envoy.filters.network.http_connection_manager").setTypedConfig(inline)))
                .build();
        Listener api = Listener.newBuilder().setName("orders").setApiListener(ApiListener.newBuilder().setApiListener(inline)).build();
        Listener apiByName = Listener.newBuilder().setName("orders:81").setApiListener(ApiListener.newBuilder()
                .setApiListener(Any.pack(Policy.connectionManager("by-name")))).build();
        try (PolicyServer server = PolicyServer.start(protocol()); PolicyClient client = client(server)) {
            server.serve(Policy.empty().cluster("orders", endpoint(1)).listener(sidecar).listener(api).listener(apiByName)
                    .routes(routes.toBuilder().setName("by-name").build()));
            PolicySnapshot snapshot = awaitSnapshot(client, now -> now.listeners().size() == 3);
            assertThat(snapshot.listeners().get("sidecar").kind()).isEqualTo(Kind.OUTBOUND);
            assertThat(snapshot.listeners().get("sidecar").filterChains().get(0).http().routes()).isInstanceOf(Inline.class);
            assertThat(snapshot.listeners().get("orders").kind()).isEqualTo(Kind.API);
            assertThat(snapshot.routeConfigurations()).containsOnlyKeys("by-name");
        }
    }

    @Test
    void whatCannotBeHonouredIsRefusedByNameAndTheRestIsTaken() {
        try (PolicyServer server = PolicyServer.start(protocol()); PolicyClient client = client(server)) {
            Policy good = Policy.empty().service("orders", endpoint(1));
            server.serve(good);
            var lastGood = awaitCluster(client, "orders").clusters().get("orders");

            server.serve(good.cluster("orders", cluster -> cluster.setTypeValue(99), endpoint(1)).service("users", endpoint(2)));
            PolicySnapshot partly = awaitCluster(client, "users");
            assertThat(partly.clusters().get("orders")).isSameAs(lastGood);
            await().untilAsserted(() -> assertThat(server.refusals()).anyMatch(text -> text.contains("Cluster 'orders'")));
            assertThat(client.status().refused()).extracting(PolicyClientStatus.Refusal::resource).containsExactly("Cluster orders");

            // Not the version that is held: a server may believe that it need not be sent again.
            server.serve(good.cluster("orders", cluster -> cluster.setConnectTimeout(Durations.fromSeconds(9)), endpoint(1))
                    .service("users", endpoint(2)));
            await().until(() -> client.status().refused().isEmpty());
        }
    }

    @Test
    void theControlPlaneMayGoAndComeBack() {
        try (PolicyServer server = PolicyServer.start(protocol()); PolicyClient client = client(server)) {
            Policy orders = Policy.empty().service("orders", endpoint(1));
            server.serve(orders.service("gone", endpoint(3)));
            PolicySnapshot before = awaitCluster(client, "gone");
            server.stop();
            await().until(() -> !(client.status().connection() instanceof Connected));
            assertThat(client.snapshot()).isSameAs(before);

            server.serve(orders.service("users", endpoint(2)));
            server.restart();
            PolicySnapshot after = awaitSnapshot(client, now -> now.clusters().keySet().equals(Set.of("orders", "users")));
            assertThat(after.assignments()).containsOnlyKeys("orders", "users");
            assertThat(after.generation()).isGreaterThan(before.generation());
        }
    }

    @Test
    void aChangedNodeIsToldOnTheSameStream() {
        try (PolicyServer server = PolicyServer.start(protocol()); PolicyClient client = client(server)) {
            Policy orders = Policy.empty().service("orders", endpoint(1));
            server.serve(orders);
            awaitCluster(client, "orders");
            assertThat(server.nodes()).isNotEmpty().allMatch(node -> node.getId().equals("default.web-1"));

            client.update(new Node("default.web-1", "web", Locality.UNKNOWN, Map.of("state", "NotReady")));
            await().until(() -> server.nodes().stream().anyMatch(node -> node.getMetadata().containsFields("state")));
            assertThat(server.streams()).isEqualTo(1);

            server.serve(orders.service("users", endpoint(2)));
            awaitCluster(client, "users");
        }
    }

    static PolicyClient client(PolicyServer server) {
        PolicyClientConfig config = new PolicyClientConfig(
                server.uri(), Dialect.XDS, Optional.empty(), Optional.empty(), Optional.empty(), Optional.empty(), IdentityConfig.REQUESTED,
                Duration.ofMillis(100), Duration.ofMillis(500));
        return PolicyClient.start(config, NODE, snapshot -> {});
    }

    static InetSocketAddress endpoint(int port) {
        return new InetSocketAddress("127.0.0.1", port);
    }

    static PolicySnapshot awaitCluster(PolicyClient client, String name) {
        return awaitSnapshot(client, snapshot -> snapshot.clusters().containsKey(name));
    }

    static PolicySnapshot awaitSnapshot(PolicyClient client, Predicate<PolicySnapshot> condition) {
        return await().atMost(Duration.ofSeconds(20)).pollInterval(Duration.ofMillis(10)).until(client::snapshot, condition);
    }
}
