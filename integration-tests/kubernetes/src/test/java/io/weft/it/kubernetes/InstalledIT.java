package io.weft.it.kubernetes;

import static io.weft.it.kubernetes.Installation.CANARY;
import static io.weft.it.kubernetes.Installation.HELM_PATIENCE;
import static io.weft.it.kubernetes.Installation.IDENTITY;
import static io.weft.it.kubernetes.Installation.NAMESPACE;
import static io.weft.it.kubernetes.Installation.ORDERS;
import static io.weft.it.kubernetes.Installation.PATIENCE;
import static io.weft.it.kubernetes.Installation.PERMISSION;
import static io.weft.it.kubernetes.Installation.STRICT;
import static io.weft.it.kubernetes.Installation.VERSION;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.weft.it.harness.Testbed;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.AfterTestExecutionCallback;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * The chart on a cluster with a node: installed by helm, with the images that {@code deploy/bin} makes. Pods of a namespace that joins are
 * injected by its API server and run by its kubelet, obey policies, and lose no request while all is upgraded, replaced and removed.
 * Skipped where there is no cluster: {@link RealCluster}.
 */
class InstalledIT {
    @RegisterExtension
    final Testbed testbed = new Testbed();

    private KubernetesClient client;
    private Installation shop;

    @RegisterExtension
    final AfterTestExecutionCallback logsOfAFailure = context -> {
        if (context.getExecutionException().isPresent() && shop != null) {
            shop.printLogs();
        }
    };

    @Test
    void podsOfANamespaceThatJoinsAreInjectedAndObeyAndNothingIsLostUntilAllIsRemoved() throws Exception {
        RealCluster cluster = RealCluster.any(testbed);
        client = cluster.client();
        shop = new Installation(testbed, cluster);

        shop.install(Installation.settings());
        assertThat(shop.helm("test", "weft", "--timeout", HELM_PATIENCE)).contains("weft-test-answers", "Succeeded");

        shop.apply(NAMESPACE);
        theApiServerAsksTheInjector();
        shop.apply(Installation.deployment("orders-v1", "orders", "v1", ORDERS.formatted("v1"), "containerPort: 8080"));
        shop.apply(Installation.deployment("orders-v2", "orders", "v2", ORDERS.formatted("v2"), "containerPort: 8080"));
        shop.apply(Installation.deployment("batch", "batch", "v1", "/app/batch.jar", "containerPort: 9"));
        shop.awaitAnswers("both versions answer", 0, news -> Installation.versions(news).equals(Set.of("v1", "v2")));
        assertThat(shop.pods("app in (orders,batch)")).hasSize(3).allSatisfy(pod -> {
            assertThat(pod.getMetadata().getAnnotations()).containsKey("weft.io/injected");
            assertThat(shop.log(pod, "app", 100_000)).contains("service " + pod.getMetadata().getLabels().get("app"));
        });

        await("whoever is not in the mesh is let in").atMost(PATIENCE).until(shop::reachableWithoutMesh);

        shop.apply(IDENTITY);
        shop.awaitAnswers("nobody is permitted yet", shop.answered(), news -> news.stream().anyMatch(answer -> answer.path("status").asInt() == 403));
        shop.apply(PERMISSION);
        await("permitted").atMost(PATIENCE).until(() -> !shop.awaitMore(50).isEmpty() && Installation.failures(shop.awaitMore(50)).isEmpty());
        await("the agents' word is in the pods").atMost(PATIENCE).untilAsserted(() -> assertThat(shop.pods("app=orders")).allSatisfy(pod ->
                assertThat(pod.getStatus().getConditions()).anySatisfy(condition -> {
                    assertThat(condition.getType()).isEqualTo("weft.io/MeshTLS");
                    assertThat(condition.getStatus()).isEqualTo("True");
                })));
        shop.apply(STRICT);
        await("whoever is not in the mesh is refused").atMost(PATIENCE).until(() -> !shop.reachableWithoutMesh());

        int undisturbed = shop.answered();
        shop.apply(CANARY.formatted("v1"));
        await("v1 alone").atMost(PATIENCE).until(() -> Installation.versions(shop.awaitMore(100)).equals(Set.of("v1")));
        shop.apply(CANARY.formatted("v2"));
        await("v2 alone").atMost(PATIENCE).until(() -> Installation.versions(shop.awaitMore(100)).equals(Set.of("v2")));
        shop.delete(CANARY.formatted("v2"));
        await("both again").atMost(PATIENCE).until(() -> Installation.versions(shop.awaitMore(100)).equals(Set.of("v1", "v2")));

        shop.helm("upgrade", "weft", Chart.folder().toString(), "--wait", "--timeout", HELM_PATIENCE,
                "--set", Installation.settings() + ",controlPlane.resources.requests.cpu=150m,injector.resources.requests.cpu=50m");
        shop.restart("orders-v1");
        shop.restart("orders-v2");
        shop.awaitMore(100);
        assertThat(Installation.failures(shop.since(undisturbed))).as("failed requests while policies changed, all was upgraded and pods were replaced").isEmpty();

        for (String policy : List.of(STRICT, IDENTITY, PERMISSION)) {
            shop.delete(policy);
        }
        await("whoever is not in the mesh is let in again").atMost(PATIENCE).until(shop::reachableWithoutMesh);
        await("whoever is in it, too").atMost(PATIENCE).until(() -> Installation.failures(shop.awaitMore(50)).isEmpty());
        client.namespaces().withName("shop").edit(namespace -> {
            namespace.getMetadata().getLabels().remove("weft.io/inject");
            return namespace;
        });
        int leaving = shop.answered();
        for (String deployment : List.of("orders-v1", "orders-v2", "batch")) {
            shop.restart(deployment);
        }
        await("the last of the mesh is gone").atMost(PATIENCE).until(() -> shop.pods("app in (orders,batch)").stream()
                .noneMatch(pod -> pod.getMetadata().getAnnotations() != null && pod.getMetadata().getAnnotations().containsKey("weft.io/injected")));
        shop.helm("uninstall", "weft", "--wait", "--timeout", HELM_PATIENCE);
        shop.awaitMore(50);
        assertThat(Installation.failures(shop.since(leaving))).filteredOn(answer -> answer.path("status").asInt() != 0)
                .as("requests that the mesh refused while pods left it").isEmpty();
        assertThat(Installation.versions(shop.awaitMore(50))).isSubsetOf("v1", "v2").isNotEmpty();
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
        assertThat(Installation.hasInitContainer(answered)).isNotEqualTo(Installation.mountsImage(answered));
        assertThat(client.resource(pod).get()).isNull();
        Pod leftOut = client.resource(new PodBuilder(pod).editMetadata().addToLabels("weft.io/inject", "disabled").endMetadata().build())
                .dryRun(true).create();
        assertThat(leftOut.getSpec().getInitContainers()).isEmpty();
    }

}
