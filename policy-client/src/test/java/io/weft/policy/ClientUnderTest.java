package io.weft.policy;

import static org.awaitility.Awaitility.await;

import io.weft.policy.PolicyClientStatus.Connected;
import io.weft.policy.PolicyClientStatus.Disconnected;
import io.weft.policy.identity.IdentityConfig;
import io.weft.policy.model.EndpointAssignment.Locality;
import io.weft.policy.model.PolicySnapshot;
import io.weft.policy.xds.Environment;
import io.weft.policy.xds.TransportLimits;
import java.net.URI;
import java.time.Clock;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Predicate;

/** A client in a hurry, and every snapshot that it gave. */
final class ClientUnderTest implements AutoCloseable {
    static final Duration INITIAL_BACKOFF = Duration.ofMillis(100);
    static final Duration MAX_BACKOFF = Duration.ofMillis(400);
    static final Node NODE = new Node("default.web-1", "web", Locality.UNKNOWN, Map.of("answer", 42, "list", List.of("a", true)));

    final List<PolicySnapshot> snapshots = new CopyOnWriteArrayList<>();
    final PolicyClient client;

    ClientUnderTest(URI controlPlane) {
        this(config(controlPlane));
    }

    ClientUnderTest(PolicyClientConfig config) {
        this(config, environment());
    }

    ClientUnderTest(PolicyClientConfig config, Environment environment) {
        client = PolicyClient.start(config, local -> NODE, snapshots::add, environment);
    }

    static PolicyClientConfig config(URI controlPlane) {
        return new PolicyClientConfig(
                controlPlane, Dialect.XDS, Optional.empty(), Optional.empty(), Optional.empty(), Optional.empty(), IdentityConfig.REQUESTED,
                INITIAL_BACKOFF, MAX_BACKOFF);
    }

    static Environment environment() {
        TransportLimits limits = new TransportLimits(
                Duration.ofMillis(500), Duration.ofMillis(500), Duration.ofMillis(200), Duration.ofMillis(200), 64 << 20, 1 << 20);
        return new Environment(
                Clock.systemUTC(), new Random(1), limits, Duration.ofSeconds(2), Duration.ofMillis(300), Duration.ofSeconds(1),
                Duration.ofMillis(700));
    }

    PolicySnapshot awaitSnapshot(Predicate<PolicySnapshot> condition) {
        return await().atMost(Duration.ofSeconds(10)).pollInterval(Duration.ofMillis(5)).until(client::snapshot, condition);
    }

    PolicySnapshot awaitCluster(String name) {
        return awaitSnapshot(snapshot -> snapshot.clusters().containsKey(name));
    }

    PolicyClientStatus awaitStatus(Predicate<PolicyClientStatus> condition) {
        return await().atMost(Duration.ofSeconds(10)).pollInterval(Duration.ofMillis(5)).until(client::status, condition);
    }

    void awaitError(String... parts) {
        awaitStatus(status -> status.connection() instanceof Disconnected disconnected
                && Arrays.stream(parts).allMatch(disconnected.error()::contains));
    }

    Connected awaitConnected() {
        return (Connected) awaitStatus(status -> status.connection() instanceof Connected).connection();
    }

    @Override
    public void close() {
        client.close();
    }
}
