package io.weft.policy;

import io.weft.policy.identity.IdentityConfig;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;

/**
 * @param controlPlane {@code grpc://host:port}, with TLS {@code grpcs://host:port}, or {@code unix:///path} of a socket
 * @param caFile PEM certificates that the control plane's must chain to; empty: the JDK's
 * @param tokenFile sent as {@code authorization}, with {@code Bearer} before it where the dialect has that, read anew for each stream
 * @param clientCertificate PEM chain and PKCS#8 key, both or none
 * @param cache where the last good snapshot is kept; empty: nowhere
 * @param identity where this process gets its own certificate, when the control plane does not send it
 * @param initialBackoff before the second try to connect; doubles up to the maximum, each with jitter
 */
public record PolicyClientConfig(
        URI controlPlane,
        Dialect dialect,
        Optional<Path> caFile,
        Optional<Path> tokenFile,
        Optional<ClientCertificate> clientCertificate,
        Optional<Cache> cache,
        IdentityConfig identity,
        Duration initialBackoff,
        Duration maxBackoff) {

    /** Those of an agent; a control plane counts on them when it waits for one to come back. */
    public static final Duration INITIAL_BACKOFF = Duration.ofMillis(200);

    public static final Duration MAX_BACKOFF = Duration.ofSeconds(10);

    public record ClientCertificate(Path chain, Path key) {}

    /** @param sharers only processes with the same text share a policy, as it depends on more than their service; may be empty */
    public record Cache(Path directory, String sharers) {}
}
