package io.weft.controlplane.policy;

import java.time.Duration;
import java.util.Optional;

/**
 * Kuma's {@code MeshIdentity} with the provider {@code Bundled}.
 *
 * @param service whose data planes it is for; absent: all
 * @param expiry lifetime of the certificates
 * @param trusted whether the mesh trusts its root without a MeshTrust that says so
 */
public record MeshIdentity(
        Metadata metadata,
        Optional<String> service,
        SpiffeTemplate trustDomain,
        SpiffeTemplate path,
        CaSource source,
        Duration expiry,
        boolean trusted)
        implements Resource {}
