package io.weft.agent.settings;

import io.weft.agent.log.AgentLog;
import java.net.URI;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * The agent's settings, all valid. Their meaning is with each {@link Setting}.
 *
 * @param ports empty: all
 */
public record Settings(
        boolean enabled,
        boolean required,
        Optional<ControlPlane> controlPlane,
        Optional<String> service,
        String mesh,
        Optional<String> zone,
        Optional<String> localCluster,
        Map<String, String> tags,
        Optional<String> address,
        Set<Integer> ports,
        Identity identity,
        Optional<String> cacheDirectory,
        Duration startupWait,
        Drain drain,
        Admin admin,
        Log log,
        Set<String> disabledModules) {

    /** File names and not paths: premain must not touch NIO's file systems. */
    public record ControlPlane(
            URI uri,
            Optional<String> caFile,
            Optional<String> tokenFile,
            Optional<String> clientCertificate,
            Optional<String> clientKey) {}

    /** @param keyType {@code ec}, {@code rsa} or {@code ed25519} */
    public record Identity(Optional<String> directory, Optional<URI> workloadApi, String keyType) {}

    public record Drain(Duration delay, Duration timeout) {}

    public record Admin(boolean enabled, Optional<String> directory) {}

    public record Log(Optional<String> file, AgentLog.Level level) {}
}
