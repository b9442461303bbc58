package io.weft.it.kubernetes;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.Namespace;
import io.fabric8.kubernetes.api.model.NamespaceBuilder;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodBuilder;
import io.fabric8.kubernetes.api.model.PodStatusBuilder;
import io.fabric8.kubernetes.api.model.Service;
import io.fabric8.kubernetes.api.model.ServiceAccountBuilder;
import io.fabric8.kubernetes.api.model.authentication.TokenRequest;
import io.fabric8.kubernetes.api.model.authentication.TokenRequestBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.dsl.NonDeletingOperation;
import io.weft.it.harness.Wire;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.NetworkInterface;
import java.net.SocketException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * A real API server. Nodes and controllers are not needed, but that the namespace controller deletes what the test leaves behind. The
 * control plane has the rights of the chart and no others; its certificate must be good for 127.0.0.1, as a local cluster's is.
 */
final class RealApi implements Cluster {
    private static final Duration PATIENCE = Duration.ofMinutes(2);
    private static final List<String> NAMESPACES = List.of("shop", Chart.NAMESPACE);
    private static final Set<String> NEEDS_A_NODE = Set.of("Deployment", "PodDisruptionBudget");

    private final RealCluster cluster;
    private final KubernetesClient client;
    private final Path folder;
    private final List<HasMetadata> chart = new ArrayList<>();
    private final Wire wire;
    private final Path controlPlaneKubeconfig;

    RealApi(RealCluster cluster, Path folder) throws Exception {
        this.cluster = cluster;
        this.folder = folder;
        client = cluster.client();
        for (String namespace : NAMESPACES) {
            assumeTrue(client.namespaces().withName(namespace).get() == null, "the given cluster has a namespace " + namespace + " already");
        }
        for (String plural : List.of("httproutes", "grpcroutes", "referencegrants")) {
            assumeTrue(client.apiextensions().v1().customResourceDefinitions().withName(plural + ".gateway.networking.k8s.io").get() != null,
                    "the given cluster has no " + plural + ": install Gateway API's definitions");
        }
        for (String namespace : NAMESPACES) {
            client.resource(new NamespaceBuilder().withNewMetadata().withName(namespace).endMetadata().build()).create();
        }
        install("templates/crds.yaml", "templates/control-plane.yaml");
        URI server = URI.create(client.getMasterUrl().toString());
        wire = Wire.to(new InetSocketAddress(server.getHost(), server.getPort()));
        controlPlaneKubeconfig = kubeconfig("weft-control-plane", wire.port());
    }

    /** What the chart makes, but what it has run. */
    void install(String... templates) throws IOException, InterruptedException {
        client.load(new ByteArrayInputStream(Chart.rendered(templates))).items().stream()
                .filter(object -> !NEEDS_A_NODE.contains(object.getKind()))
                .forEach(object -> {
                    chart.add(object);
                    client.resource(object).createOr(NonDeletingOperation::update);
                });
    }

    /** With the rights that the chart gives to a ServiceAccount of its own. */
    Path kubeconfig(String serviceAccount) throws IOException {
        return kubeconfig(serviceAccount, URI.create(client.getMasterUrl().toString()).getPort());
    }

    private Path kubeconfig(String serviceAccount, int port) throws IOException {
        String token = token(Chart.NAMESPACE, serviceAccount, new TokenRequestBuilder()
                .withNewSpec().withExpirationSeconds(3600L).endSpec().build());
        return Files.writeString(folder.resolve(serviceAccount + "-" + port + ".kubeconfig"), kubeconfig(client, port, token, Chart.NAMESPACE));
    }

    static String kubeconfig(KubernetesClient client, int port, String token, String namespace) {
        return """
                apiVersion: v1
                kind: Config
                clusters: [{name: c, cluster: {server: "https://127.0.0.1:%d", certificate-authority-data: "%s"}}]
                users: [{name: u, user: {token: "%s"}}]
                contexts: [{name: x, context: {cluster: c, user: u, namespace: %s}}]
                current-context: x
                """.formatted(port, client.getConfiguration().getCaCertData(), token, namespace);
    }

    private String token(String namespace, String serviceAccount, TokenRequest request) {
        return client.serviceAccounts().inNamespace(namespace).withName(serviceAccount).tokenRequest(request).getStatus().getToken();
    }

    @Override
    public KubernetesClient client() {
        return client;
    }

    @Override
    public Path kubeconfig() {
        return cluster.kubeconfig();
    }

    @Override
    public Path controlPlaneKubeconfig() {
        return controlPlaneKubeconfig;
    }

    @Override
    public String address() {
        return addressOfThisMachine();
    }

    static String addressOfThisMachine() {
        try {
            return NetworkInterface.networkInterfaces().flatMap(NetworkInterface::inetAddresses)
                    .filter(address -> !address.isLoopbackAddress() && !address.isLinkLocalAddress() && address.getAddress().length == 4)
                    .map(InetAddress::getHostAddress).findFirst()
                    .orElseThrow(() -> new IllegalStateException("this machine has no address but loopback, at which no endpoint can be"));
        } catch (SocketException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public Path pod(String name, String serviceAccount, Map<String, String> labels) {
        client.resource(new ServiceAccountBuilder().withNewMetadata().withName(serviceAccount).withNamespace("shop").endMetadata().build())
                .createOr(NonDeletingOperation::update);
        Pod pod = client.resource(new PodBuilder()
                .withNewMetadata().withName(name).withNamespace("shop").withLabels(labels).endMetadata()
                .withNewSpec()
                .withServiceAccountName(serviceAccount)
                .withSchedulerName("this-test")
                .addNewContainer().withName("app").withImage("a-process-of-the-test").endContainer()
                .endSpec()
                .build()).create();
        client.resource(pod).editStatus(created -> new PodBuilder(created)
                .withStatus(new PodStatusBuilder(created.getStatus()).withPodIP(address()).addNewPodIP(address()).build()).build());
        String token = token("shop", serviceAccount, new TokenRequestBuilder()
                .withNewSpec()
                .withAudiences("weft")
                .withExpirationSeconds(3600L)
                .withNewBoundObjectRef().withApiVersion("v1").withKind("Pod").withName(name).withUid(pod.getMetadata().getUid()).endBoundObjectRef()
                .endSpec()
                .build());
        try {
            return Files.writeString(folder.resolve(name + ".token"), token);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void apply(String yaml) {
        for (HasMetadata object : client.load(new ByteArrayInputStream(yaml.getBytes(StandardCharsets.UTF_8))).items()) {
            if (object instanceof Service service) {
                // It is the cluster's to give.
                service.getSpec().setClusterIP(null);
            }
            client.resource(object).createOr(NonDeletingOperation::update);
        }
    }

    @Override
    public void delete(String yaml) {
        client.load(new ByteArrayInputStream(yaml.getBytes(StandardCharsets.UTF_8))).delete();
    }

    @Override
    public Wire wire() {
        return wire;
    }

    @Override
    public void close() {
        try {
            wire.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        if (!cluster.remains()) {
            return;
        }
        chart.forEach(object -> client.resource(object).delete());
        NAMESPACES.forEach(name -> client.namespaces().withName(name).delete());
        await("the namespaces are deleted").atMost(PATIENCE).untilAsserted(() -> assertThat(client.namespaces().list().getItems())
                .extracting((Namespace namespace) -> namespace.getMetadata().getName()).doesNotContainAnyElementsOf(NAMESPACES));
    }
}
