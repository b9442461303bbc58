package io.weft.controlplane.injector;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.fabric8.kubernetes.api.model.NodeBuilder;
import io.fabric8.kubernetes.api.model.admissionregistration.v1.ValidatingAdmissionPolicyBuilder;
import io.fabric8.kubernetes.api.model.admissionregistration.v1.ValidatingWebhookConfigurationBuilder;
import java.net.URI;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Which pods mount the agent's image, as their admission reviews are answered. */
class ImageVolumesTest {

    private static final Duration PATIENCE = Duration.ofSeconds(60);

    private final SharedCluster cluster = new SharedCluster();
    private ImageVolumes images;
    private PodInjection injection;

    @BeforeEach
    void start() {
        node("one", "linux", "v1.35.0", "containerd://2.1.4");
        images = new ImageVolumes(cluster.replica());
        injection = new PodInjection(
                new PodSettings(new AgentImage("weft-agent:1", Optional.empty()), Optional.empty(),
                        URI.create("grpcs://weft-control-plane.weft-system.svc:5678"), "default", PodSettings.Trust.PUBLIC, false),
                images::delivery, Optional::empty, (namespace, name) -> Optional.of(Set.of()));
    }

    @AfterEach
    void close() {
        images.close();
        cluster.close();
    }

    private void node(String name, String system, String kubelet, String runtime) {
        cluster.operator().resource(new NodeBuilder()
                        .withNewMetadata().withName(name).endMetadata()
                        .withNewStatus().withNewNodeInfo()
                        .withOperatingSystem(system).withKubeletVersion(kubelet).withContainerRuntimeVersion(runtime)
                        .endNodeInfo().endStatus()
                        .build())
                .create();
    }

    /** Whether the pod of a review that a real API server has sent does, and has no init container then. */
    private boolean mounts() {
        try {
            byte[] answer = injection.answer(AdmissionReview.parse(Pods.review()));
            var spec = Pods.admitted(Pods.review(), answer).path("spec");
            boolean mounts = spec.path("volumes").findValuesAsText("reference").contains("weft-agent:1");
            assertThat(spec.has("initContainers")).isNotEqualTo(mounts);
            return mounts;
        } catch (InvalidReviewException e) {
            throw new AssertionError(e);
        }
    }

    private void awaitMounting() {
        await().atMost(PATIENCE).until(this::mounts);
    }

    @Test
    void whereAllAreAbleToIsFoundOut() {
        assertThat(mounts()).as("nobody has been asked").isFalse();
        images.look();
        awaitMounting();
        assertThat(cluster.operator().v1().podTemplates().inNamespace(SharedCluster.NAMESPACE).list().getItems()).allSatisfy(kept ->
                assertThat(kept.getTemplate().getSpec().getContainers()).hasSize(1));
    }

    @ParameterizedTest
    @CsvSource({
        "linux, v1.35.2+k3s1, cri-o://1.33.0, true", "linux, v1.36.0-eks-1, containerd://2.10.0-rc.1, true",
        "windows, v1.30.0, containerd://1.7.1, true", "linux, v2.0.0, containerd://3.0.0, true",
        "linux, v1.34.9, containerd://2.1.4, false", "linux, v1.35.0, containerd://2.0.9, false",
        "linux, v1.35.0, cri-o://1.30.1, false", "linux, v1.35.0, docker://29.1.0, false", "linux, v1.35.0, containerd, false",
        "linux, nonsense, containerd://2.1.0, false", "linux, , , false",
    })
    void oneNodeThatIsNotIsEnough(String system, String kubelet, String runtime, boolean able) {
        images.look();
        awaitMounting();
        node("two", system, kubelet, runtime);
        // So that it is known when the second is.
        node("zoo", "linux", "v1.20.0", "containerd://1.4.0");
        await().atMost(PATIENCE).until(() -> !mounts());
        assertThat(images.doubt().orElseThrow()).startsWith(able ? "node zoo has kubelet v1.20.0" : "node two has ");
        cluster.operator().nodes().withName("zoo").delete();
        cluster.operator().nodes().withName("two").delete();
        awaitMounting();
    }

    /** As in a cluster whose nodes come when there are pods. */
    @Test
    void withoutANodeNobodyKnowsWhatTheFirstWillRun() {
        images.look();
        awaitMounting();
        cluster.operator().nodes().withName("one").delete();
        await().atMost(PATIENCE).until(() -> !mounts());
        assertThat(images.doubt()).hasValue("there is no node yet");
        node("win", "windows", "v1.36.0", "containerd://2.1.4");
        node("two", "linux", "v1.36.0", "containerd://2.1.4");
        awaitMounting();
    }

    /** The pod would lose its volume, and its JVM would not find the agent that it is to load. */
    @Test
    void anApiServerThatTakesThemOutIsNotGivenAny() {
        images.look();
        awaitMounting();
        cluster.takesImageVolumesOut();
        images.look();
        assertThat(mounts()).isFalse();
    }

    @Test
    void whereAWebhookLooksAtPodsNothingNewIsTried() {
        cluster.operator().resource(new ValidatingWebhookConfigurationBuilder()
                .withNewMetadata().withName("others").endMetadata()
                .addNewWebhook().addNewRule().withApiGroups("apps").withResources("*").endRule().endWebhook().build()).create();
        images.look();
        awaitMounting();
        var judge = new ValidatingWebhookConfigurationBuilder()
                .withNewMetadata().withName("judge").endMetadata()
                .addNewWebhook().addNewRule().withApiGroups("").withResources("pods").endRule().endWebhook().build();
        cluster.operator().resource(judge).create();
        images.look();
        assertThat(mounts()).isFalse();
        cluster.operator().resource(judge).delete();
        images.look();
        assertThat(mounts()).isTrue();
    }

    @Test
    void whereAPolicyLooksAtPodsNothingNewIsTried() {
        cluster.operator().resource(new ValidatingAdmissionPolicyBuilder()
                .withNewMetadata().withName("judge").endMetadata()
                .withNewSpec().withNewMatchConstraints().addNewResourceRule().withApiGroups("*").withResources("*").endResourceRule()
                .endMatchConstraints().endSpec().build()).create();
        images.look();
        assertThat(mounts()).isFalse();
    }
}
