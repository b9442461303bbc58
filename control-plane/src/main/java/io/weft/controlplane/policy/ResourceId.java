package io.weft.controlplane.policy;

/**
 * What makes two documents versions of the same thing.
 *
 * @param name Kuma's core name: for the Kubernetes form with a namespace, {@code name.namespace}
 */
public record ResourceId(String type, String mesh, String name) {

    @Override
    public String toString() {
        return type + " " + name + " (mesh " + mesh + ")";
    }
}
