package io.weft.it.kubernetes;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.fabric8.kubernetes.api.model.Condition;
import io.fabric8.kubernetes.api.model.ConditionBuilder;
import io.fabric8.kubernetes.api.model.EnvVar;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodBuilder;
import io.fabric8.kubernetes.api.model.ServiceAccountBuilder;
import io.fabric8.kubernetes.api.model.gatewayapi.v1.GRPCRoute;
import io.fabric8.kubernetes.api.model.gatewayapi.v1.HTTPRoute;
import io.fabric8.kubernetes.api.model.gatewayapi.v1.HTTPRouteStatus;
import io.fabric8.kubernetes.api.model.gatewayapi.v1.HTTPRouteTimeoutsBuilder;
import io.fabric8.kubernetes.api.model.gatewayapi.v1.ParentReferenceBuilder;
import io.fabric8.kubernetes.api.model.gatewayapi.v1.RouteParentStatus;
import io.fabric8.kubernetes.api.model.gatewayapi.v1.RouteParentStatusBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.weft.it.harness.Build;
import io.weft.it.harness.Jdks;
import io.weft.it.harness.JvmProcess;
import io.weft.it.harness.JvmProcess.Tally;
import io.weft.it.harness.Port;
import io.weft.it.harness.Testbed;
import io.weft.it.harness.Wire;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.HttpURLConnection;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManagerFactory;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * What only a real API server does: it dies and comes back, it checks what is written of a route and by whom, and it asks the injector.
 * Everything runs with the chart's rights, and JVMs of this machine stand for pods. Skipped where there is none: {@link StartedCluster}.
 */
class RealApiServerIT {
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final Duration OUTAGE = Duration.ofSeconds(8);
    private static final String OURS = "weft.io/mesh";
    private static final String OTHERS = "example.com/gateway";

    @RegisterExtension
    final Testbed testbed = new Testbed();

    private StartedCluster machine;
    private RealApi cluster;
    private KubernetesClient client;

    @BeforeEach
    void start() throws Exception {
        machine = StartedCluster.start(testbed);
        cluster = testbed.closeAfterwards(new RealApi(machine, testbed.temporaryFolder()));
        client = cluster.client();
    }

    // ---- The control plane

    @Test
    void noRequestIsLostWhileTheApiServerItsStoreAndReplicasDie() throws Exception {
        Shop shop = new Shop(testbed, cluster, Jdks.newest());
        int[] ports = {Port.unused(), Port.unused()};
        Path rights = cluster.kubeconfig("weft-control-plane");
        JvmProcess first = replica(shop, rights, ports[0]);
        JvmProcess second = replica(shop, rights, ports[1]);
        Wire service = testbed.closeAfterwards(Wire.to(List.of(loopback(ports[0]), loopback(ports[1]))));
        URI uri = URI.create("grpc://127.0.0.1:" + service.port());
        cluster.apply(service("orders", "{name: http, port: 80, protocol: TCP}"));
        int port = 0;
        for (String version : List.of("v1", "v2")) {
            port = shop.orders(uri, version).awaitPort();
            cluster.apply(shop.slice(version, port, "ready: true"));
        }
        int last = port;
        JvmProcess caller = shop.caller(uri, "caller");
        await("both versions answer").atMost(PATIENCE).until(() -> caller.load("http://orders/", Map.of(), 20, 2).counts().keySet()
                .containsAll(List.of("body.v1", "body.v2")));
        cluster.apply(Installation.IDENTITY);
        // Each has its certificate before the API server dies: who has none and is told to be closed is closed.
        await("nobody is permitted yet").atMost(PATIENCE).until(() -> caller.load("http://orders/", Map.of(), 50, 2).status(403) == 50);
        cluster.apply(PERMISSION);
        await("permitted").atMost(PATIENCE).until(() -> caller.load("http://orders/", Map.of(), 50, 2).status(200) == 50);
        await("the agents' word is in the pods").atMost(PATIENCE).until(() -> client.pods().inNamespace("shop").withLabel("app", "orders").list().getItems()
                .stream().allMatch(pod -> pod.getStatus().getConditions().stream()
                        .anyMatch(condition -> condition.getType().equals("weft.io/MeshTLS") && condition.getStatus().equals("True"))));
        cluster.apply(STRICT);
        await("in plaintext nobody is answered").atMost(PATIENCE).until(() -> !isAnsweredInPlaintext(last));

        Load load = testbed.closeAfterwards(new Load(caller));
        load.await("v1 alone", () -> cluster.apply(canary("v1")), "v1");

        machine.killApiServer();
        Thread.sleep(OUTAGE.toMillis());
        machine.startApiServer();
        load.await("a change after the API server was away", () -> cluster.apply(canary("v2")), "v2");
        admitted(shop, uri, "after-api-server", "v2");

        machine.killApiServer();
        machine.killEtcd();
        Thread.sleep(OUTAGE.toMillis());
        machine.startEtcd();
        machine.startApiServer();
        load.await("a change after etcd and the API server were away", () -> cluster.apply(canary("v1")), "v1");
        admitted(shop, uri, "after-etcd", "v1");

        first.kill();
        load.await("a change by the replica that is left", () -> cluster.apply(canary("v2")), "v2");
        first = replica(shop, rights, ports[0]);
        second.kill();
        load.await("a change by the replica that is new", () -> cluster.apply(canary("v1")), "v1");
        admitted(shop, uri, "after-replicas", "v1");
        assertThat(first.isAlive()).isTrue();
        Map<String, Integer> outcomes = load.end();
        System.out.println("requests: " + outcomes);
        assertThat(outcomes).containsOnlyKeys("status.200", "body.v1", "body.v2");
    }

    private boolean isAnsweredInPlaintext(int port) {
        try {
            HttpURLConnection connection = (HttpURLConnection) URI.create("http://" + cluster.address() + ":" + port + "/").toURL().openConnection();
            return connection.getResponseCode() == 200;
        } catch (IOException refused) {
            return false;
        }
    }

    private JvmProcess replica(Shop shop, Path rights, int port) {
        JvmProcess replica = shop.controlPlane(rights, "127.0.0.1:" + port);
        Shop.address(replica);
        return replica;
    }

    private static InetSocketAddress loopback(int port) {
        return new InetSocketAddress(InetAddress.getLoopbackAddress(), port);
    }

    private static void admitted(Shop shop, URI uri, String name, String version) throws IOException {
        long began = System.nanoTime();
        JvmProcess newcomer = shop.caller(uri, name);
        await(name + " is admitted").atMost(PATIENCE).until(() -> newcomer.load("http://orders/", Map.of(), 10, 1).body(version) == 10);
        System.out.println(name + ": admitted, from the start of its JVM, in " + millis(began) + " ms");
        newcomer.close();
    }

    private static long millis(long began) {
        return (System.nanoTime() - began) / 1_000_000;
    }

    /** Requests without a pause, by samples. */
    private static final class Load implements AutoCloseable {
        private static final int SAMPLE = 40;

        private final AtomicBoolean over = new AtomicBoolean();
        private final Map<String, Integer> outcomes = new TreeMap<>();
        private final CompletableFuture<Void> running;
        private final long began = System.nanoTime();
        private volatile Tally last = new Tally(Map.of());

        Load(JvmProcess caller) {
            running = CompletableFuture.runAsync(() -> {
                while (!over.get()) {
                    Tally sample = caller.load("http://orders/", Map.of(), SAMPLE, 2);
                    sample.counts().forEach((what, count) -> outcomes.merge(what, count, Integer::sum));
                    if (sample.status(200) < SAMPLE) {
                        System.out.println("lost, " + millis(began) + " ms after the first: " + sample.counts());
                    }
                    last = sample;
                }
            });
        }

        void await(String what, Runnable change, String version) {
            long changed = System.nanoTime();
            change.run();
            Awaitility.await(what).atMost(PATIENCE).pollInterval(Duration.ofMillis(20)).until(() -> last.body(version) == SAMPLE);
            System.out.println(what + ", " + millis(began) + " ms after the first request: obeyed by all after " + millis(changed) + " ms at most");
        }

        Map<String, Integer> end() {
            over.set(true);
            running.join();
            return outcomes;
        }

        @Override
        public void close() {
            over.set(true);
        }
    }

    // ---- What is said of routes

    @Test
    void whatBecameOfEachParentIsWrittenBackBesideWhatOthersWrite() throws Exception {
        Shop shop = new Shop(testbed, cluster, Jdks.newest());
        Path rights = cluster.kubeconfig("weft-control-plane");
        replica(shop, rights, Port.unused());
        replica(shop, rights, Port.unused());
        cluster.apply(service("orders", "{name: http, port: 80, protocol: TCP}, {name: grpc, port: 90, protocol: TCP}"));
        cluster.apply(service("orders-next", "{name: grpc, port: 90, protocol: TCP}"));
        cluster.apply(route("HTTPRoute", "orders, port: 80", "nobody", "{name: orders, port: 80}"));
        cluster.apply(route("GRPCRoute", "orders, port: 90", "orders-next, port: 91", "{name: missing, port: 90}"));

        told(HTTPRoute.class, 1, "orders Accepted=True ResolvedRefs=True", "nobody Accepted=False NoMatchingParent ResolvedRefs=True");
        told(GRPCRoute.class, 1, "orders Accepted=True ResolvedRefs=False BackendNotFound",
                "orders-next Accepted=False NoMatchingParent ResolvedRefs=False BackendNotFound");
        String since = transition(GRPCRoute.class);
        cluster.apply(service("missing", "{name: grpc, port: 90, protocol: TCP}"));
        told(GRPCRoute.class, 1, "orders Accepted=True ResolvedRefs=True", "orders-next Accepted=False NoMatchingParent ResolvedRefs=True");
        cluster.apply(route("GRPCRoute", "orders, port: 90", "orders-next, port: 90", "{name: missing, port: 90}"));
        told(GRPCRoute.class, 2, "orders Accepted=True ResolvedRefs=True", "orders-next Accepted=True ResolvedRefs=True");
        assertThat(transition(GRPCRoute.class)).as("since when it is accepted").isEqualTo(since);

        // A controller of gateways that writes all the time, while the route is changed all the time.
        AtomicBoolean over = new AtomicBoolean();
        CompletableFuture<Integer> others = CompletableFuture.supplyAsync(() -> {
            int written = 0;
            while (!over.get()) {
                write(++written);
            }
            return written;
        });
        for (int port = 0; port < 20; port++) {
            int timeout = port + 1;
            change(route -> route.getSpec().getRules().get(0).setTimeouts(new HTTPRouteTimeoutsBuilder().withRequest(timeout + "s").build()));
        }
        over.set(true);
        int written = others.join();
        told(HTTPRoute.class, 21, "orders Accepted=True ResolvedRefs=True", "nobody Accepted=False NoMatchingParent ResolvedRefs=True");
        assertThat(parents(HTTPRoute.class)).filteredOn(parent -> parent.getControllerName().equals(OTHERS)).singleElement()
                .satisfies(parent -> assertThat(parent.getConditions().get(0).getMessage()).isEqualTo("write " + written));
        System.out.println("another controller wrote " + written + " times beside 20 changes of the route");

        // One parent fewer, then none of ours.
        change(route -> route.getSpec().getParentRefs().removeIf(parent -> parent.getName().equals("nobody")));
        told(HTTPRoute.class, 22, "orders Accepted=True ResolvedRefs=True");
        change(route -> route.getSpec().getParentRefs().removeIf(parent -> parent.getName().equals("orders")));
        await("nothing is said of Services that are no parents").atMost(PATIENCE).untilAsserted(() -> assertThat(parents(HTTPRoute.class))
                .extracting(RouteParentStatus::getControllerName).containsExactly(OTHERS));

        // Nor is anything lost while the API server starts anew.
        machine.killApiServer();
        machine.startApiServer();
        cluster.apply(route("GRPCRoute", "orders, port: 90", "orders-next, port: 92", "{name: missing, port: 90}"));
        told(GRPCRoute.class, 3, "orders Accepted=True ResolvedRefs=True", "orders-next Accepted=False NoMatchingParent ResolvedRefs=True");
    }

    /** As often as others are faster. */
    private void change(Consumer<HTTPRoute> change) {
        while (true) {
            try {
                client.resources(HTTPRoute.class).inNamespace("shop").withName("canary").edit(route -> {
                    change.accept(route);
                    return route;
                });
                return;
            } catch (KubernetesClientException e) {
                assertThat(e.getCode()).isEqualTo(409);
            }
        }
    }

    /** Of this namespace's gateway, by its controller, which tries until it is the one that writes. */
    private void write(int number) {
        while (true) {
            HTTPRoute route = client.resources(HTTPRoute.class).inNamespace("shop").withName("canary").get();
            List<RouteParentStatus> parents = route.getStatus() == null ? new ArrayList<>() : new ArrayList<>(route.getStatus().getParents());
            parents.removeIf(parent -> parent.getControllerName().equals(OTHERS));
            parents.add(0, new RouteParentStatusBuilder().withControllerName(OTHERS)
                    .withParentRef(new ParentReferenceBuilder().withGroup("gateway.networking.k8s.io").withKind("Gateway").withName("edge").build())
                    .withConditions(new ConditionBuilder().withType("Accepted").withStatus("True").withReason("Accepted").withMessage("write " + number)
                            .withLastTransitionTime(Instant.now().truncatedTo(ChronoUnit.SECONDS).toString()).build())
                    .build());
            HTTPRouteStatus status = new HTTPRouteStatus();
            status.setParents(parents);
            route.setStatus(status);
            try {
                client.resource(route).updateStatus();
                return;
            } catch (KubernetesClientException e) {
                assertThat(e.getCode()).isEqualTo(409);
            }
        }
    }

    private <T extends HasMetadata> List<RouteParentStatus> parents(Class<T> kind) {
        T route = client.resources(kind).inNamespace("shop").withName("canary").get();
        if (route instanceof HTTPRoute http) {
            return http.getStatus() == null ? List.of() : http.getStatus().getParents();
        }
        GRPCRoute grpc = (GRPCRoute) route;
        return grpc.getStatus() == null ? List.of() : grpc.getStatus().getParents();
    }

    /** @param expected of each Service that is a parent: its name, then each condition, with the reason where it is not so */
    private <T extends HasMetadata> void told(Class<T> kind, long generation, String... expected) {
        await(String.join(", ", expected)).atMost(PATIENCE).untilAsserted(() -> {
            List<RouteParentStatus> ours = parents(kind).stream().filter(parent -> parent.getControllerName().equals(OURS)).toList();
            assertThat(ours).extracting(RealApiServerIT::told).containsExactlyInAnyOrder(expected);
            assertThat(ours).flatExtracting(RouteParentStatus::getConditions).extracting(Condition::getObservedGeneration).containsOnly(generation);
        });
    }

    private static String told(RouteParentStatus parent) {
        return parent.getParentRef().getName() + parent.getConditions().stream()
                .map(each -> " " + each.getType() + "=" + each.getStatus() + (each.getStatus().equals("True") ? "" : " " + each.getReason()))
                .collect(Collectors.joining());
    }

    private <T extends HasMetadata> String transition(Class<T> kind) {
        return parents(kind).stream().filter(parent -> parent.getParentRef().getName().equals("orders")).findFirst().orElseThrow()
                .getConditions().get(0).getLastTransitionTime();
    }

    private static String service(String name, String ports) {
        return """
                apiVersion: v1
                kind: Service
                metadata: {name: %s, namespace: shop}
                spec: {ports: [%s]}
                """.formatted(name, ports);
    }

    private static String route(String kind, String first, String second, String backend) {
        return """
                apiVersion: gateway.networking.k8s.io/v1
                kind: %s
                metadata: {name: canary, namespace: shop}
                spec:
                  parentRefs:
                  - {group: "", kind: Service, name: %s}
                  - {group: "", kind: Service, name: %s}
                  - {name: edge}
                  rules: [{backendRefs: [%s]}]
                """.formatted(kind, first, second, backend);
    }

    // ---- The injector

    @Test
    void everyPodIsInjectedWhileTheInjectorsCertificatesAreReplaced() throws Exception {
        cluster.install("templates/injector.yaml");
        List<Replica> replicas = injectors();
        assertThat(bundle()).as("who is trusted").hasSize(1);
        AtomicBoolean over = new AtomicBoolean();
        CompletableFuture<int[]> pods = CompletableFuture.supplyAsync(() -> createUntil(over));
        testbed.closeAfterwards(() -> over.set(true));
        // As when years have passed: the next root is trusted, and signs in a moment.
        String roots = rotated(client.secrets().inNamespace(Chart.NAMESPACE).withName("weft-server-ca").get().getData().get("roots.json"));
        client.secrets().inNamespace(Chart.NAMESPACE).withName("weft-server-ca").edit(secret -> {
            secret.getData().put("roots.json", roots);
            return secret;
        });
        await("the next root is trusted").atMost(PATIENCE.multipliedBy(2)).until(() -> bundle().size() == 2);
        Certificate former = bundle().get(0);
        Certificate next = bundle().get(1);
        assertThat(replicas).allMatch(replica -> trusts(former, replica));
        await("both replicas have certificates of the new root").atMost(PATIENCE.multipliedBy(4)).until(() -> replicas.stream()
                .allMatch(replica -> trusts(next, replica)));
        assertThat(bundle()).as("who is trusted, the new root first").containsExactly(next, former);
        Thread.sleep(2_000);
        over.set(true);
        int[] counted = pods.join();
        System.out.println(counted[0] + " pods created while the root was replaced, " + counted[1] + " without the agent");
        assertThat(counted[0]).isGreaterThan(100);
        assertThat(counted[1]).isZero();
        assertThat(decoded("weft-control-plane-tls", "ca.crt")).as("whom new pods trust").isEqualTo(create(pod("last")).getMetadata().getAnnotations()
                .get("weft.io/trust-bundle"));
    }

    /** As when the Secret is lost, or its key is to be used no more. */
    @Test
    void everyPodIsInjectedWhileTheInjectorsRootIsReplacedAtOnce() throws Exception {
        cluster.install("templates/injector.yaml");
        List<Replica> replicas = injectors();
        Certificate former = bundle().get(0);
        AtomicBoolean over = new AtomicBoolean();
        CompletableFuture<int[]> pods = CompletableFuture.supplyAsync(() -> createUntil(over));
        testbed.closeAfterwards(() -> over.set(true));
        client.secrets().inNamespace(Chart.NAMESPACE).withName("weft-server-ca").edit(secret -> {
            secret.getData().clear();
            return secret;
        });
        await("the former root is trusted no more").atMost(PATIENCE.multipliedBy(5)).until(() -> !bundle().contains(former));
        Certificate next = bundle().get(0);
        assertThat(replicas).allMatch(replica -> trusts(next, replica));
        over.set(true);
        int[] counted = pods.join();
        System.out.println(counted[0] + " pods created while the root was replaced at once, " + counted[1] + " without the agent");
        assertThat(counted[0]).isGreaterThan(100);
        assertThat(counted[1]).isZero();
    }

    /** {@code failurePolicy}, and the word of a pod that it is to be closed before there is a policy. */
    @Test
    void withoutAnInjectorPodsGoWithoutTheAgentOrAreNotCreated() throws Exception {
        cluster.install("templates/injector.yaml");
        List<Replica> replicas = injectors();

        Pod required = create(new PodBuilder(pod("required")).editMetadata().addToAnnotations("weft.io/required", "true").endMetadata().build());
        assertThat(variable(required, "WEFT_REQUIRED")).isEqualTo("true");
        assertThat(variable(create(pod("not-required")), "WEFT_REQUIRED")).isNotEqualTo("true");

        if (client.getApiResources("admissionregistration.k8s.io/v1").getResources().stream()
                .anyMatch(resource -> resource.getKind().equals("MutatingAdmissionPolicy"))) {
            client.load(new ByteArrayInputStream(MUTATING_POLICY.getBytes(StandardCharsets.UTF_8))).create();
            await("a policy of the API server's own is applied, too").atMost(PATIENCE).untilAsserted(() -> {
                Pod both = client.resource(pod("both")).dryRun(true).create();
                assertThat(injected(both)).isTrue();
                assertThat(variable(both, "JAVA_TOOL_OPTIONS")).startsWith("-Dadded.by=policy ").containsOnlyOnce("-javaagent:");
            });
        }

        replicas.forEach(replica -> replica.process.kill());
        Pod without = create(pod("without"));
        assertThat(injected(without)).isFalse();
        failurePolicy("Fail");
        await("no pod is created").atMost(PATIENCE).untilAsserted(() -> assertThatThrownBy(() -> client.resource(pod("refused")).dryRun(true).create())
                .hasMessageContaining("namespaces.inject.weft.io"));
        injector(cluster.kubeconfig("weft-injector"), 1);
        await("pods are created again").atMost(PATIENCE).ignoreExceptionsInstanceOf(KubernetesClientException.class)
                .until(() -> injected(client.resource(pod("again")).dryRun(true).create()));
    }

    /** Returns how many there were, and how many of them had no agent. */
    private int[] createUntil(AtomicBoolean over) {
        int created = 0;
        int without = 0;
        while (!over.get()) {
            Pod pod = create(pod("p" + created++));
            without += injected(pod) ? 0 : 1;
            client.resource(pod).withGracePeriod(0).delete();
        }
        return new int[] {created, without};
    }

    private record Replica(JvmProcess process, int port) {}

    /** Two replicas behind their Service, and a namespace that joins. */
    private List<Replica> injectors() throws IOException {
        Path rights = cluster.kubeconfig("weft-injector");
        List<Replica> replicas = List.of(injector(rights, 1), injector(rights, 2));
        client.namespaces().withName("shop").edit(namespace -> {
            namespace.getMetadata().setLabels(Map.of("weft.io/inject", "enabled"));
            return namespace;
        });
        client.resource(new ServiceAccountBuilder().withNewMetadata().withName("batch").withNamespace("shop").endMetadata().build()).create();
        await("the API server asks the injector").atMost(PATIENCE).until(() -> injected(client.resource(pod("asked")).dryRun(true).create()));
        return replicas;
    }

    private String decoded(String secret, String key) {
        return new String(Base64.getDecoder().decode(client.secrets().inNamespace(Chart.NAMESPACE).withName(secret).get().getData().get(key)),
                StandardCharsets.US_ASCII);
    }

    private Replica injector(Path rights, int number) {
        JvmProcess process = testbed.jvm("injector " + number, Jdks.newest()).environment("KUBECONFIG", rights.toString()).jar(Build.controlPlane(),
                "injector", "--listen", cluster.address() + ":0", "--namespace", Chart.NAMESPACE, "--agent-image", "weft/agent:it",
                "--control-plane", "grpcs://weft-control-plane.weft-system.svc:5678", "--control-plane-secret", "weft-control-plane-tls");
        String ready = process.awaitStdout(line -> line.contains("injector ready on "));
        int port = URI.create(ready.replaceFirst(".*ready on (https://[^,]*),.*", "$1")).getPort();
        cluster.apply("""
                apiVersion: discovery.k8s.io/v1
                kind: EndpointSlice
                metadata: {name: weft-injector-%d, namespace: weft-system, labels: {kubernetes.io/service-name: weft-injector}}
                addressType: IPv4
                ports: [{name: https, port: %d, protocol: TCP}]
                endpoints: [{addresses: [%s], conditions: {ready: true}}]
                """.formatted(number, port, cluster.address()));
        return new Replica(process, port);
    }

    /** As an operator rotates a mesh's, kept in the same form. */
    private String rotated(String roots) throws IOException {
        Path state = testbed.temporaryFolder();
        Path file = Files.createDirectories(state.resolve("ca")).resolve("default.json");
        Files.write(file, Base64.getDecoder().decode(roots));
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-------"));
        // Longer than a replica takes to hear of it.
        JvmProcess made = testbed.jvm("new root", Jdks.newest()).jar(
                Build.controlPlane(), "ca", "rotate", "--state-dir", state.toString(), "--overlap", "75s");
        assertThat(made.awaitExit()).as(made::report).isZero();
        return Base64.getEncoder().encodeToString(Files.readAllBytes(file));
    }

    private void failurePolicy(String policy) {
        client.admissionRegistration().v1().mutatingWebhookConfigurations().withName("weft-injector").edit(configuration -> {
            configuration.getWebhooks().forEach(webhook -> webhook.setFailurePolicy(policy));
            return configuration;
        });
    }

    /** Whom the API server trusts as the injector. */
    private List<Certificate> bundle() throws GeneralSecurityException {
        String bundle = client.admissionRegistration().v1().mutatingWebhookConfigurations().withName("weft-injector").get()
                .getWebhooks().get(0).getClientConfig().getCaBundle();
        return bundle == null ? List.of() : List.copyOf(CertificateFactory.getInstance("X.509")
                .generateCertificates(new ByteArrayInputStream(Base64.getDecoder().decode(bundle))));
    }

    private boolean trusts(Certificate root, Replica replica) {
        try {
            KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
            store.load(null, null);
            store.setCertificateEntry("root", root);
            TrustManagerFactory factory = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
            factory.init(store);
            SSLContext context = SSLContext.getInstance("TLS");
            context.init(null, factory.getTrustManagers(), null);
            try (SSLSocket socket = (SSLSocket) context.getSocketFactory().createSocket(
                    new Socket(cluster.address(), replica.port), "weft-injector.weft-system.svc", 443, true)) {
                socket.startHandshake();
                return true;
            }
        } catch (IOException otherRoot) {
            return false;
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    private Pod create(Pod pod) {
        return client.resource(pod).create();
    }

    private static boolean injected(Pod pod) {
        return pod.getMetadata().getAnnotations() != null && pod.getMetadata().getAnnotations().containsKey("weft.io/injected");
    }

    private static String variable(Pod pod, String name) {
        return pod.getSpec().getContainers().get(0).getEnv().stream().filter(each -> each.getName().equals(name)).map(EnvVar::getValue)
                .findFirst().orElse("");
    }

    private static Pod pod(String name) {
        return new PodBuilder()
                .withNewMetadata().withName(name).withNamespace("shop").addToLabels("app", "batch").endMetadata()
                .withNewSpec().withServiceAccountName("batch").withSchedulerName("this-test")
                .addNewContainer().withName("app").withImage("example.com/batch").endContainer()
                .endSpec().build();
    }

    private static final String MUTATING_POLICY = """
            apiVersion: admissionregistration.k8s.io/v1
            kind: MutatingAdmissionPolicy
            metadata: {name: options}
            spec:
              failurePolicy: Fail
              reinvocationPolicy: IfNeeded
              matchConstraints:
                resourceRules: [{apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [pods]}]
              mutations:
              - patchType: ApplyConfiguration
                applyConfiguration:
                  expression: >
                    Object{spec: Object.spec{containers: object.spec.containers.filter(c, c.name == "app" && !has(c.env)).map(c,
                      Object.spec.containers{name: c.name, env: [Object.spec.containers.env{name: "JAVA_TOOL_OPTIONS", value: "-Dadded.by=policy"}]})}}
            ---
            apiVersion: admissionregistration.k8s.io/v1
            kind: MutatingAdmissionPolicyBinding
            metadata: {name: options}
            spec: {policyName: options}
            """;

    private static final String PERMISSION = """
            apiVersion: kuma.io/v1alpha1
            kind: MeshTrafficPermission
            metadata: {name: orders, namespace: shop}
            spec: {rules: [{default: {allow: [{spiffeID: {type: Exact, value: "spiffe://it.example/ns/shop/sa/storefront"}}]}}]}
            """;

    private static final String STRICT = """
            apiVersion: kuma.io/v1alpha1
            kind: MeshTLS
            metadata: {name: strict, namespace: shop}
            spec: {rules: [{default: {mode: Strict}}]}
            """;

    private static String canary(String version) {
        return """
                apiVersion: kuma.io/v1alpha1
                kind: MeshHTTPRoute
                metadata: {name: canary, namespace: shop}
                spec:
                  to:
                  - targetRef: {kind: MeshService, name: orders}
                    rules:
                    - matches: [{path: {type: PathPrefix, value: /}}]
                      default: {backendRefs: [{kind: MeshServiceSubset, name: orders, tags: {version: %s}}]}
                """.formatted(version);
    }
}
