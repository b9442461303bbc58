package io.weft.policy.identity;

import java.nio.file.Path;
import java.util.Optional;

/**
 * Where this process gets its identity when a policy leaves that to it: certificate providers, and SDS names that are not served over
 * the ADS stream.
 *
 * @param keyType of the keys for which certificates are asked for
 * @param directory with key and certificates that something else keeps fresh; empty: they are asked for at the control plane, by
 *     Istio's certificate service
 */
public record IdentityConfig(KeyType keyType, Optional<Path> directory) {
    public static final IdentityConfig REQUESTED = new IdentityConfig(KeyType.EC_P256, Optional.empty());
}
