package io.weft.controlplane.policy;

/** A document that was understood. */
public sealed interface Resource
        permits Mesh, MeshService, MeshExternalService, MeshMultiZoneService, Dataplane, MeshHttpRoute, MeshIdentity, MeshTrust, MeshTls,
                MeshTrafficPermission, MeshOpenTelemetryBackend, Policy {

    Metadata metadata();
}
