package io.weft.it.kubernetes;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.Namespace;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.dsl.NonDeletingOperation;
import io.weft.it.harness.Build;
import io.weft.it.harness.Jdks;
import io.weft.it.harness.Testbed;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.AfterTestExecutionCallback;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * The chart on a cluster with a node: installed by helm, with the images that {@code deploy/bin} makes. Pods of a namespace that joins are
 * injected by its API server and run by its kubelet, obey policies, and lose no request while all is upgraded, replaced and removed.
 * Skipped where there is no cluster: {@link RealCluster}.
 */
class InstalledIT {
    private static final Duration PATIENCE = Duration.ofMinutes(4);
    private static final String HELM_PATIENCE = "6m";
    private static final String VERSION = "it";
    private static final ObjectMapper JSON = new ObjectMapper();

    @RegisterExtension
    final Testbed testbed = new Testbed();

    private RealCluster cluster;
    private KubernetesClient client;
    /** What the callers have printed, by pod: a log is gone with its pod. */
    private final Map<String, List<JsonNode>> answers = new HashMap<>();

    @RegisterExtension
    final AfterTestExecutionCallback logsOfAFailure = context -> {
        if (context.getExecutionException().isPresent() && client != null) {
            for (String namespace : List.of(Chart.NAMESPACE, "shop")) {
                client.pods().inNamespace(namespace).list().getItems().forEach(pod -> System.err.println("--- " + pod.getMetadata().getName()
                        + " " + pod.getStatus().getPhase() + "\n" + log(pod, pod.getSpec().getContainers().get(0).getName(), 60)));
            }
        }
    };

    @Test
    void podsOfANamespaceThatJoinsAreInjectedAndObeyAndNothingIsLostUntilAllIsRemoved() throws Exception {
        cluster = RealCluster.any(testbed);
        client = cluster.client();
        assertThat(client.namespaces().withName(Chart.NAMESPACE).get()).as("a namespace " + Chart.NAMESPACE + " that was there before").isNull();
        loadImages();
        testbed.closeAfterwards(this::cleanUp);

        helm("install", "weft", Chart.folder().toString(), "--create-namespace", "--wait", "--timeout", HELM_PATIENCE, "--set", settings());
        assertThat(helm("test", "weft", "--timeout", HELM_PATIENCE)).contains("weft-test-answers", "Succeeded");

        apply(NAMESPACE);
        theApiServerAsksTheInjector();
        apply(deployment("orders-v1", "orders", "v1", ORDERS.formatted("v1"), "containerPort: 8080"));
        apply(deployment("orders-v2", "orders", "v2", ORDERS.formatted("v2"), "containerPort: 8080"));
        apply(deployment("batch", "batch", "v1", "/app/batch.jar", "containerPort: 9"));
        awaitAnswers("both versions answer", 0, news -> versions(news).equals(Set.of("v1", "v2")));
        assertThat(pods("app in (orders,batch)")).hasSize(3).allSatisfy(pod -> {
            assertThat(pod.getMetadata().getAnnotations()).containsKey("weft.io/injected");
            assertThat(log(pod, "app", 100_000)).contains("service " + pod.getMetadata().getLabels().get("app"));
        });

        await("whoever is not in the mesh is let in").atMost(PATIENCE).until(this::reachableWithoutMesh);

        apply(IDENTITY);
        awaitAnswers("nobody is permitted yet", answered(), news -> news.stream().anyMatch(answer -> answer.path("status").asInt() == 403));
        apply(PERMISSION);
        await("permitted").atMost(PATIENCE).until(() -> !awaitMore(50).isEmpty() && failures(awaitMore(50)).isEmpty());
        await("the agents' word is in the pods").atMost(PATIENCE).untilAsserted(() -> assertThat(pods("app=orders")).allSatisfy(pod ->
                assertThat(pod.getStatus().getConditions()).anySatisfy(condition -> {
                    assertThat(condition.getType()).isEqualTo("weft.io/MeshTLS");
                    assertThat(condition.getStatus()).isEqualTo("True");
                })));
        apply(STRICT);
        await("whoever is not in the mesh is refused").atMost(PATIENCE).until(() -> !reachableWithoutMesh());

        int undisturbed = answered();
        apply(CANARY.formatted("v1"));
        await("v1 alone").atMost(PATIENCE).until(() -> versions(awaitMore(100)).equals(Set.of("v1")));
        apply(CANARY.formatted("v2"));
        await("v2 alone").atMost(PATIENCE).until(() -> versions(awaitMore(100)).equals(Set.of("v2")));
        client.load(stream(CANARY.formatted("v2"))).delete();
        await("both again").atMost(PATIENCE).until(() -> versions(awaitMore(100)).equals(Set.of("v1", "v2")));

        helm("upgrade", "weft", Chart.folder().toString(), "--wait", "--timeout", HELM_PATIENCE,
                "--set", settings() + ",controlPlane.resources.requests.cpu=150m,injector.resources.requests.cpu=50m");
        restart("orders-v1");
        restart("orders-v2");
        awaitMore(100);
        assertThat(failures(since(undisturbed))).as("failed requests while policies changed, all was upgraded and pods were replaced").isEmpty();

        for (String policy : List.of(STRICT, IDENTITY, PERMISSION)) {
            client.load(stream(policy)).delete();
        }
        await("whoever is not in the mesh is let in again").atMost(PATIENCE).until(this::reachableWithoutMesh);
        await("whoever is in it, too").atMost(PATIENCE).until(() -> failures(awaitMore(50)).isEmpty());
        client.namespaces().withName("shop").edit(namespace -> {
            namespace.getMetadata().getLabels().remove("weft.io/inject");
            return namespace;
        });
        int leaving = answered();
        for (String deployment : List.of("orders-v1", "orders-v2", "batch")) {
            restart(deployment);
        }
        await("the last of the mesh is gone").atMost(PATIENCE).until(() -> pods("app in (orders,batch)").stream()
                .noneMatch(pod -> pod.getMetadata().getAnnotations() != null && pod.getMetadata().getAnnotations().containsKey("weft.io/injected")));
        helm("uninstall", "weft", "--wait", "--timeout", HELM_PATIENCE);
        awaitMore(50);
        assertThat(failures(since(leaving))).filteredOn(answer -> answer.path("status").asInt() != 0)
                .as("requests that the mesh refused while pods left it").isEmpty();
        assertThat(versions(awaitMore(50))).isSubsetOf("v1", "v2").isNotEmpty();
    }

    private void theApiServerAsksTheInjector() {
        Pod pod = new PodBuilder().withNewMetadata().withName("asked").withNamespace("shop").endMetadata()
                .withNewSpec()
                .withServiceAccountName("batch")
                .withNewSecurityContext().withRunAsNonRoot(true).withNewSeccompProfile().withType("RuntimeDefault").endSeccompProfile().endSecurityContext()
                .addNewContainer().withName("app").withImage("weft-it/apps:" + VERSION)
                .withNewSecurityContext().withAllowPrivilegeEscalation(false).withNewCapabilities().withDrop("ALL").endCapabilities().endSecurityContext()
                .endContainer()
                .endSpec().build();
        Pod answered = client.resource(pod).dryRun(true).create();
        assertThat(answered.getMetadata().getAnnotations()).containsKey("weft.io/injected");
        assertThat(answered.getSpec().getInitContainers()).extracting("name").containsExactly("weft-agent");
        assertThat(client.resource(pod).get()).isNull();
        Pod leftOut = client.resource(new PodBuilder(pod).editMetadata().addToLabels("weft.io/inject", "disabled").endMetadata().build())
                .dryRun(true).create();
        assertThat(leftOut.getSpec().getInitContainers()).isEmpty();
    }

    /** By the API server, which is in no mesh. */
    private boolean reachableWithoutMesh() {
        String pod = pods("app=orders").get(0).getMetadata().getName();
        try {
            return client.raw("/api/v1/namespaces/shop/pods/" + pod + ":8080/proxy/orders/1") != null;
        } catch (KubernetesClientException refused) {
            return false;
        }
    }

    private void restart(String deployment) {
        client.apps().deployments().inNamespace("shop").withName(deployment).rolling().restart();
        await(deployment + " is replaced").atMost(PATIENCE).until(() -> {
            read();
            var now = client.apps().deployments().inNamespace("shop").withName(deployment).get();
            var status = now.getStatus();
            return now.getMetadata().getGeneration().equals(status.getObservedGeneration())
                    && Integer.valueOf(1).equals(status.getUpdatedReplicas())
                    && Integer.valueOf(1).equals(status.getReplicas())
                    && Integer.valueOf(1).equals(status.getAvailableReplicas());
        });
    }

    private void loadImages() throws Exception {
        Path folder = testbed.temporaryFolder();
        Path bin = Build.present("weft.it.deploy", "deploy").resolve("bin");
        Path jreImage = bin.resolve("../../integration-tests/bin/jre-image").normalize();
        String jdk = Jdks.newest().home().toString();
        run(bin.resolve("agent-image"), "weft/agent:" + VERSION, folder.resolve("agent.tar"));
        run(bin.resolve("control-plane-image"), "weft/control-plane:" + VERSION, folder.resolve("control-plane.tar"), jdk);
        run(jreImage, "--folder", folder.resolve("jre"), jdk);
        Path apps = Files.createDirectories(folder.resolve("apps/app"));
        for (String app : List.of("orders-v2", "batch")) {
            Files.copy(Build.app(app), apps.resolve(app + ".jar"));
        }
        run(bin.resolve("image-archive"), "weft-it/apps:" + VERSION, folder.resolve("apps.tar"),
                "{\"Env\":[\"PATH=/opt/java/bin\"],\"User\":\"65532:65532\"}", folder.resolve("jre"), folder.resolve("apps"));
        for (String image : List.of("agent.tar", "control-plane.tar", "apps.tar")) {
            cluster.load(folder.resolve(image));
        }
    }

    private static void run(Object... words) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>();
        for (Object word : words) {
            command.add(word.toString());
        }
        assertThat(new ProcessBuilder(command).inheritIO().start().waitFor()).as(command.toString()).isZero();
    }

    /** A pod that was not injected since the machine is slow would not be what is tested. */
    private static String settings() {
        return "image.tag=" + VERSION + ",agent.image.tag=" + VERSION + ",injector.failurePolicy=Fail,injector.timeoutSeconds=15";
    }

    private String helm(String... arguments) throws IOException, InterruptedException {
        List<String> words = new ArrayList<>(List.of(arguments));
        words.addAll(List.of("--kubeconfig", cluster.kubeconfig().toString()));
        return new String(Chart.helm(words), StandardCharsets.UTF_8);
    }

    private void cleanUp() {
        List.of("shop", Chart.NAMESPACE).forEach(namespace -> client.namespaces().withName(namespace).delete());
        client.rbac().clusterRoles().withLabel("app.kubernetes.io/part-of", "weft").delete();
        client.rbac().clusterRoleBindings().withLabel("app.kubernetes.io/part-of", "weft").delete();
        client.admissionRegistration().v1().mutatingWebhookConfigurations().withLabel("app.kubernetes.io/part-of", "weft").delete();
        client.apiextensions().v1().customResourceDefinitions().withLabel("app.kubernetes.io/part-of", "weft").delete();
        await("the namespaces are deleted").atMost(PATIENCE).untilAsserted(() -> assertThat(client.namespaces().list().getItems())
                .extracting((Namespace namespace) -> namespace.getMetadata().getName()).doesNotContain("shop", Chart.NAMESPACE));
    }

    private void apply(String yaml) {
        for (HasMetadata object : client.load(stream(yaml)).items()) {
            client.resource(object).createOr(NonDeletingOperation::update);
        }
    }

    private static ByteArrayInputStream stream(String yaml) {
        return new ByteArrayInputStream(yaml.getBytes(StandardCharsets.UTF_8));
    }

    private List<Pod> pods(String selector) {
        return client.pods().inNamespace("shop").withLabelSelector(selector).list().getItems().stream()
                .filter(pod -> pod.getMetadata().getDeletionTimestamp() == null).toList();
    }

    private String log(Pod pod, String container, int lines) {
        try {
            return client.pods().resource(pod).inContainer(container).tailingLines(lines).getLog();
        } catch (KubernetesClientException notStarted) {
            return notStarted.getMessage();
        }
    }

    private void read() {
        for (Pod pod : client.pods().inNamespace("shop").withLabel("app", "batch").list().getItems()) {
            String log;
            try {
                log = client.pods().resource(pod).inContainer("app").getLog();
            } catch (KubernetesClientException notStarted) {
                continue;
            }
            answers.put(pod.getMetadata().getName(), log.lines().filter(line -> line.startsWith("{") && line.endsWith("}"))
                    .map(InstalledIT::json).filter(answer -> answer.path("via").asText().equals("direct")).toList());
        }
    }

    private static JsonNode json(String line) {
        try {
            return JSON.readTree(line);
        } catch (JsonProcessingException e) {
            throw new AssertionError(line, e);
        }
    }

    private List<JsonNode> all() {
        read();
        return answers.values().stream().flatMap(List::stream).sorted((one, other) ->
                Long.compare(one.path("endedMs").asLong(), other.path("endedMs").asLong())).toList();
    }

    private int answered() {
        return all().size();
    }

    private List<JsonNode> since(int first) {
        List<JsonNode> all = all();
        return all.subList(Math.min(first, all.size()), all.size());
    }

    /** The next so many. */
    private List<JsonNode> awaitMore(int count) {
        int before = answered();
        await("the callers call").atMost(PATIENCE).until(() -> answered() >= before + count);
        return since(before);
    }

    private void awaitAnswers(String what, int first, Predicate<List<JsonNode>> condition) {
        await(what).atMost(PATIENCE).until(() -> condition.test(since(first)));
    }

    private static Set<String> versions(List<JsonNode> some) {
        return some.stream().filter(answer -> answer.path("status").asInt() == 200).map(answer -> answer.path("version").asText())
                .collect(Collectors.toSet());
    }

    private static List<JsonNode> failures(List<JsonNode> some) {
        return some.stream().filter(answer -> answer.path("status").asInt() != 200).toList();
    }

    private static final String ORDERS = "-Dserver.port=8080, -Dorders.version=%s, -jar, /app/orders-v2.jar";

    private static final String NAMESPACE = """
            apiVersion: v1
            kind: Namespace
            metadata: {name: shop, labels: {weft.io/inject: enabled, pod-security.kubernetes.io/enforce: restricted}}
            ---
            apiVersion: v1
            kind: ServiceAccount
            metadata: {name: orders, namespace: shop}
            ---
            apiVersion: v1
            kind: ServiceAccount
            metadata: {name: batch, namespace: shop}
            ---
            apiVersion: v1
            kind: Service
            metadata: {name: orders, namespace: shop}
            spec: {selector: {app: orders}, ports: [{name: http, port: 80, targetPort: http}]}
            """;

    private static String deployment(String name, String app, String version, String command, String port) {
        return """
                apiVersion: apps/v1
                kind: Deployment
                metadata: {name: %1$s, namespace: shop}
                spec:
                  replicas: 1
                  strategy: {rollingUpdate: {maxSurge: 1, maxUnavailable: 0}}
                  selector: {matchLabels: {app: %2$s, version: %3$s}}
                  template:
                    metadata: {labels: {app: %2$s, version: %3$s}}
                    spec:
                      serviceAccountName: %2$s
                      securityContext: {runAsNonRoot: true, seccompProfile: {type: RuntimeDefault}}
                      volumes: [{name: tmp, emptyDir: {}}]
                      containers:
                      - name: app
                        image: weft-it/apps:%6$s
                        command: [java, "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", %4$s]
                        env:
                        - {name: JAVA_TOOL_OPTIONS, value: -Xmx96m}
                        - {name: BATCH_THREADS, value: "2"}
                        - {name: BATCH_PAUSE_MS, value: "20"}
                        ports: [{name: http, %5$s}]
                        %7$s
                        securityContext: {readOnlyRootFilesystem: true, allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}
                        volumeMounts: [{name: tmp, mountPath: /tmp}]
                """.formatted(name, app, version, command.startsWith("/") ? "-jar, " + command : command, port, VERSION,
                app.equals("batch") ? "" : "readinessProbe: {tcpSocket: {port: http}, periodSeconds: 2}");
    }

    private static final String IDENTITY = """
            apiVersion: kuma.io/v1alpha1
            kind: MeshIdentity
            metadata: {name: identity, namespace: weft-system}
            spec:
              selector: {dataplane: {matchLabels: {}}}
              spiffeID: {trustDomain: it.example, path: "/ns/{{ .Namespace }}/sa/{{ .ServiceAccount }}"}
              provider: {type: Bundled, bundled: {autogenerate: {enabled: true}}}
            """;

    private static final String PERMISSION = """
            apiVersion: kuma.io/v1alpha1
            kind: MeshTrafficPermission
            metadata: {name: orders, namespace: shop}
            spec:
              rules:
              - default:
                  allow: [{spiffeID: {type: Exact, value: "spiffe://it.example/ns/shop/sa/batch"}}]
            """;

    private static final String STRICT = """
            apiVersion: kuma.io/v1alpha1
            kind: MeshTLS
            metadata: {name: strict, namespace: shop}
            spec:
              rules: [{default: {mode: Strict}}]
            """;

    private static final String CANARY = """
            apiVersion: kuma.io/v1alpha1
            kind: MeshHTTPRoute
            metadata: {name: orders-canary, namespace: shop}
            spec:
              to:
              - targetRef: {kind: MeshService, name: orders}
                rules:
                - matches: [{path: {type: PathPrefix, value: /}}]
                  default: {backendRefs: [{kind: MeshServiceSubset, name: orders, tags: {version: %s}}]}
            """;
}
