package io.weft.it.istio;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.google.protobuf.Any;
import com.google.protobuf.Message;
import io.envoyproxy.envoy.admin.v3.BootstrapConfigDump;
import io.envoyproxy.envoy.admin.v3.ClientResourceStatus;
import io.envoyproxy.envoy.admin.v3.ClustersConfigDump;
import io.envoyproxy.envoy.admin.v3.ConfigDump;
import io.envoyproxy.envoy.admin.v3.EndpointsConfigDump;
import io.envoyproxy.envoy.admin.v3.ListenersConfigDump;
import io.envoyproxy.envoy.admin.v3.RoutesConfigDump;
import io.envoyproxy.envoy.admin.v3.SecretsConfigDump;
import io.envoyproxy.envoy.config.cluster.v3.Cluster;
import io.envoyproxy.envoy.config.core.v3.Node;
import io.envoyproxy.envoy.config.endpoint.v3.ClusterLoadAssignment;
import io.envoyproxy.envoy.config.listener.v3.Listener;
import io.envoyproxy.envoy.config.route.v3.RouteConfiguration;
import io.envoyproxy.envoy.extensions.transport_sockets.tls.v3.Secret;
import io.envoyproxy.envoy.extensions.transport_sockets.tls.v3.TlsCertificate;
import io.weft.driver.JavaNetHttp;
import io.weft.driver.JdkHttpServer;
import io.weft.it.harness.AdminPage;
import io.weft.it.harness.Authority;
import io.weft.it.harness.Certified;
import io.weft.it.harness.EveryJdk;
import io.weft.it.harness.IstioControlPlane;
import io.weft.it.harness.Jdk;
import io.weft.it.harness.JvmCommand;
import io.weft.it.harness.JvmProcess;
import io.weft.it.harness.Policy;
import io.weft.it.harness.Testbed;
import io.weft.it.harness.Upstream;
import io.weft.it.server.TlsClient;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Base64;
import java.util.Map;
import javax.net.ssl.SSLContext;
import org.junit.jupiter.api.extension.RegisterExtension;

/** An app under the real jar joins a mesh of Istio by the rules of its control plane, with its certificate by request and the name table. */
class IstioJoinIT {
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final Authority MESH = new Authority("mesh");
    private static final String STOREFRONT = "spiffe://cluster.local/ns/shop/sa/storefront";
    private static final String ORDERS = "spiffe://cluster.local/ns/shop/sa/orders";

    @RegisterExtension
    final Testbed testbed = new Testbed();

    @EveryJdk
    void callsByMeshTlsWhereAnEndpointHasItAndFindsWhatIsBoundToAnAddress(Jdk jdk) throws Exception {
        Upstream orders = testbed.upstream("orders", MESH.certify(ORDERS).trusting(MESH));
        Upstream legacy = testbed.upstream("legacy");
        IstioControlPlane istiod = start(STOREFRONT, "storefront");
        IstioShape shape = new IstioShape();
        istiod.serve(
                shape.service(
                        shape.service(Policy.empty(), "orders", 80, orders.address(), ORDERS),
                        "legacy", 80, legacy.address(), "")
                        .listener(shape.sniffed("10.96.0.11", 9090, "any"))
                        .routes(shape.anyHost("any.shop.svc.cluster.local:9090", "outbound|80||orders.shop.svc.cluster.local")),
                Map.of("any.shop.svc.cluster.local", "10.96.0.11"));
        Path sockets = testbed.temporaryFolder().resolve("sockets");
        JvmProcess client = member(jdk, istiod, "storefront").environment("WEFT_ADMIN_DIR", sockets.toString()).driver(JavaNetHttp.class);

        await().atMost(PATIENCE).ignoreExceptions()
                .until(() -> client.get("http://orders.shop.svc.cluster.local/").body().equals("orders"));
        assertThat(client.get("http://orders/").body()).isEqualTo("orders");
        assertThat(client.get("http://legacy/").body()).as("no mesh TLS there").isEqualTo("legacy");
        assertThat(client.get("http://any.shop.svc.cluster.local:9090/").body()).isEqualTo("orders");
        assertThat(client.get("http://10.96.0.11:9090/").body()).isEqualTo("orders");

        Node node = istiod.dataPlanes().get(0);
        assertThat(node.getId()).matches("sidecar~127\\.0\\.0\\.1~storefront-1\\.shop~shop\\.svc\\.cluster\\.local");
        assertThat(node.getMetadata().getFieldsOrThrow("SERVICE_ACCOUNT").getStringValue()).isEqualTo("storefront");
        assertThat(node.getMetadata().getFieldsOrThrow("LABELS").getStructValue().getFieldsOrThrow("security.istio.io/tlsMode").getStringValue())
                .isEqualTo("istio");
        assertThat(istiod.proxies()).containsExactly(node.getId());
        assertThat(istiod.health()).as("a pod's is Kubernetes' affair").isEmpty();
        assertThat(istiod.refusals()).isEmpty();
        assertThat(istiod.turnedAway()).isEmpty();
        assertThat(istiod.mistakes()).isEmpty();

        Path socket = sockets.resolve(client.pid() + ".sock");
        await().atMost(PATIENCE).until(() -> AdminPage.isOpen(socket));
        tellsWhatItHasAsAnEnvoyDoes(AdminPage.ask(socket, "GET", "/config_dump?format=protobuf"));
    }

    private static void tellsWhatItHasAsAnEnvoyDoes(String said) throws IOException {
        byte[] bytes = Base64.getDecoder().decode(said.strip());
        assertThat(new String(bytes, StandardCharsets.ISO_8859_1)).doesNotContain("PRIVATE KEY");
        ConfigDump dump = ConfigDump.parseFrom(bytes);
        assertThat(section(dump, BootstrapConfigDump.class).getBootstrap().getNode().getId()).contains("~storefront-1.shop~");
        assertThat(section(dump, ClustersConfigDump.class).getDynamicActiveClustersList()).anySatisfy(told -> {
            assertThat(told.getCluster().unpack(Cluster.class).getName()).isEqualTo("outbound|80||orders.shop.svc.cluster.local");
            assertThat(told.getVersionInfo()).isNotEmpty();
            assertThat(told.getLastUpdated().getSeconds()).isPositive();
            assertThat(told.getClientStatus()).isEqualTo(ClientResourceStatus.ACKED);
        });
        assertThat(section(dump, EndpointsConfigDump.class).getDynamicEndpointConfigsList()).anySatisfy(told -> assertThat(
                told.getEndpointConfig().unpack(ClusterLoadAssignment.class).getClusterName()).isEqualTo("outbound|80||orders.shop.svc.cluster.local"));
        assertThat(section(dump, ListenersConfigDump.class).getDynamicListenersList()).anySatisfy(told -> {
            assertThat(told.getName()).isEqualTo("10.96.0.11_9090");
            assertThat(told.getActiveState().getListener().unpack(Listener.class).getName()).isEqualTo("10.96.0.11_9090");
        });
        assertThat(section(dump, RoutesConfigDump.class).getDynamicRouteConfigsList()).anySatisfy(
                told -> assertThat(told.getRouteConfig().unpack(RouteConfiguration.class).getName()).isEqualTo("80"));
        assertThat(section(dump, SecretsConfigDump.class).getDynamicActiveSecretsList()).hasSize(2)
                .anySatisfy(told -> {
                    TlsCertificate own = told.getSecret().unpack(Secret.class).getTlsCertificate();
                    assertThat(own.getCertificateChain().getInlineBytes().toStringUtf8()).startsWith("-----BEGIN CERTIFICATE-----\n");
                    assertThat(own.getPrivateKey().getInlineString()).isEqualTo("[redacted]");
                })
                .anySatisfy(told -> assertThat(
                        told.getSecret().unpack(Secret.class).getValidationContext().getTrustedCa().getInlineBytes().toStringUtf8())
                        .isEqualTo(Certified.pem(MESH.certificate())));
    }

    private static <T extends Message> T section(ConfigDump dump, Class<T> type) throws IOException {
        for (Any section : dump.getConfigsList()) {
            if (section.is(type)) {
                return section.unpack(type);
            }
        }
        throw new AssertionError("no " + type.getSimpleName() + " in " + dump);
    }

    @EveryJdk
    void isCalledByMeshTlsWithTheCertificateOfItsServiceAccount(Jdk jdk) {
        IstioControlPlane istiod = start(ORDERS, "orders");
        istiod.serve(Policy.empty(), Map.of());
        JvmProcess server = member(jdk, istiod, "orders").unguarded().environment("ISTIO_META_AUTO_REGISTER_GROUP", "orders")
                .driver(JdkHttpServer.class, "orders");
        int port = server.awaitPort();
        istiod.serve(Policy.empty().listener(new IstioShape().inbound(port)), Map.of());

        SSLContext caller = MESH.certify(STOREFRONT).trusting(MESH);
        await().atMost(PATIENCE).ignoreExceptions().until(() -> ask(caller, port).startsWith("HTTP/1.1 200"));
        assertThat(istiod.health()).as("what istiod has a WorkloadEntry of").endsWith("");
        server.stop();
        await().atMost(PATIENCE).until(() -> istiod.health().get(istiod.health().size() - 1).equals("it is about to stop"));
        assertThat(istiod.refusals()).isEmpty();
        assertThat(istiod.mistakes()).isEmpty();
    }

    /** The pod of template {@code grpc-agent}: the app has no token, but a socket and files of the container beside it. */
    @EveryJdk
    void joinsByWhatWasMadeForGrpcWithoutAProxy(Jdk jdk) throws Exception {
        Path folder = testbed.temporaryFolder();
        Upstream orders = testbed.upstream("orders", MESH.certify(ORDERS).trusting(MESH));
        IstioControlPlane istiod = testbed.closeAfterwards(IstioControlPlane.byAgent(folder.resolve("XDS")));
        IstioShape shape = new IstioShape();
        istiod.serve(shape.service(Policy.empty(), "orders", 80, orders.address(), ORDERS)
                .listener(shape.sniffed("10.96.0.11", 9090, "any"))
                .routes(shape.anyHost("any.shop.svc.cluster.local:9090", "outbound|80||orders.shop.svc.cluster.local")), Map.of());
        Certified own = MESH.certify(STOREFRONT);
        String bootstrap = """
                {"xds_servers": [{"server_uri": "unix:///%s", "channel_creds": [{"type": "insecure"}], "server_features": ["xds_v3"]}],
                 "node": {"id": "sidecar~10.1.2.3~storefront-1.shop~shop.svc.cluster.local", "locality": {}, "UserAgentVersionType": null,
                  "metadata": {"GENERATOR": "grpc", "DNS_CAPTURE": "false", "INSTANCE_IPS": "10.1.2.3", "NAME": "storefront-1", "NAMESPACE": "shop",
                   "SERVICE_ACCOUNT": "storefront", "PROXY_CONFIG": {"statusPort": 15020}, "LABELS": {"app": "storefront"}}},
                 "certificate_providers": {"default": {"plugin_name": "file_watcher", "config": {"certificate_file": "%s",
                  "private_key_file": "%s", "ca_certificate_file": "%s", "refresh_interval": "900s"}}},
                 "server_listener_resource_name_template": "xds.istio.io/grpc/lds/inbound/%%s"}
                """.formatted(
                folder.resolve("XDS").toString().substring(1),
                Files.writeString(folder.resolve("cert-chain.pem"), own.certificatePem()),
                Files.writeString(folder.resolve("key.pem"), own.keyPem()),
                Files.writeString(folder.resolve("root-cert.pem"), Certified.pem(MESH.certificate())));
        JvmProcess client = testbed.jvm("storefront", jdk).agent()
                .environment("WEFT_CONTROL_PLANE_KIND", "istio")
                .environment("WEFT_STARTUP_WAIT", "30s")
                .environment("GRPC_XDS_BOOTSTRAP", Files.writeString(folder.resolve("grpc-bootstrap.json"), bootstrap).toString())
                .driver(JavaNetHttp.class);

        await().atMost(PATIENCE).ignoreExceptions().until(() -> client.get("http://orders/").body().equals("orders"));
        assertThat(client.get("http://any:9090/").body()).as("there is no name table").isEqualTo("orders");
        Node node = istiod.dataPlanes().get(0);
        assertThat(node.getId()).isEqualTo("sidecar~10.1.2.3~storefront-1.shop~shop.svc.cluster.local");
        assertThat(node.getMetadata().getFieldsMap()).as("with the sidecar's configuration, which has more").doesNotContainKey("GENERATOR")
                .containsKey("PROXY_CONFIG");
        assertThat(node.getMetadata().getFieldsOrThrow("SERVICE_ACCOUNT").getStringValue()).isEqualTo("storefront");
        assertThat(istiod.refusals()).isEmpty();
        assertThat(istiod.turnedAway()).isEmpty();
        assertThat(istiod.mistakes()).isEmpty();
    }

    private static String ask(SSLContext caller, int port) throws IOException {
        String request = "GET / HTTP/1.1\r\nHost: orders\r\nConnection: close\r\n\r\n";
        return new String(TlsClient.ask(caller, port, request), StandardCharsets.ISO_8859_1);
    }

    private IstioControlPlane start(String identity, String account) {
        return testbed.closeAfterwards(IstioControlPlane.start(MESH, token(account), identity));
    }

    private JvmCommand member(Jdk jdk, IstioControlPlane istiod, String account) {
        try {
            return testbed.jvm(account, jdk).mesh(istiod.uri(), account)
                    .environment("WEFT_CONTROL_PLANE_KIND", "istio")
                    .environment("WEFT_CONTROL_PLANE_TOKEN_FILE",
                            Files.writeString(testbed.temporaryFolder().resolve("istio-token"), token(account)).toString());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** As Kubernetes makes one for a pod; nobody here checks its signature. */
    private static String token(String account) {
        String claims = "{\"aud\":[\"istio-ca\"],\"kubernetes.io\":{\"namespace\":\"shop\",\"pod\":{\"name\":\"" + account
                + "-1\"},\"serviceaccount\":{\"name\":\"" + account + "\"}},\"sub\":\"system:serviceaccount:shop:" + account + "\"}";
        return "e30." + Base64.getUrlEncoder().withoutPadding().encodeToString(claims.getBytes(StandardCharsets.UTF_8)) + ".c2ln";
    }
}
