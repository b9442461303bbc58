package io.weft.policy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.netty.handler.codec.http2.DefaultHttp2Headers;
import io.netty.handler.codec.http2.Http2Headers;
import io.weft.policy.PolicyClientStatus.Connected;
import io.weft.policy.PolicyClientStatus.Connection;
import io.weft.policy.PolicyClientStatus.Disconnected;
import io.weft.policy.ScriptedControlPlane.Call;
import io.weft.policy.ScriptedControlPlane.Script;
import io.weft.policy.ScriptedControlPlane.StreamScript;
import io.weft.policy.model.PolicySnapshot;
import io.weft.policy.parse.ResourceType;
import io.weft.policy.proto.envoy.service.discovery.v3.DeltaDiscoveryResponse;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What an operator is told of a connection that is not there. */
class DisconnectedTest {
    private final List<Connection> told = new CopyOnWriteArrayList<>();

    private PolicyClient client(ScriptedControlPlane controlPlane) {
        return client(controlPlane, Dialect.XDS);
    }

    private PolicyClient client(ScriptedControlPlane controlPlane, Dialect dialect) {
        PolicyClientConfig plain = ClientUnderTest.config(controlPlane.uri());
        PolicyClientConfig config = new PolicyClientConfig(plain.controlPlane(), dialect, plain.caFile(), plain.tokenFile(),
                plain.clientCertificate(), plain.cache(), plain.identity(), plain.initialBackoff(), plain.maxBackoff());
        return PolicyClient.start(config, local -> ClientUnderTest.NODE, new PolicyListener() {
            @Override
            public void snapshot(PolicySnapshot snapshot) {}

            @Override
            public void status(PolicyClientStatus status) {
                told.add(status.connection());
            }
        }, ClientUnderTest.environment());
    }

    /** With a stream before each time, as gRPC's servers have it. */
    private static Script turnsAway(int status, String words) {
        return ScriptedControlPlane.http2(() -> new StreamScript() {
            private boolean ended;

            @Override
            public void headers(Call call, Http2Headers headers) {
                call.respond();
            }

            @Override
            public void message(Call call, byte[] message) {
                if (!ended) {
                    ended = true;
                    call.headers(new DefaultHttp2Headers().add("grpc-status", Integer.toString(status)).add("grpc-message", words), true);
                }
            }
        });
    }

    private List<Disconnected> disconnected() {
        return told.stream().filter(Disconnected.class::isInstance).map(Disconnected.class::cast).toList();
    }

    @Test
    void itIsSinceTheConnectionWasLostAndNotSinceTheLastAttempt() {
        try (ScriptedControlPlane controlPlane = new ScriptedControlPlane(ServedPolicy.of("orders", 1001).script());
                PolicyClient client = client(controlPlane)) {
            await().until(() -> client.snapshot().clusters().containsKey("orders"));
            // A JVM's first attempt may take too long.
            told.clear();
            Instant before = Instant.now();
            controlPlane.become(ScriptedControlPlane.closes());
            await().until(() -> disconnected().size() >= 4);

            Instant since = disconnected().get(0).since();
            assertThat(since).isBetween(before, Instant.now());
            assertThat(disconnected()).extracting(Disconnected::since).containsOnly(since);
            assertThat(disconnected()).extracting(Disconnected::turnedAway).containsOnly(false);

            controlPlane.become(ServedPolicy.of("users", 1002).script());
            await().until(() -> client.snapshot().clusters().containsKey("users"));
            controlPlane.become(ScriptedControlPlane.closes());
            await().until(() -> client.status().connection() instanceof Disconnected again && again.since().isAfter(since));
        }
    }

    @ParameterizedTest
    @CsvSource({"16, UNAUTHENTICATED", "8, RESOURCE_EXHAUSTED", "3, INVALID_ARGUMENT"})
    void whoeverIsTurnedAwayIsSoUntilItGetsAnAnswer(int status, String name) {
        try (ScriptedControlPlane controlPlane = new ScriptedControlPlane(turnsAway(status, "no token came"));
                PolicyClient client = client(controlPlane)) {
            await().until(() -> disconnected().size() >= 3);

            assertThat(disconnected()).allSatisfy(each -> {
                assertThat(each.turnedAway()).isTrue();
                assertThat(each.error()).isEqualTo(name + ": no token came");
                assertThat(each.since()).isEqualTo(disconnected().get(0).since());
            });
            List<Connection> fromTheFirst = told.subList(told.indexOf(disconnected().get(0)), told.size());
            assertThat(fromTheFirst).noneMatch(Connected.class::isInstance);

            controlPlane.become(ServedPolicy.of("orders", 1001).script());
            await().until(() -> client.status().connection() instanceof Connected);
            await().until(() -> client.snapshot().clusters().containsKey("orders"));
        }
    }

    /** Whose streams end well once they have brought something. */
    private static Script isTaken() {
        return ScriptedControlPlane.http2(() -> new StreamScript() {
            private boolean ended;

            @Override
            public void headers(Call call, Http2Headers headers) {
                call.respond();
            }

            @Override
            public void message(Call call, byte[] message) {
                if (!ended) {
                    ended = true;
                    call.message(DeltaDiscoveryResponse.newBuilder().setTypeUrl(ResourceType.CLUSTER.typeUrl()).setNonce("1").build().toByteArray());
                    call.headers(new DefaultHttp2Headers().add("grpc-status", "0"), true);
                }
            }
        });
    }

    @Test
    void whoeverTakesTheStreamOfPilotAgentHasItForAWhile() {
        try (ScriptedControlPlane controlPlane = new ScriptedControlPlane(isTaken());
                PolicyClient client = client(controlPlane, Dialect.ISTIO_BY_AGENT)) {
            await().until(() -> disconnected().size() >= 1);
            long began = System.nanoTime();
            await().until(() -> disconnected().size() >= 6);

            // Backoffs of 100, 200, 400, 400, 400 ms, of which jitter leaves at least half; were they begun anew, all would be of 100.
            assertThat(Duration.ofNanos(System.nanoTime() - began)).isGreaterThan(Duration.ofMillis(700));
            assertThat(disconnected()).allSatisfy(each -> assertThat(each.error()).startsWith("UNAVAILABLE: pilot-agent ended the stream"));
            assertThat(client.status().connection()).isInstanceOfAny(Connected.class, Disconnected.class);
        }
    }

    @Test
    void kumaTurnsAwayByItsWords() {
        String words = "authentication failed: could not parse token";
        try (ScriptedControlPlane controlPlane = new ScriptedControlPlane(turnsAway(2, words));
                PolicyClient client = client(controlPlane, Dialect.KUMA)) {
            await().until(() -> !disconnected().isEmpty());
            assertThat(disconnected().get(0)).extracting(Disconnected::turnedAway, Disconnected::error).containsExactly(true, "UNKNOWN: " + words);

            controlPlane.become(turnsAway(2, "could not register proxy"));
            await().until(() -> disconnected().stream().anyMatch(each -> !each.turnedAway()));
        }
    }
}
