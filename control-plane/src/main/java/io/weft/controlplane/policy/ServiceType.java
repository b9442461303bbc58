package io.weft.controlplane.policy;

import java.util.LinkedHashMap;
import java.util.Map;

/** What a destination's {@code kind} may say, in Kuma's order. */
public enum ServiceType {
    MESH_SERVICE("MeshService"),
    MESH_EXTERNAL_SERVICE("MeshExternalService"),
    MESH_MULTI_ZONE_SERVICE("MeshMultiZoneService");

    private final String kind;

    ServiceType(String kind) {
        this.kind = kind;
    }

    public String kind() {
        return kind;
    }

    static Map<String, ServiceType> byKind() {
        Map<String, ServiceType> types = new LinkedHashMap<>();
        for (ServiceType type : values()) {
            types.put(type.kind, type);
        }
        return types;
    }
}
