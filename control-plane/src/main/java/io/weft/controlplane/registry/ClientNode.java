package io.weft.controlplane.registry;

import io.weft.controlplane.identity.Workload;
import io.weft.controlplane.policy.Dataplane;
import io.weft.controlplane.policy.Labels;
import io.weft.controlplane.policy.Metadata;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * A data plane as it describes itself in {@code envoy.config.core.v3.Node}.
 *
 * @param id {@code <mesh>.<proxy name>}
 * @param service what {@code node.cluster} says; may be empty
 * @param metadata of its Dataplane, or made from the id
 * @param dataplane absent: it only calls others
 * @param holdsIdentity an agent that has a certificate, and can show it
 * @param pod outside of a cluster there is none
 */
public record ClientNode(
        String id,
        String service,
        Kind kind,
        Metadata metadata,
        Optional<Dataplane> dataplane,
        Binding outbound,
        boolean holdsIdentity,
        Optional<Pod> pod) {

    /**
     * What a cluster knows of it, which counts instead of what it says itself.
     *
     * @param tags its labels, and what they imply
     */
    public record Pod(Workload workload, Map<String, String> tags) {
        public Pod {
            tags = Map.copyOf(tags);
        }
    }

    public enum Kind {
        /** Our agent: listeners describe traffic, and are never bound. */
        AGENT,
        /** A proxy, which binds every listener that it is sent. */
        PROXY
    }

    /**
     * Where a proxy binds its outbound listeners.
     *
     * @param ports by service port; a service port that is absent is bound as it is
     */
    public record Binding(String address, Map<Integer, Integer> ports) {
        public Binding {
            ports = Map.copyOf(ports);
        }
    }

    /** Where others reach an inbound. */
    public record Address(String host, int port) {

        public static Address of(Dataplane.Inbound inbound) {
            return new Address(inbound.address(), inbound.port());
        }

        @Override
        public String toString() {
            return host + ':' + port;
        }
    }

    /** Of all its inbounds, the caller's own. */
    public Set<Address> addresses() {
        return dataplane.stream()
                .flatMap(resource -> resource.inbounds().stream())
                .map(Address::of)
                .collect(Collectors.toCollection(HashSet::new));
    }

    /** The same as a cluster knows it. */
    public ClientNode as(Metadata known, Optional<Dataplane> described, Pod pod) {
        return new ClientNode(id, service, kind, known, described, outbound, holdsIdentity, Optional.of(pod));
    }

    public String mesh() {
        return metadata.mesh();
    }

    /** Who it is: a data plane with an identity has a service, or is of a cluster. */
    public Workload workload() {
        return pod.map(Pod::workload).orElseGet(() -> Workload.ofService(
                tags().stream().map(each -> each.getOrDefault(Labels.SERVICE, "")).findFirst().orElse(service)));
    }

    /** May be empty. */
    public String zone() {
        return tags().stream()
                .map(each -> each.getOrDefault(Labels.ZONE, ""))
                .filter(zone -> !zone.isEmpty())
                .findFirst()
                .orElse(metadata.zone());
    }

    /** What a policy's {@code targetRef} looks at. */
    public List<Map<String, String>> tags() {
        if (pod.isPresent()) {
            return List.of(pod.get().tags());
        }
        List<Map<String, String>> tags = dataplane.stream()
                .flatMap(resource -> resource.inbounds().stream())
                .map(Dataplane.Inbound::tags)
                .toList();
        return tags.isEmpty() && !service.isEmpty() ? List.of(Map.of(Labels.SERVICE, service)) : tags;
    }
}
