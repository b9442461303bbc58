package io.weft.controlplane;

import io.weft.controlplane.policy.Problem;
import io.weft.controlplane.xds.MeshDiff;
import java.util.List;

/**
 * What other policies would change.
 *
 * @param problems of the documents that would be refused
 * @param policies documents that would come, go or change: {@code +}, {@code -} or {@code ~}, then which
 * @param meshes without those in which nothing would change
 */
public record PolicyDiff(List<Problem> problems, List<String> policies, List<Mesh> meshes) {

    /**
     * @param changes of what the data planes that are connected now get
     * @param identities whether who has an identity would change, too: that is not in the changes, as trying it would make keys
     */
    public record Mesh(String name, boolean identities, List<MeshDiff.Change> changes) {}
}
