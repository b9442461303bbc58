package io.weft.it.comparison;

import io.weft.it.envoy.Envoy;
import io.weft.it.envoy.EnvoyBinary;
import io.weft.it.harness.PolicyServer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;

/** A stock Envoy with a policy server of its own. */
final class EnvoySubject implements Subject {
    private final PolicyServer server = PolicyServer.start(PolicyServer.Protocol.DELTA_AND_STATE_OF_THE_WORLD);
    private final RawHttp http = new RawHttp();
    private final Envoy envoy;
    private int refusalsBefore;

    /** @param folder for its files */
    EnvoySubject(EnvoyBinary binary, Path folder) {
        try {
            envoy = Envoy.start(binary, bootstrap(server.uri().getPort()), folder);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public String name() {
        return "Envoy";
    }

    @Override
    public void serve(Batch batch) {
        // A changed listener closes its connections.
        http.closeIdle();
        refusalsBefore = server.refusals().size();
        server.serve(batch.policy());
    }

    @Override
    public void repeat(Batch batch) {
        server.serve(batch.policy());
    }

    @Override
    public List<String> refusals() {
        List<String> all = server.refusals();
        return all.subList(refusalsBefore, all.size());
    }

    @Override
    public Answer send(Request request, int port, String tag) {
        StringBuilder head = new StringBuilder();
        head.append(request.method()).append(' ').append(request.target()).append(" HTTP/1.1\r\n");
        head.append("Host: ").append(request.host()).append(':').append(port).append("\r\n");
        request.allHeaders(tag).forEach(header -> head.append(header).append("\r\n"));
        if (!request.body().isEmpty()) {
            head.append("content-length: ").append(request.body().getBytes(StandardCharsets.UTF_8).length).append("\r\n");
        }
        head.append("\r\n");
        return http.send(port, head.toString(), request.body(), request.method().equals("HEAD"));
    }

    String log() {
        return envoy.log();
    }

    @Override
    public void close() {
        http.close();
        envoy.close();
        server.close();
    }

    private static String bootstrap(int port) {
        return """
                node: {id: envoy, cluster: comparison}
                dynamic_resources:
                  ads_config:
                    api_type: DELTA_GRPC
                    transport_api_version: V3
                    grpc_services: [{envoy_grpc: {cluster_name: policy-server}}]
                  lds_config: {ads: {}, resource_api_version: V3}
                  cds_config: {ads: {}, resource_api_version: V3}
                static_resources:
                  clusters:
                  - name: policy-server
                    connect_timeout: 1s
                    type: STATIC
                    typed_extension_protocol_options:
                      envoy.extensions.upstreams.http.v3.HttpProtocolOptions:
                        "@type": type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions
                        explicit_http_config: {http2_protocol_options: {}}
                    load_assignment:
                      cluster_name: policy-server
                      endpoints:
                      - lb_endpoints:
                        - endpoint: {address: {socket_address: {address: 127.0.0.1, port_value: %d}}}
                """.formatted(port);
    }
}
