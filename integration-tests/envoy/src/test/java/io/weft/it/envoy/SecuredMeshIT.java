package io.weft.it.envoy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.weft.controlplane.ControlPlane;
import io.weft.controlplane.ca.RootFile;
import io.weft.controlplane.port.PortLimits;
import io.weft.controlplane.token.TokenKey;
import io.weft.it.harness.Port;
import io.weft.it.harness.Upstream;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.awaitility.core.ConditionFactory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Stock Envoys in a mesh with identities: certificates by SDS, mesh TLS between them, and permissions by SPIFFE ID. */
class SecuredMeshIT {

    private static final String IDENTITY = """
            type: MeshIdentity
            name: all
            mesh: default
            spec:
              selector: {dataplane: {matchLabels: {}}}
              provider: {type: Bundled, bundled: {autogenerate: {enabled: true}, certificateParameters: {expiry: %s}}}
            """;
    private static final String STRICT = "type: MeshTLS\nname: mode\nspec: {rules: [{default: {mode: Strict}}]}\n";
    private static final String STOREFRONT_ONLY = """
            type: MeshTrafficPermission
            name: storefront-only
            mesh: default
            spec:
              targetRef: {kind: Mesh}
              rules:
              - default:
                  allow: [{spiffeID: {type: Exact, value: "spiffe://default.default.mesh.local/workload/storefront"}}]
            """;

    @TempDir
    private Path folder;

    private final List<AutoCloseable> opened = new ArrayList<>();
    private final HttpClient http = HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(10)).build();
    private Path policies;
    private Path state;
    private ControlPlane controlPlane;
    private TokenKey tokens;
    private Upstream app;
    private int inbound;

    @BeforeEach
    void start() throws IOException {
        policies = Files.createDirectory(folder.resolve("policies"));
        state = folder.resolve("state");
        write("identity.yaml", IDENTITY.formatted("1h"));
        write("tls.yaml", STRICT);
        write("permission.yaml", STOREFRONT_ONLY);
        controlPlane = opened(ControlPlane.start(new ControlPlane.Settings(
                new ControlPlane.Folder(policies, state), new InetSocketAddress("127.0.0.1", 0), Duration.ofSeconds(1),
                ControlPlane.Tokens.WHERE_IDENTITIES_ARE, Optional.empty(), PortLimits.of(PortLimits.INSTANCES))));
        tokens = TokenKey.in(state, Clock.systemUTC());
        app = opened(Upstream.start("orders"));
        inbound = Port.unused();
    }

    @AfterEach
    void stop() throws Exception {
        for (int i = opened.size() - 1; i >= 0; i--) {
            opened.get(i).close();
        }
    }

    private <T extends AutoCloseable> T opened(T closeable) {
        opened.add(closeable);
        return closeable;
    }

    private void write(String name, String text) throws IOException {
        Path next = Files.writeString(policies.resolve("." + name), text);
        Files.move(next, policies.resolve(name), StandardCopyOption.ATOMIC_MOVE);
    }

    private Envoy envoy(String variant, String service, String metadataName, Map<String, String> metadata) throws IOException {
        String token = tokens.issue("default", service, Duration.ofHours(1));
        String bootstrap = new AdsBootstrap(
                controlPlane.port(), variant, "default." + metadataName, service, metadata, Optional.of(token)).yaml();
        return opened(Envoy.start(EnvoyBinary.find(), bootstrap, Files.createTempDirectory(folder, "envoy")));
    }

    private Envoy orders(String variant) throws IOException {
        String resource = """
                {"type": "Dataplane", "mesh": "default", "name": "orders-1", "networking": {"address": "127.0.0.1", "inbound": [
                {"port": %d, "servicePort": %d, "tags": {"kuma.io/service": "orders", "kuma.io/protocol": "http"}}]},
                "probes": {"endpoints": [{"inboundPort": %d, "inboundPath": "/health"}]}}"""
                .formatted(inbound, app.address().getPort(), inbound).replace("\n", " ");
        return envoy(variant, "orders", "orders-1", Map.of(
                "dataplane.resource", "'" + resource + "'", "weft.outbound.ports", "{\"80\": " + Port.unused() + "}"));
    }

    private Envoy caller(String variant, String service, int port) throws IOException {
        return envoy(variant, service, service + "-1", Map.of("weft.outbound.ports", "{\"80\": " + port + "}"));
    }

    private HttpResponse<String> get(int port) throws IOException, InterruptedException {
        return get(port, "/");
    }

    private HttpResponse<String> get(int port, String path) throws IOException, InterruptedException {
        return http.send(
                HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + path))
                        .timeout(Duration.ofSeconds(20)).setHeader("Host", "orders").build(),
                HttpResponse.BodyHandlers.ofString());
    }

    private static ConditionFactory patiently() {
        return await().atMost(Duration.ofSeconds(30)).ignoreExceptionsInstanceOf(IOException.class);
    }

    private void assertAllAccepted(Envoy envoy) {
        assertThat(envoy.stats(".*(update_rejected|ssl_context_update_by_sds_failed).*").entrySet())
                .isNotEmpty()
                .allSatisfy(counter -> assertThat(counter.getValue()).as(counter.getKey() + "\n" + envoy.log()).isZero());
        assertThat(controlPlane.connected()).allSatisfy(client -> assertThat(client.rejections()).isEmpty());
    }

    @ParameterizedTest
    @ValueSource(strings = {"DELTA_GRPC", "GRPC"})
    void onlyWhoMayCallsAndOnlyByMeshTls(String variant) throws Exception {
        Envoy orders = orders(variant);
        int storefrontPort = Port.unused();
        Envoy storefront = caller(variant, "storefront", storefrontPort);
        int batchPort = Port.unused();
        Envoy batch = caller(variant, "batch", batchPort);

        patiently().untilAsserted(() -> assertThat(get(storefrontPort).statusCode()).isEqualTo(200));
        assertThat(get(storefrontPort).body()).isEqualTo("orders");
        var requests = app.requests();
        assertThat(requests.get(requests.size() - 1).header("x-forwarded-client-cert"))
                .hasValueSatisfying(value -> assertThat(value).endsWith(";URI=spiffe://default.default.mesh.local/workload/storefront"));
        patiently().untilAsserted(() -> assertThat(get(batchPort).statusCode()).isEqualTo(403));
        assertThat(get(batchPort).body()).isEqualTo("RBAC: access denied");
        assertRefusesPlaintext();
        assertThat(get(inbound, "/health").statusCode()).isEqualTo(200);

        // Permission given to all, and TLS in question no more.
        write("permission.yaml", STOREFRONT_ONLY.replace("type: Exact", "type: Prefix").replace("/workload/storefront", "/"));
        write("tls.yaml", STRICT.replace("Strict", "Permissive"));
        patiently().untilAsserted(() -> assertThat(get(batchPort).statusCode()).isEqualTo(200));
        patiently().untilAsserted(() -> assertThat(get(inbound).statusCode()).isEqualTo(200));
        assertThat(get(storefrontPort).statusCode()).isEqualTo(200);
        for (Envoy envoy : List.of(orders, storefront, batch)) {
            assertAllAccepted(envoy);
        }
        assertThat(orders.stats("listener\\..*\\.ssl\\.handshake").values()).anySatisfy(count -> assertThat(count).isPositive());
    }

    private void assertRefusesPlaintext() throws IOException {
        try (Socket socket = new Socket("127.0.0.1", inbound)) {
            socket.setSoTimeout(10_000);
            socket.getOutputStream().write("GET / HTTP/1.1\r\nHost: orders\r\nConnection: close\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
            byte[] answer = socket.getInputStream().readAllBytes();
            assertThat(new String(answer, StandardCharsets.ISO_8859_1)).doesNotContain("HTTP/1.1 200", "orders");
        } catch (java.net.SocketException reset) {
            assertThat(reset).hasMessageContaining("reset");
        }
    }

    /** Leaves live for three seconds and the root is replaced meanwhile: each request goes through, on a connection of its own. */
    @Test
    void noRequestIsLostWhileLeavesAndRootsAreReplaced() throws Exception {
        write("identity.yaml", IDENTITY.formatted("3s"));
        Envoy orders = orders("DELTA_GRPC");
        int port = Port.unused();
        Envoy storefront = caller("DELTA_GRPC", "storefront", port);
        patiently().untilAsserted(() -> assertThat(get(port).statusCode()).isEqualTo(200));

        int rotations = 0;
        int requests = 0;
        RootFile roots = new RootFile(state, "default");
        Instant end = Instant.now().plusSeconds(15);
        while (Instant.now().isBefore(end)) {
            if (roots.at(Instant.now(), Duration.ofSeconds(3)).next().isEmpty()) {
                roots.rotate(Instant.now(), Duration.ofSeconds(2));
                rotations++;
            }
            HttpResponse<String> response = get(port);
            assertThat(response.statusCode()).as("request " + requests + ": " + response.body()).isEqualTo(200);
            requests++;
            Thread.sleep(5);
        }
        assertThat(rotations).isGreaterThan(2);
        assertThat(requests).isGreaterThan(100);
        assertThat(storefront.stats(".*ssl_context_update_by_sds").values()).anySatisfy(count -> assertThat(count).isGreaterThan(5));
        assertAllAccepted(orders);
        assertAllAccepted(storefront);
    }

    @Test
    void anEnvoyWithoutATokenGetsNothing() throws Exception {
        String bootstrap = new AdsBootstrap(controlPlane.port(), "DELTA_GRPC", "default.orders-1", "orders", Map.of(), Optional.empty()).yaml();
        Envoy envoy = opened(Envoy.start(EnvoyBinary.find(), bootstrap, Files.createTempDirectory(folder, "envoy")));
        patiently().untilAsserted(() -> assertThat(envoy.log()).contains("serves nobody without a token"));
        assertThat(envoy.stats("cluster_manager.cds.update_success").values()).containsOnly(0L);
        assertThat(controlPlane.connected()).isEmpty();
    }
}
