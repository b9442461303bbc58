package io.weft.controlplane.identity;

/**
 * Who a data plane is, as far as it is proved: by a token of the control plane a service, by one of a cluster a service account.
 *
 * @param service by which policies call it; empty: none
 * @param namespace empty outside of a cluster
 * @param serviceAccount empty outside of a cluster
 */
public record Workload(String service, String namespace, String serviceAccount) {

    /** Who has no name in the mesh. */
    public static final Workload NOBODY = new Workload("", "", "");

    public static Workload ofService(String service) {
        return new Workload(service, "", "");
    }

    /** By what people know it: in a cluster with its namespace. */
    public String shown() {
        return namespace.isEmpty() ? service : namespace + "/" + service;
    }

    /** For messages. */
    @Override
    public String toString() {
        return serviceAccount.isEmpty() ? service : namespace + "/" + serviceAccount;
    }
}
