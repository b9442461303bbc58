package io.weft.controlplane.token;

/**
 * A service account's token that is bound to a pod, as the cluster's own word of it.
 *
 * @param uid of the pod, which tells it from a later one of the same name
 */
public record PodToken(String namespace, String serviceAccount, String pod, String uid) implements Proof {

    @Override
    public String owner() {
        return "pod " + namespace + "/" + pod;
    }
}
