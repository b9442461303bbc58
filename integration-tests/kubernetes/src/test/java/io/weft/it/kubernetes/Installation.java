package io.weft.it.kubernetes;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.Namespace;
import io.fabric8.kubernetes.api.model.Pod;
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
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.Collectors;

/** The chart on a cluster with a node, installed by helm, and the namespace {@code shop}, in which {@code batch} calls {@code orders} all the time. */
final class Installation {
    static final Duration PATIENCE = Duration.ofMinutes(4);
    static final String HELM_PATIENCE = "6m";
    static final String VERSION = "it";
    private static final ObjectMapper JSON = new ObjectMapper();

    private final Testbed testbed;
    private final RealCluster cluster;
    private final KubernetesClient client;
    /** What the callers have printed, by pod: a log is gone with its pod. */
    private final Map<String, List<JsonNode>> answers = new HashMap<>();

    /** Nothing of it may be there. What is made of it is taken away afterwards. */
    Installation(Testbed testbed, RealCluster cluster) throws Exception {
        this.testbed = testbed;
        this.cluster = cluster;
        client = cluster.client();
        assertThat(client.namespaces().withName(Chart.NAMESPACE).get()).as("a namespace " + Chart.NAMESPACE + " that was there before").isNull();
        loadImages();
        testbed.closeAfterwards(this::cleanUp);
    }

    void printLogs() {
        for (String namespace : List.of(Chart.NAMESPACE, "shop")) {
            client.pods().inNamespace(namespace).list().getItems().forEach(pod -> System.err.println("--- " + pod.getMetadata().getName()
                    + " " + pod.getStatus().getPhase() + "\n" + log(pod, pod.getSpec().getContainers().get(0).getName(), 60)));
        }
    }

    void install(String settings) throws IOException, InterruptedException {
        helm("install", "weft", Chart.folder().toString(), "--create-namespace", "--wait", "--timeout", HELM_PATIENCE, "--set", settings);
    }

    /** By the API server, which is in no mesh. */
    boolean reachableWithoutMesh() {
        String pod = pods("app=orders").get(0).getMetadata().getName();
        try {
            return client.raw("/api/v1/namespaces/shop/pods/" + pod + ":8080/proxy/orders/1") != null;
        } catch (KubernetesClientException refused) {
            return false;
        }
    }

    void restart(String deployment) {
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
    static String settings() {
        return "image.tag=" + VERSION + ",agent.image.tag=" + VERSION + ",injector.failurePolicy=Fail,injector.timeoutSeconds=15";
    }

    String helm(String... arguments) throws IOException, InterruptedException {
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

    void apply(String yaml) {
        for (HasMetadata object : client.load(stream(yaml)).items()) {
            client.resource(object).createOr(NonDeletingOperation::update);
        }
    }

    void delete(String yaml) {
        client.load(stream(yaml)).delete();
    }

    private static ByteArrayInputStream stream(String yaml) {
        return new ByteArrayInputStream(yaml.getBytes(StandardCharsets.UTF_8));
    }

    static boolean hasInitContainer(Pod pod) {
        return pod.getSpec().getInitContainers().stream().anyMatch(each -> each.getName().equals("weft-agent"));
    }

    static boolean mountsImage(Pod pod) {
        return pod.getSpec().getVolumes().stream().anyMatch(each -> each.getName().equals("weft-agent") && each.getImage() != null);
    }

    List<Pod> pods(String selector) {
        return client.pods().inNamespace("shop").withLabelSelector(selector).list().getItems().stream()
                .filter(pod -> pod.getMetadata().getDeletionTimestamp() == null).toList();
    }

    String log(Pod pod, String container, int lines) {
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
                    .map(Installation::json).filter(answer -> answer.path("via").asText().equals("direct")).toList());
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

    int answered() {
        return all().size();
    }

    List<JsonNode> since(int first) {
        List<JsonNode> all = all();
        return all.subList(Math.min(first, all.size()), all.size());
    }

    /** A request that nobody was there to take yet may end much later. */
    List<JsonNode> begunSince(Instant moment) {
        return all().stream().filter(answer -> answer.path("startedMs").asLong() >= moment.toEpochMilli()).toList();
    }

    /** The next so many. */
    List<JsonNode> awaitMore(int count) {
        int before = answered();
        await("the callers call").atMost(PATIENCE).until(() -> answered() >= before + count);
        return since(before);
    }

    void awaitAnswers(String what, int first, Predicate<List<JsonNode>> condition) {
        await(what).atMost(PATIENCE).until(() -> condition.test(since(first)));
    }

    static Set<String> versions(List<JsonNode> some) {
        return some.stream().filter(answer -> answer.path("status").asInt() == 200).map(answer -> answer.path("version").asText())
                .collect(Collectors.toSet());
    }

    static List<JsonNode> failures(List<JsonNode> some) {
        return some.stream().filter(answer -> answer.path("status").asInt() != 200).toList();
    }

    static final String ORDERS = "-Dserver.port=8080, -Dorders.version=%s, -jar, /app/orders-v2.jar";

    static final String NAMESPACE = """
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

    static String deployment(String name, String app, String version, String command, String port) {
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

    static final String IDENTITY = """
            apiVersion: kuma.io/v1alpha1
            kind: MeshIdentity
            metadata: {name: identity, namespace: weft-system}
            spec:
              selector: {dataplane: {matchLabels: {}}}
              spiffeID: {trustDomain: it.example, path: "/ns/{{ .Namespace }}/sa/{{ .ServiceAccount }}"}
              provider: {type: Bundled, bundled: {autogenerate: {enabled: true}}}
            """;

    static final String PERMISSION = """
            apiVersion: kuma.io/v1alpha1
            kind: MeshTrafficPermission
            metadata: {name: orders, namespace: shop}
            spec:
              rules:
              - default:
                  allow: [{spiffeID: {type: Exact, value: "spiffe://it.example/ns/shop/sa/batch"}}]
            """;

    static final String STRICT = """
            apiVersion: kuma.io/v1alpha1
            kind: MeshTLS
            metadata: {name: strict, namespace: shop}
            spec:
              rules: [{default: {mode: Strict}}]
            """;

    static final String CANARY = """
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
