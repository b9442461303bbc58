package io.weft.it.envoy;

import java.util.Map;
import java.util.Optional;

/**
 * The bootstrap of an Envoy that has everything from one control plane on loopback.
 *
 * @param apiType how it asks: {@code DELTA_GRPC} or {@code GRPC}
 * @param metadata of its node, values as YAML
 * @param token sent as a bearer token
 * @param zones empty: it does not know where it is
 */
public record AdsBootstrap(
        int controlPlane, String apiType, String id, String cluster, Map<String, String> metadata, Optional<String> token,
        Optional<Zones> zones) {

    public AdsBootstrap(
            int controlPlane, String apiType, String id, String cluster, Map<String, String> metadata, Optional<String> token) {
        this(controlPlane, apiType, id, cluster, metadata, token, Optional.empty());
    }

    /**
     * Where it is, and where those are that send as it does.
     *
     * @param localCluster the name of their cluster
     * @param instances how many there are in each zone; nobody calls them
     */
    public record Zones(String own, String localCluster, Map<String, Integer> instances) {}

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
                %s  metadata:
                %s%sdynamic_resources:
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
                %s""".formatted(
                        id,
                        cluster,
                        zones.map(place -> "  locality: {zone: " + place.own + "}\n").orElse(""),
                        fields,
                        zones.map(place -> "cluster_manager: {local_cluster_name: " + place.localCluster + "}\n").orElse(""),
                        apiType,
                        headers,
                        controlPlane,
                        zones.map(AdsBootstrap::localCluster).orElse(""));
    }

    private static String localCluster(Zones zones) {
        StringBuilder yaml = new StringBuilder("""
                  - name: %1$s
                    connect_timeout: 1s
                    type: STATIC
                    load_assignment:
                      cluster_name: %1$s
                      endpoints:
                """.formatted(zones.localCluster));
        int port = 1;
        for (Map.Entry<String, Integer> zone : zones.instances.entrySet()) {
            yaml.append("      - locality: {zone: ").append(zone.getKey()).append("}\n        lb_endpoints:\n");
            for (int i = 0; i < zone.getValue(); i++) {
                yaml.append("        - endpoint: {address: {socket_address: {address: 127.0.0.1, port_value: ").append(port++).append("}}}\n");
            }
        }
        return yaml.toString();
    }
}
