package io.weft.controlplane.service;

import io.weft.controlplane.policy.Metadata;
import io.weft.controlplane.policy.Protocol;
import io.weft.controlplane.registry.Registry.Health;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Something that others call by name.
 *
 * @param declared by a MeshService; otherwise it was made from the tags of its instances, or named by a route
 * @param ports at least one
 */
public record Service(Metadata metadata, boolean declared, List<Port> ports) {

    /** Of a service that no MeshService describes. */
    public static final int DEFAULT_PORT = 80;

    public Service {
        ports = List.copyOf(ports);
    }

    public String name() {
        return metadata.displayName();
    }

    /** @param instances that are ready, in a stable order, none twice */
    public record Port(int number, Optional<String> name, Protocol protocol, List<Instance> instances) {
        public Port {
            instances = List.copyOf(instances);
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
     * @param zone may be empty
     * @param meshTls whether it is reached by mesh TLS, by those who can
     */
    public record Instance(
            String address, int port, String zone, Map<String, String> tags, Health health, boolean meshTls) {
        public Instance {
            tags = Map.copyOf(tags);
        }

        /** {@code ip:port}, an IPv6 address in brackets. */
        public String hostPort() {
            return (address.contains(":") ? "[" + address + "]" : address) + ":" + port;
        }
    }
}
