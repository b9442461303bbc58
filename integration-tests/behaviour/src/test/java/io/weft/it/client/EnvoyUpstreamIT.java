package io.weft.it.client;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.Any;
import com.google.protobuf.util.Durations;
import io.envoyproxy.envoy.config.cluster.v3.Cluster;
import io.envoyproxy.envoy.config.core.v3.Http2ProtocolOptions;
import io.envoyproxy.envoy.extensions.upstreams.http.v3.HttpProtocolOptions;
import io.weft.driver.GrpcClient;
import io.weft.driver.GrpcServer;
import io.weft.it.envoy.Envoy;
import io.weft.it.envoy.EnvoyBinary;
import io.weft.it.harness.Authority;
import io.weft.it.harness.Certified;
import io.weft.it.harness.Jdk;
import io.weft.it.harness.Jdks;
import io.weft.it.harness.JvmProcess;
import io.weft.it.harness.Library;
import io.weft.it.harness.MeshTlsSockets;
import io.weft.it.harness.Policy;
import io.weft.it.harness.PolicyServer;
import io.weft.it.harness.Port;
import io.weft.it.harness.Routes;
import io.weft.it.harness.Testbed;
import io.weft.it.server.Relay;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.Map;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** JVM clients call a stock Envoy that takes nothing but mutual TLS; what is on the wire is recorded. */
class EnvoyUpstreamIT {
    private static final Authority MESH = new Authority("mesh");
    private static final Certified ORDERS = MESH.certify("spiffe://mesh/orders");
    private static final Certified SHOP = MESH.certify("spiffe://mesh/shop");
    /** Istio's and Kuma's clusters ask for it; the client speaks HTTP/1.1 nevertheless. */
    private static final Consumer<Cluster.Builder> HTTP_2 = cluster -> cluster.putTypedExtensionProtocolOptions(
            "envoy.extensions.upstreams.http.v3.HttpProtocolOptions", Any.pack(HttpProtocolOptions.newBuilder()
                    .setExplicitHttpConfig(HttpProtocolOptions.ExplicitHttpConfig.newBuilder()
                            .setHttp2ProtocolOptions(Http2ProtocolOptions.getDefaultInstance()))
                    .build()));

    private static final Consumer<Cluster.Builder> SECURED = cluster -> cluster
            .setTransportSocket(MeshTlsSockets.upstream(MESH, SHOP, "spiffe://mesh/orders")).setConnectTimeout(Durations.fromSeconds(20));

    @RegisterExtension
    final Testbed testbed = new Testbed();

    /**
     * Answers with what it knows of the client.
     *
     * @param app serves what is asked by gRPC
     */
    private Envoy envoy(int port, int app) throws IOException {
        return testbed.closeAfterwards(Envoy.start(EnvoyBinary.find(), """
                static_resources:
                  listeners:
                  - name: in
                    address: {socket_address: {address: 127.0.0.1, port_value: %d}}
                    filter_chains:
                    - filters:
                      - name: http
                        typed_config:
                          "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
                          stat_prefix: in
                          route_config:
                            virtual_hosts:
                            - name: all
                              domains: ["*"]
                              routes:
                              - match: {prefix: /, grpc: {}}
                                route: {cluster: app}
                              - match: {prefix: /}
                                direct_response: {status: 200, body: {inline_string: "an answer that nobody else may read"}}
                                response_headers_to_add:
                                - header: {key: x-peer, value: "%%DOWNSTREAM_PEER_URI_SAN%%"}
                                - header: {key: x-protocol, value: "%%PROTOCOL%%"}
                          http_filters:
                          - name: router
                            typed_config: {"@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}
                      transport_socket:
                        name: tls
                        typed_config:
                          "@type": type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext
                          require_client_certificate: true
                          common_tls_context:
                            alpn_protocols: [h2, http/1.1]
                            tls_params: {tls_minimum_protocol_version: TLSv1_2, tls_maximum_protocol_version: TLSv1_3}
                            tls_certificates:
                            - certificate_chain: {inline_string: "%s"}
                              private_key: {inline_string: "%s"}
                            validation_context:
                              trusted_ca: {inline_string: "%s"}
                  clusters:
                  - name: app
                    type: STATIC
                    typed_extension_protocol_options:
                      envoy.extensions.upstreams.http.v3.HttpProtocolOptions:
                        "@type": type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions
                        explicit_http_config: {http2_protocol_options: {}}
                    load_assignment:
                      cluster_name: app
                      endpoints: [{lb_endpoints: [{endpoint: {address: {socket_address: {address: 127.0.0.1, port_value: %d}}}}]}]
                """.formatted(
                        port, line(ORDERS.certificatePem()), line(ORDERS.keyPem()), line(Certified.pem(MESH.certificate())), app),
                testbed.temporaryFolder()));
    }

    private static String line(String pem) {
        return pem.replace("\n", "\\n");
    }

    @ParameterizedTest
    @EnumSource
    void aStockEnvoyAnswersByMutualTls(Client client) throws Exception {
        int port = Port.unused();
        Envoy envoy = envoy(port, 1);
        Relay wire = testbed.closeAfterwards(Relay.to(port));
        InetSocketAddress address = new InetSocketAddress("127.0.0.1", wire.port());
        try (Stage stage = new Stage(Jdks.newest(), client)) {
            stage.serve(Policy.empty()
                    .cluster("orders", SECURED, address).virtualHost("orders", Routes.to("orders"))
                    .cluster("http2", SECURED.andThen(HTTP_2), address).virtualHost("http2", Routes.to("http2")));
            for (String url : new String[] {"http://orders/secret?token=1", "http://http2/secret?token=1"}) {
                for (Call call : new Call[] {Call.get(url), Call.post(url, "a body that nobody else may read"), Call.post(url, "0123456789".repeat(50_000))}) {
                    var answer = stage.send(call);
                    assertThat(answer.status()).as(call + "\n" + envoy.log()).isEqualTo(200);
                    assertThat(answer.body()).isEqualTo("an answer that nobody else may read");
                    assertThat(answer.headers().toString()).contains("spiffe://mesh/shop").contains("HTTP/1.1");
                }
            }
        }
        // Envoy answers before it has read the whole of a body, and some clients keep the rest to themselves then.
        assertThat(wire.bytes()).isGreaterThan(50_000);
        assertThat(wire.isAllTls()).as("TLS and nothing else on the wire").isTrue();
        assertThat(envoy.stats("listener\\..*\\.ssl\\.handshake").values()).anySatisfy(count -> assertThat(count).isPositive());
    }

    @Test
    void aStockEnvoyServesGrpcByMutualTls() throws Exception {
        Jdk jdk = Jdks.newest();
        Library grpc = Library.named("grpc-netty-1.85");
        int app = testbed.jvm("app", jdk).classPath(grpc).driver(GrpcServer.class, "v1").awaitPort();
        int port = Port.unused();
        Envoy envoy = envoy(port, app);
        Relay wire = testbed.closeAfterwards(Relay.to(port));
        PolicyServer policies = testbed.policyServer();
        policies.serve(Policy.empty()
                .cluster("orders", SECURED.andThen(HTTP_2), new InetSocketAddress("127.0.0.1", wire.port()))
                .virtualHost("orders", Routes.to("orders")));
        JvmProcess client = testbed.jvm("shop", jdk).mesh(policies.uri(), "shop").classPath(grpc).driver(GrpcClient.class);

        assertThat(client.ask(Map.of("target", "dns:///orders", "deadline", "20000"))).as(envoy::log).containsEntry("body", "v1:hello");
        assertThat(client.ask(Map.of("target", "dns:///orders", "kind", "BIDI_STREAMING", "messages", "3", "wait", "3")))
                .containsEntry("body", "v1:hello|v1:hello|v1:hello");
        assertThat(wire.bytes()).isPositive();
        assertThat(wire.isAllTls()).as("TLS and nothing else on the wire").isTrue();
        assertThat(policies.refusals()).isEmpty();
    }
}
