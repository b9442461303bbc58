package io.weft.controlplane.xds;

import io.envoyproxy.controlplane.cache.Resources;

/** The types served, in the order in which a change is told: nothing may refer to what its reader has not got yet. */
enum ResourceType {
    SECRET(Resources.V3.SECRET_TYPE_URL, false),
    CLUSTER(Resources.V3.CLUSTER_TYPE_URL, true),
    ENDPOINT(Resources.V3.ENDPOINT_TYPE_URL, false),
    LISTENER(Resources.V3.LISTENER_TYPE_URL, true),
    ROUTE(Resources.V3.ROUTE_TYPE_URL, false),
    /** Asked for by the names of tables, and told one by one. */
    VIRTUAL_HOST("type.googleapis.com/envoy.config.route.v3.VirtualHost", false);

    private final String typeUrl;
    private final boolean wildcardByDefault;

    ResourceType(String typeUrl, boolean wildcardByDefault) {
        this.typeUrl = typeUrl;
        this.wildcardByDefault = wildcardByDefault;
    }

    String typeUrl() {
        return typeUrl;
    }

    /** Whether a first request without names asks for everything. */
    boolean wildcardByDefault() {
        return wildcardByDefault;
    }

    /** By which name a resource is asked for: its own, or that of what it is a part of. */
    String askedFor(String name) {
        int slash = this == VIRTUAL_HOST ? name.indexOf('/') : -1;
        return slash < 0 ? name : name.substring(0, slash);
    }

    /** Whether several resources are asked for by one name. */
    boolean byPart() {
        return this == VIRTUAL_HOST;
    }

    /** Null for a type that is not served. */
    static ResourceType of(String typeUrl) {
        for (ResourceType type : values()) {
            if (type.typeUrl.equals(typeUrl)) {
                return type;
            }
        }
        return null;
    }
}
