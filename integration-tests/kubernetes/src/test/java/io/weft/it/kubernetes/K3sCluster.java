package io.weft.it.kubernetes;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.github.dockerjava.api.DockerClient;
import com.github.dockerjava.api.exception.NotFoundException;
import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.opentest4j.TestAbortedException;
import org.testcontainers.DockerClientFactory;
import org.testcontainers.containers.Container.ExecResult;
import org.testcontainers.k3s.K3sContainer;
import org.testcontainers.utility.DockerImageName;
import org.testcontainers.utility.MountableFile;

/** One node of K3s in a container, of the image that the system property {@code weft.it.k3s-image} names, as in {@code rancher/k3s:v1.34.1-k3s1}. */
final class K3sCluster implements RealCluster {
    private final K3sContainer container;
    private final Path kubeconfig;
    private final KubernetesClient client;

    private K3sCluster(K3sContainer container) throws IOException {
        this.container = container;
        kubeconfig = Files.writeString(Files.createTempFile("k3s", ".yaml"), container.getKubeConfigYaml());
        client = new KubernetesClientBuilder().withConfig(Config.fromKubeconfig(container.getKubeConfigYaml())).build();
    }

    static K3sCluster start() throws IOException {
        String image = System.getProperty("weft.it.k3s-image", "");
        assumeTrue(!image.isEmpty(), "no cluster: name one by -Dweft.it.kubeconfig=FILE, or an image that can be pulled by -Dweft.it.k3s-image=rancher/k3s:TAG");
        assumeTrue(DockerClientFactory.instance().isDockerAvailable(),
                "no cluster: weft.it.kubeconfig names none, and no Docker engine answers in which K3s could run");
        pull(image);
        K3sContainer container = new K3sContainer(DockerImageName.parse(image).asCompatibleSubstituteFor("rancher/k3s"));
        container.withImagePullPolicy(name -> false).start();
        return new K3sCluster(container);
    }

    /** Once: Testcontainers tries for two minutes. */
    private static void pull(String image) {
        DockerClient docker = DockerClientFactory.instance().client();
        try {
            docker.inspectImageCmd(image).exec();
        } catch (NotFoundException absent) {
            try {
                docker.pullImageCmd(image).start().awaitCompletion();
            } catch (RuntimeException registryOutOfReach) {
                throw new TestAbortedException("no cluster: weft.it.kubeconfig names none, and the image " + image
                        + " can neither be found nor pulled: name another one by -Dweft.it.k3s-image", registryOutOfReach);
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
        }
    }

    @Override
    public KubernetesClient client() {
        return client;
    }

    @Override
    public Path kubeconfig() {
        return kubeconfig;
    }

    @Override
    public void load(Path archive) throws IOException, InterruptedException {
        container.copyFileToContainer(MountableFile.forHostPath(archive), "/tmp/image.tar");
        ExecResult done = container.execInContainer("ctr", "-n", "k8s.io", "images", "import", "/tmp/image.tar");
        assertThat(done.getExitCode()).as(done.getStderr()).isZero();
    }

    @Override
    public void close() throws IOException {
        client.close();
        container.close();
        Files.delete(kubeconfig);
    }
}
