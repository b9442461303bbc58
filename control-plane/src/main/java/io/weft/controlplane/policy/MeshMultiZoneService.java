package io.weft.controlplane.policy;

import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Kuma's {@code MeshMultiZoneService}: several MeshServices, called by one name.
 *
 * @param selected labels of the MeshServices
 */
public record MeshMultiZoneService(Metadata metadata, Map<String, String> selected, List<Port> ports) implements Resource {

    public MeshMultiZoneService {
        selected = Map.copyOf(selected);
        ports = List.copyOf(ports);
    }

    /** Of each selected MeshService the port of the same number. */
    public record Port(int port, Optional<String> name, Protocol protocol) {}
}
