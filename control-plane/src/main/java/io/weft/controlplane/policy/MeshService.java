package io.weft.controlplane.policy;

import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Kuma's {@code MeshService}. */
public record MeshService(Metadata metadata, Selector selector, List<Port> ports) implements Resource {

    public MeshService {
        ports = List.copyOf(ports);
    }

    /** Which inbounds of which data planes are its instances. */
    public sealed interface Selector {}

    public record ByTags(Map<String, String> tags) implements Selector {}

    public record ByLabels(Map<String, String> labels) implements Selector {}

    public record ByName(String dataplane) implements Selector {}

    /**
     * @param target the inbound's port or name; absent: the inbound with the same port, or, where no selected inbound has
     *     it, every selected inbound (an agent's ports are often ephemeral)
     */
    public record Port(int port, Optional<String> name, Optional<Target> target, Protocol protocol) {}

    public sealed interface Target {}

    public record TargetNumber(int port) implements Target {}

    public record TargetName(String inbound) implements Target {}
}
