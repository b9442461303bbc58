package io.weft.dataplane;

import static io.weft.dataplane.Policies.cluster;
import static io.weft.dataplane.Policies.endpoint;
import static io.weft.dataplane.Policies.host;
import static io.weft.dataplane.Policies.priority;
import static io.weft.dataplane.Policies.snapshot;
import static io.weft.dataplane.Policies.to;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.weft.policy.model.EndpointAssignment.Health;
import io.weft.policy.model.EndpointAssignment.LbEndpoint;
import io.weft.policy.model.HostPort;
import io.weft.policy.model.LoadBalancing;
import io.weft.policy.model.RetryPolicy;
import io.weft.policy.model.TlsContext;
import io.weft.policy.model.TransportSocket;
import io.weft.policy.model.TransportSockets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class BalancingTest {

    private static Fixture mesh(LoadBalancing.Algorithm balancing, LbEndpoint... endpoints) {
        return Fixture.with(snapshot().routes(host("orders", to("orders"))).cluster(cluster("orders").with(balancing), endpoints));
    }

    private static LbEndpoint weighing(int weight, int port) {
        return endpoint(port, weight, Health.HEALTHY);
    }

    @Test
    void anEndpointThatSpeaksMeshTlsIsNotReachedInPlaintext() {
        TransportSocket tls = new TransportSocket.UpstreamTls(
                new TlsContext(
                        new TlsContext.Parameters(TlsContext.Version.TLS_1_2, TlsContext.Version.TLS_1_3, List.of()),
                        List.of(), Optional.empty(), new TlsContext.NoValidation()),
                "");
        TransportSockets byMode = new TransportSockets(
                List.of(new TransportSockets.Match("tls", Map.of("tlsMode", "istio"), tls)), new TransportSocket.Plaintext());
        LbEndpoint secured =
                new LbEndpoint(new HostPort("127.0.0.1", 2), "", 1, Health.HEALTHY, Map.of(), Map.of("tlsMode", "istio"));
        Fixture mesh = Fixture.with(snapshot()
                .routes(host("orders", to("orders")))
                .cluster(cluster("orders").with(byMode), endpoint(1), secured));

        assertThat(mesh.spread("orders", 10)).isEqualTo(Map.of(1, 10));
    }

    @Test
    void roundRobinTakesOneAfterTheOther() {
        Fixture mesh = mesh(LoadBalancing.RoundRobin.DEFAULT, endpoint(1), endpoint(2), endpoint(3));

        assertThat(mesh.spread("orders", 300)).isEqualTo(Map.of(1, 100, 2, 100, 3, 100));
        List<Integer> order = new ArrayList<>();
        for (int i = 0; i < 6; i++) {
            order.add(mesh.send("orders", 200));
        }
        assertThat(order.subList(0, 3)).containsExactlyInAnyOrder(1, 2, 3).isEqualTo(order.subList(3, 6));
    }

    @Test
    void roundRobinSharesByWeightAndSpreadsTheHeavyEvenly() {
        Fixture mesh = mesh(LoadBalancing.RoundRobin.DEFAULT, weighing(1, 1), weighing(2, 2), weighing(5, 5));

        Map<Integer, Integer> spread = mesh.spread("orders", 8_000);
        assertThat(spread.get(1)).isCloseTo(1_000, within(10));
        assertThat(spread.get(2)).isCloseTo(2_000, within(10));
        assertThat(spread.get(5)).isCloseTo(5_000, within(10));
        for (int window = 0; window < 50; window++) {
            assertThat(mesh.spread("orders", 16).get(5)).isBetween(8, 12);
        }
    }

    @Test
    void headersNameEndpointsForOneAttemptEach() {
        Fixture mesh = Fixture.with(snapshot()
                .routes(host("orders", Policies.route(Policies.any(), Policies.forward(
                        "orders", Policies.retryOn(5, RetryPolicy.On.SERVER_ERROR_5XX), Duration.ZERO))))
                .cluster(cluster("orders").with(new LoadBalancing.OverrideHost(
                        List.of("x-first", "x-second"), LoadBalancing.RoundRobin.DEFAULT)), endpoint(1), endpoint(2),
                        endpoint(3, 1, Health.UNHEALTHY)));
        Request request = mesh.dialled(Request.get("orders", "/")
                .with("x-second", "127.0.0.1:2")
                .with("x-first", "127.0.0.1:9, 127.0.0.1:3 ,127.0.0.1:1"));
        List<Integer> ports = new ArrayList<>(List.of(Fixture.port(request)));
        for (int i = 0; i < 2; i++) {
            request.onResponse(503, Fixture.NO_HEADERS);
            request.next();
            ports.add(Fixture.port(request));
        }
        request.onResponse(503, Fixture.NO_HEADERS);

        assertThat(ports).containsExactly(3, 1, 2);
        assertThat(request.next()).as("the fallback's turn").isEqualTo(Exchange.Step.DIAL);
        assertThat(mesh.spread("orders", 100)).containsOnlyKeys(1, 2);
    }

    @Test
    void equalWeightsAreNoWeights() {
        assertThat(mesh(LoadBalancing.RoundRobin.DEFAULT, weighing(7, 1), weighing(7, 2)).spread("orders", 100))
                .isEqualTo(Map.of(1, 50, 2, 50));
    }

    @Test
    void leastRequestPrefersTheIdleOne() {
        Fixture mesh = mesh(LoadBalancing.LeastRequest.of(2, 1), endpoint(1), endpoint(2));
        Map<Integer, Integer> underWay = new HashMap<>();
        for (int i = 0; i < 100; i++) {
            underWay.merge(Fixture.port(mesh.dialled(Request.get("orders", "/"))), 1, Integer::sum);
        }

        // Only two draws of the busier one make the difference larger than one.
        assertThat(Math.abs(underWay.get(1) - underWay.get(2))).isLessThanOrEqualTo(6);
    }

    /** With d draws of n hosts, an idle one is chosen with a chance of 1 - (1 - 1/n)^d. */
    @ParameterizedTest
    @ValueSource(ints = {2, 3, 5})
    void leastRequestLooksAtAsManyAsItIsTold(int choices) {
        int hosts = 5;
        int draws = 4_000;
        LbEndpoint[] endpoints = new LbEndpoint[hosts];
        for (int i = 0; i < hosts; i++) {
            endpoints[i] = endpoint(i + 1);
        }
        Fixture mesh = mesh(LoadBalancing.LeastRequest.of(choices, 1), endpoints);
        // Every host is busy until an idle one stands out.
        List<Request> busy = new ArrayList<>();
        Map<Integer, Integer> load = new HashMap<>();
        while (load.size() < hosts || busy.size() < 200) {
            Request request = mesh.dialled(Request.get("orders", "/"));
            busy.add(request);
            load.merge(Fixture.port(request), 1, Integer::sum);
        }
        busy.stream().filter(request -> Fixture.port(request) == 3).forEach(Exchange::end);

        double chance = 1 - Math.pow(1 - 1.0 / hosts, choices);
        int idle = mesh.spread("orders", draws).getOrDefault(3, 0);
        assertThat(idle / (double) draws).isCloseTo(chance, within(0.04));
    }

    @Test
    void leastRequestSharesAnIdleClusterByWeight() {
        Map<Integer, Integer> spread =
                mesh(LoadBalancing.LeastRequest.of(2, 1), weighing(1, 1), weighing(3, 3)).spread("orders", 10_000);

        assertThat(spread.get(3)).isCloseTo(7_500, within(200));
    }

    @Test
    void leastRequestKeepsABusyClusterInProportionToTheWeights() {
        Fixture mesh = mesh(LoadBalancing.LeastRequest.of(2, 1), weighing(1, 1), weighing(3, 3));
        Map<Integer, Integer> underWay = new HashMap<>();
        for (int i = 0; i < 1_000; i++) {
            underWay.merge(Fixture.port(mesh.dialled(Request.get("orders", "/"))), 1, Integer::sum);
        }

        assertThat(underWay.get(3)).isCloseTo(750, within(30));
    }

    @Test
    void leastRequestWithoutBiasLooksAtWeightsOnly() {
        Fixture mesh = mesh(LoadBalancing.LeastRequest.of(2, 0), weighing(1, 1), weighing(3, 3));
        for (int i = 0; i < 50; i++) {
            mesh.dialled(Request.get("orders", "/"));
        }

        assertThat(mesh.spread("orders", 10_000).get(3)).isCloseTo(7_500, within(200));
    }

    @Test
    void randomIgnoresWeights() {
        Map<Integer, Integer> spread =
                mesh(LoadBalancing.Random.DEFAULT, weighing(1, 1), weighing(9, 2), weighing(1, 3)).spread("orders", 9_000);

        assertThat(spread.get(1)).isCloseTo(3_000, within(180));
        assertThat(spread.get(2)).isCloseTo(3_000, within(180));
        assertThat(spread.get(3)).isCloseTo(3_000, within(180));
    }

    private static Fixture priorities(int panicThreshold, LbEndpoint[] first, LbEndpoint[] second) {
        return Fixture.with(snapshot()
                .routes(host("orders", to("orders")))
                .cluster(cluster("orders").panicBelow(panicThreshold), priority(0, first), priority(1, second)));
    }

    private static LbEndpoint[] endpoints(int firstPort, Health... health) {
        LbEndpoint[] endpoints = new LbEndpoint[health.length];
        for (int i = 0; i < health.length; i++) {
            endpoints[i] = endpoint(firstPort + i, 1, health[i]);
        }
        return endpoints;
    }

    private static final Health OK = Health.HEALTHY;
    private static final Health BAD = Health.UNHEALTHY;

    @Test
    void theSecondPriorityIsNotUsedWhileTheFirstSuffices() {
        // Three of four healthy, times 1.4, is more than enough.
        assertThat(priorities(50, endpoints(10, OK, OK, OK, BAD), endpoints(20, OK, OK)).spread("orders", 300))
                .isEqualTo(Map.of(10, 100, 11, 100, 12, 100));
    }

    @Test
    void whatTheFirstPriorityIsShortOfGoesToTheSecond() {
        // One of two healthy, times 1.4: 70 percent.
        Map<Integer, Integer> spread = priorities(50, endpoints(10, OK, BAD), endpoints(20, OK)).spread("orders", 10_000);

        assertThat(spread).containsOnlyKeys(10, 20);
        assertThat(spread.get(10)).isCloseTo(7_000, within(150));
    }

    @Test
    void aPriorityWithoutHealthyHostsIsLeftOut() {
        assertThat(priorities(50, endpoints(10, BAD, BAD), endpoints(20, OK)).spread("orders", 100)).containsOnlyKeys(20);
        assertThat(priorities(50, endpoints(10), endpoints(20, OK)).spread("orders", 100)).containsOnlyKeys(20);
    }

    @Test
    void belowThePanicThresholdHealthIsIgnored() {
        // One of three is 33 percent.
        assertThat(mesh(LoadBalancing.RoundRobin.DEFAULT, endpoints(10, OK, BAD, BAD)).spread("orders", 300))
                .containsOnlyKeys(10, 11, 12);
        assertThat(mesh(LoadBalancing.RoundRobin.DEFAULT, endpoints(10, OK, BAD)).spread("orders", 300)).containsOnlyKeys(10);
        assertThat(mesh(LoadBalancing.RoundRobin.DEFAULT, endpoints(10, BAD, Health.DRAINING)).spread("orders", 300))
                .containsOnlyKeys(10, 11);
    }

    @Test
    void whoIsDrainingIsNotMissed() {
        LoadBalancing.RoundRobin roundRobin = LoadBalancing.RoundRobin.DEFAULT;
        assertThat(mesh(roundRobin, endpoints(10, OK, BAD, Health.DRAINING, Health.DRAINING)).spread("orders", 100))
                .as("half of the others are healthy")
                .containsOnlyKeys(10);
        assertThat(priorities(50, endpoints(10, OK, Health.DRAINING), endpoints(20, OK)).spread("orders", 100)).containsOnlyKeys(10);
    }

    @Test
    void whenAllPrioritiesPanicTheyShareByTheNumberOfTheirHosts() {
        Map<Integer, Integer> spread =
                priorities(50, endpoints(10, BAD), endpoints(20, BAD, BAD, BAD)).spread("orders", 10_000);

        assertThat(spread).containsOnlyKeys(10, 20, 21, 22);
        assertThat(spread.get(10)).isCloseTo(2_500, within(150));
    }

    @Test
    void withoutAPanicThresholdNoHealthyHostIsNoHost() {
        Fixture mesh = Fixture.with(snapshot()
                .routes(host("orders", to("orders")))
                .cluster(cluster("orders").panicBelow(0), endpoints(10, BAD, BAD)));

        LocalReply reply = mesh.reply(Request.get("orders", "/"));
        assertThat(reply.status()).isEqualTo(503);
        assertThat(reply.body()).asString().isEqualTo("no healthy upstream");
    }

    @Test
    void aClusterWithoutEndpointsHasNoHealthyOne() {
        Fixture mesh = mesh(LoadBalancing.RoundRobin.DEFAULT);

        assertThat(mesh.reply(Request.get("orders", "/")).body()).asString().isEqualTo("no healthy upstream");
    }

    @Test
    void degradedHostsTakeWhatTheHealthyCannot() {
        assertThat(mesh(LoadBalancing.RoundRobin.DEFAULT, endpoints(10, OK, OK, OK, Health.DEGRADED)).spread("orders", 300))
                .containsOnlyKeys(10, 11, 12);
        Map<Integer, Integer> spread = mesh(LoadBalancing.RoundRobin.DEFAULT, endpoints(10, OK, Health.DEGRADED)).spread("orders", 10_000);
        assertThat(spread.get(10)).isCloseTo(7_000, within(150));
        assertThat(mesh(LoadBalancing.RoundRobin.DEFAULT, endpoints(10, Health.DEGRADED, BAD)).spread("orders", 300))
                .containsOnlyKeys(10);
    }
}
