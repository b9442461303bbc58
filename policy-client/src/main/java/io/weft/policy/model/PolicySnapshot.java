package io.weft.policy.model;

import java.util.List;
import java.util.Map;

/**
 * Everything that the control plane has said and that is in force, at one moment. Consistent: a listener is in it only with
 * its route configuration, and an EDS cluster only with its endpoints.
 *
 * @param generation grows by one with each snapshot of this process; what was read from disk has 0, also once this process has got a certificate for it
 * @param listeners by name
 * @param routeConfigurations by name; those inline in a listener are not repeated here
 * @param clusters by name
 * @param assignments endpoints, by the name under which the cluster asks for them
 * @param secrets by name; one that a cluster or listener refers to may be missing, and then nothing goes over TLS that needs it
 * @param names that the control plane's name service answers
 * @param unhonoured what was accepted although a part of it has no effect here
 */
public record PolicySnapshot(
        long generation,
        Map<String, Listener> listeners,
        Map<String, RouteConfiguration> routeConfigurations,
        Map<String, Cluster> clusters,
        Map<String, EndpointAssignment> assignments,
        Map<String, Secret> secrets,
        NameTable names,
        List<Unhonoured> unhonoured) {

    public PolicySnapshot {
        listeners = Map.copyOf(listeners);
        routeConfigurations = Map.copyOf(routeConfigurations);
        clusters = Map.copyOf(clusters);
        assignments = Map.copyOf(assignments);
        secrets = Map.copyOf(secrets);
        unhonoured = List.copyOf(unhonoured);
    }

    /** With other names. */
    public PolicySnapshot with(NameTable others) {
        return new PolicySnapshot(generation, listeners, routeConfigurations, clusters, assignments, secrets, others, unhonoured);
    }

    /** With other secrets. */
    public PolicySnapshot withSecrets(Map<String, Secret> others) {
        return new PolicySnapshot(generation, listeners, routeConfigurations, clusters, assignments, others, names, unhonoured);
    }

    public static PolicySnapshot empty() {
        return new PolicySnapshot(0, Map.of(), Map.of(), Map.of(), Map.of(), Map.of(), NameTable.EMPTY, List.of());
    }
}
