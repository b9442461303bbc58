package io.weft.policy.cache;

import io.weft.policy.Node;
import java.net.URI;

/**
 * Whose policy a file holds. Processes with equal keys may share it; the last writer wins.
 *
 * @param sharers as in {@link io.weft.policy.PolicyClientConfig.Cache}
 */
public record CacheKey(String mesh, String service, String sharers, URI controlPlane) {

    /** The mesh is what stands before the first dot of the node's id; the rest of the id differs from process to process. */
    public static CacheKey of(Node node, String sharers, URI controlPlane) {
        int dot = node.id().indexOf('.');
        return new CacheKey(dot < 0 ? "" : node.id().substring(0, dot), node.cluster(), sharers, controlPlane);
    }
}
