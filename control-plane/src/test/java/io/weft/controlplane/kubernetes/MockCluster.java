package io.weft.controlplane.kubernetes;

import io.fabric8.kubernetes.api.model.APIResource;
import io.fabric8.kubernetes.api.model.APIResourceBuilder;
import io.fabric8.kubernetes.api.model.APIResourceListBuilder;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.authentication.TokenReview;
import io.fabric8.kubernetes.api.model.authentication.TokenReviewBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.dsl.base.CustomResourceDefinitionContext;
import io.fabric8.kubernetes.client.server.mock.KubernetesMockServer;
import io.fabric8.kubernetes.client.utils.Serialization;
import io.fabric8.mockwebserver.Context;
import io.fabric8.mockwebserver.MockWebServer;
import io.fabric8.mockwebserver.ServerRequest;
import io.fabric8.mockwebserver.ServerResponse;
import io.fabric8.mockwebserver.http.RecordedRequest;
import io.fabric8.mockwebserver.utils.ResponseProvider;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.URL;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The API of a cluster over HTTP, by the mock server of the client library: it keeps what is created, and serves watches. It checks
 * nothing, and what a token is worth the test says.
 */
public final class MockCluster implements AutoCloseable {

    private static final List<String> POLICIES = List.of("MeshHTTPRoute", "MeshIdentity", "MeshTLS", "MeshTrafficPermission");

    private final Map<ServerRequest, Queue<ServerResponse>> expectations = new HashMap<>();
    private final KubernetesMockServer server;
    private final KubernetesClient client;
    private final Map<String, TokenReview> tokens = new ConcurrentHashMap<>();

    public MockCluster() throws IOException {
        server = new KubernetesMockServer(
                new Context(), new MockWebServer(), expectations, new IndexedDispatcher(expectations), false);
        server.init(InetAddress.getLoopbackAddress(), 0);
        client = server.createClient();
        serve(ClusterSource.POLICIES, POLICIES);
        serve(ClusterSource.GATEWAY, List.of("HTTPRoute", "GRPCRoute"));
        serve(ClusterSource.GATEWAY_GRANTS, List.of("ReferenceGrant"));
        for (String kind : POLICIES) {
            server.expectCustomResource(new CustomResourceDefinitionContext.Builder()
                    .withGroup("kuma.io").withVersion("v1alpha1").withKind(kind).withPlural(plural(kind)).withScope("Namespaced")
                    .build());
        }
        server.expect().post().withPath("/apis/authentication.k8s.io/v1/tokenreviews").andReply(new Reviewer()).always();
    }

    private void serve(String groupVersion, List<String> kinds) {
        List<APIResource> resources = kinds.stream()
                .map(kind -> new APIResourceBuilder().withKind(kind).withName(plural(kind)).withNamespaced(true).build())
                .toList();
        server.expect().get().withPath("/apis/" + groupVersion)
                .andReturn(200, new APIResourceListBuilder().withGroupVersion(groupVersion).withResources(resources).build())
                .always();
    }

    private static String plural(String kind) {
        String lower = kind.toLowerCase(java.util.Locale.ROOT);
        return lower.endsWith("y") ? lower.substring(0, lower.length() - 1) + "ies" : lower.endsWith("s") ? lower + "es" : lower + "s";
    }

    private final class Reviewer implements ResponseProvider<Object> {
        @Override
        public int getStatusCode(RecordedRequest request) {
            return 201;
        }

        @Override
        public io.fabric8.mockwebserver.http.Headers getHeaders() {
            return new io.fabric8.mockwebserver.http.Headers.Builder().build();
        }

        @Override
        public void setHeaders(io.fabric8.mockwebserver.http.Headers headers) {}

        @Override
        public Object getBody(RecordedRequest request) {
            TokenReview asked = Serialization.unmarshal(request.getUtf8Body(), TokenReview.class);
            TokenReview known = tokens.get(asked.getSpec().getToken());
            return known != null ? known : new TokenReviewBuilder()
                    .withNewStatus().withAuthenticated(false).withError("unknown").endStatus().build();
        }
    }

    public KubernetesClient client() {
        return client;
    }

    /** A token that is good for a pod of the namespace {@code shop} as it is now. */
    public String token(String serviceAccount, String pod) {
        return token("shop", serviceAccount, pod, client.pods().inNamespace("shop").withName(pod).get().getMetadata().getUid());
    }

    /** The same for a pod of which the server need not be asked. */
    public String token(String serviceAccount, String pod, String uid) {
        return token("shop", serviceAccount, pod, uid);
    }

    String token(String namespace, String serviceAccount, String pod, String uid) {
        String token = unknownToken("weft", Instant.now().plus(Duration.ofHours(1)));
        know(token, namespace, serviceAccount, pod, uid, "weft");
        return token;
    }

    /** A token that looks like those that the API server makes, and that it has not made. */
    static String unknownToken(String audience, Instant expires) {
        String claims = "{\"aud\":[\"" + audience + "\"],\"exp\":" + expires.getEpochSecond() + ",\"jti\":\"" + UUID.randomUUID() + "\"}";
        return base64("{\"alg\":\"RS256\",\"kid\":\"k\"}") + "." + base64(claims) + "." + base64("nobody checks this");
    }

    private static String base64(String text) {
        return Base64.getUrlEncoder().withoutPadding().encodeToString(text.getBytes(StandardCharsets.UTF_8));
    }

    /** @param audiences as the API server answers, whatever the token says */
    void know(String token, String namespace, String serviceAccount, String pod, String uid, String... audiences) {
        tokens.put(token, new TokenReviewBuilder()
                .withNewStatus()
                .withAuthenticated(true)
                .withAudiences(audiences)
                .withNewUser()
                .withUsername("system:serviceaccount:" + namespace + ":" + serviceAccount)
                .addToExtra("authentication.kubernetes.io/pod-name", List.of(pod))
                .addToExtra("authentication.kubernetes.io/pod-uid", List.of(uid))
                .endUser()
                .endStatus()
                .build());
    }

    /** Creates what is not there and replaces what is. */
    public void apply(String yaml) {
        try (InputStream stream = new ByteArrayInputStream(yaml.getBytes(StandardCharsets.UTF_8))) {
            for (HasMetadata object : client.load(stream).items()) {
                client.resource(object).createOr(io.fabric8.kubernetes.client.dsl.NonDeletingOperation::update);
            }
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    public void delete(String yaml) {
        client.load(new ByteArrayInputStream(yaml.getBytes(StandardCharsets.UTF_8))).delete();
    }

    public Path kubeconfig(Path folder) throws IOException {
        URL url = client.getMasterUrl();
        return Files.writeString(folder.resolve("kubeconfig"), """
                apiVersion: v1
                kind: Config
                clusters: [{name: c, cluster: {server: "%s"}}]
                users: [{name: u, user: {token: t}}]
                contexts: [{name: x, context: {cluster: c, user: u, namespace: weft-system}}]
                current-context: x
                """.formatted(url));
    }

    @Override
    public void close() {
        client.close();
        server.destroy();
    }
}
