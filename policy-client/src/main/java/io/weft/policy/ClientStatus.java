package io.weft.policy;

import io.weft.policy.PolicyClientStatus.Refusal;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/**
 * What the policy client has of each resource of the control plane, at one moment: what the client status discovery service (CSDS) tells.
 *
 * @param node id under which the control plane knows it; empty before the first connection
 * @param cluster of the node
 */
public record ClientStatus(String node, String cluster, List<Resource> resources) {
    public ClientStatus {
        resources = List.copyOf(resources);
    }

    /** The names are the protocol's. */
    public enum State {
        /** It has not come yet. */
        REQUESTED,
        /** The control plane has removed it; as long as something refers to it, it stays in force. */
        DOES_NOT_EXIST,
        ACKED,
        /** The newest version was refused: what is told is the last good one, if there is one. */
        NACKED
    }

    /**
     * @param typeUrl as {@code type.googleapis.com/envoy.config.cluster.v3.Cluster}
     * @param version empty: there is none, or the control plane gives none
     * @param updated when the version that is told came from the control plane; empty: there is none, or it is from disk
     */
    public record Resource(
            String typeUrl, String name, String version, Optional<Instant> updated, State state, Optional<Refusal> refusal) {}
}
