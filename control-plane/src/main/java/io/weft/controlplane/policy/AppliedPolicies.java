package io.weft.controlplane.policy;

import java.util.List;

/**
 * What is applied in one mesh, as opposed to what is only a shadow.
 *
 * @param initial what holds where the others say nothing
 * @param collectors that policies refer to
 */
public record AppliedPolicies(
        List<MeshHttpRoute> routes,
        List<Policy> merged,
        InitialPolicies initial,
        List<MeshOpenTelemetryBackend> collectors) {

    public AppliedPolicies {
        routes = List.copyOf(routes);
        merged = List.copyOf(merged);
        collectors = List.copyOf(collectors);
    }

    public static AppliedPolicies of(PolicySet policies, String mesh) {
        return new AppliedPolicies(
                applied(policies, MeshHttpRoute.class, mesh),
                applied(policies, Policy.class, mesh),
                InitialPolicies.of(policies.all(Mesh.class, mesh).stream().findFirst()),
                policies.all(MeshOpenTelemetryBackend.class, mesh));
    }

    /** Whether there is no other difference than one of routes of requests. */
    public boolean sameButForRoutes(AppliedPolicies other) {
        return merged.equals(other.merged) && initial.equals(other.initial) && collectors.equals(other.collectors);
    }

    private static <T extends Resource> List<T> applied(PolicySet policies, Class<T> type, String mesh) {
        return policies.all(type, mesh).stream().filter(policy -> !policy.metadata().shadow()).toList();
    }
}
