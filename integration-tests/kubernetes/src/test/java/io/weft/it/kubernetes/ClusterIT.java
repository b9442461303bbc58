package io.weft.it.kubernetes;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.weft.controlplane.kubernetes.MockCluster;
import io.weft.driver.JavaNetHttp;
import io.weft.it.harness.Build;
import io.weft.it.harness.EveryJdk;
import io.weft.it.harness.Jdk;
import io.weft.it.harness.Jdks;
import io.weft.it.harness.JvmProcess;
import io.weft.it.harness.JvmProcess.Tally;
import io.weft.it.harness.Testbed;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * JVMs as pods under the real jar, and the real control plane on a cluster's API. Their addresses are all loopback, so a pod is told from
 * another one by its port.
 */
class ClusterIT {
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final Pattern ADDRESS = Pattern.compile("\"address\":\"([^\"]+)\"");
    private static final int SAMPLE = 200;

    @RegisterExtension
    final Testbed testbed = new Testbed();

    @EveryJdk
    void podsCallServicesAsTheClusterSays(Jdk jdk) throws Exception {
        Path folder = testbed.temporaryFolder();
        MockCluster cluster = testbed.closeAfterwards(new MockCluster());
        cluster.apply("""
                apiVersion: v1
                kind: Service
                metadata: {name: orders, namespace: shop}
                spec: {clusterIP: 10.96.0.7, ports: [{name: http, port: 80, protocol: TCP}]}
                """);
        JvmProcess controlPlane = testbed.jvm("control plane", Jdks.newest()).jar(
                Build.controlPlane(), "control-plane", "--listen", "127.0.0.1:0", "--json",
                "--kubernetes", "--kubeconfig", cluster.kubeconfig(folder).toString(), "--namespace", "weft-system");
        Matcher ready = ADDRESS.matcher(controlPlane.awaitStdout(line -> line.contains("\"ready\":true")));
        assertThat(ready.find()).isTrue();
        URI uri = URI.create(ready.group(1));
        int first = pod(jdk, cluster, folder, uri, "v1");
        int second = pod(jdk, cluster, folder, uri, "v2");
        cluster.apply(slice("v1", first, "ready: true"));
        cluster.apply(slice("v2", second, "ready: true"));
        cluster.apply(podObject("caller", "storefront", "app: storefront"));
        JvmProcess client = testbed.jvm("caller", jdk).mesh(uri, "storefront")
                .environment("WEFT_CONTROL_PLANE_TOKEN_FILE", token(cluster, folder, "storefront", "caller").toString())
                .driver(JavaNetHttp.class);

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

        cluster.apply(slice("v1", first, "ready: false, serving: true, terminating: true"));
        await().atMost(PATIENCE).untilAsserted(() -> assertThat(sample(client).body("v2")).isEqualTo(SAMPLE));

        // Neither the API server nor the control plane is needed for what is in force.
        cluster.close();
        assertThat(sample(client).body("v2")).isEqualTo(SAMPLE);
        controlPlane.kill();
        assertThat(sample(client).body("v2")).isEqualTo(SAMPLE);
    }

    private static Tally sample(JvmProcess client) {
        Tally tally = client.load("http://orders/", Map.of(), SAMPLE, 2);
        assertThat(tally.status(200)).as(() -> tally.counts().toString()).isEqualTo(SAMPLE);
        return tally;
    }

    /** Returns the port that the app has bound. */
    private int pod(Jdk jdk, MockCluster cluster, Path folder, URI controlPlane, String version) throws IOException {
        cluster.apply(podObject("orders-" + version, "orders", "app: orders, version: " + version));
        return testbed.jvm("orders " + version, jdk).mesh(controlPlane, "orders")
                .environment("WEFT_CONTROL_PLANE_TOKEN_FILE", token(cluster, folder, "orders", "orders-" + version).toString())
                .driver("io.weft.driver.JdkHttpServer", version)
                .awaitPort();
    }

    private static Path token(MockCluster cluster, Path folder, String serviceAccount, String pod) throws IOException {
        return Files.writeString(folder.resolve(pod + ".token"), cluster.token(serviceAccount, pod));
    }

    private static String podObject(String name, String serviceAccount, String labels) {
        return """
                apiVersion: v1
                kind: Pod
                metadata: {name: %s, namespace: shop, labels: {%s}}
                spec: {serviceAccountName: %s, containers: []}
                status: {podIP: 127.0.0.1, podIPs: [{ip: 127.0.0.1}]}
                """.formatted(name, labels, serviceAccount);
    }

    private static String slice(String version, int port, String conditions) {
        return """
                apiVersion: discovery.k8s.io/v1
                kind: EndpointSlice
                metadata: {name: orders-%s, namespace: shop, labels: {kubernetes.io/service-name: orders}}
                addressType: IPv4
                ports: [{name: http, port: %d, protocol: TCP}]
                endpoints:
                - {addresses: [127.0.0.1], conditions: {%s}, targetRef: {kind: Pod, namespace: shop, name: orders-%s}}
                """.formatted(version, port, conditions, version);
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
