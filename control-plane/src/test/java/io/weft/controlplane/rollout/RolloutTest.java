package io.weft.controlplane.rollout;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.weft.controlplane.rollout.Rollout.Event;
import io.weft.controlplane.rollout.Rollout.Limits;
import io.weft.controlplane.rollout.Rollout.Observed;
import io.weft.controlplane.rollout.Rollout.Outcome;
import io.weft.controlplane.rollout.Rollout.Plan;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** On the real folder, with figures and time that are made up. */
class RolloutTest {

    @TempDir
    private Path folder;

    private final List<Event> events = new ArrayList<>();
    private final Simulation simulation = new Simulation();
    private Limits limits = new Limits(OptionalDouble.of(0.01), OptionalDouble.of(250), 20, Duration.ofMinutes(1));

    private static final class Simulation implements Rollout.Watch, Rollout.Clock {
        private long nanos = 77;
        private double requestsPerSecond = 10;
        private double errorRate;
        private double refusedShare;
        private OptionalDouble p99 = OptionalDouble.of(20);
        private boolean silent;
        private Optional<String> refusal = Optional.empty();
        /** By the clock, when something happens. */
        private Runnable later = () -> {};
        private long laterAt = Long.MAX_VALUE;

        void after(Duration time, Runnable what) {
            laterAt = nanos + time.toNanos();
            later = what;
        }

        @Override
        public long now() throws IOException {
            answer();
            return nanos / 1_000_000;
        }

        @Override
        public Observed since(String mesh, String service, String version, long moment) throws IOException {
            answer();
            long requests = (long) ((nanos / 1_000_000 - moment) / 1000.0 * requestsPerSecond);
            return new Observed(requests, Math.round(requests * errorRate), Math.round(requests * errorRate * refusedShare), p99);
        }

        @Override
        public Optional<String> refusal(String mesh, String service) {
            return refusal;
        }

        private void answer() throws IOException {
            if (silent) {
                throw new IOException("no answer");
            }
        }

        @Override
        public long nanoTime() {
            return nanos;
        }

        @Override
        public void sleep(Duration time) {
            nanos += time.toNanos();
            if (nanos >= laterAt) {
                laterAt = Long.MAX_VALUE;
                later.run();
            }
        }
    }

    @Test
    void stepByStepItTakesOver() throws Exception {
        assertThat(rollout().run()).isEqualTo(Outcome.DONE);

        assertThat(kinds()).containsExactly("started", "step", "held", "step", "held", "done");
        assertThat(events).filteredOn(event -> event.kind().equals("step"))
                .extracting(event -> event.weights().get("v2")).containsExactly(10L, 100L);
        assertThat(simulation.nanos).isGreaterThanOrEqualTo(Duration.ofSeconds(120).toNanos());
        assertWeights(0, 100);
    }

    @Test
    void whatTheMeshRefusesIsAmongTheErrorsAndSaidSo() throws Exception {
        simulation.errorRate = 0.05;
        simulation.refusedShare = 0.5;

        assertThat(rollout().run()).isEqualTo(Outcome.ROLLED_BACK);

        assertThat(last().reason()).containsPattern("requests failed, \\d+ of them refused by a permission or a rate limit of the mesh, more than 1 %");
    }

    @Test
    void tooManyErrorsTakeItBackAtOnce() throws Exception {
        simulation.after(Duration.ofSeconds(70), () -> simulation.errorRate = 0.05);

        assertThat(rollout().run()).isEqualTo(Outcome.ROLLED_BACK);

        assertThat(kinds()).containsExactly("started", "step", "held", "step", "rolled-back");
        assertThat(last().reason()).contains("5.00 %").contains("more than 1 %");
        assertThat(last().observed().errors()).isPositive();
        assertThat(simulation.nanos).as("not at the end of the step").isLessThan(Duration.ofSeconds(90).toNanos());
        assertWeights(100, 0);
    }

    @Test
    void aSlowVersionIsTakenBack() throws Exception {
        simulation.p99 = OptionalDouble.of(400);
        assertThat(rollout().run()).isEqualTo(Outcome.ROLLED_BACK);
        assertThat(last().reason()).contains("p99 is 400 ms, more than 250 ms");
        assertWeights(100, 0);
    }

    @Test
    void aLimitThatNobodyCanTellIsNotPassedOver() throws Exception {
        simulation.p99 = OptionalDouble.empty();
        assertThat(rollout().run()).isEqualTo(Outcome.ROLLED_BACK);
        assertThat(last().reason()).contains("no latencies");

        events.clear();
        limits = new Limits(OptionalDouble.of(0.01), OptionalDouble.empty(), 20, Duration.ofMinutes(1));
        assertThat(rollout().run()).isEqualTo(Outcome.DONE);
    }

    @Test
    void tooFewRequestsAreWaitedForAndThenItGoesBack() throws Exception {
        simulation.requestsPerSecond = 0.2;
        assertThat(rollout().run()).as("24 in two minutes are enough").isEqualTo(Outcome.DONE);
        assertThat(kinds()).containsExactly("started", "step", "waiting", "held", "step", "waiting", "held", "done");

        events.clear();
        simulation.requestsPerSecond = 0.1;
        assertThat(rollout().run()).isEqualTo(Outcome.ROLLED_BACK);
        assertThat(last().reason()).contains("12 requests are too few");
    }

    @Test
    void withoutFiguresItGoesBack() throws Exception {
        simulation.after(Duration.ofSeconds(5), () -> simulation.silent = true);
        assertThat(rollout().run()).isEqualTo(Outcome.ROLLED_BACK);
        assertThat(last().reason()).contains("nothing is known of it for 20 s").contains("no answer");
        assertWeights(100, 0);
    }

    @Test
    void aShortSilenceIsBorne() throws Exception {
        simulation.after(Duration.ofSeconds(5), () -> {
            simulation.silent = true;
            simulation.after(Duration.ofSeconds(15), () -> simulation.silent = false);
        });
        assertThat(rollout().run()).isEqualTo(Outcome.DONE);
    }

    @Test
    void aPolicyThatIsRefusedIsTakenBack() throws Exception {
        simulation.after(Duration.ofSeconds(2), () -> simulation.refusal = Optional.of("policy orders-canary is refused by shop-1"));
        assertThat(rollout().run()).isEqualTo(Outcome.ROLLED_BACK);
        assertThat(last().reason()).contains("refused by shop-1");
    }

    @Test
    void whoCancelsGoesBack() throws Exception {
        Rollout rollout = rollout();
        simulation.after(Duration.ofSeconds(5), () -> rollout.cancel("it was told to end"));
        assertThat(rollout.run()).isEqualTo(Outcome.ROLLED_BACK);
        assertWeights(100, 0);
    }

    @Test
    void whoeverCannotBeAskedBeforeIsNotBegunWith() {
        simulation.silent = true;
        assertThatThrownBy(() -> rollout().run()).isInstanceOf(IOException.class);
        assertThat(folder).isEmptyDirectory();
    }

    @Test
    void aThirdVersionHasToBeEndedFirst() throws Exception {
        new FolderRoutes(folder).share("default", "orders", Map.of("v1", 80L, "v3", 20L));
        assertThatThrownBy(() -> rollout().run()).isInstanceOf(RolloutException.class).hasMessageContaining("v3");
    }

    private Rollout rollout() {
        Plan plan = new Plan("default", "orders", "v1", "v2", List.of(10, 100), Duration.ofSeconds(60), limits);
        return new Rollout(plan, new FolderRoutes(folder), simulation, simulation, events::add);
    }

    private List<String> kinds() {
        return events.stream().map(Event::kind).toList();
    }

    private Event last() {
        return events.get(events.size() - 1);
    }

    private void assertWeights(long v1, long v2) throws Exception {
        assertThat(new FolderRoutes(folder).split("default", "orders").orElseThrow().weights())
                .containsOnly(Map.entry("v1", v1), Map.entry("v2", v2));
    }
}
