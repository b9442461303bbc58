package io.weft.dataplane.cluster;

import io.weft.policy.model.EndpointAssignment.Health;
import io.weft.policy.model.EndpointAssignment.LbEndpoint;

/** A host as the newest assignment lists it. Immutable but for the host. */
public record Member(Host host, LbEndpoint listed) {

    public Health health() {
        if (host.ejected() || host.failsChecks()) {
            return Health.UNHEALTHY;
        }
        return host.degradedByCheck() && listed.health() == Health.HEALTHY ? Health.DEGRADED : listed.health();
    }

    /** Not to be counted where the healthy are a share of all: nobody expects requests there. */
    public boolean excluded() {
        return listed.health() == Health.DRAINING || host.failedAtOnce();
    }

    public int weight() {
        return listed.weight();
    }
}
