package io.weft.controlplane.policy;

import java.time.Duration;
import java.util.Optional;
import java.util.Set;

/**
 * Kuma's {@code Mesh}. A mesh needs no document of its own.
 *
 * @param skippedInitialPolicies types of those policies that are not there from the start; {@code *}: all
 * @param mtls the backend that is enabled; absent: the mesh as such gives no identities
 */
public record Mesh(Metadata metadata, Set<String> skippedInitialPolicies, Optional<Mtls> mtls) implements Resource {

    public Mesh {
        skippedInitialPolicies = Set.copyOf(skippedInitialPolicies);
    }


    /**
     * @param mode where no MeshTLS says otherwise
     * @param path of the identities
     * @param expiry lifetime of the certificates of data planes
     */
    public record Mtls(TlsMode mode, SpiffeTemplate path, CaSource source, Duration expiry) {}
}
