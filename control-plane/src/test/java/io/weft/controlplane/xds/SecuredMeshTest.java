package io.weft.controlplane.xds;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.google.protobuf.Any;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import io.envoyproxy.envoy.config.cluster.v3.Cluster;
import io.envoyproxy.envoy.config.core.v3.HealthStatus;
import io.envoyproxy.envoy.config.core.v3.Node;
import io.envoyproxy.envoy.config.endpoint.v3.ClusterLoadAssignment;
import io.envoyproxy.envoy.config.endpoint.v3.LbEndpoint;
import io.envoyproxy.envoy.config.listener.v3.FilterChain;
import io.envoyproxy.envoy.config.listener.v3.Listener;
import io.envoyproxy.envoy.extensions.filters.http.rbac.v3.RBAC;
import io.envoyproxy.envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager;
import io.envoyproxy.envoy.extensions.transport_sockets.tls.v3.CommonTlsContext;
import io.envoyproxy.envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext;
import io.envoyproxy.envoy.extensions.transport_sockets.tls.v3.SPIFFECertValidatorConfig;
import io.envoyproxy.envoy.extensions.transport_sockets.tls.v3.Secret;
import io.envoyproxy.envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext;
import io.grpc.CallOptions;
import io.grpc.ClientInterceptors;
import io.grpc.ManagedChannel;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.stub.ClientCalls;
import io.weft.controlplane.ControlPlane;
import io.weft.controlplane.PolicyDiff;
import io.weft.controlplane.ca.Pem;
import io.weft.controlplane.ca.Root;
import io.weft.controlplane.ca.RootFile;
import io.weft.controlplane.policy.MeshIdentity;
import io.weft.controlplane.policy.SourceText;
import io.weft.controlplane.token.RevokedTokens;
import io.weft.controlplane.token.TokenKey;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.KeyPair;
import java.security.KeyStore;
import java.security.cert.X509Certificate;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;
import javax.security.auth.x500.X500Principal;
import org.awaitility.Awaitility;
import org.bouncycastle.openssl.jcajce.JcaPEMWriter;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;
import org.bouncycastle.pkcs.jcajce.JcaPKCS10CertificationRequestBuilder;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A mesh with identities, over the wire: who gets in, who gets which certificate, and what everyone is told. */
class SecuredMeshTest {

    private static final String ORDERS = "kri_msvc_default___orders_80";
    private static final String ORDERS_ID = "spiffe://default.default.mesh.local/workload/orders";
    private static final String INBOUND = "self_inbound_dp_8081";
    private static final String BUNDLE = "system_trust_bundle";
    private static final String IDENTITY_SECRET = "kri_mid_default___all_";

    @TempDir
    private Path folder;

    private ControlPlane controlPlane;
    private TokenKey tokens;

    @BeforeAll
    static void patience() {
        // Envoy's API alone takes a busy machine many seconds to load.
        Awaitility.setDefaultTimeout(Duration.ofSeconds(40));
    }

    @AfterAll
    static void impatience() {
        Awaitility.reset();
    }

    @BeforeEach
    void start() throws IOException {
        identity("1h");
        controlPlane = ControlPlane.start(ControlPlane.Settings.of(folder, new InetSocketAddress("127.0.0.1", 0)));
        tokens = TokenKey.in(folder.resolve(".weft"), Clock.systemUTC());
    }

    @AfterEach
    void stop() throws IOException {
        controlPlane.close();
    }

    private void write(String file, String text) throws IOException {
        Path next = folder.resolve(file + ".new");
        Files.writeString(next, text);
        Files.move(next, folder.resolve(file), StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    }

    private void identity(String expiry) throws IOException {
        write("identity.yaml", """
                type: MeshIdentity
                name: all
                mesh: default
                spec:
                  selector: {dataplane: {matchLabels: {}}}
                  provider: {type: Bundled, bundled: {autogenerate: {enabled: true}, certificateParameters: {expiry: %s}}}
                """.formatted(expiry));
    }

    private void withoutIdentities(String mesh) throws IOException {
        write(mesh + "-mesh.yaml", "type: Mesh\nname: " + mesh + "\n");
        await().until(() -> controlPlane.policies().inForce().stream()
                .anyMatch(each -> each.resource().metadata().mesh().equals(mesh)));
    }

    private void mode(String mode) throws IOException {
        write("tls.yaml", "type: MeshTLS\nname: mode\nspec: {rules: [{default: {mode: %s}}]}\n".formatted(mode));
    }

    private String token(String service) {
        return tokens.issue("default", service, Duration.ofHours(1));
    }

    private DeltaClient connect(Node node, String token) {
        return new DeltaClient(controlPlane.port(), node, token);
    }

    private DeltaClient orders(boolean holdsIdentity) {
        Node node = Nodes.agent("orders", "1", 8081, "v1");
        return connect(holdsIdentity ? holding(node) : node, token("orders"));
    }

    /** As an agent tells that it has a certificate. */
    private static Node holding(Node node) {
        return node.toBuilder()
                .setMetadata(node.getMetadata().toBuilder().putFields("weft.identity", Nodes.text(ORDERS_ID)))
                .build();
    }

    private static Node proxy(Node node) {
        return node.toBuilder().setUserAgentName("envoy").build();
    }

    private static void assertRefused(DeltaClient client, Status.Code code, String message) {
        await().untilAsserted(() -> assertThat(client.failure()).isNotNull());
        Status status = Status.fromThrowable(client.failure());
        assertThat(status.getCode()).isEqualTo(code);
        assertThat(status.getDescription()).contains(message);
        assertThat(client.responses()).isEmpty();
    }

    /** In another mesh, of which this control plane has no document at first. */
    @Test
    void aMeshThatIsServedStaysAsItWasWhenItsFirstIdentityCannotBeGivenAndHasItAsSoonAsItCan() throws Exception {
        Path certificate = folder.resolve("supplied.crt");
        withoutIdentities("plain");
        try (DeltaClient served = new DeltaClient(controlPlane.port(), Nodes.inMesh("plain", Nodes.agent("orders", "1", 8081, "v1")))) {
            await().untilAsserted(() -> assertThat(served.listener(INBOUND)).isNotNull());
            write("plain.yaml", """
                    type: MeshIdentity
                    name: all
                    mesh: plain
                    spec:
                      selector: {dataplane: {matchLabels: {}}}
                      provider: {type: Bundled, bundled: {ca: {certificate: {type: File, file: {path: %s}},
                        privateKey: {type: File, file: {path: %s}}}}}
                    """.formatted(certificate, folder.resolve("supplied.key")));
            await().until(() -> controlPlane.policies().all(MeshIdentity.class, "plain").size() == 1);
            try (DeltaClient late = new DeltaClient(controlPlane.port(), Nodes.inMesh("plain", Nodes.agent("orders", "2", 8082, "v1")))) {
                await().untilAsserted(() -> assertThat(late.listener("self_inbound_dp_8082")).isNotNull());
                await().untilAsserted(() -> assertThat(served.endpoints("kri_msvc_plain___orders_80").toString()).contains("8082"));
            }
            assertThat(served.failure()).isNull();
            Root root = new RootFile(folder.resolve("supplied"), "plain").at(Instant.now(), Duration.ofDays(1)).signing();
            Path key = Files.createFile(folder.resolve("supplied.key"),
                    PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
            Files.writeString(key, Pem.of(root.key()));
            Files.writeString(certificate, Pem.of(root.chain().get(0)));
            await().until(() -> controlPlane.givesIdentities("plain"));
        }
    }

    @Test
    void withoutAValidTokenNothingIsServed() {
        Node node = Nodes.agent("orders", "1", 8081, "v1");
        String expired = tokens.issue("default", "orders", Duration.ofHours(-1));
        String otherMesh = tokens.issue("other", "orders", Duration.ofHours(1));
        try (DeltaClient none = new DeltaClient(controlPlane.port(), node);
                DeltaClient forged = connect(node, token("orders") + "x");
                DeltaClient late = connect(node, expired);
                DeltaClient foreign = connect(node, otherMesh);
                DeltaClient other = connect(node, token("storefront"))) {
            assertRefused(none, Status.Code.UNAUTHENTICATED, "mesh default serves nobody without a token: no token came");
            assertRefused(forged, Status.Code.UNAUTHENTICATED, "the token");
            assertRefused(late, Status.Code.UNAUTHENTICATED, "the token has expired on");
            assertRefused(foreign, Status.Code.PERMISSION_DENIED, "is for mesh other, not for mesh default");
            assertRefused(other, Status.Code.PERMISSION_DENIED,
                    "the token of default.orders-1 is for service storefront, but it calls itself orders");
        }
        assertThat(controlPlane.connected()).isEmpty();
    }

    @Test
    void aTokenIsRevokedAloneAndAlsoForWhoIsThere() throws Exception {
        String stolen = token("orders");
        String other = token("orders");
        try (DeltaClient thief = connect(Nodes.agent("orders", "1", 8081, "v1"), stolen);
                DeltaClient owner = connect(Nodes.agent("orders", "2", 8082, "v1"), other)) {
            await().untilAsserted(() -> assertThat(thief.listener(INBOUND)).isNotNull());
            await().untilAsserted(() -> assertThat(owner.listener("self_inbound_dp_8082")).isNotNull());
            RevokedTokens.revoke(folder.resolve(".weft"), tokens.verify(stolen));
            await().untilAsserted(() -> assertThat(thief.failure()).isNotNull());
            assertThat(Status.fromThrowable(thief.failure()).getCode()).isEqualTo(Status.Code.UNAUTHENTICATED);
            try (DeltaClient again = connect(Nodes.agent("orders", "3", 8083, "v1"), stolen)) {
                assertRefused(again, Status.Code.UNAUTHENTICATED, "the token has been revoked");
            }
            String csr = csr(Root.newKey());
            assertThatThrownBy(() -> request(Optional.of(stolen), csr)).hasMessageContaining("the token has been revoked");
            assertThat(request(Optional.of(other), csr)).isNotEmpty();
            assertThat(owner.failure()).isNull();
        }
        controlPlane.close();
        controlPlane = ControlPlane.start(ControlPlane.Settings.of(folder, new InetSocketAddress("127.0.0.1", 0)));
        try (DeltaClient afterARestart = connect(Nodes.agent("orders", "3", 8083, "v1"), stolen)) {
            assertRefused(afterARestart, Status.Code.UNAUTHENTICATED, "the token has been revoked");
        }
    }

    @Test
    void whoIsThereWhenIdentitiesComeProvesItselfOrGoes() throws IOException {
        Files.delete(folder.resolve("identity.yaml"));
        Node storefront = Nodes.client("storefront");
        await().untilAsserted(() -> assertThat(controlPlane.policies().inForce()).isEmpty());
        try (DeltaClient without = new DeltaClient(controlPlane.port(), Nodes.agent("orders", "1", 8081, "v1"));
                DeltaClient with = connect(storefront, token("storefront"))) {
            await().untilAsserted(() -> assertThat(without.listener(INBOUND)).isNotNull());
            await().untilAsserted(() -> assertThat(with.cluster(ORDERS)).isNotNull());
            identity("1h");
            await().untilAsserted(() -> assertThat(without.failure()).isNotNull());
            assertThat(Status.fromThrowable(without.failure()).getCode()).isEqualTo(Status.Code.UNAUTHENTICATED);
            await().untilAsserted(() -> assertThat(with.cluster(ORDERS).getTransportSocketMatchesCount()).isEqualTo(1));
            assertThat(with.failure()).isNull();
        }
    }

    @Test
    void nobodyTakesOverTheIdOfAnotherService() {
        try (DeltaClient orders = orders(true)) {
            await().untilAsserted(() -> assertThat(orders.listener(INBOUND)).isNotNull());
            Node thief = Nodes.client("batch").toBuilder().setId("default.orders-1").build();
            String resource = thief.getMetadata().getFieldsMap().get("dataplane.resource").getStringValue();
            Node renamed = thief.toBuilder()
                    .setMetadata(thief.getMetadata().toBuilder()
                            .putFields("dataplane.resource", Nodes.text(resource.replace("batch-0", "orders-1"))))
                    .build();
            try (DeltaClient other = connect(renamed, token("batch"))) {
                assertRefused(other, Status.Code.PERMISSION_DENIED, "the id default.orders-1 belongs to service orders");
            }
            assertThat(orders.failure()).isNull();
        }
    }

    /** A mesh in which nobody proves anything is no way in. */
    @Test
    void nobodyTakesOverTheIdOfAnotherMesh() throws IOException {
        withoutIdentities("open");
        try (DeltaClient orders = orders(true)) {
            await().untilAsserted(() -> assertThat(orders.listener(INBOUND)).isNotNull());
            Node node = Nodes.agent("orders", "1", 8081, "v1");
            String resource = node.getMetadata().getFieldsMap().get("dataplane.resource").getStringValue();
            Node foreign = node.toBuilder()
                    .setMetadata(node.getMetadata().toBuilder()
                            .putFields("dataplane.resource", Nodes.text(resource.replace("\"default\"", "\"open\""))))
                    .build();
            try (DeltaClient other = new DeltaClient(controlPlane.port(), foreign)) {
                assertRefused(other, Status.Code.PERMISSION_DENIED, "the id default.orders-1 belongs to mesh default");
            }
            assertThat(orders.failure()).isNull();
        }
    }

    @Test
    void whoSaysNotWhichServiceItIsGetsNoIdentity() {
        Node nameless = Nodes.client("batch").toBuilder().clearCluster().build();
        try (DeltaClient client = connect(nameless, token("orders"))) {
            assertRefused(client, Status.Code.PERMISSION_DENIED,
                    "default.batch-0 does not say which service it is; set node.cluster to orders");
        }
    }

    @Test
    void anAgentIsToldToAskForItsCertificateAndGetsNoKey() throws Exception {
        mode("Strict");
        try (DeltaClient orders = orders(true);
                DeltaClient storefront = connect(Nodes.client("storefront"), token("storefront"))) {
            await().untilAsserted(() -> assertThat(endpoint(storefront).getHealthStatus()).isEqualTo(HealthStatus.HEALTHY));
            storefront.subscribe(ResourceType.SECRET, List.of(BUNDLE, IDENTITY_SECRET), List.of());
            await().untilAsserted(() -> assertThat(storefront.secret(BUNDLE)).isNotNull());
            assertThat(storefront.secret(IDENTITY_SECRET)).isNull();

            Cluster.TransportSocketMatch match = storefront.cluster(ORDERS).getTransportSocketMatches(0);
            assertThat(match.getMatch().getFieldsMap().get("tlsMode").getStringValue()).isEqualTo("mesh");
            assertThat(storefront.cluster(ORDERS).hasTransportSocket()).isFalse();
            UpstreamTlsContext tls = unpack(match.getTransportSocket().getTypedConfig(), UpstreamTlsContext.class);
            assertThat(tls.getSni()).isEqualTo("sni.msvc.default.orders.80");
            CommonTlsContext common = tls.getCommonTlsContext();
            assertThat(common.getAlpnProtocolsList()).containsExactly("kuma");
            assertThat(common.getTlsCertificateProviderInstance().getInstanceName()).isEqualTo("default");
            assertThat(common.getTlsCertificateSdsSecretConfigsCount()).isZero();
            var validation = common.getCombinedValidationContext();
            assertThat(validation.getDefaultValidationContext().getMatchTypedSubjectAltNames(0).getMatcher().getExact())
                    .isEqualTo(ORDERS_ID);
            assertThat(validation.getValidationContextSdsSecretConfig().getName()).isEqualTo(BUNDLE);
            assertThat(List.of(orders, storefront)).allSatisfy(each -> assertThat(each.failure()).isNull());
        }
    }

    /** Before it is so: whoever would be refused can be told. */
    @Test
    void whatTheModeAndPermissionsMeanIsSaidInWords() throws IOException {
        mode("Permissive");
        String identity = Files.readString(folder.resolve("identity.yaml"));
        try (DeltaClient orders = orders(true)) {
            await().untilAsserted(() -> assertThat(chains(orders)).hasSize(3));
            String strict = "type: MeshTLS\nname: mode\nspec: {rules: [{default: {mode: Strict}}]}\n";

            assertThat(summaries(identity, strict)).contains("orders: now requires mutual TLS: plaintext callers will be refused");
            assertThat(summaries(identity, Files.readString(folder.resolve("tls.yaml")), """
                    type: MeshTrafficPermission
                    name: storefront-only
                    spec:
                      rules:
                      - default:
                          allow: [{spiffeID: {type: Exact, value: "spiffe://default.default.mesh.local/workload/storefront"}}]
                    """)).contains("orders: may be called by mutual TLS by spiffe://default.default.mesh.local/workload/storefront");
        }
    }

    private List<String> summaries(String... documents) {
        List<SourceText> texts = new ArrayList<>();
        for (String document : documents) {
            texts.add(new SourceText(texts.size() + ".yaml", Optional.of(document), Optional.empty()));
        }
        PolicyDiff diff = controlPlane.diff(texts);
        assertThat(diff.problems()).isEmpty();
        return diff.meshes().stream().flatMap(mesh -> mesh.changes().stream()).flatMap(change -> change.summary().stream()).toList();
    }

    private static LbEndpoint endpoint(DeltaClient client) {
        ClusterLoadAssignment assignment = client.endpoints(ORDERS);
        assertThat(assignment).isNotNull();
        return assignment.getEndpoints(0).getLbEndpoints(0);
    }

    private static boolean takesTls(DeltaClient client) {
        return endpoint(client).getMetadata().containsFilterMetadata("envoy.transport_socket_match");
    }

    /** An app that has called somebody, and so has its certificate, before it binds a port. */
    @Test
    void aPortThatIsOpenedByAnAgentWithACertificateIsCalledByTls() throws IOException {
        mode("Strict");
        try (DeltaClient orders = connect(holding(Nodes.client("orders")), token("orders"));
                DeltaClient storefront = connect(Nodes.agent("storefront", "1", 8080, "v1"), token("storefront"))) {
            await().untilAsserted(() -> assertThat(orders.listener("outbound_80")).isNotNull());
            await().until(() -> controlPlane.connected().stream().allMatch(AdsServer.Connected::current));
            orders.update(holding(Nodes.agent("orders", "0", 8081, "v1")));
            await().untilAsserted(() -> assertThat(orders.listener(INBOUND)).isNotNull());
            await().untilAsserted(() -> assertThat(healthy(storefront)).containsExactly(8081));

            orders.update(holding(Nodes.agent("orders", "0", inbound(8081), inbound(8091))));
            await().untilAsserted(() -> assertThat(healthy(storefront)).containsExactlyInAnyOrder(8081, 8091));

            orders.update(holding(Nodes.agent("orders", "0", 8091, "v1")));
            await().untilAsserted(() -> assertThat(orders.listener(INBOUND)).isNull());
            await().untilAsserted(() -> assertThat(healthy(storefront)).containsExactly(8091));
        }
    }

    /** Else the others would be called in plaintext, or not at all, for the moment until the new one is ready. */
    @Test
    void aPortThatIsOpenedTakesMeshTlsBackForNoOther() throws IOException {
        mode("Permissive");
        try (DeltaClient orders = connect(holding(Nodes.agent("orders", "0", inbound(8081))), token("orders"));
                DeltaClient storefront = connect(Nodes.agent("storefront", "1", 8080, "v1"), token("storefront"))) {
            await().untilAsserted(() -> assertThat(byTls(storefront)).containsExactly(8081));
            // The mode of the test before may have been the first that it was told.
            await().untilAsserted(() -> assertThat(healthy(storefront)).containsExactly(8081));
            int before = storefront.history(ORDERS).size();

            orders.refuse("self_inbound_dp_8091");
            orders.update(holding(Nodes.agent("orders", "0", inbound(8081), inbound(8091))));
            await().untilAsserted(() -> assertThat(healthy(storefront)).containsExactlyInAnyOrder(8081, 8091));
            assertThat(byTls(storefront)).as("the new one is not ready").containsExactly(8081);

            mode("Strict");
            await().untilAsserted(() -> assertThat(healthy(storefront)).containsExactly(8081));
            orders.refuse();
            mode("Permissive");
            await().untilAsserted(() -> assertThat(healthy(storefront)).containsExactlyInAnyOrder(8081, 8091));
            await().untilAsserted(() -> assertThat(byTls(storefront)).containsExactlyInAnyOrder(8081, 8091));
            assertThat(storefront.history(ORDERS).stream().skip(before)).isNotEmpty()
                    .allSatisfy(each -> assertThat(each).containsEntry(8081, HealthStatus.HEALTHY));
        }
    }

    private static List<Integer> byTls(DeltaClient client) {
        ClusterLoadAssignment assignment = client.endpoints(ORDERS);
        assertThat(assignment).isNotNull();
        return assignment.getEndpointsList().stream()
                .flatMap(locality -> locality.getLbEndpointsList().stream())
                .filter(endpoint -> endpoint.getMetadata().containsFilterMetadata("envoy.transport_socket_match"))
                .map(endpoint -> endpoint.getEndpoint().getAddress().getSocketAddress().getPortValue())
                .toList();
    }

    private static String inbound(int port) {
        return "{\"port\":%d,\"tags\":{\"kuma.io/service\":\"orders\",\"kuma.io/protocol\":\"http\"}}".formatted(port);
    }

    private static List<Integer> healthy(DeltaClient client) {
        ClusterLoadAssignment assignment = client.endpoints(ORDERS);
        assertThat(assignment).isNotNull();
        return assignment.getEndpointsList().stream()
                .flatMap(locality -> locality.getLbEndpointsList().stream())
                .filter(endpoint -> endpoint.getHealthStatus() == HealthStatus.HEALTHY)
                .map(endpoint -> endpoint.getEndpoint().getAddress().getSocketAddress().getPortValue())
                .toList();
    }

    /** Nothing goes to a strict inbound in plaintext, and nothing to a permissive one in TLS before it can take it. */
    @Test
    void anEndpointIsReachedByTlsOnceItCanTakeIt() throws IOException {
        mode("Permissive");
        try (DeltaClient orders = orders(false);
                DeltaClient storefront = connect(Nodes.client("storefront"), token("storefront"))) {
            await().untilAsserted(() -> assertThat(chains(orders)).hasSize(3));
            await().untilAsserted(() -> assertThat(takesTls(storefront)).isFalse());
            assertThat(endpoint(storefront).getHealthStatus()).isEqualTo(HealthStatus.HEALTHY);

            mode("Strict");
            await().untilAsserted(() -> assertThat(takesTls(storefront)).isTrue());
            assertThat(endpoint(storefront).getHealthStatus()).isEqualTo(HealthStatus.UNHEALTHY);

            mode("Permissive");
            await().untilAsserted(() -> assertThat(takesTls(storefront)).isFalse());
            orders.update(holding(Nodes.agent("orders", "1", 8081, "v1")));
            await().untilAsserted(() -> assertThat(takesTls(storefront)).isTrue());
            assertThat(endpoint(storefront).getHealthStatus()).isEqualTo(HealthStatus.HEALTHY);
        }
    }

    /** What it refuses does not hold, so nobody is to call it as if it did. */
    @Test
    void anInboundThatIsRefusedTakesNoTls() throws IOException {
        mode("Permissive");
        try (DeltaClient storefront = connect(Nodes.client("storefront"), token("storefront"));
                DeltaClient orders = new DeltaClient(controlPlane.port(), holding(Nodes.agent("orders", "1", 8081, "v1")),
                        token("orders"), INBOUND)) {
            await().untilAsserted(() -> assertThat(rejections()).containsKey(ResourceType.LISTENER.typeUrl()));
            // A change for all, after which what the answer brought about has come.
            try (DeltaClient stock = connect(Nodes.agent("stock", "1", 8091, "v1"), token("stock"))) {
                await().untilAsserted(() -> assertThat(storefront.endpoints("kri_msvc_default___stock_80")).isNotNull());
                assertThat(takesTls(storefront)).isFalse();
                assertThat(stock.failure()).isNull();
            }
            assertThat(orders.failure()).isNull();
        }
    }

    private Map<String, String> rejections() {
        return controlPlane.connected().stream()
                .filter(each -> each.node().id().equals("default.orders-1"))
                .findFirst()
                .orElseThrow()
                .rejections();
    }

    private static List<FilterChain> chains(DeltaClient client) {
        Listener listener = client.listener(INBOUND);
        return listener == null ? List.of() : listener.getFilterChainsList();
    }

    @Test
    void anInboundIsShapedAsKumaDoesIt() throws Exception {
        mode("Permissive");
        write("permission.yaml", """
                type: MeshTrafficPermission
                name: storefront-only
                spec:
                  rules:
                  - default:
                      allow: [{spiffeID: {type: Exact, value: "spiffe://default.default.mesh.local/workload/storefront"}}]
                """);
        try (DeltaClient orders = orders(true)) {
            await().untilAsserted(() -> assertThat(chains(orders)).hasSize(3));
            List<FilterChain> chains = chains(orders);
            assertThat(orders.listener(INBOUND).getListenerFilters(0).getName()).isEqualTo("envoy.filters.listener.tls_inspector");
            assertThat(chains.get(0).getFilterChainMatch().getTransportProtocol()).isEqualTo("raw_buffer");
            assertThat(chains.get(1).getFilterChainMatch().getTransportProtocol()).isEqualTo("tls");
            assertThat(chains.get(2).getFilterChainMatch().getApplicationProtocolsList()).containsExactly("kuma");
            assertThat(chains.get(0).hasTransportSocket()).isFalse();
            assertThat(chains.get(1).hasTransportSocket()).isFalse();
            assertThat(manager(chains.get(0)).getHttpFiltersCount()).isEqualTo(1);

            mode("Strict");
            await().untilAsserted(() -> assertThat(chains(orders)).hasSize(1));
            FilterChain strict = chains(orders).get(0);
            assertThat(strict.hasFilterChainMatch()).isFalse();
            DownstreamTlsContext tls = unpack(strict.getTransportSocket().getTypedConfig(), DownstreamTlsContext.class);
            assertThat(tls.getRequireClientCertificate().getValue()).isTrue();
            assertThat(tls.getCommonTlsContext().getCombinedValidationContext().getDefaultValidationContext()
                            .getMatchTypedSubjectAltNames(0).getMatcher().getPrefix())
                    .isEqualTo("spiffe://default.default.mesh.local/");
            HttpConnectionManager manager = manager(strict);
            assertThat(manager.getForwardClientCertDetails()).isEqualTo(HttpConnectionManager.ForwardClientCertDetails.SANITIZE_SET);
            assertThat(manager.getHttpFilters(0).getName()).isEqualTo("envoy.filters.http.rbac");
            RBAC rbac = unpack(manager.getHttpFilters(0).getTypedConfig(), RBAC.class);
            assertThat(rbac.getMatcher().getMatcherList().getMatchers(0).getPredicate().getSinglePredicate().getValueMatch().getExact())
                    .isEqualTo("spiffe://default.default.mesh.local/workload/storefront");
            assertThat(rbac.hasShadowMatcher()).isFalse();

            Files.delete(folder.resolve("permission.yaml"));
            await().untilAsserted(() -> {
                RBAC denying = unpack(manager(chains(orders).get(0)).getHttpFilters(0).getTypedConfig(), RBAC.class);
                assertThat(denying.hasMatcher()).isFalse();
                assertThat(denying.hasRules()).isTrue();
                assertThat(denying.getRules().getPoliciesCount()).isZero();
            });
        }
    }

    /** Who checks health has no certificate. */
    @Test
    void aStrictInboundLetsAnybodyAskForItsHealthAndForNothingElse() throws Exception {
        mode("Strict");
        Node node = Nodes.agent("orders", "1", 8081, "v1");
        String probes = ",\"probes\":{\"endpoints\":[{\"inboundPort\":8081,\"inboundPath\":\"/ready\"},"
                + "{\"inboundPort\":8081,\"inboundPath\":\"/live\"},{\"inboundPort\":8082,\"inboundPath\":\"/other\"}]}}";
        String resource = node.getMetadata().getFieldsOrThrow("dataplane.resource").getStringValue().replaceFirst("}$", probes);
        try (DeltaClient orders = connect(node.toBuilder()
                .setMetadata(node.getMetadata().toBuilder().putFields("dataplane.resource", Nodes.text(resource)))
                .build(), token("orders"))) {
            await().untilAsserted(() -> assertThat(chains(orders)).hasSize(2));
            FilterChain health = chains(orders).get(0);
            assertThat(health.getFilterChainMatch().getTransportProtocol()).isEqualTo("raw_buffer");
            assertThat(health.hasTransportSocket()).isFalse();
            RBAC rbac = unpack(manager(health).getHttpFilters(0).getTypedConfig(), RBAC.class);
            assertThat(rbac.getRules().getPoliciesOrThrow("health-paths").getPermissionsList())
                    .extracting(permission -> permission.getAndRules().getRules(0).getUrlPath().getPath().getExact())
                    .containsExactly("/live", "/ready");
            FilterChain mesh = chains(orders).get(1);
            assertThat(mesh.getFilterChainMatch().getTransportProtocol()).isEqualTo("tls");
            assertThat(mesh.hasTransportSocket()).isTrue();
            mode("Permissive");
            await().untilAsserted(() -> assertThat(chains(orders)).hasSize(3));
        }
    }

    private static HttpConnectionManager manager(FilterChain chain) throws InvalidProtocolBufferException {
        return unpack(chain.getFilters(0).getTypedConfig(), HttpConnectionManager.class);
    }

    private static <T extends Message> T unpack(Any any, Class<T> type) throws InvalidProtocolBufferException {
        return any.unpack(type);
    }

    @Test
    void aProxyGetsKeyAndCertificateBySdsAndNewOnesInTime() throws Exception {
        identity("3s");
        try (DeltaClient orders = connect(proxy(Nodes.agent("orders", "1", 8081, "v1")), token("orders"))) {
            await().untilAsserted(() -> assertThat(orders.names(ResourceType.CLUSTER)).isNotEmpty());
            orders.subscribe(ResourceType.SECRET, List.of(IDENTITY_SECRET, BUNDLE), List.of());
            Set<X509Certificate> seen = new HashSet<>();
            await().untilAsserted(() -> {
                Secret secret = orders.secret(IDENTITY_SECRET);
                assertThat(secret).isNotNull();
                X509Certificate leaf = certificates(secret.getTlsCertificate().getCertificateChain().getInlineBytes().toStringUtf8()).get(0);
                leaf.checkValidity();
                seen.add(leaf);
                assertThat(seen.size()).isGreaterThanOrEqualTo(4);
            });
            Secret secret = orders.secret(IDENTITY_SECRET);
            X509Certificate leaf = certificates(secret.getTlsCertificate().getCertificateChain().getInlineBytes().toStringUtf8()).get(0);
            assertThat(leaf.getSubjectAlternativeNames()).containsExactly(List.of(6, ORDERS_ID));
            leaf.verify(bundle(orders).get(0).getPublicKey());
            assertThat(Pem.key(secret.getTlsCertificate().getPrivateKey().getInlineBytes().toStringUtf8(), "EC")).isNotNull();
        }
    }

    private static List<X509Certificate> certificates(String pem) throws IOException {
        return Pem.certificates(pem);
    }

    private static List<X509Certificate> bundle(DeltaClient client) throws Exception {
        SPIFFECertValidatorConfig validator = unpack(
                client.secret(BUNDLE).getValidationContext().getCustomValidatorConfig().getTypedConfig(),
                SPIFFECertValidatorConfig.class);
        assertThat(validator.getTrustDomains(0).getName()).isEqualTo("default.default.mesh.local");
        return certificates(validator.getTrustDomains(0).getTrustBundle().getInlineBytes().toStringUtf8());
    }

    /** The command line rotates in another process; the control plane notices. */
    @Test
    void aRootIsRotatedWhileItIsInUse() throws Exception {
        identity("2s");
        try (DeltaClient storefront = connect(Nodes.client("storefront"), token("storefront"))) {
            await().untilAsserted(() -> assertThat(storefront.names(ResourceType.LISTENER)).isNotNull());
            storefront.subscribe(ResourceType.SECRET, List.of(BUNDLE), List.of());
            await().untilAsserted(() -> assertThat(storefront.secret(BUNDLE)).isNotNull());
            X509Certificate old = bundle(storefront).get(0);

            new RootFile(folder.resolve(".weft"), "default").rotate(Instant.now(), Duration.ofSeconds(1));
            await().untilAsserted(() -> assertThat(bundle(storefront)).hasSize(2).contains(old));
            await().untilAsserted(() -> {
                X509Certificate leaf = certificates(certificate("orders").get(0)).get(0);
                assertThat(leaf.getIssuerX500Principal()).isNotEqualTo(old.getSubjectX500Principal());
            });
            assertThat(bundle(storefront)).hasSize(2).contains(old);
        }
    }

    @Test
    void aCertificateIsForWhatTheTokenProvesWhateverTheRequestSays() throws Exception {
        KeyPair pair = Root.newKey();
        List<String> answer = request(Optional.of(token("orders")), csr(pair));
        X509Certificate leaf = certificates(answer.get(0)).get(0);
        assertThat(leaf.getSubjectAlternativeNames()).containsExactly(List.of(6, ORDERS_ID));
        assertThat(leaf.getPublicKey()).isEqualTo(pair.getPublic());
        assertThat(Duration.between(Instant.now(), leaf.getNotAfter().toInstant())).isBetween(Duration.ofMinutes(59), Duration.ofHours(1));
        leaf.verify(certificates(answer.get(answer.size() - 1)).get(0).getPublicKey());
    }

    @Test
    void nobodyGetsACertificateWithoutAToken() throws Exception {
        String csr = csr(Root.newKey());
        assertThatThrownBy(() -> request(Optional.empty(), csr))
                .isInstanceOf(StatusRuntimeException.class)
                .hasMessageContaining("UNAUTHENTICATED: nobody gets a certificate without a token");
        assertThatThrownBy(() -> request(Optional.of(tokens.issue("other", "orders", Duration.ofHours(1))), csr))
                .hasMessageContaining("FAILED_PRECONDITION: no MeshIdentity of mesh other is for service orders");
        assertThatThrownBy(() -> request(Optional.of(token("orders")), "nonsense")).hasMessageContaining("INVALID_ARGUMENT: csr");
    }

    @Test
    void aMeshWhoseRootOthersCanReadDoesNotStart() throws IOException {
        controlPlane.close();
        Path root = new RootFile(folder.resolve(".weft"), "default").path();
        Files.setPosixFilePermissions(root, PosixFilePermissions.fromString("rw-r--r--"));
        assertThatThrownBy(() -> ControlPlane.start(ControlPlane.Settings.of(folder, new InetSocketAddress("127.0.0.1", 0))))
                .isInstanceOf(IOException.class)
                .hasMessageContaining(root + " holds a private key and is open to others");
    }

    @Test
    void thePortItselfSpeaksTlsWithACertificateOfTheOperator() throws Exception {
        KeyPair pair = Root.newKey();
        Root root = new RootFile(folder.resolve("port"), "port").at(Instant.now(), Duration.ofDays(1)).signing();
        X509Certificate certificate = root.chain().get(0);
        Path chain = Files.writeString(folder.resolve("port.pem"), Pem.of(certificate));
        Path key = Files.writeString(folder.resolve("port.key"), Pem.of(root.key()));
        InetSocketAddress anywhere = new InetSocketAddress("127.0.0.1", 0);
        ControlPlane.Settings plain = ControlPlane.Settings.of(folder, anywhere);
        ControlPlane.Settings secured = new ControlPlane.Settings(
                new ControlPlane.Folder(folder, folder.resolve("other")), anywhere, plain.grace(), plain.tokens(),
                Optional.of(new ControlPlane.Tls(chain, key)), plain.limits());
        try (ControlPlane other = ControlPlane.start(secured)) {
            SSLContext context = SSLContext.getInstance("TLS");
            context.init(null, trusting(certificate), null);
            try (SSLSocket socket =
                    (SSLSocket) context.getSocketFactory().createSocket("127.0.0.1", other.port())) {
                SSLParameters parameters = socket.getSSLParameters();
                parameters.setApplicationProtocols(new String[] {"h2"});
                socket.setSSLParameters(parameters);
                socket.startHandshake();
                assertThat(socket.getApplicationProtocol()).isEqualTo("h2");
            }
        }
        Files.writeString(key, Pem.of(pair.getPrivate()).substring(0, 40));
        assertThatThrownBy(() -> ControlPlane.start(secured)).isInstanceOf(IOException.class).hasMessageContaining("port.pem");
    }

    private static TrustManager[] trusting(X509Certificate certificate) throws Exception {
        KeyStore store = KeyStore.getInstance("PKCS12");
        store.load(null, null);
        store.setCertificateEntry("port", certificate);
        TrustManagerFactory factory = TrustManagerFactory.getInstance("PKIX");
        factory.init(store);
        return factory.getTrustManagers();
    }

    private List<String> certificate(String service) throws Exception {
        return request(Optional.of(token(service)), csr(Root.newKey()));
    }

    private static String csr(KeyPair pair) throws Exception {
        StringWriter text = new StringWriter();
        try (JcaPEMWriter writer = new JcaPEMWriter(text)) {
            writer.writeObject(new JcaPKCS10CertificationRequestBuilder(new X500Principal("CN=admin"), pair.getPublic())
                    .build(new JcaContentSignerBuilder("SHA256withECDSA").build(pair.getPrivate())));
        }
        return text.toString();
    }

    /** As Istio's clients encode it, with the generic messages of protobuf. */
    private List<String> request(Optional<String> token, String csr) {
        ManagedChannel channel = NettyChannelBuilder.forAddress("127.0.0.1", controlPlane.port()).usePlaintext().build();
        try {
            MethodDescriptor<byte[], byte[]> method = MethodDescriptor.<byte[], byte[]>newBuilder()
                    .setType(MethodDescriptor.MethodType.UNARY)
                    .setFullMethodName("istio.v1.auth.IstioCertificateService/CreateCertificate")
                    .setRequestMarshaller(new Bytes())
                    .setResponseMarshaller(new Bytes())
                    .build();
            var request = com.google.protobuf.UnknownFieldSet.newBuilder()
                    .addField(1, com.google.protobuf.UnknownFieldSet.Field.newBuilder()
                            .addLengthDelimited(com.google.protobuf.ByteString.copyFromUtf8(csr)).build())
                    .addField(3, com.google.protobuf.UnknownFieldSet.Field.newBuilder().addVarint(86_400).build())
                    .build();
            byte[] answer = ClientCalls.blockingUnaryCall(
                    ClientInterceptors.intercept(channel, DeltaClient.bearing(token)), method, CallOptions.DEFAULT, request.toByteArray());
            List<String> chain = new ArrayList<>();
            com.google.protobuf.UnknownFieldSet.parseFrom(answer).getField(1).getLengthDelimitedList()
                    .forEach(each -> chain.add(each.toStringUtf8()));
            return chain;
        } catch (InvalidProtocolBufferException e) {
            throw new AssertionError(e);
        } finally {
            channel.shutdownNow();
        }
    }

    private static final class Bytes implements MethodDescriptor.Marshaller<byte[]> {
        @Override
        public InputStream stream(byte[] value) {
            return new ByteArrayInputStream(value);
        }

        @Override
        public byte[] parse(InputStream stream) {
            try {
                return stream.readAllBytes();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }
}
