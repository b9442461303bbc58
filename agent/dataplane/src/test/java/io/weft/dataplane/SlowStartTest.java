package io.weft.dataplane;

import static io.weft.dataplane.Policies.cluster;
import static io.weft.dataplane.Policies.endpoint;
import static io.weft.dataplane.Policies.host;
import static io.weft.dataplane.Policies.snapshot;
import static io.weft.dataplane.Policies.to;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.weft.policy.model.EndpointAssignment.Health;
import io.weft.policy.model.EndpointAssignment.LbEndpoint;
import io.weft.policy.model.LoadBalancing.Algorithm;
import io.weft.policy.model.LoadBalancing.LeastRequest;
import io.weft.policy.model.LoadBalancing.RoundRobin;
import io.weft.policy.model.LoadBalancing.SlowStart;
import io.weft.policy.model.LoadBalancing.ZoneAware;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** An endpoint that has just become healthy gets less for a while. */
class SlowStartTest {
    private static final Duration WINDOW = Duration.ofSeconds(60);
    private static final int REQUESTS = 20_000;
    /** More than four standard deviations of a share of that many requests. */
    private static final double CLOSE = 0.02;

    private static SlowStart over(double aggression, double leastPercent) {
        return new SlowStart(WINDOW, aggression, leastPercent);
    }

    private static Algorithm roundRobin(SlowStart slowStart) {
        return new RoundRobin(Optional.of(slowStart), ZoneAware.DEFAULT);
    }

    private static Algorithm leastRequest(SlowStart slowStart) {
        return new LeastRequest(OptionalInt.of(2), 1, Optional.of(slowStart), ZoneAware.DEFAULT);
    }

    static Stream<Algorithm> algorithms() {
        return Stream.of(roundRobin(over(1, 10)), leastRequest(over(1, 10)));
    }

    private static Policies.SnapshotBuilder policy(Algorithm algorithm, LbEndpoint... endpoints) {
        return snapshot().routes(host("orders", to("orders"))).cluster(cluster("orders").with(algorithm), endpoints);
    }

    private static double share(Fixture mesh, int port) {
        return mesh.spread("orders", REQUESTS).getOrDefault(port, 0) / (double) REQUESTS;
    }

    /** One endpoint for an hour, then a second one. */
    private static Fixture joined(Algorithm algorithm) {
        Fixture mesh = Fixture.with(policy(algorithm, endpoint(1)));
        mesh.time.advance(Duration.ofHours(1));
        mesh.apply(policy(algorithm, endpoint(1), endpoint(2)));
        return mesh;
    }

    @ParameterizedTest
    @MethodSource("algorithms")
    void itsWeightGrowsWithItsAge(Algorithm algorithm) {
        Fixture mesh = joined(algorithm);

        assertThat(share(mesh, 2)).as("a tenth at first").isCloseTo(0.1 / 1.1, within(CLOSE));
        mesh.time.advance(Duration.ofSeconds(30));
        assertThat(share(mesh, 2)).as("half of its weight").isCloseTo(0.5 / 1.5, within(CLOSE));
        mesh.time.advance(Duration.ofSeconds(30));
        assertThat(mesh.spread("orders", 1_000).get(2)).isCloseTo(500, within(algorithm instanceof RoundRobin ? 0 : 100));
    }

    @Test
    void aggressionMakesItFasterOrSlower() {
        Fixture fast = joined(roundRobin(over(2, 0)));
        fast.time.advance(Duration.ofSeconds(15));
        assertThat(share(fast, 2)).as("the root of a quarter").isCloseTo(0.5 / 1.5, within(CLOSE));

        Fixture slow = joined(roundRobin(over(0.5, 0)));
        slow.time.advance(Duration.ofSeconds(30));
        assertThat(share(slow, 2)).as("the square of a half").isCloseTo(0.25 / 1.25, within(CLOSE));
    }

    @ParameterizedTest
    @MethodSource("algorithms")
    void whereAllAreNewNoneIsPreferred(Algorithm algorithm) {
        Fixture mesh = Fixture.with(policy(algorithm, endpoint(1), endpoint(2)));

        assertThat(share(mesh, 2)).isCloseTo(0.5, within(CLOSE));
        Fixture weighted = Fixture.with(policy(algorithm, endpoint(1), endpoint(2, 3, Health.HEALTHY)));
        assertThat(share(weighted, 2)).isCloseTo(0.75, within(CLOSE));
    }

    @Test
    void itBeginsWhenTheEndpointIsHealthyForTheFirstTime() {
        Algorithm algorithm = roundRobin(over(1, 10));
        Fixture mesh = Fixture.with(policy(algorithm, endpoint(1), endpoint(2, 1, Health.UNHEALTHY)));
        mesh.time.advance(Duration.ofHours(1));
        mesh.apply(policy(algorithm, endpoint(1), endpoint(2)));

        assertThat(share(mesh, 2)).isCloseTo(0.1 / 1.1, within(CLOSE));
        mesh.time.advance(Duration.ofSeconds(30));
        mesh.apply(policy(algorithm, endpoint(1), endpoint(2), endpoint(3)));
        Map<Integer, Integer> spread = mesh.spread("orders", REQUESTS);
        assertThat(spread.get(2) / (double) REQUESTS).as("a snapshot is no new start").isCloseTo(0.5 / 1.6, within(CLOSE));
        assertThat(spread.get(3) / (double) REQUESTS).isCloseTo(0.1 / 1.6, within(CLOSE));
    }
}
