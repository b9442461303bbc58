package io.weft.it.kubernetes;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import io.fabric8.kubernetes.api.model.SecretBuilder;
import io.fabric8.kubernetes.api.model.admissionregistration.v1.MutatingWebhookBuilder;
import io.fabric8.kubernetes.api.model.admissionregistration.v1.MutatingWebhookConfigurationBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.server.mock.KubernetesCrudDispatcher;
import io.fabric8.kubernetes.client.server.mock.KubernetesMockServer;
import io.fabric8.mockwebserver.Context;
import io.fabric8.mockwebserver.MockWebServer;
import io.fabric8.zjsonpatch.JsonPatch;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.util.Base64;
import java.util.HashMap;
import java.util.UUID;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManagerFactory;

/**
 * What the injector has to do with an API server: the mock server of the client library, with what the Helm chart makes in it, and
 * admission reviews over HTTPS to whom the webhook's configuration says is to be trusted.
 */
final class ApiServer implements AutoCloseable {
    static final String NAMESPACE = "weft-system";

    private static final ObjectMapper JSON = new ObjectMapper();

    private final KubernetesMockServer server = new KubernetesMockServer(
            new Context(), new MockWebServer(), new HashMap<>(), new KubernetesCrudDispatcher(), false);
    private final KubernetesClient client;

    ApiServer() {
        server.init();
        client = server.createClient();
        for (String name : new String[] {"weft-server-ca", "weft-control-plane-tls"}) {
            client.resource(new SecretBuilder().withNewMetadata().withName(name).withNamespace(NAMESPACE).endMetadata().build()).create();
        }
        client.resource(new MutatingWebhookConfigurationBuilder()
                        .withNewMetadata().withName("weft-injector").endMetadata()
                        .withWebhooks(new MutatingWebhookBuilder().withName("inject.weft.io").withNewClientConfig().withNewService()
                                .withName("weft-injector").withNamespace(NAMESPACE).withPath("/inject").endService().endClientConfig().build())
                        .build())
                .create();
    }

    /** As a file for {@code KUBECONFIG}. */
    String kubeconfig() {
        return """
                apiVersion: v1
                kind: Config
                clusters: [{name: test, cluster: {server: "%s"}}]
                contexts: [{name: test, context: {cluster: test, user: test, namespace: weft-system}}]
                users: [{name: test, user: {token: test}}]
                current-context: test
                """.formatted(server.url("/"));
    }

    String secret(String name, String key) {
        String encoded = client.secrets().inNamespace(NAMESPACE).withName(name).get().getData().get(key);
        return new String(Base64.getDecoder().decode(encoded), StandardCharsets.US_ASCII);
    }

    /** What becomes of a pod that is created. */
    JsonNode admitted(int injector, String namespace, String yaml) throws IOException, GeneralSecurityException {
        ObjectNode pod = (ObjectNode) new YAMLMapper().readTree(yaml);
        ObjectNode review = JSON.createObjectNode().put("kind", "AdmissionReview").put("apiVersion", "admission.k8s.io/v1");
        ObjectNode request = review.putObject("request").put("uid", UUID.randomUUID().toString());
        request.putObject("kind").put("group", "").put("version", "v1").put("kind", "Pod");
        request.putObject("resource").put("group", "").put("version", "v1").put("resource", "pods");
        request.put("namespace", namespace).put("operation", "CREATE").put("dryRun", false).set("object", pod);
        JsonNode response = JSON.readTree(post(injector, JSON.writeValueAsBytes(review))).path("response");
        if (!response.path("uid").equals(request.path("uid")) || !response.path("allowed").asBoolean() || response.has("warnings")) {
            throw new IllegalStateException("not admitted as it should be: " + response);
        }
        // It is written for another generation of Jackson.
        tools.jackson.databind.ObjectMapper mapper = new tools.jackson.databind.ObjectMapper();
        byte[] patch = Base64.getDecoder().decode(response.path("patch").asText());
        return JSON.readTree(JsonPatch.apply(mapper.readTree(patch), mapper.readTree(pod.toString())).toString());
    }

    private byte[] post(int port, byte[] review) throws IOException, GeneralSecurityException {
        String host = "weft-injector." + NAMESPACE + ".svc";
        try (SSLSocket socket = (SSLSocket) trust().getSocketFactory()
                .createSocket(new Socket(InetAddress.getLoopbackAddress(), port), host, 443, true)) {
            SSLParameters parameters = socket.getSSLParameters();
            parameters.setEndpointIdentificationAlgorithm("HTTPS");
            socket.setSSLParameters(parameters);
            socket.getOutputStream().write(("POST /inject?timeout=5s HTTP/1.1\r\nHost: " + host
                    + "\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: " + review.length + "\r\n\r\n")
                    .getBytes(StandardCharsets.US_ASCII));
            socket.getOutputStream().write(review);
            socket.getOutputStream().flush();
            String response = new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            if (!response.startsWith("HTTP/1.1 200 ")) {
                throw new IOException(response);
            }
            return response.substring(response.indexOf("\r\n\r\n") + 4).getBytes(StandardCharsets.UTF_8);
        }
    }

    private SSLContext trust() throws IOException, GeneralSecurityException {
        String bundle = client.admissionRegistration().v1().mutatingWebhookConfigurations().withName("weft-injector").get()
                .getWebhooks().get(0).getClientConfig().getCaBundle();
        KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
        store.load(null, null);
        for (Certificate root : CertificateFactory.getInstance("X.509").generateCertificates(new ByteArrayInputStream(Base64.getDecoder().decode(bundle)))) {
            store.setCertificateEntry("root" + store.size(), root);
        }
        TrustManagerFactory factory = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        factory.init(store);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(null, factory.getTrustManagers(), null);
        return context;
    }

    @Override
    public void close() {
        client.close();
        server.destroy();
    }
}
