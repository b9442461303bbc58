package io.weft.controlplane.policy;

import java.util.Map;

/**
 * What every resource has.
 *
 * @param displayName the name without a namespace
 * @param namespace of the Kubernetes form; empty in the universal form
 */
public record Metadata(ResourceId id, String displayName, String namespace, Map<String, String> labels) {

    public Metadata {
        labels = Map.copyOf(labels);
    }

    public String mesh() {
        return id.mesh();
    }

    public String zone() {
        return labels.getOrDefault(Labels.ZONE, "");
    }

    /** The labels with those that Kuma adds to each resource. */
    public String label(String name) {
        return switch (name) {
            case Labels.DISPLAY_NAME -> labels.getOrDefault(name, displayName);
            case Labels.NAMESPACE -> labels.getOrDefault(name, namespace);
            default -> labels.get(name);
        };
    }

    public boolean has(Map<String, String> wanted) {
        return wanted.entrySet().stream().allMatch(entry -> entry.getValue().equals(label(entry.getKey())));
    }

    /** Computed and shown, never applied. */
    public boolean shadow() {
        return "shadow".equals(labels.get(Labels.EFFECT));
    }
}
