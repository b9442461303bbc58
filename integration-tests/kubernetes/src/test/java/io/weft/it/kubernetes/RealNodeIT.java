package io.weft.it.kubernetes;

import static io.weft.it.kubernetes.Installation.CANARY;
import static io.weft.it.kubernetes.Installation.HELM_PATIENCE;
import static io.weft.it.kubernetes.Installation.IDENTITY;
import static io.weft.it.kubernetes.Installation.NAMESPACE;
import static io.weft.it.kubernetes.Installation.ORDERS;
import static io.weft.it.kubernetes.Installation.PATIENCE;
import static io.weft.it.kubernetes.Installation.PERMISSION;
import static io.weft.it.kubernetes.Installation.STRICT;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.fabric8.kubernetes.api.model.IntOrString;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.Probe;
import io.fabric8.kubernetes.api.model.ProbeBuilder;
import io.fabric8.kubernetes.api.model.apps.Deployment;
import io.fabric8.kubernetes.api.model.apps.DeploymentBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.LocalPortForward;
import io.fabric8.kubernetes.client.utils.Serialization;
import io.weft.it.harness.Testbed;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.AfterTestExecutionCallback;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * What only a kubelet and its container runtime do: they mount the agent's image, or run the init container that copies it, mount tokens,
 * probe, forward ports, and end pods. Skipped where there is none: {@link StartedNode}.
 */
class RealNodeIT {
    private static final int ADMIN = 15_000;
    private static final Duration CALL = Duration.ofSeconds(10);

    @RegisterExtension
    final Testbed testbed = new Testbed();

    private StartedNode node;
    private KubernetesClient client;
    private Installation shop;

    @RegisterExtension
    final AfterTestExecutionCallback logsOfAFailure = context -> {
        if (context.getExecutionException().isPresent() && shop != null) {
            shop.printLogs();
        }
    };

    @Test
    void podsObeyAndAreReplacedWithoutLossHoweverTheAgentGetsIntoThem() throws Exception {
        start(StartedNode.start(testbed));
        Instant undisturbed = Instant.now();
        assertThat(pods("app in (orders,batch)")).hasSize(3).allSatisfy(pod -> {
            assertThat(Installation.mountsImage(pod)).as("mounts the agent's image").isTrue();
            assertThat(pod.getSpec().getInitContainers()).isEmpty();
        });
        figures("by image volume");
        shop.apply(CANARY.formatted("v1"));
        await("v1 alone").atMost(PATIENCE).until(() -> Installation.versions(shop.awaitMore(100)).equals(Set.of("v1")));
        shop.apply(CANARY.formatted("v2"));
        await("v2 alone").atMost(PATIENCE).until(() -> Installation.versions(shop.awaitMore(100)).equals(Set.of("v2")));
        replace();
        assertThat(pods("app=orders")).hasSize(2).allSatisfy(pod -> assertThat(Installation.mountsImage(pod)).isTrue());
        theAgentAnswersAtAForwardedPort();

        shop.helm("upgrade", "weft", Chart.folder().toString(), "--wait", "--timeout", HELM_PATIENCE,
                "--set", Installation.settings() + ",agent.delivery=init-container");
        replace();
        assertThat(pods("app=orders")).hasSize(2).allSatisfy(pod -> {
            assertThat(Installation.mountsImage(pod)).isFalse();
            assertThat(Installation.hasInitContainer(pod)).isTrue();
        });
        figures("by init container");
        shop.apply(CANARY.formatted("v1"));
        await("v1 alone").atMost(PATIENCE).until(() -> Installation.versions(shop.awaitMore(100)).equals(Set.of("v1")));
        assertThat(Installation.failures(shop.begunSince(undisturbed))).as("failed requests").isEmpty();
        System.out.println(shop.begunSince(undisturbed).size() + " requests while pods were replaced twice and policies changed, none failed");
    }

    /** Named by {@code weft.it.old-containerd}: a folder with a containerd before 2.1, its shim and its client. */
    @Test
    void whereTheRuntimeCannotMountImagesTheAgentIsCopied() throws Exception {
        String folder = System.getProperty("weft.it.old-containerd", "");
        assumeTrue(!folder.isEmpty(), "no containerd that mounts no images: name the folder of one before 2.1 by -Dweft.it.old-containerd=FOLDER");
        start(StartedNode.start(testbed, Path.of(folder)));
        System.out.println("container runtime " + client.nodes().list().getItems().get(0).getStatus().getNodeInfo().getContainerRuntimeVersion());
        assertThat(pods("app in (orders,batch)")).hasSize(3).allSatisfy(pod -> {
            assertThat(Installation.mountsImage(pod)).isFalse();
            assertThat(Installation.hasInitContainer(pod)).isTrue();
        });
        Instant undisturbed = Instant.now();
        shop.awaitMore(200);
        assertThat(shop.begunSince(undisturbed)).isNotEmpty();
        assertThat(Installation.failures(shop.begunSince(undisturbed))).isEmpty();
    }

    /** Mesh TLS alone is let in, and one caller. */
    private void start(StartedNode started) throws Exception {
        node = started;
        client = node.client();
        shop = new Installation(testbed, node);
        shop.install(Installation.settings());
        shop.apply(NAMESPACE);
        for (String version : List.of("v1", "v2")) {
            apply(Installation.deployment("orders-" + version, "orders", version, ORDERS.formatted(version), "containerPort: 8080"));
        }
        apply(Installation.deployment("batch", "batch", "v1", "/app/batch.jar", "containerPort: 9"));
        shop.awaitAnswers("both versions answer", 0, news -> Installation.versions(news).equals(Set.of("v1", "v2")));
        shop.apply(IDENTITY);
        shop.awaitAnswers("nobody is permitted yet", shop.answered(), news -> news.stream().anyMatch(answer -> answer.path("status").asInt() == 403));
        shop.apply(PERMISSION);
        await("permitted").atMost(PATIENCE).until(() -> Installation.failures(shop.awaitMore(50)).isEmpty());
        shop.apply(STRICT);
        await("whoever is not in the mesh is refused").atMost(PATIENCE).until(() -> !shop.reachableWithoutMesh());
    }

    /** The kubelet asks the app itself, in plaintext, whatever the mesh's TLS. */
    private void apply(String yaml) {
        Deployment deployment = Serialization.unmarshal(yaml, Deployment.class);
        var container = new DeploymentBuilder(deployment).editSpec().editTemplate().editSpec().editFirstContainer()
                .editMatchingEnv(variable -> variable.getName().equals("BATCH_THREADS")).withValue("8").endEnv()
                .addNewEnv().withName("WEFT_ADMIN_LOOPBACK").withValue(Integer.toString(ADMIN)).endEnv();
        if (deployment.getMetadata().getName().startsWith("orders")) {
            Probe probe = new ProbeBuilder().withPeriodSeconds(2).withNewHttpGet().withPath("/orders/777").withPort(new IntOrString("http")).endHttpGet().build();
            // Until there is a policy the kubelet waits as everybody does.
            container.withStartupProbe(new ProbeBuilder(probe).withFailureThreshold(60).build()).withReadinessProbe(probe).withLivenessProbe(probe);
        }
        client.resource(container.endContainer().endSpec().endTemplate().endSpec().build()).create();
    }

    private void replace() {
        for (String deployment : List.of("orders-v1", "orders-v2")) {
            shop.restart(deployment);
        }
        shop.awaitMore(100);
    }

    private List<Pod> pods(String selector) {
        return shop.pods(selector);
    }

    private void figures(String how) {
        pods("app in (orders,batch)").forEach(pod -> {
            Instant ready = pod.getStatus().getConditions().stream().filter(condition -> condition.getType().equals("Ready"))
                    .map(condition -> Instant.parse(condition.getLastTransitionTime())).findFirst().orElseThrow();
            System.out.println(how + ": " + pod.getMetadata().getName() + " ready "
                    + Duration.between(Instant.parse(pod.getMetadata().getCreationTimestamp()), ready).toSeconds() + " s after its creation, restarts "
                    + pod.getStatus().getContainerStatuses().get(0).getRestartCount());
        });
    }

    private void theAgentAnswersAtAForwardedPort() throws Exception {
        Pod batch = pods("app=batch").get(0);
        try (LocalPortForward forward = client.pods().resource(batch).portForward(ADMIN)) {
            HttpClient http = HttpClient.newHttpClient();
            for (String page : List.of("/config_dump", "/clusters?format=json", "/certs", "/stats/prometheus", "/ready")) {
                var response = http.send(HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + forward.getLocalPort() + page)).timeout(CALL).build(), BodyHandlers.ofString());
                assertThat(response.statusCode()).as(page).isEqualTo(200);
                if (page.equals("/config_dump")) {
                    assertThat(response.body()).contains("ClustersConfigDump", "RoutesConfigDump", "orders");
                }
            }
        }
        String assets = System.getenv("KUBEBUILDER_ASSETS");
        if (!Files.isExecutable(Path.of(assets, "istioctl"))) {
            System.out.println("there is no istioctl in KUBEBUILDER_ASSETS: it is not asked");
            return;
        }
        for (String what : List.of("clusters", "routes", "endpoints", "secret")) {
            assertThat(istioctl(assets, "proxy-config", what, batch.getMetadata().getName() + ".shop")).as("istioctl proxy-config " + what)
                    .contains(what.equals("secret") ? "ACTIVE" : "orders");
        }
        assertThat(istioctl(assets, "proxy-config", "listeners", pods("app=orders").get(0).getMetadata().getName() + ".shop")).contains("8080");
    }

    private String istioctl(String assets, String... words) throws IOException, InterruptedException {
        ProcessBuilder builder = new ProcessBuilder(Path.of(assets, "istioctl").toString(), "--kubeconfig", node.kubeconfig().toString());
        builder.command().addAll(List.of(words));
        Process process = builder.redirectErrorStream(true).start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).as(said).isZero();
        System.out.println(String.join(" ", words) + "\n" + said);
        return said;
    }
}
