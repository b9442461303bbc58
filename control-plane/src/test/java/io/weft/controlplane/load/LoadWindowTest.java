package io.weft.controlplane.load;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.weft.controlplane.load.LoadWindow.Reporter;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class LoadWindowTest {
    private static final Edge EDGE = new Edge("default", "shop", "orders", "v1");

    private final AtomicLong nanos = new AtomicLong(Duration.ofHours(-3).toNanos());
    private final LoadWindow window = new LoadWindow(nanos::get);

    @Test
    void whatWasReportedInAStretchIsShownWhenItIsOver() {
        window.add(EDGE, load(10, 1, 3));
        window.add(EDGE, load(5, 0, 3));
        assertThat(window.sum(EDGE, Duration.ofSeconds(5)).requests()).as("not over yet").isZero();

        pass(LoadWindow.STEP);

        Load load = window.sum(EDGE, Duration.ofSeconds(5));
        assertThat(load.successes()).isEqualTo(15);
        assertThat(load.errors()).isEqualTo(1);
        assertThat(load.errorRate()).isCloseTo(1 / 16.0, within(1e-9));
        assertThat(window.edges("default")).containsExactly(EDGE);
        assertThat(window.edges("other")).isEmpty();
    }

    @Test
    void stretchesWithoutAReportAreEmpty() {
        window.add(EDGE, load(1, 0, 1));
        pass(LoadWindow.STEP.multipliedBy(3));
        window.add(EDGE, load(2, 0, 1));
        pass(LoadWindow.STEP);

        assertThat(window.series(EDGE, LoadWindow.STEP.multipliedBy(5))).extracting(Load::successes)
                .containsExactly(0L, 1L, 0L, 0L, 2L);
    }

    @Test
    void whatIsOlderThanTheWindowIsForgotten() {
        window.add(EDGE, load(1, 0, 1));
        pass(LoadWindow.LENGTH.plus(LoadWindow.STEP));
        assertThat(window.edges("default")).isEmpty();

        window.add(EDGE, load(2, 0, 1));
        pass(LoadWindow.STEP);
        assertThat(window.sum(EDGE, LoadWindow.LENGTH).successes()).isEqualTo(2);
    }

    @Test
    void theEdgeThatWasUsedLeastLatelyMakesRoom() {
        for (int i = 0; i < LoadWindow.MAX_EDGES; i++) {
            window.add(new Edge("default", "shop", "service-" + i, ""), load(1, 0, 1));
            if (i == 0) {
                pass(LoadWindow.STEP);
            }
        }
        window.add(EDGE, load(1, 0, 1));

        assertThat(window.edges("default")).hasSize(LoadWindow.MAX_EDGES).contains(EDGE)
                .doesNotContain(new Edge("default", "shop", "service-0", ""));
    }

    @Test
    void whatIsRefusedIsNeitherASuccessNorAnError() {
        window.add(EDGE, load(8, 2, 3));
        window.add(EDGE, Load.answered(0, 1, 4));
        pass(LoadWindow.STEP);

        Load load = window.sum(EDGE, LoadWindow.STEP);
        assertThat(load.successRate()).isCloseTo(0.4, within(1e-9));
        assertThat(load.refusedRate()).isCloseTo(0.4, within(1e-9));
        assertThat(load.errorRate()).isCloseTo(0.2, within(1e-9));
        assertThat(load.clientErrorRate()).isCloseTo(0.1, within(1e-9));

        Load late = load.plus(Load.answered(2, 0, 0));
        assertThat(late.errorRate()).as("gRPC calls that failed by their status").isCloseTo(0.4, within(1e-9));
        assertThat(late.successRate()).isCloseTo(0.2, within(1e-9));
    }

    @Test
    void whoRefusesSaysSoForAWhile() {
        Called orders = new Called("default", "orders", "v1");
        window.add(orders, new Refusals(3, 2, 1));
        pass(LoadWindow.STEP);

        assertThat(window.sum(orders, LoadWindow.STEP)).isEqualTo(new Refusals(3, 2, 1));
        assertThat(window.refusing("default")).containsExactly(orders);
        assertThat(window.refusing("other")).isEmpty();
        pass(LoadWindow.LENGTH);
        assertThat(window.refusing("default")).isEmpty();
    }

    @Test
    void ofWhoRefusesNoMoreAreKeptThanThereIsRoomFor() {
        for (int i = 0; i <= LoadWindow.MAX_EDGES; i++) {
            window.add(new Called("default", "service-" + i, ""), new Refusals(1, 0, 0));
        }
        assertThat(window.refusing("default")).hasSize(LoadWindow.MAX_EDGES);

        pass(LoadWindow.LENGTH);
        window.add(new Called("default", "another", ""), new Refusals(1, 0, 0));
        assertThat(window.refusing("default")).containsExactly(new Called("default", "another", ""));
    }

    @Test
    void aQuantileLiesInTheBucketOfItsRequest() {
        Load fast = load(99, 0, 4);
        Load slow = load(1, 0, 400);

        assertThat(fast.plus(slow).quantile(0.5)).isBetween(2.5, 5.0);
        assertThat(fast.plus(slow).quantile(0.99)).isBetween(2.5, 5.0);
        assertThat(fast.plus(slow).plus(slow).quantile(0.99)).isBetween(250.0, 500.0);
        assertThat(Load.NONE.quantile(0.99)).isNaN();
        assertThat(load(1, 0, 1e9).quantile(0.99)).isEqualTo(60_000);
    }

    @Test
    void anInstanceIsWhatItsCallersSaidOfLate() {
        window.add("default", "10.0.0.1:80", new Reporter("shop", "node-1"), load(10, 0, 1), false);
        window.add("default", "10.0.0.1:80", new Reporter("batch", "node-2"), load(0, 5, 1), true);
        // The same node, through another cluster.
        window.add("default", "10.0.0.1:80", new Reporter("batch", "node-2"), load(1, 0, 1), false);
        // Another one's, that only calls itself the same.
        window.add("default", "10.0.0.1:80", new Reporter("other", "node-2"), load(0, 1, 1), false);

        InstanceLoad instance = window.instances("default").get("10.0.0.1:80");
        assertThat(instance.load().successes()).isEqualTo(11);
        assertThat(instance.load().errors()).isEqualTo(6);
        assertThat(instance.ejectedBy()).containsExactly("batch");

        pass(LoadWindow.STEP.multipliedBy(4));
        assertThat(window.instances("default").get("10.0.0.1:80").ejectedBy()).isEmpty();
    }

    @Test
    void oneMeshTakesNoRoomFromAnother() {
        window.add(EDGE, load(1, 0, 1));
        pass(LoadWindow.STEP);
        for (int i = 0; i < 2 * LoadWindow.MAX_EDGES; i++) {
            window.add(new Edge("noisy", "caller-" + i, "orders", ""), load(1, 0, 1));
        }

        assertThat(window.edges("noisy")).hasSize(LoadWindow.MAX_EDGES);
        assertThat(window.sum(EDGE, LoadWindow.LENGTH).successes()).isEqualTo(1);
    }

    @Test
    void manyMeshesTakeNoRoomFromASmallOne() {
        window.add(EDGE, load(1, 0, 1));
        pass(LoadWindow.STEP);
        int meshes = LoadWindow.MAX_ALL_EDGES / LoadWindow.MAX_EDGES + 1;
        for (int mesh = 0; mesh < meshes; mesh++) {
            for (int i = 0; i < LoadWindow.MAX_EDGES; i++) {
                window.add(new Edge("noisy-" + mesh, "caller-" + i, "orders", ""), load(1, 0, 1));
            }
        }

        assertThat(window.meshes().stream().mapToInt(mesh -> window.edges(mesh).size()).sum()).isEqualTo(LoadWindow.MAX_ALL_EDGES);
        assertThat(window.edges("default")).containsExactly(EDGE);
    }

    @Test
    void noServiceKeepsOutWhatOthersSayOfInstances() {
        for (int i = 0; i < LoadWindow.MAX_REPORTS; i++) {
            window.add("default", "10.0.0.1:80", new Reporter("noisy", "node-" + i), load(1, 0, 1), false);
        }
        window.add("default", "10.0.0.1:80", new Reporter("noisy", "one-more"), load(1, 0, 1), true);
        window.add("default", "10.0.0.1:80", new Reporter("noisy", "node-0"), load(1, 0, 1), false);
        window.add("default", "10.0.0.1:80", new Reporter("shop", "node-1"), load(0, 1, 1), true);

        InstanceLoad instance = window.instances("default").get("10.0.0.1:80");
        assertThat(instance.load().successes()).isEqualTo(LoadWindow.MAX_REPORTS + 1);
        assertThat(instance.load().errors()).isEqualTo(1);
        assertThat(instance.ejectedBy()).containsExactly("shop");

        pass(LoadWindow.STEP.multipliedBy(4));
        window.add("default", "10.0.0.1:80", new Reporter("noisy", "one-more"), load(1, 0, 1), true);
        assertThat(window.instances("default").get("10.0.0.1:80").ejectedBy()).as("what is old makes room").containsExactly("noisy");
    }

    @Test
    void noCountBecomesLessThanNone() {
        for (int i = 0; i < 3; i++) {
            window.add(EDGE, new Load(Integer.MAX_VALUE, 0, 0, 0, Long.MAX_VALUE, 0, 0, 0, new long[Latencies.BUCKETS]));
        }
        pass(LoadWindow.STEP);

        Load load = window.sum(EDGE, LoadWindow.STEP);
        assertThat(load.successes()).isEqualTo(Integer.MAX_VALUE);
        assertThat(load.inProgress()).isEqualTo(Integer.MAX_VALUE);
    }

    private void pass(Duration time) {
        nanos.addAndGet(time.toNanos());
    }

    private static Load load(long successes, long errors, double millis) {
        long[] latencies = new long[Latencies.BUCKETS];
        latencies[Latencies.bucket(millis)] = successes + errors;
        return new Load(successes, errors, 0, 0, 0, 0, 0, 0, latencies);
    }
}
