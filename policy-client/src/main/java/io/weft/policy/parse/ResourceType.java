package io.weft.policy.parse;

import io.weft.policy.Dialect;
import java.util.Optional;

/** The resource types that are asked for, in the order in which a stream asks for them. */
public enum ResourceType {
    CLUSTER("Cluster", "envoy.config.cluster.v3.Cluster", true),
    ENDPOINTS("ClusterLoadAssignment", "envoy.config.endpoint.v3.ClusterLoadAssignment", false),
    LISTENER("Listener", "envoy.config.listener.v3.Listener", true),
    ROUTES("RouteConfiguration", "envoy.config.route.v3.RouteConfiguration", false),
    /** Of route configurations that leave them out. Asked for by the names of these, and each is {@code <route configuration>/<its own>}. */
    VIRTUAL_HOSTS("VirtualHost", "envoy.config.route.v3.VirtualHost", false),
    SECRET("Secret", "envoy.extensions.transport_sockets.tls.v3.Secret", false),
    /** Istio's, which has one of it, without a name. */
    NAMES("NameTable", "istio.networking.nds.v1.NameTable", true);

    private final String label;
    private final String typeUrl;
    private final boolean wildcard;

    ResourceType(String label, String message, boolean wildcard) {
        this.label = label;
        this.typeUrl = "type.googleapis.com/" + message;
        this.wildcard = wildcard;
    }

    public boolean isAskedOf(Dialect dialect) {
        return this != NAMES || dialect == Dialect.ISTIO;
    }

    /** The message's short name. */
    public String label() {
        return label;
    }

    public String typeUrl() {
        return typeUrl;
    }

    /** The message's full name. */
    String message() {
        return typeUrl.substring(typeUrl.indexOf('/') + 1);
    }

    /**
     * Subscribed to as a whole: a state-of-the-world response is complete, so what it omits is removed. The others are
     * asked for by name and never removed by omission.
     */
    public boolean wildcard() {
        return wildcard;
    }

    /** By which name a resource is asked for: its own, or that of what it is a part of. */
    public String askedFor(String name) {
        int slash = this == VIRTUAL_HOSTS ? name.lastIndexOf('/') : -1;
        return slash < 0 ? name : name.substring(0, slash);
    }

    /** Whether several resources are asked for by one name; there is no state of the world of such a type. */
    public boolean byPart() {
        return this == VIRTUAL_HOSTS;
    }

    public static Optional<ResourceType> of(String typeUrl) {
        for (ResourceType type : values()) {
            if (type.typeUrl.equals(typeUrl)) {
                return Optional.of(type);
            }
        }
        return Optional.empty();
    }
}
