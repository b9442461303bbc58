package io.weft.controlplane.injector;

import io.fabric8.kubernetes.api.model.PodTemplateBuilder;
import io.fabric8.kubernetes.api.model.Secret;
import io.fabric8.kubernetes.api.model.SecretBuilder;
import io.fabric8.kubernetes.api.model.admissionregistration.v1.MutatingWebhook;
import io.fabric8.kubernetes.api.model.admissionregistration.v1.MutatingWebhookBuilder;
import io.fabric8.kubernetes.api.model.admissionregistration.v1.MutatingWebhookConfiguration;
import io.fabric8.kubernetes.api.model.admissionregistration.v1.MutatingWebhookConfigurationBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.server.mock.KubernetesMixedDispatcher;
import io.fabric8.kubernetes.client.server.mock.KubernetesMockServer;
import io.fabric8.mockwebserver.Context;
import io.fabric8.mockwebserver.MockWebServer;
import io.fabric8.mockwebserver.ServerRequest;
import io.fabric8.mockwebserver.ServerResponse;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;

/** The cluster's API as the Helm chart leaves it, by the mock server of the client library. */
final class SharedCluster implements AutoCloseable {

    static final String NAMESPACE = "weft-system";
    static final String INJECTOR = "weft-injector.weft-system.svc";
    static final CertificateSettings CERTIFICATES = new CertificateSettings(
            "weft-server-ca",
            List.of(INJECTOR),
            "weft-injector",
            Optional.of(new CertificateSettings.ControlPlane("weft-control-plane-tls", List.of("weft-control-plane.weft-system.svc"))));

    private final Map<ServerRequest, Queue<ServerResponse>> expectations = new HashMap<>();
    private final KubernetesMockServer server = new KubernetesMockServer(
            new Context(), new MockWebServer(), expectations, new KubernetesMixedDispatcher(expectations), false);
    private final KubernetesClient operator;

    SharedCluster() {
        server.init();
        operator = server.createClient();
        for (String name : new String[] {"weft-server-ca", "weft-control-plane-tls"}) {
            operator.resource(new SecretBuilder().withNewMetadata().withName(name).withNamespace(NAMESPACE).endMetadata().build()).create();
        }
        operator.resource(new MutatingWebhookConfigurationBuilder()
                        .withNewMetadata().withName("weft-injector").endMetadata()
                        .withWebhooks(webhook("namespaces.inject.weft.io"), webhook("pods.inject.weft.io"))
                        .build())
                .create();
    }

    private static MutatingWebhook webhook(String name) {
        return new MutatingWebhookBuilder()
                .withName(name)
                .withNewClientConfig().withNewService().withName("weft-injector").withNamespace(NAMESPACE).withPath("/inject").endService().endClientConfig()
                .build();
    }

    /** As an API server does whose feature gate is off. */
    void takesImageVolumesOut() {
        server.expect().post().withPath("/api/v1/namespaces/" + NAMESPACE + "/podtemplates?dryRun=All").andReturn(201,
                new PodTemplateBuilder().withNewMetadata().withName("x").endMetadata().withNewTemplate().withNewSpec()
                        .addNewContainer().withName("app").withImage("app").endContainer()
                        .endSpec().endTemplate().build()).always();
    }

    KubernetesClient operator() {
        return operator;
    }

    /** One replica's access. */
    Cluster replica() {
        return new Cluster(server.createClient(), NAMESPACE);
    }

    Secret secret(String name) {
        return operator.secrets().inNamespace(NAMESPACE).withName(name).get();
    }

    String decoded(String secret, String key) {
        return new String(Base64.getDecoder().decode(secret(secret).getData().get(key)), StandardCharsets.US_ASCII);
    }

    MutatingWebhookConfiguration webhooks() {
        return operator.admissionRegistration().v1().mutatingWebhookConfigurations().withName("weft-injector").get();
    }

    /** Whom the API server trusts, one for each webhook. */
    List<String> caBundles() {
        return webhooks().getWebhooks().stream()
                .map(webhook -> new String(Base64.getDecoder().decode(webhook.getClientConfig().getCaBundle()), StandardCharsets.US_ASCII))
                .toList();
    }

    @Override
    public void close() {
        operator.close();
        server.destroy();
    }
}
