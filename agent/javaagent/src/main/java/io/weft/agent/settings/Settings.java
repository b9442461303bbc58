package io.weft.agent.settings;

import io.weft.agent.log.AgentLog;
import java.net.URI;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.Set;

/**
 * The agent's settings, all valid. Their meaning is with each {@link Setting}.
 *
 * @param ports empty: all
 * @param healthPaths that anybody may ask for
 * @param metricsByApp whether the app's own OpenTelemetry may tell metrics
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
        Set<String> healthPaths,
        Identity identity,
        Optional<String> cacheDirectory,
        Duration startupWait,
        Drain drain,
        Admin admin,
        boolean metricsByApp,
        Optional<Otlp> otlp,
        Log log,
        Set<String> disabledModules) {

    /**
     * File names and not paths: premain must not touch NIO's file systems.
     *
     * @param uri {@code grpc://host:port}, with TLS {@code grpcs://host:port}, or {@code file:/path} of a gRPC bootstrap that names it
     */
    public record ControlPlane(
            URI uri,
            Kind kind,
            Optional<String> caFile,
            Optional<String> tokenFile,
            Optional<String> clientCertificate,
            Optional<String> clientKey) {

        /** Where it is for the pods of a mesh of Istio. */
        public static final URI ISTIOD = URI.create("grpcs://istiod.istio-system.svc:15012");

        /** Whose it is: how a process says to it who it is. */
        public enum Kind { WEFT, KUMA, ISTIO }

        /** What it shows of who this process is, for whoever has to put that right. */
        public String token() {
            return tokenFile.map(file -> "the token file " + file + " is read anew for each attempt")
                    .orElse("no token is shown: weft.control-plane.token-file is not set");
        }
    }

    /** @param keyType {@code ec}, {@code rsa} or {@code ed25519} */
    public record Identity(Optional<String> directory, Optional<URI> workloadApi, String keyType) {}

    public record Drain(Duration delay, Duration timeout) {}

    /**
     * @param port of loopback, where may be asked what changes nothing
     * @param metrics where they may be asked for by TCP
     * @param debugHeader whether requests may ask how they are decided
     * @param decisions share of the requests of which the log says how they were decided, from 0 to 1
     */
    public record Admin(
            boolean enabled, Optional<String> directory, OptionalInt port, Optional<Listen> metrics, boolean debugHeader, double decisions) {}

    /**
     * @param endpoint of a collector, with its host, and {@code http} or {@code https}
     * @param interval between two times that metrics are sent
     * @param sampling 0 to 100, the share of requests that begin a trace where the control plane says nothing; empty: then none is traced
     */
    public record Otlp(URI endpoint, Duration interval, OptionalDouble sampling) {}

    /** @param address an IP address */
    public record Listen(String address, int port) {}

    public record Log(Optional<String> file, AgentLog.Level level) {}
}
