package io.weft.dataplane.cluster;

import io.weft.policy.model.EndpointAssignment.Health;
import io.weft.policy.model.EndpointAssignment.LbEndpoint;

/** A host as the newest assignment lists it. Immutable but for the host. */
public record Member(Host host, LbEndpoint listed) {

    public Health health() {
        return host.ejected() ? Health.UNHEALTHY : listed.health();
    }

    public int weight() {
        return listed.weight();
    }
}
