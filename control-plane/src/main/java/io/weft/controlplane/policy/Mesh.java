package io.weft.controlplane.policy;

import java.time.Duration;
import java.util.Optional;

/**
 * Kuma's {@code Mesh}. A mesh needs no document of its own.
 *
 * @param mtls the backend that is enabled; absent: the mesh as such gives no identities
 */
public record Mesh(Metadata metadata, Optional<Mtls> mtls) implements Resource {

    /**
     * @param mode where no MeshTLS says otherwise
     * @param expiry lifetime of the certificates of data planes
     */
    public record Mtls(TlsMode mode, CaSource source, Duration expiry) {}
}
