package io.weft.dataplane;

import static io.weft.dataplane.Policies.host;
import static io.weft.dataplane.Policies.snapshot;
import static io.weft.dataplane.Policies.to;
import static org.assertj.core.api.Assertions.assertThat;

import io.weft.policy.model.PolicySnapshot;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.assertj.core.api.Assertions;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class StartupTest {
    private static final Duration LONG = Duration.ofMinutes(5);

    private final PolicySnapshot policy =
            snapshot().generation(3).routes(host("orders", to("orders"))).cluster("orders", 1).build();
    private final ExecutorService threads = Executors.newCachedThreadPool();

    @AfterEach
    void stop() {
        threads.shutdownNow();
    }

    @Test
    void requestsWaitForTheFirstPolicy() throws Exception {
        DataPlane dataPlane = DataPlane.start(LONG, new SimulatedTime(), Fixture.NO_FAULTS, Self.UNKNOWN);
        Future<Boolean> first = threads.submit(() -> dataPlane.claims(Request.get("orders", "/")));
        Future<Boolean> second = threads.submit(() -> dataPlane.claims(Request.get("elsewhere", "/")));
        Assertions.assertThatThrownBy(() -> first.get(50, TimeUnit.MILLISECONDS)).isInstanceOf(TimeoutException.class);
        assertThat(dataPlane.generation()).isEqualTo(-1);

        dataPlane.apply(policy);

        assertThat(first.get(10, TimeUnit.SECONDS)).isTrue();
        assertThat(second.get(10, TimeUnit.SECONDS)).isFalse();
        assertThat(dataPlane.generation()).isEqualTo(3);
    }

    @Test
    void theyWaitNoLongerThanTheGraceAllTogether() {
        DataPlane dataPlane = DataPlane.start(Duration.ofMillis(30), new SimulatedTime(), Fixture.NO_FAULTS, Self.UNKNOWN);

        assertThat(dataPlane.claims(Request.get("orders", "/"))).isFalse();
        assertThat(dataPlane.claims(Request.get("orders", "/"))).isFalse();
        dataPlane.apply(policy);
        assertThat(dataPlane.claims(Request.get("orders", "/"))).isTrue();
    }

    @Test
    void theGraceBeginsWithTheProcessAndIsOverForAll() {
        SimulatedTime time = new SimulatedTime();
        DataPlane dataPlane = new DataPlane(LONG, new Surroundings(time, time, new SeededRandomness(1), time, Fixture.NO_FAULTS, Self.UNKNOWN));
        time.advance(LONG);

        assertThat(dataPlane.claims(Request.get("orders", "/"))).isFalse();
        assertThat(dataPlane.stats()).isEmpty();
    }

    @Test
    void whatIsNeverTheMeshsDoesNotWait() {
        assertThat(DataPlane.start(LONG, new SimulatedTime(), Fixture.NO_FAULTS, Self.UNKNOWN).pick("https", "orders", "GET", "/")).isNull();
    }

    @Test
    void tlsWaitsOnlyWhereAPolicyIsRequired() throws Exception {
        assertThat(DataPlane.start(LONG, new SimulatedTime(), Fixture.NO_FAULTS, Self.UNKNOWN).refuses(true, "vault", 8200)).isFalse();

        DataPlane requiring = DataPlane.start(LONG, new SimulatedTime(), Fixture.NO_FAULTS, Self.UNKNOWN);
        requiring.require();
        Future<Boolean> refused = threads.submit(() -> requiring.refuses(true, "vault", 8200));
        Assertions.assertThatThrownBy(() -> refused.get(50, TimeUnit.MILLISECONDS)).isInstanceOf(TimeoutException.class);
        requiring.apply(policy);
        assertThat(refused.get(10, TimeUnit.SECONDS)).isFalse();
    }

    @Test
    void anInterruptedThreadDoesNotWaitAndStaysInterrupted() throws Exception {
        DataPlane dataPlane = DataPlane.start(LONG, new SimulatedTime(), Fixture.NO_FAULTS, Self.UNKNOWN);
        Future<List<Boolean>> outcome = threads.submit(() -> {
            Thread.currentThread().interrupt();
            boolean claimed = dataPlane.claims(Request.get("orders", "/"));
            return List.of(claimed, Thread.interrupted());
        });

        assertThat(outcome.get(10, TimeUnit.SECONDS)).containsExactly(false, true);
        dataPlane.apply(policy);
        assertThat(dataPlane.claims(Request.get("orders", "/"))).isTrue();
    }
}
