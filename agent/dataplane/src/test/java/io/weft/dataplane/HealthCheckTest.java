package io.weft.dataplane;

import static io.weft.dataplane.Policies.cluster;
import static io.weft.dataplane.Policies.endpoint;
import static io.weft.dataplane.Policies.host;
import static io.weft.dataplane.Policies.snapshot;
import static io.weft.dataplane.Policies.to;
import static org.assertj.core.api.Assertions.assertThat;

import io.weft.dataplane.Policies.SnapshotBuilder;
import io.weft.dataplane.health.HealthProber;
import io.weft.policy.model.EndpointAssignment.LbEndpoint;
import io.weft.policy.model.HealthCheck;
import io.weft.policy.model.HealthCheck.Intervals;
import io.weft.policy.model.HealthCheck.Jitter;
import io.weft.policy.model.HealthCheck.Payload;
import io.weft.policy.model.OutlierDetection;
import io.weft.policy.model.OutlierDetection.Consecutive;
import io.weft.policy.model.OutlierDetection.EjectionTime;
import io.weft.policy.model.OutlierDetection.FailurePercentage;
import io.weft.policy.model.OutlierDetection.SuccessRate;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;

/** The rules of active health checks; what a check finds is said by the test. */
class HealthCheckTest {
    private static final int THRESHOLD = 3;

    /** Seconds that are told from each other: 10 s in general. */
    private static HealthCheck policy(Jitter jitter) {
        return new HealthCheck(
                Duration.ofSeconds(2),
                new Intervals(
                        Duration.ofSeconds(10),
                        Duration.ofSeconds(60),
                        Duration.ofSeconds(50),
                        Duration.ofSeconds(7),
                        Duration.ofSeconds(3),
                        Duration.ofSeconds(4),
                        jitter),
                THRESHOLD,
                THRESHOLD,
                true,
                0,
                new HealthCheck.Tcp(Payload.EMPTY, List.of()));
    }

    private final Map<Integer, HealthProber.Result> answers = new HashMap<>();
    private final List<Long> checkedAt = new ArrayList<>();
    private int givenUp;
    private int closed;
    private final Fixture mesh = new Fixture();

    /** Answers at once, or never when it has no answer. */
    private final class Prober implements HealthProber {
        @Override
        public Probe open(InetSocketAddress address, Supplier<ClientTls> tls, HealthCheck policy, String authority) {
            return new Probe() {
                @Override
                public void check(Consumer<Result> onResult) {
                    if (address.getPort() == 1) {
                        checkedAt.add(mesh.time.nanoTime());
                    }
                    Result result = answers.getOrDefault(address.getPort(), Result.HEALTHY);
                    if (result != null) {
                        onResult.accept(result);
                    }
                }

                @Override
                public void giveUp() {
                    givenUp++;
                }

                @Override
                public void close() {
                    closed++;
                }
            };
        }
    }

    private static SnapshotBuilder snapshotOf(HealthCheck check, LbEndpoint... endpoints) {
        return snapshot().routes(host("orders", to("orders"))).cluster(cluster("orders").with(check), endpoints);
    }

    private void start() {
        mesh.dataPlane.checksBy(new Prober());
        mesh.apply(snapshotOf(policy(Jitter.NONE), endpoint(1), endpoint(2), endpoint(3)));
    }

    private boolean used() {
        return mesh.spread("orders", 30).containsKey(1);
    }

    /** From the last check of the first endpoint to the next. */
    private double nextAfterSeconds() {
        int before = checkedAt.size();
        long last = checkedAt.get(before - 1);
        while (checkedAt.size() == before) {
            mesh.time.advance(Duration.ofMillis(500));
        }
        return (checkedAt.get(before) - last) / 1e9;
    }

    @Test
    void theFirstCheckOfAllDecidesAlone() {
        answers.put(1, HealthProber.Result.UNREACHABLE);
        start();
        assertThat(mesh.spread("orders", 30)).containsOnlyKeys(2, 3);
    }

    @Test
    void healthComesAndGoesWithTheThresholds() {
        start();
        assertThat(used()).isTrue();
        answers.put(1, HealthProber.Result.UNREACHABLE);
        mesh.time.advance(Duration.ofSeconds(50));
        for (int failure = 1; failure < THRESHOLD; failure++) {
            assertThat(used()).isTrue();
            assertThat(nextAfterSeconds()).as("unhealthy edge").isEqualTo(3);
        }
        assertThat(used()).isFalse();
        assertThat(nextAfterSeconds()).as("unhealthy").isEqualTo(7);

        answers.put(1, HealthProber.Result.HEALTHY);
        assertThat(nextAfterSeconds()).isEqualTo(7);
        for (int success = 1; success < THRESHOLD; success++) {
            assertThat(used()).isFalse();
            assertThat(nextAfterSeconds()).as("healthy edge").isEqualTo(4);
        }
        assertThat(used()).isTrue();
        assertThat(nextAfterSeconds()).isEqualTo(10);
    }

    @Test
    void whatAHostSaysItselfCountsAtOnce() {
        start();
        mesh.spread("orders", 3);
        answers.put(1, HealthProber.Result.UNHEALTHY);
        mesh.time.advance(Duration.ofSeconds(50));
        assertThat(used()).isFalse();
    }

    @Test
    void whatItSaysPerhapsCountsLater() {
        start();
        mesh.spread("orders", 3);
        answers.put(1, HealthProber.Result.UNHEALTHY_PERHAPS);
        mesh.time.advance(Duration.ofSeconds(50));
        assertThat(used()).isTrue();
        mesh.time.advance(Duration.ofSeconds(6));
        assertThat(used()).isFalse();
    }

    @Test
    void withoutTrafficTheChecksAreFew() {
        start();
        assertThat(nextAfterSeconds()).as("healthy").isEqualTo(50);
        answers.put(1, HealthProber.Result.UNHEALTHY);
        assertThat(nextAfterSeconds()).isEqualTo(50);
        assertThat(nextAfterSeconds()).as("unhealthy").isEqualTo(60);
    }

    @Test
    void aCheckThatTakesTooLongHasFailed() {
        start();
        mesh.spread("orders", 3);
        answers.put(1, null);
        mesh.time.advance(Duration.ofSeconds(50));
        assertThat(givenUp).isZero();
        mesh.time.advance(Duration.ofSeconds(2));
        assertThat(givenUp).isEqualTo(1);
        mesh.time.advance(Duration.ofSeconds(2 * (3 + 2)));
        assertThat(used()).isFalse();
    }

    @Test
    void aDegradedHostIsUsedOnlyWhereOthersAreNotEnough() {
        answers.put(1, HealthProber.Result.DEGRADED);
        start();
        Map<Integer, Integer> spread = mesh.spread("orders", 100);
        assertThat(spread.getOrDefault(1, 0)).as("two of three, by 1.4, leave 7 percent").isLessThan(20);
    }

    @Test
    void intervalsHaveJitter() {
        mesh.dataPlane.checksBy(new Prober());
        mesh.apply(snapshotOf(policy(new Jitter(Duration.ofSeconds(5), Duration.ofSeconds(20), 50)), endpoint(1)));
        assertThat(checkedAt).as("the first has its own").isEmpty();
        mesh.time.advance(Duration.ofSeconds(5));
        assertThat(checkedAt).hasSize(1);
        mesh.spread("orders", 1);
        nextAfterSeconds();
        double shortest = Double.MAX_VALUE;
        double longest = 0;
        for (int i = 0; i < 60; i++) {
            double seconds = nextAfterSeconds();
            shortest = Math.min(shortest, seconds);
            longest = Math.max(longest, seconds);
        }
        assertThat(shortest).isBetween(10.0, 18.0);
        assertThat(longest).isBetween(27.0, 35.0);
    }

    @Test
    void aResponseMayAskToBeLeftAlone() {
        start();
        Request request = mesh.dialled(Request.get("orders", "/"));
        int port = Fixture.port(request);
        request.onResponse(200, Fixture.headers("x-envoy-immediate-health-check-fail", "true"));
        request.end();
        assertThat(mesh.spread("orders", 30)).doesNotContainKey(port).hasSize(2);
    }

    @Test
    void aHealthyHostIsNoLongerEjected() {
        OutlierDetection detection = new OutlierDetection(
                new Consecutive(1, 100), Consecutive.OFF, Consecutive.OFF, SuccessRate.OFF, FailurePercentage.OFF, false,
                Duration.ofSeconds(10), new EjectionTime(Duration.ofHours(1), Duration.ofHours(1), Duration.ZERO), 100, false, true);
        mesh.dataPlane.checksBy(new Prober());
        mesh.apply(snapshot()
                .routes(host("orders", to("orders")))
                .cluster(cluster("orders").with(policy(Jitter.NONE)).with(detection), endpoint(1), endpoint(2), endpoint(3)));
        Request request = mesh.dialled(Request.get("orders", "/"));
        request.onResponse(500, Fixture.NO_HEADERS);
        request.end();
        assertThat(mesh.spread("orders", 30)).hasSize(2);
        mesh.time.advance(Duration.ofSeconds(50));
        assertThat(mesh.spread("orders", 30)).hasSize(3);
    }

    @Test
    void whoIsNoLongerListedIsNoLongerChecked() {
        start();
        mesh.apply(snapshotOf(policy(Jitter.NONE), endpoint(2), endpoint(3)));
        assertThat(closed).isEqualTo(1);
        int before = checkedAt.size();
        mesh.time.advance(Duration.ofHours(1));
        assertThat(checkedAt).hasSize(before);

        mesh.apply(snapshot().routes(host("orders", to("orders"))).cluster("orders", 2, 3));
        assertThat(closed).isEqualTo(3);
        mesh.apply(snapshotOf(policy(Jitter.NONE), endpoint(2)));
        mesh.apply(snapshot());
        assertThat(closed).isEqualTo(4);
        mesh.time.advance(Duration.ofHours(1));
        assertThat(mesh.time.pending()).isZero();
    }

    @Test
    void withoutThePolicyAllAreHealthy() {
        answers.put(1, HealthProber.Result.UNHEALTHY);
        start();
        assertThat(used()).isFalse();
        mesh.apply(snapshot().routes(host("orders", to("orders"))).cluster("orders", 1, 2, 3));
        assertThat(used()).isTrue();
    }
}
