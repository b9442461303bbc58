package io.weft.it.server;

import static org.awaitility.Awaitility.await;

import io.weft.it.envoy.Envoy;
import io.weft.it.envoy.EnvoyBinary;
import io.weft.it.harness.Authority;
import io.weft.it.harness.Certified;
import io.weft.it.harness.Inbounds;
import io.weft.it.harness.Jdk;
import io.weft.it.harness.Jdks;
import io.weft.it.harness.JvmProcess;
import io.weft.it.harness.Policy;
import io.weft.it.harness.PolicyServer;
import io.weft.it.harness.Port;
import io.weft.it.harness.Testbed;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.EnumMap;
import java.util.Map;
import java.util.stream.Stream;
import org.assertj.core.api.SoftAssertions;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** A stock Envoy calls JVM servers over mesh TLS, as the sidecars of Kuma and Istio do; what is on the wire is recorded. */
class StockEnvoyIT {
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final Authority MESH = new Authority("mesh");
    private static final Policy OTHERS = Policy.empty().service("other", new InetSocketAddress("127.0.0.1", 1));

    /** How a sidecar calls. */
    private enum Sidecar {
        KUMA("kuma", false, "http", "mesh/shop"),
        KUMA_HTTP_2("kuma", true, "http", "mesh/shop"),
        KUMA_GATEWAY_HTTP_2("kuma", true, "https", "mesh/shop"),
        ISTIO("istio-http/1.1, istio, http/1.1", false, "http", "cluster.local/ns/default/sa/shop"),
        ISTIO_HTTP_2("istio-h2, istio, h2", true, "http", "cluster.local/ns/default/sa/shop");

        final String alpn;
        final boolean http2;
        final String scheme;
        final Certified certified;

        Sidecar(String alpn, boolean http2, String scheme, String identity) {
            this.alpn = alpn;
            this.http2 = http2;
            this.scheme = scheme;
            certified = MESH.certify("spiffe://" + identity);
        }

        String sni() {
            return alpn.equals("kuma") ? "orders{kuma.io/zone=east,mesh=default}" : "outbound_.80_._.orders.default.svc.cluster.local";
        }
    }

    @RegisterExtension
    final Testbed testbed = new Testbed();

    private final HttpClient http = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
    private final Map<Sidecar, Integer> ports = new EnumMap<>(Sidecar.class);

    static Stream<Arguments> servers() {
        Jdk newest = Jdks.newest();
        Jdk oldest = Jdks.matrix().get(0);
        return Stream.of(
                Arguments.of(newest, Server.TOMCAT_9, true), Arguments.of(newest, Server.TOMCAT_9, false),
                Arguments.of(newest, Server.TOMCAT_10_1, true), Arguments.of(oldest, Server.TOMCAT_10_1, false),
                Arguments.of(newest, Server.TOMCAT_11, true), Arguments.of(newest, Server.TOMCAT_11, false),
                Arguments.of(newest, Server.JDK_HTTP_SERVER, false), Arguments.of(oldest, Server.JDK_HTTP_SERVER, false));
    }

    /** Each sidecar has a port of its own, and all call the same server. */
    private Envoy envoy(int server) throws IOException {
        StringBuilder listeners = new StringBuilder();
        StringBuilder clusters = new StringBuilder();
        for (Sidecar sidecar : Sidecar.values()) {
            int port = Port.unused();
            ports.put(sidecar, port);
            listeners.append("""
                      - name: %1$s
                        address: {socket_address: {address: 127.0.0.1, port_value: %2$d}}
                        filter_chains:
                        - filters:
                          - name: http
                            typed_config:
                              "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
                              stat_prefix: %1$s
                              scheme_header_transformation: {scheme_to_overwrite: %3$s}
                              access_log:
                              - name: out
                                typed_config:
                                  "@type": type.googleapis.com/envoy.extensions.access_loggers.stream.v3.StdoutAccessLog
                                  log_format: {text_format_source: {inline_string: "%1$s %%REQ(:PATH)%% trailer %%TRAILER(grpc-status)%%\\n"}}
                              route_config: {virtual_hosts: [{name: all, domains: ["*"], routes: [{match: {prefix: /}, route: {cluster: %1$s}}]}]}
                              http_filters:
                              - name: router
                                typed_config: {"@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}
                    """.formatted(sidecar, port, sidecar.scheme));
            clusters.append("""
                      - name: %1$s
                        type: STATIC
                        connect_timeout: 20s
                        typed_extension_protocol_options:
                          envoy.extensions.upstreams.http.v3.HttpProtocolOptions:
                            "@type": type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions
                            explicit_http_config: {%2$s: {}}
                        transport_socket:
                          name: tls
                          typed_config:
                            "@type": type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext
                            sni: "%3$s"
                            common_tls_context:
                              alpn_protocols: [%4$s]
                              tls_certificates:
                              - certificate_chain: {inline_string: "%5$s"}
                                private_key: {inline_string: "%6$s"}
                              validation_context:
                                trusted_ca: {inline_string: "%7$s"}
                                match_typed_subject_alt_names: [{san_type: URI, matcher: {exact: "spiffe://mesh/orders"}}]
                        load_assignment:
                          cluster_name: %1$s
                          endpoints: [{lb_endpoints: [{endpoint: {address: {socket_address: {address: 127.0.0.1, port_value: %8$d}}}}]}]
                    """.formatted(sidecar, sidecar.http2 ? "http2_protocol_options" : "http_protocol_options", sidecar.sni(), sidecar.alpn,
                    line(sidecar.certified.certificatePem()), line(sidecar.certified.keyPem()), line(Certified.pem(MESH.certificate())), server));
        }
        return testbed.closeAfterwards(Envoy.start(EnvoyBinary.find(),
                "static_resources:\n  listeners:\n" + listeners + "  clusters:\n" + clusters, testbed.temporaryFolder()));
    }

    private static String line(String pem) {
        return pem.replace("\n", "\\n");
    }

    private HttpResponse<String> get(Sidecar sidecar, String path) throws IOException, InterruptedException {
        return send(sidecar, path, HttpRequest.newBuilder().GET());
    }

    private HttpResponse<String> send(Sidecar sidecar, String path, HttpRequest.Builder request) throws IOException, InterruptedException {
        return http.send(request.uri(URI.create("http://127.0.0.1:" + ports.get(sidecar) + path)).timeout(PATIENCE).build(), BodyHandlers.ofString());
    }

    @ParameterizedTest
    @MethodSource("servers")
    void aSidecarIsServed(Jdk jdk, Server server, boolean ownHttp2) throws Exception {
        PolicyServer policies = testbed.policyServer();
        policies.serve(OTHERS);
        JvmProcess process = server.start(testbed.jvm(server.toString(), jdk).mesh(policies.uri(), "orders")
                .option("-Dtomcat.http2=" + ownHttp2), "v1");
        int port = process.awaitPort();
        Relay wire = testbed.closeAfterwards(Relay.to(port));
        Inbounds inbounds = Inbounds.of(port, MESH, MESH.certify("spiffe://mesh/orders"));
        policies.serve(OTHERS.listener(inbounds.permissive()));
        Envoy envoy = envoy(wire.port());
        await().atMost(PATIENCE).ignoreExceptions().until(() -> get(Sidecar.KUMA, "/").statusCode() == 200);

        SoftAssertions soft = new SoftAssertions();
        askAll(soft, server, envoy, "permissive");
        policies.serve(OTHERS.listener(inbounds.strict()));
        await().atMost(PATIENCE).until(() -> isRefused(port));
        askAll(soft, server, envoy, "strict");
        soft.assertThat(wire.bytes()).isPositive();
        soft.assertThat(wire.isAllTls()).as("TLS and nothing else on the wire").isTrue();
        soft.assertThat(policies.refusals()).isEmpty();
        soft.assertAll();
        if (!server.isServletContainer()) {
            process.awaitStderr(line -> line.contains("port " + port + " closes connections: it speaks HTTP/2"));
        }
    }

    private static boolean isRefused(int port) {
        try {
            return RawClient.ask(port, "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").length == 0;
        } catch (UncheckedIOException reset) {
            return true;
        }
    }

    private void askAll(SoftAssertions soft, Server server, Envoy envoy, String mode) throws Exception {
        for (Sidecar sidecar : Sidecar.values()) {
            String who = sidecar + ", " + mode;
            if (sidecar.http2 && !server.isServletContainer()) {
                soft.assertThat(get(sidecar, "/").statusCode()).as(who).isEqualTo(503);
                continue;
            }
            for (int i = 0; i < 3; i++) {
                HttpResponse<String> seen = get(sidecar, "/seen");
                soft.assertThat(seen.statusCode()).as(who).isEqualTo(200);
                String version = sidecar.http2 ? "HTTP/2.0" : "HTTP/1.1";
                soft.assertThat(seen.body()).as(who).matches(server.isServletContainer()
                        ? "http false http://127\\.0\\.0\\.1:\\d+/seen null " + version : "false " + version);
            }
            soft.assertThat(get(sidecar, "/bytes/300000").body().length()).as(who).isEqualTo(300_000);
            HttpResponse<String> posted =
                    send(sidecar, "/length", HttpRequest.newBuilder().POST(HttpRequest.BodyPublishers.ofString("y".repeat(200_000))));
            soft.assertThat(posted.body()).as(who).isEqualTo("200000");
            HttpResponse<String> forwarded = get(sidecar, "/header/x-forwarded-client-cert");
            soft.assertThat(forwarded.body()).as(who).contains("URI=spiffe://" + (sidecar.alpn.equals("kuma") ? "mesh/shop" : "cluster.local/ns/default/sa/shop"));
            if (sidecar.http2) {
                HttpResponse<String> grpc = send(sidecar, "/grpc/orders.Orders/Get", HttpRequest.newBuilder()
                        .header("content-type", "application/grpc").header("te", "trailers")
                        .POST(HttpRequest.BodyPublishers.ofByteArray(new byte[5])));
                soft.assertThat(grpc.statusCode()).as(who).isEqualTo(200);
                soft.assertThat(grpc.body()).as(who).hasSize(5);
            }
        }
        if (server.isServletContainer()) {
            for (Sidecar sidecar : Sidecar.values()) {
                if (sidecar.http2) {
                    await().atMost(PATIENCE).until(() -> envoy.log().contains(sidecar + " /grpc/orders.Orders/Get trailer 7"));
                }
            }
        }
    }
}
