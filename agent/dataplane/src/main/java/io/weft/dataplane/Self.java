package io.weft.dataplane;

import io.weft.policy.model.EndpointAssignment.Locality;

/**
 * Where this process is.
 *
 * @param locality {@link Locality#UNKNOWN}: not known
 * @param address the IP address that its requests come from, for hash policies; null: not known
 * @param localCluster the cluster whose endpoints are those that send as this process does, as {@code local_cluster_name} in an
 *     Envoy's bootstrap; null: none, and no zone is preferred
 */
public record Self(Locality locality, String address, String localCluster) {
    public static final Self UNKNOWN = new Self(Locality.UNKNOWN, null, null);
}
