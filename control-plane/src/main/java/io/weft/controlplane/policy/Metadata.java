package io.weft.controlplane.policy;

import java.util.HashMap;
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

    /** Whether its role is the one that its namespace implies. */
    boolean lacksRole() {
        return !namespace.isEmpty() && !labels.containsKey(Labels.POLICY_ROLE);
    }

    Metadata withRole(String role) {
        Map<String, String> more = new HashMap<>(labels);
        more.put(Labels.POLICY_ROLE, role);
        return new Metadata(id, displayName, namespace, more);
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

    /** Of two names without a namespace, or one without, nothing tells one from the other. */
    public boolean isOf(String other) {
        return other.isEmpty() || namespace.isEmpty() || other.equals(namespace);
    }

    public boolean has(Map<String, String> wanted) {
        return wanted.entrySet().stream().allMatch(entry -> entry.getValue().equals(label(entry.getKey())));
    }

    /**
     * Whether a policy may be for a data plane of another namespace. Kuma's consumer and workload-owner policies are for those of
     * their own; one that has no namespace, outside of a cluster, takes all.
     */
    public boolean reaches(Metadata dataplane) {
        String theirs = dataplane.label(Labels.NAMESPACE);
        return !isOfItsNamespace() || theirs == null || theirs.isEmpty() || theirs.equals(label(Labels.NAMESPACE));
    }

    /** Whether it is for data planes of its own namespace alone. */
    public boolean isOfItsNamespace() {
        return role().equals("consumer") || role().equals("workload-owner");
    }

    /** Whether it was made in a zone, and not for all of them. */
    public boolean zoneOrigin() {
        return "zone".equals(labels.get(Labels.ORIGIN));
    }

    /** Kuma's word for who wrote it, and so for whom. */
    public String role() {
        return labels.getOrDefault(Labels.POLICY_ROLE, "system");
    }

    /** Computed and shown, never applied. */
    public boolean shadow() {
        return "shadow".equals(labels.get(Labels.EFFECT));
    }
}
