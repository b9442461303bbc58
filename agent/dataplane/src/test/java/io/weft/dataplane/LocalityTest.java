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
import io.weft.policy.model.EndpointAssignment.Locality;
import io.weft.policy.model.EndpointAssignment.LocalityEndpoints;
import io.weft.policy.model.LoadBalancing.LocalityWeighted;
import io.weft.policy.model.LoadBalancing.RoundRobin;
import io.weft.policy.model.LoadBalancing.ZoneAware;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/** How localities of one priority share: by weight, or the own zone first. Ports say in which zone an endpoint is: 1xx, 2xx, ... */
class LocalityTest {
    private static final int REQUESTS = 20_000;
    /** More than four standard deviations of a share of that many requests. */
    private static final double CLOSE = 0.02;
    private static final Self EAST = new Self(zone("1"), null, "local");

    private static Locality zone(String name) {
        return new Locality("", name, "");
    }

    /** @param healthy how many of the endpoints are, the first */
    private static LocalityEndpoints zone(int number, int weight, int count, int healthy) {
        List<LbEndpoint> endpoints = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            endpoints.add(endpoint(number * 100 + i, 1, i < healthy ? Health.HEALTHY : Health.UNHEALTHY));
        }
        return new LocalityEndpoints(zone(Integer.toString(number)), 0, weight, endpoints);
    }

    private static LocalityEndpoints zone(int number, int count) {
        return zone(number, 0, count, count);
    }

    private static RoundRobin zoneAware(int enabled, long minSize, boolean failOnPanic, boolean force) {
        return new RoundRobin(Optional.empty(), new ZoneAware(enabled, minSize, failOnPanic, force));
    }

    private static Policies.SnapshotBuilder policy(RoundRobin algorithm, LocalityEndpoints... zones) {
        return snapshot().routes(host("orders", to("orders"))).cluster(cluster("orders").with(algorithm), zones);
    }

    private static Policies.SnapshotBuilder weighted(LocalityEndpoints... zones) {
        return policy(new RoundRobin(Optional.empty(), new LocalityWeighted()), zones);
    }

    private static Map<Integer, Double> shares(Fixture mesh) {
        Map<Integer, Double> shares = new TreeMap<>();
        mesh.spread("orders", REQUESTS).forEach((port, count) -> shares.merge(port / 100, count / (double) REQUESTS, Double::sum));
        return shares;
    }

    @Test
    void byWeightWhateverTheNumberOfEndpoints() {
        Map<Integer, Double> shares = shares(Fixture.with(weighted(zone(1, 1, 5, 5), zone(2, 3, 1, 1))));

        assertThat(shares.get(1)).isCloseTo(0.25, within(CLOSE));
        assertThat(shares.get(2)).isCloseTo(0.75, within(CLOSE));
    }

    @Test
    void withinALocalityAllEndpointsTakeTurns() {
        Map<Integer, Integer> spread = Fixture.with(weighted(zone(1, 1, 2, 2), zone(2, 1, 2, 2))).spread("orders", 400);

        assertThat(spread).isEqualTo(Map.of(100, 100, 101, 100, 200, 100, 201, 100));
    }

    /** 40 percent healthy is 56 percent of what it could do, with 40 percent of overprovisioning. */
    @Test
    void aLocalityWithTooFewHealthyEndpointsGetsLess() {
        Map<Integer, Double> shares = shares(Fixture.with(weighted(zone(1, 1, 5, 2), zone(2, 1, 5, 5))));

        assertThat(shares.get(1)).isCloseTo(0.56 / 1.56, within(CLOSE));
    }

    @Test
    void aLocalityWithoutAWeightGetsNothingAndWithoutAnyTheyCountAsOne() {
        assertThat(shares(Fixture.with(weighted(zone(1, 0, 3, 3), zone(2, 1, 1, 1))))).containsOnlyKeys(2);
        assertThat(shares(Fixture.with(weighted(zone(1, 3), zone(2, 1)))).get(1)).isCloseTo(0.75, within(CLOSE));
    }

    @Test
    void weightsMeanNothingWithoutThePolicy() {
        assertThat(shares(Fixture.with(policy(RoundRobin.DEFAULT, zone(1, 1, 3, 3), zone(2, 9, 1, 1)))).get(1))
                .isCloseTo(0.75, within(CLOSE));
    }

    private static Fixture aware(RoundRobin algorithm, LocalityEndpoints[] senders, LocalityEndpoints... zones) {
        return Fixture.with(EAST, policy(algorithm, zones).cluster(cluster("local"), senders));
    }

    private static LocalityEndpoints[] senders(int east, int west) {
        return new LocalityEndpoints[] {zone(1, east), zone(2, west)};
    }

    @Test
    void allStaysInTheOwnZoneWhileItHasTheCapacity() {
        assertThat(shares(aware(zoneAware(100, 6, false, false), senders(5, 5), zone(1, 3), zone(2, 3)))).containsOnlyKeys(1);
    }

    /** The east has half of the senders and a quarter of the endpoints: half of its requests go, to where there is room. */
    @Test
    void whatTheOwnZoneCannotTakeGoesWhereThereIsRoom() {
        Map<Integer, Double> shares =
                shares(aware(zoneAware(100, 6, false, false), senders(5, 5), zone(1, 2), zone(2, 4), zone(3, 2)));

        assertThat(shares.get(1)).isCloseTo(0.5, within(CLOSE));
        assertThat(shares.getOrDefault(2, 0.0)).isZero();
        assertThat(shares.get(3)).isCloseTo(0.5, within(CLOSE));
    }

    @Test
    void routingEnabledIsAShareOfTheRequests() {
        Map<Integer, Double> shares = shares(aware(zoneAware(40, 6, false, false), senders(5, 5), zone(1, 4), zone(2, 4)));

        assertThat(shares.get(1)).isCloseTo(0.4 + 0.6 / 2, within(CLOSE));
    }

    @Test
    void aSmallClusterOrUnknownSendersMeanNoZones() {
        assertThat(shares(aware(zoneAware(100, 9, false, false), senders(5, 5), zone(1, 4), zone(2, 4))).get(1))
                .isCloseTo(0.5, within(CLOSE));
        assertThat(shares(Fixture.with(policy(zoneAware(100, 6, false, false), zone(1, 4), zone(2, 4)))).get(1))
                .isCloseTo(0.5, within(CLOSE));
        assertThat(shares(aware(zoneAware(100, 6, false, false), new LocalityEndpoints[] {zone(2, 3)}, zone(1, 4), zone(2, 4)))
                        .get(1))
                .as("no sender in the own zone")
                .isCloseTo(0.5, within(CLOSE));
    }

    @Test
    void directRoutingCanBeForced() {
        assertThat(shares(aware(zoneAware(100, 6, false, true), senders(9, 1), zone(1, 1), zone(2, 7)))).containsOnlyKeys(1);
    }

    @Test
    void inPanicTrafficFailsWhereThePolicySaysSo() {
        LocalityEndpoints[] panicking = {zone(1, 0, 5, 1), zone(2, 0, 5, 1)};

        assertThat(shares(aware(zoneAware(100, 6, false, false), senders(5, 5), panicking)).get(1)).isCloseTo(0.5, within(CLOSE));
        Fixture failing = aware(zoneAware(100, 6, true, false), senders(5, 5), panicking);
        assertThat(failing.reply(Request.get("orders", "/")).status()).isEqualTo(503);
        Fixture sendersPanic = aware(
                zoneAware(100, 6, true, false),
                new LocalityEndpoints[] {zone(1, 0, 5, 1), zone(2, 0, 5, 1)},
                zone(1, 4), zone(2, 4));
        assertThat(sendersPanic.reply(Request.get("orders", "/")).status()).isEqualTo(503);
    }

    @Test
    void aChangeAmongTheSendersIsFollowed() {
        Fixture mesh = aware(zoneAware(100, 6, false, false), senders(5, 5), zone(1, 4), zone(2, 4));
        assertThat(shares(mesh)).containsOnlyKeys(1);

        mesh.apply(policy(zoneAware(100, 6, false, false), zone(1, 4), zone(2, 4)).cluster(cluster("local"), senders(10, 0)[0], zone(2, 0)));
        assertThat(shares(mesh).get(1)).isCloseTo(0.5, within(CLOSE));
    }
}
