package io.weft.it.kubernetes;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.fabric8.kubernetes.api.model.gatewayapi.v1.HTTPRoute;
import io.weft.it.harness.Build;
import io.weft.it.harness.EveryJdk;
import io.weft.it.harness.Jdk;
import io.weft.it.harness.Jdks;
import io.weft.it.harness.JvmProcess;
import io.weft.it.harness.JvmProcess.Tally;
import io.weft.it.harness.Testbed;
import io.weft.it.harness.Wire;
import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * JVMs as pods under the real jar, and the real control plane on a cluster's API. Their addresses are all the same, so a pod is told from
 * another one by its port. The same on a real API server: {@link Cluster}.
 */
class ClusterIT {
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final int SAMPLE = 200;

    @RegisterExtension
    final Testbed testbed = new Testbed();

    @EveryJdk
    void podsCallServicesAsTheClusterSays(Jdk jdk) throws Exception {
        Cluster cluster = Cluster.open(testbed);
        cluster.apply("""
                apiVersion: v1
                kind: Service
                metadata: {name: orders, namespace: shop}
                spec: {clusterIP: 10.96.0.7, ports: [{name: http, port: 80, protocol: TCP}]}
                """);
        Shop shop = new Shop(testbed, cluster, jdk);
        JvmProcess controlPlane = shop.controlPlane(cluster.controlPlaneKubeconfig(), "127.0.0.1:0");
        URI uri = Shop.address(controlPlane);
        int first = shop.orders(uri, "v1").awaitPort();
        int second = shop.orders(uri, "v2").awaitPort();
        cluster.apply(shop.slice("v1", first, "ready: true"));
        cluster.apply(shop.slice("v2", second, "ready: true"));
        JvmProcess client = shop.caller(uri, "caller");

        for (String host : new String[] {"orders", "orders.shop", "orders.shop.svc", "orders.shop.svc.cluster.local"}) {
            await().atMost(PATIENCE).untilAsserted(() -> assertThat(client.load("http://" + host + "/", Map.of(), 20, 2).counts())
                    .containsOnlyKeys("status.200", "body.v1", "body.v2"));
        }

        cluster.apply(KUMA_ROUTE);
        await().atMost(PATIENCE).untilAsserted(() -> assertThat(sample(client).body("v1")).isEqualTo(SAMPLE));
        assertThat(client.get("http://orders/", Map.of("x-canary", "yes")).body()).isEqualTo("v2");
        cluster.delete(KUMA_ROUTE);

        cluster.apply(GATEWAY_ROUTE);
        await().atMost(PATIENCE).untilAsserted(() -> assertThat(client.get("http://orders/elsewhere").status()).isEqualTo(404));
        assertThat(client.get("http://orders/a").status()).isEqualTo(200);
        cluster.delete(GATEWAY_ROUTE);
        await().atMost(PATIENCE).untilAsserted(() -> assertThat(client.get("http://orders/elsewhere").status()).isEqualTo(200));

        cluster.apply(shop.slice("v1", first, "ready: false, serving: true, terminating: true"));
        await().atMost(PATIENCE).untilAsserted(() -> assertThat(sample(client).body("v2")).isEqualTo(SAMPLE));

        // While the API server is away, as when it starts anew, nothing changes; what did meanwhile is seen when it is back.
        cluster.wire().conduct(Wire.Conduct.CUT);
        cluster.apply(shop.slice("v1", first, "ready: true"));
        cluster.apply(shop.slice("v2", second, "ready: false, serving: true, terminating: true"));
        assertThat(sample(client).body("v2")).isEqualTo(SAMPLE);
        cluster.wire().conduct(Wire.Conduct.PASS);
        await().atMost(PATIENCE).untilAsserted(() -> assertThat(sample(client).body("v1")).isEqualTo(SAMPLE));
        JvmProcess newcomer = shop.caller(uri, "newcomer");
        await().atMost(PATIENCE).untilAsserted(() -> assertThat(newcomer.get("http://orders/").body()).isEqualTo("v1"));

        // Neither the API server nor the control plane is needed for what is in force.
        cluster.wire().conduct(Wire.Conduct.CUT);
        assertThat(sample(client).body("v1")).isEqualTo(SAMPLE);
        controlPlane.kill();
        assertThat(sample(client).body("v1")).isEqualTo(SAMPLE);
    }

    /** By the weights of a Gateway API route, then by {@code weft canary}, which watches what the agents report. */
    @Test
    void aCanaryIsObeyedAndWhatBecameOfARouteIsWrittenBack() throws Exception {
        Jdk jdk = Jdks.newest();
        Cluster cluster = Cluster.open(testbed);
        for (String service : new String[] {"orders", "orders-v1", "orders-v2"}) {
            cluster.apply("""
                    apiVersion: v1
                    kind: Service
                    metadata: {name: %s, namespace: shop}
                    spec: {clusterIP: 10.96.0.%d, ports: [{name: http, port: 80, protocol: TCP}]}
                    """.formatted(service, 10 + service.charAt(service.length() - 1)));
        }
        Shop shop = new Shop(testbed, cluster, jdk);
        JvmProcess controlPlane = shop.controlPlane(cluster.controlPlaneKubeconfig(), "127.0.0.1:0");
        URI uri = Shop.address(controlPlane);
        for (String version : new String[] {"v1", "v2"}) {
            int port = shop.orders(uri, version).awaitPort();
            cluster.apply(shop.slice(version, port, "ready: true"));
            cluster.apply(shop.slice(version, port, "ready: true")
                    .replace("name: orders-" + version + ", namespace: shop, labels: {kubernetes.io/service-name: orders}",
                            "name: only-" + version + ", namespace: shop, labels: {kubernetes.io/service-name: orders-" + version + "}"));
        }
        JvmProcess client = shop.caller(uri, "caller");

        cluster.apply(weighted("orders-v2", 1, 3));
        await().atMost(PATIENCE).untilAsserted(() -> assertThat(sample(client).body("v2")).isBetween(SAMPLE * 3 / 5, SAMPLE * 9 / 10));
        await().atMost(PATIENCE).untilAsserted(() -> assertThat(conditions(cluster)).contains("Accepted=True", "ResolvedRefs=True"));
        cluster.apply(weighted("orders-v2", 0, 1));
        await().atMost(PATIENCE).untilAsserted(() -> assertThat(sample(client).body("v2")).isEqualTo(SAMPLE));
        cluster.apply(weighted("orders-v3", 0, 1));
        await().atMost(PATIENCE).untilAsserted(() -> assertThat(client.get("http://orders/").status()).isEqualTo(500));
        await().atMost(PATIENCE).untilAsserted(() -> assertThat(conditions(cluster)).contains("ResolvedRefs=False BackendNotFound"));
        cluster.delete(weighted("orders-v3", 0, 1));
        await().atMost(PATIENCE).untilAsserted(() -> assertThat(sample(client).body("v1")).isPositive());

        AtomicBoolean over = new AtomicBoolean();
        CompletableFuture<Void> load = CompletableFuture.runAsync(() -> {
            while (!over.get()) {
                sample(client);
            }
        });
        try {
            JvmProcess canary = testbed.jvm("canary", jdk).jar(Build.controlPlane(), "canary", "shop/orders", "--kubernetes",
                    "--kubeconfig", cluster.kubeconfig().toString(), "--page", Shop.page(controlPlane).toString(),
                    "--from", "v1", "--to", "v2", "--steps", "100", "--hold", "2s", "--min-requests", "5", "--max-error-rate", "1%", "--json");
            assertThat(canary.awaitExit(PATIENCE)).as(canary::report).isZero();
            assertThat(canary.stdout()).last().asString().contains("\"done\"");
        } finally {
            over.set(true);
            load.get();
        }
        await().atMost(PATIENCE).untilAsserted(() -> assertThat(sample(client).body("v2")).isEqualTo(SAMPLE));
        assertThat(cluster.client().genericKubernetesResources("kuma.io/v1alpha1", "MeshHTTPRoute").inNamespace("shop").withName("orders-canary")
                .get().get("spec", "to", 0, "rules", 0, "default", "backendRefs").toString()).contains("version=v2", "weight=100");
    }

    private static String weighted(String second, int one, int other) {
        return """
                apiVersion: gateway.networking.k8s.io/v1
                kind: HTTPRoute
                metadata: {name: weighted, namespace: shop}
                spec:
                  parentRefs: [{group: "", kind: Service, name: orders}]
                  rules: [{backendRefs: [{name: orders-v1, port: 80, weight: %d}, {name: %s, port: 80, weight: %d}]}]
                """.formatted(one, second, other);
    }

    /** Of the route, each with its status, and with the reason where it is not so. */
    private static List<String> conditions(Cluster cluster) {
        HTTPRoute route = cluster.client().resources(HTTPRoute.class).inNamespace("shop").withName("weighted").get();
        return route.getStatus() == null
                ? List.of()
                : route.getStatus().getParents().stream().flatMap(parent -> parent.getConditions().stream())
                        .map(condition -> condition.getType() + "=" + condition.getStatus()
                                + (condition.getStatus().equals("True") ? "" : " " + condition.getReason()))
                        .toList();
    }

    private static Tally sample(JvmProcess client) {
        Tally tally = client.load("http://orders/", Map.of(), SAMPLE, 2);
        assertThat(tally.status(200)).as(() -> tally.counts().toString()).isEqualTo(SAMPLE);
        return tally;
    }

    private static final String KUMA_ROUTE = """
            apiVersion: kuma.io/v1alpha1
            kind: MeshHTTPRoute
            metadata: {name: canary, namespace: shop}
            spec:
              to:
              - targetRef: {kind: MeshService, name: orders}
                rules:
                - matches: [{path: {type: PathPrefix, value: /}, headers: [{name: x-canary, value: "yes"}]}]
                  default: {backendRefs: [{kind: MeshServiceSubset, name: orders, tags: {version: v2}}]}
                - matches: [{path: {type: PathPrefix, value: /}}]
                  default: {backendRefs: [{kind: MeshServiceSubset, name: orders, tags: {version: v1}}]}
            """;

    private static final String GATEWAY_ROUTE = """
            apiVersion: gateway.networking.k8s.io/v1
            kind: HTTPRoute
            metadata: {name: only-a, namespace: shop}
            spec:
              parentRefs: [{group: "", kind: Service, name: orders}]
              rules:
              - matches: [{path: {type: PathPrefix, value: /a}}]
                backendRefs: [{name: orders, port: 80}]
            """;
}
