package io.weft.policy.model;

/** What one xDS resource becomes. */
public sealed interface Resource permits Listener, RouteConfiguration, PartialRoutes, VirtualHost, Cluster, EndpointAssignment, Secret, NameTable {
    /** Unique among the resources of its type. */
    String name();

    /** Then it is not written to disk. */
    default boolean holdsPrivateKey() {
        return false;
    }

    /** Then nobody is shown what came. What decides about callers is on the disk all the same, for a start without a control plane. */
    default boolean holdsSecret() {
        return holdsPrivateKey();
    }
}
