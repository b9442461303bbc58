package io.weft.controlplane.xds;

import io.weft.controlplane.policy.Labels;
import io.weft.controlplane.policy.Metadata;
import io.weft.controlplane.policy.PolicyKind;
import io.weft.controlplane.registry.ClientNode;
import io.weft.controlplane.service.RouteRules;
import io.weft.controlplane.service.Service;
import io.weft.controlplane.service.ServiceCatalog.Target;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;

/** Kuma's unified resource names. Where Kuma 3 has no such resource, a suffix says what was added. */
final class Names {

    static String virtualHost(Service service, Service.Port port) {
        return kri(abbreviation(service), service.metadata(), port.section());
    }

    /**
     * Of a virtual host that is a resource of its own: Envoy asks for all those of a table by the table's name.
     *
     * @param port of the table
     */
    static String virtualHost(int port, String name) {
        return outbound(port) + "/" + name;
    }

    private static String abbreviation(Service service) {
        return switch (service.type()) {
            case MESH_SERVICE -> "msvc";
            case MESH_EXTERNAL_SERVICE -> "extsvc";
            case MESH_MULTI_ZONE_SERVICE -> "mzsvc";
        };
    }

    /** A subset of the instances is a cluster of its own, told from the others by a hash of its tags. */
    static String cluster(Target target) {
        String name = virtualHost(target.service(), target.port());
        return target.tags().isEmpty()
                ? name
                : name + "-" + Versioned.hash(new TreeMap<>(target.tags()).toString().getBytes(StandardCharsets.UTF_8));
    }

    static String route(RouteRules.Origin origin) {
        String type = origin.policy().id().type().equals("MeshTCPRoute") ? "mtcpr" : "mhttpr";
        return kri(type, origin.policy(), "rule_" + origin.rule());
    }

    static String policy(PolicyKind<?> kind, Metadata policy) {
        return kri(kind.abbreviation(), policy, "");
    }

    /** @param name of Kuma's resource for what a data plane is one instance of */
    static String workload(ClientNode node, String name) {
        String namespace = Optional.ofNullable(node.metadata().label(Labels.NAMESPACE)).orElse("");
        return String.join("_", "kri", "wl", node.mesh(), node.zone(), namespace, name, "");
    }

    static String permission(Metadata policy) {
        return kri("mtp", policy, "");
    }

    /** What a caller asks for by SNI. */
    static String sni(Target target) {
        Metadata metadata = target.service().metadata();
        List<String> parts = new ArrayList<>(List.of("sni", abbreviation(target.service()), metadata.mesh()));
        if (!metadata.zone().isEmpty()) {
            parts.add(metadata.zone());
            if (!metadata.namespace().isEmpty()) {
                parts.add(metadata.namespace());
            }
        }
        parts.add(metadata.displayName());
        parts.add(target.port().section());
        return String.join(".", parts);
    }

    static String outbound(int port) {
        return "outbound_" + port;
    }

    static String inbound(String section) {
        return "self_inbound_dp_" + section;
    }

    private static String kri(String type, Metadata metadata, String section) {
        return String.join("_", "kri", type, metadata.mesh(), metadata.zone(), metadata.namespace(),
                metadata.displayName(), section);
    }

    private Names() {}
}
