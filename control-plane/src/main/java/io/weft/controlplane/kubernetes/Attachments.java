package io.weft.controlplane.kubernetes;

import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.gatewayapi.v1.GRPCRoute;
import io.fabric8.kubernetes.api.model.gatewayapi.v1.ParentReference;
import io.weft.controlplane.kubernetes.GatewayRoute.Unresolved;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;

/**
 * Which ports of Services routes are attached to. Where routes of both kinds are on one port for the same callers, those of gRPC alone
 * count (GEP-1294, "Route types"), so that they must be noted before the others are asked for. Not thread-safe.
 */
final class Attachments {

    private final ClusterState state;
    private final Set<Port> ofGrpc = new HashSet<>();

    /** @param namespace of the routes, by which it is decided whose callers they are for */
    private record Port(ObjectName service, int number, String namespace) {}

    /**
     * @param sections the ports by number; an absent one: all ports
     * @param refusal why there are none
     */
    record Attachment(ObjectName service, List<Optional<String>> sections, Optional<Unresolved> refusal) {}

    Attachments(ClusterState state) {
        this.state = state;
    }

    Attachment of(HasMetadata route, ParentReference parent) {
        ObjectName name = serviceName(route, parent);
        Optional<Facts.OfService> service = state.service(name);
        if (service.isEmpty()) {
            return refused(name, "NoMatchingParent", "there is no such Service");
        }
        List<Facts.ServicePort> meant = service.get().ports().stream().filter(port -> isMeant(port, parent)).toList();
        if (meant.isEmpty()) {
            return refused(name, "NoMatchingParent", "the Service has no such port");
        }
        List<Facts.ServicePort> http = meant.stream().filter(port -> port.protocol().http()).toList();
        if (http.isEmpty()) {
            return refused(name, "NoMatchingParent", "what the Service has there is not HTTP");
        }
        List<Facts.ServicePort> free = route instanceof GRPCRoute
                ? http
                : http.stream().filter(port -> !ofGrpc.contains(port(name, port, route))).toList();
        if (free.isEmpty()) {
            return refused(name, "Conflicted", "a GRPCRoute is attached to the same port, and comes first");
        }
        boolean all = parent.getPort() == null && parent.getSectionName() == null && free.size() == http.size();
        return new Attachment(
                name,
                all ? List.of(Optional.empty()) : free.stream().map(port -> Optional.of(Integer.toString(port.number()))).toList(),
                Optional.empty());
    }

    /** That it is in force. */
    void note(HasMetadata route) {
        if (!(route instanceof GRPCRoute)) {
            return;
        }
        for (ParentReference parent : GatewayRoute.parents(route)) {
            ObjectName name = serviceName(route, parent);
            state.service(name).ifPresent(service -> service.ports().stream()
                    .filter(port -> isMeant(port, parent))
                    .forEach(port -> ofGrpc.add(port(name, port, route))));
        }
    }

    static ObjectName serviceName(HasMetadata route, ParentReference parent) {
        return new ObjectName(Objects.requireNonNullElse(parent.getNamespace(), route.getMetadata().getNamespace()), parent.getName());
    }

    private static Port port(ObjectName service, Facts.ServicePort port, HasMetadata route) {
        return new Port(service, port.number(), route.getMetadata().getNamespace());
    }

    private static boolean isMeant(Facts.ServicePort port, ParentReference parent) {
        return (parent.getPort() == null || parent.getPort() == port.number())
                && (parent.getSectionName() == null || parent.getSectionName().equals(port.name()));
    }

    private static Attachment refused(ObjectName service, String reason, String message) {
        return new Attachment(service, List.of(), Optional.of(new Unresolved(reason, message)));
    }
}
