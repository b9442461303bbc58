package io.weft.controlplane.load;

import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * What the names in the reports of one mesh stand for.
 *
 * @param clusters by cluster's name
 * @param endpoints the tag {@code version} of each by {@code ip:port}; empty: it has none
 * @param versions all that there are among the endpoints
 */
public record Destinations(Map<String, Cluster> clusters, Map<String, String> endpoints, Set<String> versions) {

    public static final Destinations NONE = of(Map.of(), Map.of());

    /** @param version of its tags; absent: it has all instances, or tells them apart by something else */
    public record Cluster(String service, Optional<String> version) {}

    public Destinations {
        clusters = Map.copyOf(clusters);
        endpoints = Map.copyOf(endpoints);
        versions = Set.copyOf(versions);
    }

    /** @param endpoints the version of each by {@code ip:port} */
    public static Destinations of(Map<String, Cluster> clusters, Map<String, String> endpoints) {
        return new Destinations(clusters, endpoints, Set.copyOf(endpoints.values()));
    }
}
