package io.weft.it.kubernetes;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Assumptions;

/**
 * Somebody's cluster for tests: its admin's kubeconfig is the system property {@code weft.it.kubeconfig}. How an archive of an image gets
 * onto its nodes says {@code weft.it.load-image}, a command to which the archive is appended: {@code ctr -n k8s.io images import}.
 */
final class GivenCluster implements RealCluster {
    private final Path kubeconfig;
    private final KubernetesClient client;

    GivenCluster(Path kubeconfig) throws IOException {
        this.kubeconfig = kubeconfig;
        client = new KubernetesClientBuilder().withConfig(Config.fromKubeconfig(Files.readString(kubeconfig))).build();
    }

    static Optional<Path> named() {
        return Optional.ofNullable(System.getProperty("weft.it.kubeconfig")).filter(name -> !name.isEmpty()).map(Path::of);
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
    public void load(Path image) throws IOException, InterruptedException {
        String command = System.getProperty("weft.it.load-image", "");
        Assumptions.assumeFalse(command.isEmpty(), "weft.it.load-image does not say how an image gets onto the nodes of the given cluster");
        List<String> words = new ArrayList<>(List.of(command.split(" ")));
        words.add(image.toString());
        assertThat(new ProcessBuilder(words).inheritIO().start().waitFor()).as(command).isZero();
    }

    @Override
    public void close() {
        client.close();
    }
}
