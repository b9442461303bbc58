package io.weft.controlplane.service;

import io.weft.controlplane.identity.Workload;
import io.weft.controlplane.policy.MeshExternalService;
import io.weft.controlplane.policy.Metadata;
import io.weft.controlplane.policy.Protocol;
import io.weft.controlplane.policy.ServiceType;
import io.weft.controlplane.registry.Registry.Health;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Something that others call by name.
 *
 * @param type as which it is a destination of policies
 * @param declared by a resource or a cluster; otherwise it was made from the tags of its instances, or named by a route
 * @param ports at least one
 * @param external what is said of it if it is outside of the mesh
 */
public record Service(
        Metadata metadata, ServiceType type, boolean declared, Hosts hosts, List<Port> ports, Optional<MeshExternalService> external) {

    /** Of a service that no MeshService describes. */
    public static final int DEFAULT_PORT = 80;

    public Service {
        ports = List.copyOf(ports);
    }

    /** Of the mesh. */
    public static Service of(Metadata metadata, boolean declared, Hosts hosts, List<Port> ports) {
        return new Service(metadata, ServiceType.MESH_SERVICE, declared, hosts, ports, Optional.empty());
    }

    /**
     * The host names, in lower case, and addresses by which it is called.
     *
     * @param everywhere by any data plane
     * @param inNamespace by those of a namespace alone
     */
    public record Hosts(List<String> everywhere, Map<String, List<String>> inNamespace) {
        public Hosts {
            everywhere = List.copyOf(everywhere);
            inNamespace = Map.copyOf(inNamespace);
        }

        /** Outside of a cluster. */
        public static Hosts ofMesh(Metadata service) {
            String name = service.displayName().toLowerCase(Locale.ROOT);
            List<String> hosts = new ArrayList<>(List.of(name, name + ".mesh", name + ".svc.mesh.local"));
            if (!service.namespace().isEmpty()) {
                hosts.add(name + "." + service.namespace());
                hosts.add(name + "." + service.namespace() + ".svc.mesh.local");
            }
            return new Hosts(hosts, Map.of());
        }

        /** Kuma's generated names. */
        static Hosts generated(Metadata service, String domain) {
            return new Hosts(List.of(service.displayName() + "." + domain + ".mesh.local"), Map.of());
        }
    }

    public String name() {
        return metadata.displayName();
    }

    /** By what people know it: with its namespace where others of its name have other ones, and told from a service of the mesh. */
    public String shown() {
        if (type != ServiceType.MESH_SERVICE) {
            return hosts.everywhere().get(0);
        }
        return hosts.inNamespace().isEmpty() ? name() : metadata.namespace() + "/" + name();
    }

    /**
     * @param instances that are ready, in a stable order, none twice
     * @param differsByZone whether callers of some zones should prefer some of them; said once, as there are tens of thousands
     */
    public record Port(int number, Optional<String> name, Protocol protocol, List<Instance> instances, boolean differsByZone) {

        public Port(int number, Optional<String> name, Protocol protocol, List<Instance> instances) {
            this(number, name, protocol, List.copyOf(instances), instances.stream().anyMatch(instance -> !instance.forZones().isEmpty()));
        }

        /** Kuma's section name. */
        public String section() {
            return name.orElse(Integer.toString(number));
        }

        public boolean is(String section) {
            return section.equals(Integer.toString(number)) || name.map(section::equals).orElse(false);
        }
    }

    /**
     * @param address IP literal, or a host name that callers resolve
     * @param zone may be empty
     * @param forZones of the callers that should prefer it; empty: of all
     * @param meshTls whether it is reached by mesh TLS, by those who can
     */
    public record Instance(
            String address,
            int port,
            String zone,
            Set<String> forZones,
            Workload workload,
            Map<String, String> tags,
            Health health,
            boolean meshTls) {
        public Instance {
            forZones = Set.copyOf(forZones);
            tags = Map.copyOf(tags);
        }

        public Instance forAllZones() {
            return new Instance(address, port, zone, Set.of(), workload, tags, health, meshTls);
        }

        /** {@code ip:port}, an IPv6 address in brackets. */
        public String hostPort() {
            return (address.contains(":") ? "[" + address + "]" : address) + ":" + port;
        }
    }
}
