package io.weft.agent.mesh;

import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** What kuma-cp is to know of how the app's traffic comes to the mesh: as with a kuma-dp and a transparent proxy, names included. */
final class KumaProxy {
    static final String TYPE = "dataplane.proxyType";
    static final String DATAPLANE = "dataplane";

    private static final String DNS_PORT = "15053";
    private static final List<String> FEATURES = List.of(
            "feature-delta-grpc", "feature-embedded-dns", "feature-transparent-proxy-in-dataplane-metadata", "feature-unified-resource-naming");

    private KumaProxy() {}

    /** Of the node; may be added to. */
    static Map<String, Object> metadata(String address) {
        Map<String, Object> metadata = new HashMap<>();
        metadata.put(TYPE, DATAPLANE);
        // Who says none is an error in kuma-cp's log; a version that is no number is not held against its own.
        metadata.put("version", Map.of("kumaDp", Map.of("version", "weft-" + AgentVersion.get()),
                "dependencies", Map.of("java", Runtime.version().toString())));
        metadata.put("features", FEATURES);
        metadata.put("dataplane.dns.port", DNS_PORT);
        metadata.put("transparentProxy", transparentProxy(address));
        metadata.put("ipv6Enabled", isIpv6(address));
        return metadata;
    }

    private static Map<String, Object> transparentProxy(String address) {
        return Map.of("ipFamilyMode", isIpv6(address) ? "dualstack" : "ipv4", "redirect", Map.of(
                "inbound", Map.of("enabled", true, "port", 15006),
                "outbound", Map.of("enabled", true, "port", 15001),
                "dns", Map.of("enabled", true, "port", Integer.valueOf(DNS_PORT))));
    }

    private static boolean isIpv6(String address) {
        return address.indexOf(':') >= 0;
    }
}
