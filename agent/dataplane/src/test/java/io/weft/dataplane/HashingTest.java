package io.weft.dataplane;

import static io.weft.dataplane.Policies.any;
import static io.weft.dataplane.Policies.cluster;
import static io.weft.dataplane.Policies.endpoint;
import static io.weft.dataplane.Policies.host;
import static io.weft.dataplane.Policies.retryOn;
import static io.weft.dataplane.Policies.route;
import static io.weft.dataplane.Policies.snapshot;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.weft.dataplane.Exchange.Step;
import io.weft.policy.model.EndpointAssignment.Health;
import io.weft.policy.model.EndpointAssignment.LbEndpoint;
import io.weft.policy.model.EndpointAssignment.Locality;
import io.weft.policy.model.HashPolicy;
import io.weft.policy.model.LoadBalancing.Algorithm;
import io.weft.policy.model.LoadBalancing.ConsistentHashing;
import io.weft.policy.model.LoadBalancing.Maglev;
import io.weft.policy.model.LoadBalancing.RingHash;
import io.weft.policy.model.OutlierDetection;
import io.weft.policy.model.Resending;
import io.weft.policy.model.RetryPolicy;
import io.weft.policy.model.RetryPolicy.On;
import io.weft.policy.model.RouteAction.ClusterChoice;
import io.weft.policy.model.RouteAction.Forward;
import io.weft.policy.model.RouteAction.Rewrite;
import io.weft.policy.model.RouteAction.Timeouts;
import io.weft.policy.model.RouteAction.WeightedCluster;
import io.weft.policy.model.RoutingPriority;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Requests of one key stay with one endpoint. That it is Envoy's is shown against Envoy itself. */
class HashingTest {
    private static final HashPolicy USER = new HashPolicy.Header("x-user", Optional.empty(), false);

    static Stream<Algorithm> algorithms() {
        return Stream.of(RingHash.DEFAULT, Maglev.DEFAULT);
    }

    private static Policies.SnapshotBuilder policy(Algorithm algorithm, List<HashPolicy> hashes, LbEndpoint... endpoints) {
        return policy(algorithm, hashes, Optional.empty(), endpoints);
    }

    private static Policies.SnapshotBuilder policy(
            Algorithm algorithm, List<HashPolicy> hashes, Optional<RetryPolicy> retry, LbEndpoint... endpoints) {
        WeightedCluster orders = WeightedCluster.of("orders", 1);
        Forward forward = new Forward(ClusterChoice.of(orders), Rewrite.NONE, retry.map(Resending::of).orElse(Resending.NONE), Timeouts.NONE, hashes, Map.of(), RoutingPriority.DEFAULT);
        return snapshot()
                .routes(host("orders", route(any(), forward)))
                .cluster(cluster("orders").with(algorithm), endpoints);
    }

    private static LbEndpoint[] endpoints(int count) {
        return IntStream.rangeClosed(1, count).mapToObj(Policies::endpoint).toArray(LbEndpoint[]::new);
    }

    private static int chosen(Fixture mesh, Request request) {
        mesh.dialled(request);
        request.onResponse(200, Fixture.NO_HEADERS);
        request.end();
        return Fixture.port(request);
    }

    private static int chosenFor(Fixture mesh, String user) {
        return chosen(mesh, Request.get("orders", "/").with("x-user", user));
    }

    @ParameterizedTest
    @MethodSource("algorithms")
    void aKeyStaysWithItsEndpointAlsoAcrossSnapshots(Algorithm algorithm) {
        Fixture mesh = Fixture.with(policy(algorithm, List.of(USER), endpoints(10)));
        List<Integer> before = users(mesh);

        assertThat(users(mesh)).isEqualTo(before);
        assertThat(before.stream().distinct()).hasSize(10);
        mesh.apply(policy(algorithm, List.of(USER), endpoints(10)));
        assertThat(users(mesh)).isEqualTo(before);
        mesh.apply(policy(algorithm, List.of(USER), endpoints(9)));
        List<Integer> after = users(mesh);
        long moved = IntStream.range(0, 1_000)
                .filter(i -> before.get(i) < 10 && !before.get(i).equals(after.get(i)))
                .count();
        assertThat(moved).isLessThan(150);
    }

    private static List<Integer> users(Fixture mesh) {
        return IntStream.range(0, 1_000).mapToObj(i -> chosenFor(mesh, "user-" + i)).toList();
    }

    @ParameterizedTest
    @MethodSource("algorithms")
    void withoutAHashItIsAnyEndpoint(Algorithm algorithm) {
        Fixture mesh = Fixture.with(policy(algorithm, List.of(USER), endpoints(2)));

        assertThat(mesh.spread("orders", 1_000).get(1)).isCloseTo(500, within(100));
    }

    @ParameterizedTest
    @MethodSource("algorithms")
    void anEndpointThatIsEjectedLosesItsKeysToOthers(Algorithm algorithm) {
        LbEndpoint[] endpoints = endpoints(5);
        int owner = chosenFor(Fixture.with(policy(algorithm, List.of(USER), endpoints)), "anna");
        endpoints[owner - 1] = endpoint(owner, 1, Health.UNHEALTHY);
        Fixture mesh = Fixture.with(policy(algorithm, List.of(USER), endpoints));

        assertThat(chosenFor(mesh, "anna")).isNotEqualTo(owner);
    }

    /** As in Envoy: the table is made of healthy hosts, whatever spilled over to degraded ones. */
    @ParameterizedTest
    @MethodSource("algorithms")
    void degradedEndpointsAreNeverChosen(Algorithm algorithm) {
        Fixture mesh = Fixture.with(policy(algorithm, List.of(USER), endpoint(1, 1, Health.DEGRADED)));

        assertThat(mesh.reply(Request.get("orders", "/").with("x-user", "anna")).status()).isEqualTo(503);
    }

    @Test
    void aRetryKeepsTheEndpointUnlessThePolicyLooksForAnother() {
        RetryPolicy same = retryOn(1, On.SERVER_ERROR_5XX);
        Fixture mesh = Fixture.with(policy(Maglev.DEFAULT, List.of(USER), Optional.of(same), endpoints(5)));
        Request request = mesh.dialled(Request.get("orders", "/").with("x-user", "anna"));
        int first = Fixture.port(request);

        assertThat(request.onResponse(503, Fixture.NO_HEADERS)).isTrue();
        assertThat(request.next()).isEqualTo(Step.DIAL);
        assertThat(Fixture.port(request)).isEqualTo(first);

        RetryPolicy others = new RetryPolicy(
                same.conditions(), 1, same.perTry(), same.backOff(), same.rateLimitedBackOff(),
                new RetryPolicy.HostSelection(true, false, List.of(), 5));
        mesh.apply(policy(Maglev.DEFAULT, List.of(USER), Optional.of(others), endpoints(5)));
        Request third = mesh.dialled(Request.get("orders", "/").with("x-user", "anna"));
        assertThat(third.onResponse(500, Fixture.NO_HEADERS)).isTrue();
        assertThat(third.next()).isEqualTo(Step.DIAL);
        assertThat(Fixture.port(third)).isNotEqualTo(first);
    }

    /** At 100 percent each may have its part of all requests under way, rounded up, and as in Envoy one more. */
    @ParameterizedTest
    @MethodSource("algorithms")
    void boundedLoadPassesOnWhatIsTooMuch(Algorithm algorithm) {
        ConsistentHashing bounded = new ConsistentHashing(false, 100);
        Algorithm with = algorithm instanceof RingHash ring
                ? new RingHash(ring.function(), ring.minSize(), ring.maxSize(), bounded, false)
                : new Maglev(Maglev.DEFAULT.tableSize(), bounded, false);
        Fixture mesh = Fixture.with(policy(with, List.of(USER), endpoints(4)));
        Map<Integer, Integer> underWay = new java.util.HashMap<>();
        List<Request> open = new ArrayList<>();
        for (int i = 0; i < 200; i++) {
            Request request = mesh.dialled(Request.get("orders", "/").with("x-user", "anna"));
            open.add(request);
            underWay.merge(Fixture.port(request), 1, Integer::sum);
        }

        assertThat(underWay).hasSize(4).allSatisfy((port, count) -> assertThat(count).isBetween(46, 52));
        open.forEach(Exchange::end);
        int owner = chosenFor(mesh, "anna");
        assertThat(chosenFor(mesh, "anna")).as("with nothing under way it is the key's own").isEqualTo(owner);
    }

    @Test
    void theSourceAddressKeepsAProcessWithOneEndpoint() {
        List<HashPolicy> source = List.of(new HashPolicy.SourceAddress(false));
        Fixture mesh = Fixture.with(
                new Self(Locality.UNKNOWN, "10.1.2.3", null), policy(Maglev.DEFAULT, source, endpoints(20)));
        Fixture other = Fixture.with(
                new Self(Locality.UNKNOWN, "10.1.2.4", null), policy(Maglev.DEFAULT, source, endpoints(20)));

        assertThat(mesh.spread("orders", 50)).hasSize(1);
        assertThat(other.spread("orders", 50)).hasSize(1).doesNotContainKeys(mesh.spread("orders", 1).keySet().iterator().next());
        assertThat(Fixture.with(policy(Maglev.DEFAULT, source, endpoints(20))).spread("orders", 50)).hasSizeGreaterThan(5);
    }

    @Test
    void aCookieIsMadeForWhoHasNoneAndLeadsBackToTheSameEndpoint() {
        HashPolicy cookie = new HashPolicy.Cookie(
                "lb", Optional.of(Duration.ofSeconds(60)), "/shop", List.of(Map.entry("SameSite", "Strict"), Map.entry("Secure", "")),
                false);
        Fixture mesh = Fixture.with(policy(Maglev.DEFAULT, List.of(cookie), endpoints(50)));
        Request first = mesh.dialled(Request.get("orders", "/"));
        first.onResponse(200, Fixture.NO_HEADERS);
        String set = setCookie(first);
        first.end();

        assertThat(set).matches("lb=\"[0-9a-f]{16}\"; Max-Age=60; Path=/shop; SameSite=Strict; Secure; HttpOnly");
        for (int i = 0; i < 20; i++) {
            Request next = Request.get("orders", "/").with("cookie", "a=b; " + set.substring(0, set.indexOf(';')));
            assertThat(chosen(mesh, next)).isEqualTo(Fixture.port(first));
            assertThat(next.responseChanges()).isSameAs(ResponseChanges.NONE);
        }
        Request stranger = mesh.dialled(Request.get("orders", "/"));
        assertThat(setCookie(stranger)).isNotEqualTo(set);
    }

    private static String setCookie(Request request) {
        request.onResponse(200, Fixture.NO_HEADERS);
        assertThat(request.responseChanges().add()).hasSize(1);
        assertThat(request.responseChanges().add().get(0).getKey()).isEqualTo("set-cookie");
        return request.responseChanges().add().get(0).getValue();
    }

    @Test
    void noCookieIsMadeWhereThePolicyGivesNoTimeOrATerminalPolicyCameFirst() {
        HashPolicy given = new HashPolicy.Cookie("lb", Optional.empty(), "", List.of(), false);
        HashPolicy made = new HashPolicy.Cookie("lb", Optional.of(Duration.ZERO), "", List.of(), false);
        HashPolicy user = new HashPolicy.Header("x-user", Optional.empty(), true);

        assertThat(Fixture.with(policy(Maglev.DEFAULT, List.of(given), endpoints(2)))
                        .dialled(Request.get("orders", "/")).responseChanges()).isSameAs(ResponseChanges.NONE);
        Fixture terminal = Fixture.with(policy(Maglev.DEFAULT, List.of(user, made), endpoints(2)));
        assertThat(terminal.dialled(Request.get("orders", "/").with("x-user", "anna")).responseChanges()).isSameAs(ResponseChanges.NONE);
        assertThat(setCookie(terminal.dialled(Request.get("orders", "/")))).matches("lb=\"[0-9a-f]{16}\"; HttpOnly");
    }

    /** A table of 10,000 endpoints takes milliseconds: no request makes it. */
    @Test
    void whatFollowsAnEjectionIsWorkedOutByTheTimersThread() {
        List<Runnable> tasks = new ArrayList<>();
        SimulatedTime time = new SimulatedTime();
        Timers timers = (delayNanos, task) -> {
            if (delayNanos == 0) {
                tasks.add(task);
            }
            return () -> tasks.remove(task);
        };
        DataPlane dataPlane = new DataPlane(
                Duration.ZERO, new Surroundings(time, time, new SeededRandomness(7), timers, Fixture.NO_FAULTS, Self.UNKNOWN));
        OutlierDetection onFirst = new OutlierDetection(
                new OutlierDetection.Consecutive(1, 100),
                OutlierDetection.Consecutive.OFF,
                OutlierDetection.Consecutive.OFF,
                OutlierDetection.SuccessRate.OFF,
                OutlierDetection.FailurePercentage.OFF,
                false,
                Duration.ofSeconds(10),
                new OutlierDetection.EjectionTime(Duration.ofSeconds(30), Duration.ofSeconds(300), Duration.ZERO),
                50,
                false,
                true);
        WeightedCluster orders = WeightedCluster.of("orders", 1);
        dataPlane.apply(snapshot()
                .routes(host("orders", route(any(), new Forward(
                        ClusterChoice.of(orders), Rewrite.NONE, Resending.NONE, Timeouts.NONE, List.of(USER), Map.of(),
                        RoutingPriority.DEFAULT))))
                .cluster(cluster("orders").with(Maglev.DEFAULT).with(onFirst), endpoints(5))
                .build());
        int owner = sent(dataPlane, 500);

        assertThat(sent(dataPlane, 200)).as("until the thread comes to it").isEqualTo(owner);
        assertThat(tasks).hasSize(1);
        tasks.get(0).run();
        assertThat(sent(dataPlane, 200)).isNotEqualTo(owner);
    }

    private static int sent(DataPlane dataPlane, int status) {
        Request request = Request.get("orders", "/").with("x-user", "anna");
        assertThat(dataPlane.claims(request)).isTrue();
        assertThat(request.next()).isEqualTo(Step.DIAL);
        request.onResponse(status, Fixture.NO_HEADERS);
        request.end();
        return Fixture.port(request);
    }
}
