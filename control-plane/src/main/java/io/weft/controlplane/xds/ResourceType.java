package io.weft.controlplane.xds;

import io.envoyproxy.controlplane.cache.Resources;

/** The types served, in the order in which a change is told: nothing may refer to what its reader has not got yet. */
enum ResourceType {
    SECRET(Resources.V3.SECRET_TYPE_URL, false),
    CLUSTER(Resources.V3.CLUSTER_TYPE_URL, true),
    ENDPOINT(Resources.V3.ENDPOINT_TYPE_URL, false),
    LISTENER(Resources.V3.LISTENER_TYPE_URL, true),
    ROUTE(Resources.V3.ROUTE_TYPE_URL, false);

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
