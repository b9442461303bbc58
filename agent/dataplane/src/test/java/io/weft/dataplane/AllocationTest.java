package io.weft.dataplane;

import static io.weft.dataplane.Policies.cluster;
import static io.weft.dataplane.Policies.endpoint;
import static io.weft.dataplane.Policies.forward;
import static io.weft.dataplane.Policies.host;
import static io.weft.dataplane.Policies.match;
import static io.weft.dataplane.Policies.retryOn;
import static io.weft.dataplane.Policies.route;
import static io.weft.dataplane.Policies.snapshot;
import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import io.weft.policy.model.Cluster.CircuitBreaker;
import io.weft.policy.model.EndpointAssignment.Health;
import io.weft.policy.model.EndpointAssignment.LbEndpoint;
import io.weft.policy.model.FilterOverrides;
import io.weft.policy.model.LoadBalancing;
import io.weft.policy.model.HeaderChanges;
import io.weft.policy.model.HeaderMatch;
import io.weft.policy.model.OutlierDetection;
import io.weft.policy.model.PolicySnapshot;
import io.weft.policy.model.QueryMatch;
import io.weft.policy.model.RetryPolicy.On;
import io.weft.policy.model.RouteAction.WeightedCluster;
import io.weft.policy.model.RouteMatch;
import io.weft.policy.model.StringMatch;
import io.weft.policy.model.VirtualHost;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
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

    private static Stream<Arguments> loadBalancing() {
        return Stream.of(
                Arguments.of(LoadBalancing.RoundRobin.DEFAULT, 1),
                Arguments.of(LoadBalancing.RoundRobin.DEFAULT, 5),
                Arguments.of(LoadBalancing.LeastRequest.of(2, 1), 1),
                Arguments.of(LoadBalancing.LeastRequest.of(2, 1), 5),
                Arguments.of(LoadBalancing.Random.DEFAULT, 1));
    }

    @ParameterizedTest
    @MethodSource("loadBalancing")
    void aDecisionAllocatesNothing(LoadBalancing.Algorithm loadBalancing, int maxWeight) {
        assertThat(leastAllocated(policy(loadBalancing, maxWeight), AllocationTest::requests, AllocationTest::decide))
                .isLessThanOrEqualTo(ONCE);
    }

    @Test
    void aRetryAllocatesNothing() {
        PolicySnapshot policy = snapshot()
                .routes(host(List.of("orders"), route(
                        match(new RouteMatch.Prefix("/")), forward("v1", retryOn(2, On.SERVER_ERROR_5XX), Duration.ofSeconds(15)))))
                .cluster(cluster("v1"), endpoint(1, 1, Health.HEALTHY), endpoint(2, 1, Health.HEALTHY), endpoint(3, 1, Health.HEALTHY))
                .build();

        assertThat(leastAllocated(policy, AllocationTest::sameRequests, AllocationTest::decideThreeTimes)).isLessThanOrEqualTo(ONCE);
    }

    private static long leastAllocated(PolicySnapshot policy, Supplier<Request[]> many, BiConsumer<DataPlane, Request> decide) {
        DataPlane dataPlane = DataPlane.start(Duration.ZERO, new SimulatedTime(), Fixture.NO_FAULTS, Self.UNKNOWN);
        dataPlane.apply(policy);
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
                    .with("x-version", "17");
        }
        return requests;
    }

    /** 1,000 virtual hosts, with each kind of test that needs no regular expression; two clusters of 1,000 endpoints. */
    private static PolicySnapshot policy(LoadBalancing.Algorithm loadBalancing, int maxWeight) {
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
                            forward(
                                    WeightedCluster.of("v1", 90),
                                    WeightedCluster.of("v2", 10))));
        }
        LbEndpoint[] endpoints = new LbEndpoint[1_000];
        for (int i = 0; i < endpoints.length; i++) {
            endpoints[i] = endpoint(10_000 + i, 1 + i % maxWeight, Health.HEALTHY);
        }
        OutlierDetection outliers = new OutlierDetection(
                5, 5, 5, true, Duration.ofSeconds(10), Duration.ofSeconds(30), Duration.ofSeconds(300), 10);
        return snapshot()
                .routes(hosts)
                .cluster(cluster("v1").with(loadBalancing).with(outliers).with(CircuitBreaker.DEFAULT), endpoints)
                .cluster(cluster("v2").with(loadBalancing).with(outliers), endpoints)
                .build();
    }
}
