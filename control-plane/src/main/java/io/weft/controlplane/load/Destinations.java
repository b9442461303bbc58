package io.weft.controlplane.load;

import java.util.Map;
import java.util.Optional;

/**
 * What the names in the reports of one mesh stand for.
 *
 * @param clusters by cluster's name
 * @param versions the tag {@code version} by {@code ip:port}, for endpoints that have one
 */
public record Destinations(Map<String, Cluster> clusters, Map<String, String> versions) {

    public static final Destinations NONE = new Destinations(Map.of(), Map.of());

    /** @param version of its tags; absent: it has all instances, or tells them apart by something else */
    public record Cluster(String service, Optional<String> version) {}

    public Destinations {
        clusters = Map.copyOf(clusters);
        versions = Map.copyOf(versions);
    }
}
