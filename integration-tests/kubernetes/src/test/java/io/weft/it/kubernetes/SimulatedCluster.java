package io.weft.it.kubernetes;

import io.fabric8.kubernetes.api.model.PodBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.utils.Serialization;
import io.weft.controlplane.kubernetes.MockCluster;
import io.weft.it.harness.Wire;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;

/** By the mock server of the client library: it takes everything, and everybody may do everything. */
final class SimulatedCluster implements Cluster {
    private static final String LOOPBACK = "127.0.0.1";

    private final MockCluster server = new MockCluster();
    private final Path folder;
    private final Path kubeconfig;
    private final Wire wire;
    private final Path controlPlaneKubeconfig;

    SimulatedCluster(Path folder) throws IOException {
        this.folder = folder;
        this.kubeconfig = server.kubeconfig(folder);
        URL url = server.client().getMasterUrl();
        wire = Wire.to(new InetSocketAddress(url.getHost(), url.getPort()));
        controlPlaneKubeconfig = Files.writeString(folder.resolve("control-plane.kubeconfig"),
                Files.readString(kubeconfig).replace(url.toString(), new URL(url.getProtocol(), LOOPBACK, wire.port(), url.getFile()).toString()));
    }

    @Override
    public KubernetesClient client() {
        return server.client();
    }

    @Override
    public Path kubeconfig() {
        return kubeconfig;
    }

    @Override
    public Path controlPlaneKubeconfig() {
        return controlPlaneKubeconfig;
    }

    @Override
    public String address() {
        return LOOPBACK;
    }

    @Override
    public Path pod(String name, String serviceAccount, Map<String, String> labels) {
        server.apply(Serialization.asYaml(new PodBuilder()
                .withNewMetadata().withName(name).withNamespace("shop").withLabels(labels).endMetadata()
                .withNewSpec().withServiceAccountName(serviceAccount).endSpec()
                .withNewStatus().withPodIP(LOOPBACK).addNewPodIP(LOOPBACK).endStatus()
                .build()));
        try {
            return Files.writeString(folder.resolve(name + ".token"), server.token(serviceAccount, name));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void apply(String yaml) {
        server.apply(yaml);
    }

    @Override
    public void delete(String yaml) {
        server.delete(yaml);
    }

    @Override
    public Wire wire() {
        return wire;
    }

    @Override
    public void close() throws IOException {
        wire.close();
        server.close();
    }
}
