package io.weft.it.envoy;

import java.util.Map;
import java.util.Optional;

/**
 * The bootstrap of an Envoy that has everything from one control plane on loopback.
 *
 * @param apiType how it asks: {@code DELTA_GRPC} or {@code GRPC}
 * @param metadata of its node, values as YAML
 * @param token sent as a bearer token
 */
public record AdsBootstrap(
        int controlPlane, String apiType, String id, String cluster, Map<String, String> metadata, Optional<String> token) {

    public String yaml() {
        StringBuilder fields = new StringBuilder();
        metadata.forEach((name, value) -> fields.append("    ").append(name).append(": ").append(value).append('\n'));
        String headers = token
                .map(text -> ", initial_metadata: [{key: authorization, value: \"Bearer " + text + "\"}]")
                .orElse("");
        return """
                node:
                  id: %s
                  cluster: %s
                  metadata:
                %sdynamic_resources:
                  ads_config:
                    api_type: %s
                    transport_api_version: V3
                    grpc_services: [{envoy_grpc: {cluster_name: control-plane}%s}]
                  cds_config: {ads: {}, resource_api_version: V3}
                  lds_config: {ads: {}, resource_api_version: V3}
                static_resources:
                  clusters:
                  - name: control-plane
                    connect_timeout: 1s
                    type: STATIC
                    typed_extension_protocol_options:
                      envoy.extensions.upstreams.http.v3.HttpProtocolOptions:
                        "@type": type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions
                        explicit_http_config: {http2_protocol_options: {}}
                    load_assignment:
                      cluster_name: control-plane
                      endpoints:
                      - lb_endpoints:
                        - endpoint: {address: {socket_address: {address: 127.0.0.1, port_value: %d}}}
                """.formatted(id, cluster, fields, apiType, headers, controlPlane);
    }
}
