package io.weft.agent.mesh;

import static org.assertj.core.api.Assertions.assertThat;

import io.weft.agent.log.AgentLog;
import io.weft.policy.PolicyClientStatus;
import io.weft.policy.PolicyClientStatus.Connected;
import io.weft.policy.PolicyClientStatus.Connection;
import io.weft.policy.PolicyClientStatus.Disconnected;
import io.weft.policy.PolicyClientStatus.Refusal;
import io.weft.policy.PolicyClientStatus.Variant;
import java.io.ByteArrayOutputStream;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class PolicyNewsTest {
    private static final Connection CONNECTED = new Connected(new InetSocketAddress("127.0.0.1", 1), Instant.EPOCH);
    private static final Connection AWAY = new Disconnected("UNAVAILABLE: gone", Instant.EPOCH, false);
    private static final Connection TURNED_AWAY = new Disconnected("UNAUTHENTICATED: no token came", Instant.EPOCH, true);
    private static final Refusal REFUSAL =
            new Refusal("Cluster orders", "transport_socket", "is not supported", Instant.EPOCH);

    private final ByteArrayOutputStream said = new ByteArrayOutputStream();
    private final AgentLog log = AgentLog.to(AgentLog.Level.INFO, said);
    private final Background background = new Background(log);
    private Duration reminder = Duration.ofDays(1);

    @Test
    void refusalIsSaidOnce() {
        PolicyNews news = news(Duration.ofDays(1));

        news.read(status(CONNECTED, List.of(REFUSAL), Optional.empty()));
        news.read(status(CONNECTED, List.of(REFUSAL), Optional.empty()));

        assertThat(lines()).singleElement().asString().endsWith(
                "weft WARN refused Cluster orders: transport_socket: is not supported; what was in force before stays in force");
    }

    @Test
    void problemIsSaidOnce() {
        PolicyNews news = news(Duration.ofDays(1));

        news.read(status(CONNECTED, List.of(), Optional.of("the cache is full")));
        news.read(status(AWAY, List.of(), Optional.of("the cache is full")));

        assertThat(lines()).singleElement().asString().endsWith("weft WARN the cache is full");
    }

    @Test
    void everNewNonsenseDoesNotFillTheLog() {
        PolicyNews news = news(Duration.ofDays(1));

        for (int i = 0; i < 1_000; i++) {
            news.read(status(CONNECTED, List.of(), Optional.of("nonsense " + i)));
        }

        assertThat(lines()).hasSize(100).last().asString().contains("not logged any more");
    }

    @Test
    void outageIsSaidOnceWhenItLastsAndSoIsItsEnd() throws InterruptedException {
        PolicyNews news = news(Duration.ZERO);
        news.read(status(CONNECTED, List.of(), Optional.empty()));

        news.read(status(AWAY, List.of(), Optional.empty()));
        news.read(status(AWAY, List.of(), Optional.empty()));
        awaitTimers();
        news.read(status(CONNECTED, List.of(), Optional.empty()));

        assertThat(lines()).satisfiesExactly(
                line -> assertThat(line).endsWith(
                        "weft WARN no connection to the control plane (UNAVAILABLE: gone); the last policy stays in force"),
                line -> assertThat(line).endsWith("weft INFO connected to the control plane again"));
    }

    @Test
    void aControlPlaneThatIsNotThereFromTheBeginningIsSaidOnceAndSoIsThatItHasCome() throws InterruptedException {
        PolicyNews news = news(Duration.ofMillis(1));
        news.read(status(AWAY, List.of(), Optional.empty()));
        awaitTimers();
        news.read(status(AWAY, List.of(), Optional.empty()));
        awaitTimers();
        news.read(status(CONNECTED, List.of(), Optional.empty()));

        assertThat(lines()).satisfiesExactly(
                line -> assertThat(line).contains("weft WARN no connection to the control plane (UNAVAILABLE: gone); there was none yet", "weft.control-plane"),
                line -> assertThat(line).endsWith("weft INFO connected to the control plane"));
    }

    @Test
    void restartOfTheControlPlaneIsNoNews() {
        PolicyNews news = news(Duration.ofDays(1));

        news.read(status(CONNECTED, List.of(), Optional.empty()));
        news.read(status(AWAY, List.of(), Optional.empty()));
        news.read(status(CONNECTED, List.of(), Optional.empty()));

        assertThat(lines()).isEmpty();
    }

    @Test
    void whoeverIsTurnedAwayAgainAndAgainIsToldOnce() throws InterruptedException {
        PolicyNews news = news(Duration.ZERO);
        news.read(status(CONNECTED, List.of(), Optional.empty()));
        Connection forAMoment = new Connected(new InetSocketAddress("127.0.0.1", 1), Instant.EPOCH.plusSeconds(1));

        for (int i = 0; i < 3; i++) {
            news.read(status(AWAY, List.of(), Optional.empty()));
            awaitTimers();
            news.read(status(forAMoment, List.of(), Optional.empty()));
        }

        assertThat(lines()).singleElement().asString().contains("no connection to the control plane");
    }

    @Test
    void whoeverIsTurnedAwayFromTheBeginningIsToldAtOnceWhatToDo() {
        PolicyNews news = news(Duration.ofDays(1));

        news.read(status(TURNED_AWAY, List.of(), Optional.empty()));
        news.read(status(TURNED_AWAY, List.of(), Optional.empty()));
        news.read(status(CONNECTED, List.of(), Optional.empty()));

        assertThat(lines()).satisfiesExactly(
                line -> assertThat(line).endsWith("weft WARN the control plane turns this process away: UNAUTHENTICATED: no token came"
                        + " (no token is shown); what it had before stays in force"),
                line -> assertThat(line).endsWith("weft INFO the control plane has let this process in"));
    }

    @Test
    void andAgainForAsLongAsItLasts() throws InterruptedException {
        reminder = Duration.ofMillis(1);
        PolicyNews news = news(Duration.ofDays(1));

        news.read(status(TURNED_AWAY, List.of(), Optional.empty()));
        while (lines().size() < 3) {
            Thread.sleep(1);
        }
        news.read(status(CONNECTED, List.of(), Optional.empty()));
        awaitTimers();
        List<String> told = lines();
        awaitTimers();

        assertThat(told).last().asString().endsWith("has let this process in");
        assertThat(lines()).isEqualTo(told);
    }

    private PolicyNews news(Duration patience) {
        return new PolicyNews(background, log, patience, reminder, "no token is shown");
    }

    /** One thread runs them all, in the order of their time. */
    private void awaitTimers() throws InterruptedException {
        CountDownLatch last = new CountDownLatch(1);
        background.runAfter(1, "end", last::countDown);
        assertThat(last.await(60, TimeUnit.SECONDS)).isTrue();
    }

    private static PolicyClientStatus status(Connection connection, List<Refusal> refused, Optional<String> problem) {
        return new PolicyClientStatus(connection, Variant.DELTA, "", Map.of(), refused, Optional.of(Instant.EPOCH), problem);
    }

    private List<String> lines() {
        return said.toString(StandardCharsets.UTF_8).lines().toList();
    }
}
