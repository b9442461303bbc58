package io.weft.dataplane;

import static io.weft.dataplane.Policies.*;
import static org.assertj.core.api.Assertions.assertThat;

import io.weft.dataplane.Exchange.Step;
import io.weft.policy.model.EndpointAssignment.Health;
import io.weft.policy.model.EndpointAssignment.LbEndpoint;
import io.weft.policy.model.EndpointAssignment.LocalityEndpoints;
import io.weft.policy.model.LoadBalancing;
import io.weft.policy.model.Resending;
import io.weft.policy.model.RetryPolicy.Conditions;
import io.weft.policy.model.RetryPolicy.HostSelection;
import io.weft.policy.model.RetryPolicy.On;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.OptionalInt;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** {@code envoy.retry_priorities.previous_priorities}: a retry leaves out the priorities that were tried. Ports tell the priority. */
class PreviousPrioritiesTest {

    private static Fixture mesh(LoadBalancing.Algorithm algorithm, int frequency, LocalityEndpoints... priorities) {
        HostSelection hosts = new HostSelection(false, false, List.of(), 1, OptionalInt.of(frequency));
        return Fixture.with(snapshot()
                .routes(host("orders", route(any(), forward(
                        "orders", Resending.of(retry(10, Conditions.on(On.SERVER_ERROR_5XX), hosts)), Duration.ZERO))))
                .cluster(cluster("orders").with(algorithm), priorities));
    }

    private static LbEndpoint[] endpoints(int first, int healthy, int unhealthy) {
        return IntStream.range(0, healthy + unhealthy)
                .mapToObj(i -> endpoint(first + i, 1, i < healthy ? Health.HEALTHY : Health.UNHEALTHY))
                .toArray(LbEndpoint[]::new);
    }

    /** The priorities of so many attempts, all of which fail. */
    private static List<Integer> attempts(Fixture mesh, int count) {
        Request request = mesh.dialled(Request.get("orders", "/"));
        List<Integer> priorities = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            priorities.add(Fixture.port(request) / 10);
            assertThat(request.onResponse(503, Fixture.NO_HEADERS)).isTrue();
            assertThat(request.next()).isEqualTo(Step.DIAL);
        }
        request.end();
        return priorities;
    }

    static List<LoadBalancing.Algorithm> algorithms() {
        return List.of(
                LoadBalancing.RoundRobin.DEFAULT, LoadBalancing.Maglev.DEFAULT,
                LoadBalancing.RingHash.DEFAULT);
    }

    @ParameterizedTest
    @MethodSource("algorithms")
    void eachPriorityInTurnAndThenFromTheBeginning(LoadBalancing.Algorithm algorithm) {
        Fixture mesh = mesh(
                algorithm, 1,
                priority(0, endpoints(0, 2, 0)), priority(1, endpoints(10, 0, 2)), priority(2, endpoints(20, 1, 1)));

        for (int i = 0; i < 20; i++) {
            assertThat(attempts(mesh, 5)).containsExactly(0, 2, 0, 2, 0);
        }
    }

    @Test
    void afterSoManyHosts() {
        Fixture mesh = mesh(
                LoadBalancing.RoundRobin.DEFAULT, 2, priority(0, endpoints(0, 2, 0)), priority(1, endpoints(10, 2, 0)),
                priority(2, endpoints(20, 2, 0)));

        assertThat(attempts(mesh, 8)).containsExactly(0, 0, 1, 1, 2, 2, 0, 0);
    }

    /** As in the example of Envoy's API: of healths of 100, 50 and 50 percent the latter two share what the first is left out of. */
    @Test
    void theOthersShareByTheirHealth() {
        Fixture mesh = mesh(
                LoadBalancing.RoundRobin.DEFAULT, 1,
                priority(0, endpoints(0, 2, 0)), priority(1, endpoints(10, 1, 3)), priority(2, endpoints(20, 1, 3)));
        int[] second = new int[3];
        for (int i = 0; i < 2_000; i++) {
            List<Integer> priorities = attempts(mesh, 2);
            assertThat(priorities.get(0)).isZero();
            second[priorities.get(1)]++;
        }

        assertThat(second[0]).isZero();
        assertThat(second[1]).isBetween(900, 1_100);
    }

    @Test
    void whereNobodyIsHealthyNothingIsLeftOut() {
        Fixture mesh = mesh(
                LoadBalancing.RoundRobin.DEFAULT, 1, priority(0, endpoints(0, 0, 2)), priority(1, endpoints(10, 0, 2)));
        Set<Integer> seen = new HashSet<>();
        for (int i = 0; i < 50; i++) {
            seen.addAll(attempts(mesh, 2));
        }

        assertThat(seen).as("panic goes on as without the policy").containsExactlyInAnyOrder(0, 1);
    }

    @Test
    void aSinglePriorityIsAllThereIs() {
        Fixture mesh = mesh(LoadBalancing.RoundRobin.DEFAULT, 1, priority(0, endpoints(0, 2, 0)));

        assertThat(attempts(mesh, 3)).containsExactly(0, 0, 0);
    }
}
