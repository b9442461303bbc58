package io.weft.dataplane;

import static io.weft.dataplane.Policies.cluster;
import static io.weft.dataplane.Policies.forward;
import static io.weft.dataplane.Policies.host;
import static io.weft.dataplane.Policies.match;
import static io.weft.dataplane.Policies.retryOn;
import static io.weft.dataplane.Policies.route;
import static io.weft.dataplane.Policies.snapshot;
import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import io.weft.policy.model.CircuitBreakers;
import io.weft.policy.model.EndpointAssignment.Health;
import io.weft.policy.model.EndpointAssignment.LbEndpoint;
import io.weft.policy.model.EndpointAssignment.Locality;
import io.weft.policy.model.EndpointAssignment.LocalityEndpoints;
import io.weft.policy.model.FilterOverrides;
import io.weft.policy.model.HashPolicy;
import io.weft.policy.model.HeaderChanges;
import io.weft.policy.model.HeaderMatch;
import io.weft.policy.model.HostPort;
import io.weft.policy.model.HttpFilter;
import io.weft.policy.model.Listener;
import io.weft.policy.model.LoadBalancing;
import io.weft.policy.model.LoadBalancing.ConsistentHashing;
import io.weft.policy.model.LoadBalancing.LocalityWeighted;
import io.weft.policy.model.LoadBalancing.SlowStart;
import io.weft.policy.model.LoadBalancing.ZoneAware;
import io.weft.policy.model.NamedFilter;
import io.weft.policy.model.OutlierDetection;
import io.weft.policy.model.OutlierDetection.Consecutive;
import io.weft.policy.model.OutlierDetection.EjectionTime;
import io.weft.policy.model.OutlierDetection.FailurePercentage;
import io.weft.policy.model.OutlierDetection.SuccessRate;
import io.weft.policy.model.PolicySnapshot;
import io.weft.policy.model.QueryMatch;
import io.weft.policy.model.Resending;
import io.weft.policy.model.RetryPolicy.On;
import io.weft.policy.model.RouteAction.ClusterChoice;
import io.weft.policy.model.RouteAction.Forward;
import io.weft.policy.model.RouteAction.Named;
import io.weft.policy.model.RouteAction.Rewrite;
import io.weft.policy.model.RouteAction.Timeouts;
import io.weft.policy.model.RouteAction.WeightedCluster;
import io.weft.policy.model.RouteMatch;
import io.weft.policy.model.RoutingPriority;
import io.weft.policy.model.StringMatch;
import io.weft.policy.model.SubsetBalancing;
import io.weft.policy.model.SubsetBalancing.Selector;
import io.weft.policy.model.SubsetBalancing.SelectorFallback;
import io.weft.policy.model.Tracing;
import io.weft.policy.model.VirtualHost;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.BiConsumer;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** A decision on the hot path allocates nothing: claim, pick, admit, record, try again. */
class AllocationTest {
    private static final int DECISIONS = 10_000;
    /** What the virtual machine allocates now and then on any thread, far below one byte a decision. */
    private static final long ONCE = 2_048;

    private static final Optional<SlowStart> SLOW_START = Optional.of(new SlowStart(Duration.ofMinutes(1), 2, 10));
    private static final List<HashPolicy> HASH_POLICIES = List.of(
            new HashPolicy.Header("x-version", Optional.empty(), false),
            new HashPolicy.Cookie("session", Optional.empty(), "", List.of(), false),
            new HashPolicy.QueryParameter("page", false),
            new HashPolicy.SourceAddress(true));

    private static Stream<Arguments> loadBalancing() {
        return Stream.of(
                Arguments.of(LoadBalancing.RoundRobin.DEFAULT, 1),
                Arguments.of(LoadBalancing.RoundRobin.DEFAULT, 5),
                Arguments.of(LoadBalancing.LeastRequest.of(2, 1), 1),
                Arguments.of(LoadBalancing.LeastRequest.of(2, 1), 5),
                Arguments.of(LoadBalancing.Random.DEFAULT, 1),
                Arguments.of(LoadBalancing.RingHash.DEFAULT, 5),
                Arguments.of(LoadBalancing.Maglev.DEFAULT, 5),
                Arguments.of(new LoadBalancing.Maglev(65_537, new ConsistentHashing(false, 150), false), 1),
                Arguments.of(new LoadBalancing.RoundRobin(SLOW_START, new LocalityWeighted()), 5),
                Arguments.of(
                        new LoadBalancing.LeastRequest(OptionalInt.of(3), 0.5, SLOW_START, new ZoneAware(50, 1, false, false)), 5),
                Arguments.of(new LoadBalancing.LeastRequest(OptionalInt.empty(), 1, Optional.empty(), ZoneAware.DEFAULT), 1),
                // Each endpoint is asked for its load while the test warms up, and not again so soon.
                Arguments.of(new LoadBalancing.ClientSideWeightedRoundRobin(Duration.ofSeconds(10), Duration.ofSeconds(180),
                        Duration.ofHours(1), 1, List.of("named_metrics.queue"), new LocalityWeighted()), 1));
    }

    @ParameterizedTest
    @MethodSource("loadBalancing")
    void aDecisionAmongSubsetsAllocatesNothing(LoadBalancing.Algorithm loadBalancing, int maxWeight) {
        SubsetBalancing subsets = new SubsetBalancing(
                SubsetBalancing.Fallback.ANY_ENDPOINT,
                Map.of(),
                List.of(
                        new Selector(List.of("stage", "version"), SelectorFallback.KEYS_SUBSET, List.of("version"), false),
                        new Selector(List.of("version"), SelectorFallback.NOT_DEFINED, List.of(), false)),
                true,
                true,
                false,
                true,
                true,
                true);
        PolicySnapshot policy = policy(
                new LoadBalancing(loadBalancing, Optional.of(subsets), 50, LoadBalancing.DEFAULT_OVERRIDE_HOST), maxWeight);

        assertThat(leastAllocated(policy, AllocationTest::requests, AllocationTest::decide)).isLessThanOrEqualTo(ONCE);
    }

    @ParameterizedTest
    @MethodSource("loadBalancing")
    void aDecisionAllocatesNothing(LoadBalancing.Algorithm loadBalancing, int maxWeight) {
        assertThat(leastAllocated(policy(LoadBalancing.of(loadBalancing), maxWeight), AllocationTest::requests, AllocationTest::decide))
                .isLessThanOrEqualTo(ONCE);
    }

    @Test
    void aRetryAllocatesNothing() {
        PolicySnapshot policy = snapshot()
                .routes(host(List.of("orders"), route(
                        match(new RouteMatch.Prefix("/")), forward("v1", retryOn(2, On.SERVER_ERROR_5XX), Duration.ofSeconds(15)))))
                .cluster(cluster("v1"), Policies.endpoint(1), Policies.endpoint(2), Policies.endpoint(3))
                .build();

        assertThat(leastAllocated(policy, AllocationTest::sameRequests, AllocationTest::decideThreeTimes)).isLessThanOrEqualTo(ONCE);
    }

    @Test
    void tracingThatNobodyReceivesAllocatesNothing() {
        Tracing always = new Tracing(Tracing.Sampling.DEFAULT, Tracing.DEFAULT_MAX_PATH_LENGTH, List.of());
        PolicySnapshot policy = snapshot()
                .listener("outbound", Listener.Kind.OUTBOUND, new HostPort("0.0.0.0", 80),
                        List.of(new NamedFilter("tracing", new HttpFilter.Traces(always), false)),
                        Policies.routes(host(List.of("orders"), route(match(new RouteMatch.Prefix("/")), forward("v1")))))
                .cluster(cluster("v1"), Policies.endpoint(1), Policies.endpoint(2))
                .build();

        assertThat(leastAllocated(policy, AllocationTest::sameRequests, AllocationTest::decide)).isLessThanOrEqualTo(ONCE);
    }

    @Test
    void whatIsNotTracedAllocatesNoMoreThanItSays() {
        Tracing never = new Tracing(new Tracing.Sampling(100, 0, 100), Tracing.DEFAULT_MAX_PATH_LENGTH, List.of());
        PolicySnapshot policy = snapshot()
                .routes(host(List.of("orders"), route(match(new RouteMatch.Prefix("/")), forward("v1"))))
                .cluster(cluster("v1"), Policies.endpoint(1), Policies.endpoint(2))
                .build();
        DataPlane dataPlane = dataPlane();
        dataPlane.trace((span, tracing) -> {}, tracing -> true, Optional.of(never));
        dataPlane.apply(policy);

        assertThat(leastAllocated(dataPlane, () -> requests("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00"), AllocationTest::decide))
                .as("what has said so before").isLessThanOrEqualTo(ONCE);
        // A header of 55 characters: text, its bytes twice, the entry, its list and the changes.
        assertThat(leastAllocated(dataPlane, AllocationTest::sameRequests, AllocationTest::decide) / DECISIONS).isLessThanOrEqualTo(288);
    }

    private static Request[] requests(String traceparent) {
        Request[] requests = sameRequests();
        for (Request request : requests) {
            request.with("traceparent", traceparent);
        }
        return requests;
    }

    private static DataPlane dataPlane() {
        return DataPlane.start(Duration.ZERO, new SimulatedTime(), Fixture.NO_FAULTS, new Self(zone(0), "10.0.0.1", "v2"));
    }

    private static long leastAllocated(PolicySnapshot policy, Supplier<Request[]> many, BiConsumer<DataPlane, Request> decide) {
        DataPlane dataPlane = dataPlane();
        dataPlane.apply(policy);
        return leastAllocated(dataPlane, many, decide);
    }

    private static long leastAllocated(DataPlane dataPlane, Supplier<Request[]> many, BiConsumer<DataPlane, Request> decide) {
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        long thread = Thread.currentThread().getId();

        long least = Long.MAX_VALUE;
        for (int round = 0; round < 5; round++) {
            Request[] requests = many.get();
            long before = threads.getThreadAllocatedBytes(thread);
            for (Request request : requests) {
                decide.accept(dataPlane, request);
            }
            least = Math.min(least, threads.getThreadAllocatedBytes(thread) - before);
        }
        return least;
    }

    private static void decideThreeTimes(DataPlane dataPlane, Request request) {
        if (!dataPlane.claims(request)) {
            throw new AssertionError("not claimed");
        }
        for (int failures = 0; failures < 2; failures++) {
            if (request.next() != Exchange.Step.DIAL || !request.onResponse(503, Fixture.NO_HEADERS)) {
                throw new AssertionError("not retried");
            }
        }
        request.next();
        request.onResponse(200, Fixture.NO_HEADERS);
        request.end();
    }

    private static void decide(DataPlane dataPlane, Request request) {
        if (!dataPlane.claims(request) || request.next() != Exchange.Step.DIAL || request.endpoint() == null) {
            throw new AssertionError("not dialled");
        }
        request.onResponse(200, Fixture.NO_HEADERS);
        request.end();
    }

    private static Request[] sameRequests() {
        return Stream.generate(() -> Request.get("orders", "/")).limit(DECISIONS).toArray(Request[]::new);
    }

    private static Request[] requests() {
        Request[] requests = new Request[DECISIONS];
        for (int i = 0; i < DECISIONS; i++) {
            requests[i] = Request.get("Service-" + i % 1_000 + ".Default", "/orders/" + i + "?page=2&sort=up")
                    .with("x-canary", i % 2 == 0 ? "yes" : "no")
                    .with("x-version", "17")
                    .with("cookie", "a=b; session=" + i);
        }
        return requests;
    }

    /** 1,000 virtual hosts, with each kind of test that needs no regular expression; two clusters of 1,000 endpoints. */
    private static PolicySnapshot policy(LoadBalancing loadBalancing, int maxWeight) {
        VirtualHost[] hosts = new VirtualHost[1_000];
        RouteMatch canary = new RouteMatch(
                new RouteMatch.SeparatedPrefix("/orders"),
                false,
                List.of(
                        new HeaderMatch("x-canary", new HeaderMatch.Value(new StringMatch.Exact("YES", true)), false, false),
                        new HeaderMatch("x-version", new HeaderMatch.Range(0, 100), false, false),
                        new HeaderMatch(":method", new HeaderMatch.Value(new StringMatch.Exact("PUT", false)), true, false)),
                List.of(new QueryMatch("sort", Optional.of(new StringMatch.Contains("u", false)))),
                Optional.of(new RouteMatch.Fraction(50, 100)),
                false);
        for (int i = 0; i < hosts.length; i++) {
            hosts[i] = host(
                    List.of("service-" + i + ".default", "service-" + i),
                    route(match(new RouteMatch.Exact("/health")), forward("v1")),
                    route(canary, forward("v2", retryOn(5, On.SERVER_ERROR_5XX, On.CONNECT_FAILURE), Duration.ofSeconds(15))),
                    route(
                            match(new RouteMatch.Prefix("/")),
                            new Forward(
                                    ClusterChoice.of(
                                            weighted("v1", 90, Map.of("version", "v1")),
                                            weighted("v2", 10, Map.of("version", "v3"))),
                                    Rewrite.NONE,
                                    Resending.NONE,
                                    Timeouts.NONE,
                                    HASH_POLICIES,
                                    Map.of("stage", "prod"),
                                    RoutingPriority.DEFAULT)));
        }
        LocalityEndpoints[] endpoints = new LocalityEndpoints[10];
        for (int i = 0; i < endpoints.length; i++) {
            endpoints[i] = endpoints(i, maxWeight);
        }
        OutlierDetection outliers = new OutlierDetection(
                new Consecutive(5, 100),
                new Consecutive(5, 100),
                new Consecutive(5, 100),
                new SuccessRate(5, 100, 1_900, 100, 100),
                new FailurePercentage(85, 5, 50, 100, 100),
                true,
                Duration.ofSeconds(10),
                new EjectionTime(Duration.ofSeconds(30), Duration.ofSeconds(300), Duration.ofSeconds(1)),
                10,
                false,
                true);
        return snapshot()
                .routes(hosts)
                .cluster(cluster("v1").with(loadBalancing).with(outliers).with(CircuitBreakers.DEFAULT), endpoints)
                .cluster(cluster("v2").with(loadBalancing).with(outliers), endpoints)
                .build();
    }

    private static WeightedCluster weighted(String cluster, int weight, Map<String, Object> wanted) {
        return new WeightedCluster(
                new Named(cluster), weight, HeaderChanges.NONE, Optional.empty(), FilterOverrides.NONE, wanted);
    }

    private static Locality zone(int number) {
        return new Locality("region", "zone-" + number, "");
    }

    private static LocalityEndpoints endpoints(int zone, int maxWeight) {
        List<LbEndpoint> endpoints = new ArrayList<>();
        for (int i = 0; i < 100; i++) {
            endpoints.add(new LbEndpoint(
                    new HostPort("127.0.0.1", 10_000 + 100 * zone + i), "", 1 + i % maxWeight, Health.HEALTHY,
                    Map.of("version", i % 2 == 0 ? "v1" : "v2", "stage", i % 3 == 0 ? "prod" : "test"), Map.of()));
        }
        return new LocalityEndpoints(zone(zone), 0, 1 + zone, endpoints);
    }
}
