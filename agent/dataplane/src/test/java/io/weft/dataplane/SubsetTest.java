package io.weft.dataplane;

import static io.weft.dataplane.Policies.any;
import static io.weft.dataplane.Policies.cluster;
import static io.weft.dataplane.Policies.host;
import static io.weft.dataplane.Policies.priority;
import static io.weft.dataplane.Policies.route;
import static io.weft.dataplane.Policies.snapshot;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.weft.policy.model.EndpointAssignment.Health;
import io.weft.policy.model.EndpointAssignment.LbEndpoint;
import io.weft.policy.model.EndpointAssignment.Locality;
import io.weft.policy.model.EndpointAssignment.LocalityEndpoints;
import io.weft.policy.model.FilterOverrides;
import io.weft.policy.model.HeaderChanges;
import io.weft.policy.model.HostPort;
import io.weft.policy.model.LoadBalancing;
import io.weft.policy.model.LoadBalancing.LocalityWeighted;
import io.weft.policy.model.LoadBalancing.RoundRobin;
import io.weft.policy.model.Resending;
import io.weft.policy.model.RouteAction.ClusterChoice;
import io.weft.policy.model.RouteAction.Forward;
import io.weft.policy.model.RouteAction.Named;
import io.weft.policy.model.RouteAction.Rewrite;
import io.weft.policy.model.RouteAction.Timeouts;
import io.weft.policy.model.RouteAction.WeightedCluster;
import io.weft.policy.model.RoutingPriority;
import io.weft.policy.model.SubsetBalancing;
import io.weft.policy.model.SubsetBalancing.Fallback;
import io.weft.policy.model.SubsetBalancing.Selector;
import io.weft.policy.model.SubsetBalancing.SelectorFallback;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** Only endpoints with the metadata that the route asks for, and who else where there is none. */
class SubsetTest {

    /** What a test says of subsets, the rest as Envoy has it. */
    private static final class Subsets {
        private Fallback fallback = Fallback.NO_FALLBACK;
        private Map<String, Object> usual = Map.of();
        private List<Selector> selectors = List.of();
        private boolean redundantKeys;
        private boolean weightAware;
        private boolean scaled;
        private boolean panicModeAny;
        private boolean listAsAny;
        private boolean fallbackList;

        static Subsets by(Selector... selectors) {
            Subsets subsets = new Subsets();
            subsets.selectors = List.of(selectors);
            return subsets;
        }

        SubsetBalancing build() {
            return new SubsetBalancing(fallback, usual, selectors, redundantKeys, weightAware, scaled, panicModeAny, listAsAny, fallbackList);
        }
    }

    private static Selector keys(String... keys) {
        return new Selector(List.of(keys), SelectorFallback.NOT_DEFINED, List.of(), false);
    }

    private static Selector keys(SelectorFallback fallback, List<String> fallbackKeys, String... keys) {
        return new Selector(List.of(keys), fallback, fallbackKeys, false);
    }

    private static LbEndpoint endpoint(int port, Object... labels) {
        return endpoint(port, Health.HEALTHY, labels);
    }

    private static LbEndpoint endpoint(int port, Health health, Object... labels) {
        Map<String, Object> metadata = new HashMap<>();
        for (int i = 0; i < labels.length; i += 2) {
            metadata.put((String) labels[i], labels[i + 1]);
        }
        return new LbEndpoint(new HostPort("127.0.0.1", port), "", 1, health, metadata, Map.of());
    }

    private static Fixture mesh(Subsets subsets, Map<String, Object> wanted, LbEndpoint... endpoints) {
        return mesh(subsets, RoundRobin.DEFAULT, wanted, Map.of(), priority(0, endpoints));
    }

    private static Fixture mesh(
            Subsets subsets,
            RoundRobin algorithm,
            Map<String, Object> wanted,
            Map<String, Object> wantedOfCluster,
            LocalityEndpoints... localities) {
        WeightedCluster orders = new WeightedCluster(
                new Named("orders"), 1, HeaderChanges.NONE, Optional.empty(), FilterOverrides.NONE, wantedOfCluster);
        Forward forward = new Forward(ClusterChoice.of(orders), Rewrite.NONE, Resending.NONE, Timeouts.NONE, List.of(), wanted,
                RoutingPriority.DEFAULT);
        LoadBalancing balancing = new LoadBalancing(
                algorithm, Optional.of(subsets.build()), 50, LoadBalancing.DEFAULT_OVERRIDE_HOST);
        return Fixture.with(snapshot()
                .routes(host("orders", route(any(), forward)))
                .cluster(cluster("orders").with(balancing), localities));
    }

    private static Set<Integer> chosen(Fixture mesh) {
        return mesh.spread("orders", 100).keySet();
    }

    private static void assertNobody(Fixture mesh) {
        assertThat(mesh.reply(Request.get("orders", "/")).body()).asString().isEqualTo("no healthy upstream");
    }

    private static final LbEndpoint[] VERSIONS = {
        endpoint(1, "version", "v1", "stage", "prod"), endpoint(2, "version", "v2", "stage", "prod"),
        endpoint(3, "version", "v1", "stage", "test"), endpoint(4)
    };

    @Test
    void onlyEndpointsOfTheSubset() {
        Subsets subsets = Subsets.by(keys("version"), keys("stage", "version"));

        assertThat(chosen(mesh(subsets, Map.of("version", "v1"), VERSIONS))).containsExactly(1, 3);
        assertThat(chosen(mesh(subsets, Map.of("version", "v1", "stage", "test"), VERSIONS))).containsExactly(3);
    }

    @Test
    void whatTheWeightedClusterWantsOverridesWhatTheRouteWants() {
        Fixture mesh = mesh(Subsets.by(keys("stage", "version")), RoundRobin.DEFAULT, Map.of("version", "v1", "stage", "prod"),
                Map.of("version", "v2"), priority(0, VERSIONS));

        assertThat(chosen(mesh)).containsExactly(2);
    }

    @Test
    void valuesAreEqualOnlyWithTheSameType() {
        Subsets subsets = Subsets.by(keys("shard"));
        LbEndpoint[] endpoints = {endpoint(1, "shard", 1.0), endpoint(2, "shard", "1"), endpoint(3, "shard", true)};

        assertThat(chosen(mesh(subsets, Map.of("shard", 1.0), endpoints))).containsExactly(1);
        assertThat(chosen(mesh(subsets, Map.of("shard", "1"), endpoints))).containsExactly(2);
    }

    @Test
    void withoutASubsetTheFallbackDecides() {
        Subsets subsets = Subsets.by(keys("version"));
        Map<String, Object> unknown = Map.of("version", "v9");
        assertNobody(mesh(subsets, unknown, VERSIONS));
        assertNobody(mesh(subsets, Map.of(), VERSIONS));

        subsets.fallback = Fallback.ANY_ENDPOINT;
        assertThat(chosen(mesh(subsets, unknown, VERSIONS))).containsExactly(1, 2, 3, 4);
        assertThat(chosen(mesh(subsets, Map.of("version", "v1", "stage", "prod"), VERSIONS))).containsExactly(1, 2, 3, 4);

        subsets.fallback = Fallback.DEFAULT_SUBSET;
        subsets.usual = Map.of("stage", "prod");
        assertThat(chosen(mesh(subsets, unknown, VERSIONS))).containsExactly(1, 2);
        assertThat(chosen(mesh(subsets, Map.of(), VERSIONS))).containsExactly(1, 2);
    }

    @Test
    void aSelectorsFallbackComesBeforeTheClusters() {
        Map<String, Object> unknown = Map.of("version", "v9");
        Subsets none = Subsets.by(keys(SelectorFallback.NO_FALLBACK, List.of(), "version"));
        none.fallback = Fallback.ANY_ENDPOINT;
        assertNobody(mesh(none, unknown, VERSIONS));
        assertThat(chosen(mesh(none, Map.of("other", "x"), VERSIONS))).containsExactly(1, 2, 3, 4);

        Subsets any = Subsets.by(keys(SelectorFallback.ANY_ENDPOINT, List.of(), "version"));
        assertThat(chosen(mesh(any, unknown, VERSIONS))).containsExactly(1, 2, 3, 4);

        Subsets usual = Subsets.by(keys(SelectorFallback.DEFAULT_SUBSET, List.of(), "version"));
        usual.usual = Map.of("stage", "test");
        assertThat(chosen(mesh(usual, unknown, VERSIONS))).containsExactly(3);
    }

    @Test
    void fewerKeysAsAFallback() {
        Subsets subsets = Subsets.by(
                keys(SelectorFallback.KEYS_SUBSET, List.of("version"), "stage", "version"),
                keys(SelectorFallback.ANY_ENDPOINT, List.of(), "version"));

        assertThat(chosen(mesh(subsets, Map.of("version", "v2", "stage", "test"), VERSIONS))).containsExactly(2);
        assertThat(chosen(mesh(subsets, Map.of("version", "v9", "stage", "test"), VERSIONS))).containsExactly(1, 2, 3, 4);
    }

    @Test
    void redundantKeysAreLeftOutWhereThatIsAllowed() {
        Subsets subsets = Subsets.by(keys("version"));
        Map<String, Object> more = Map.of("version", "v2", "stage", "test", "zone", "z");
        assertNobody(mesh(subsets, more, VERSIONS));

        subsets.redundantKeys = true;
        assertThat(chosen(mesh(subsets, more, VERSIONS))).containsExactly(2);
    }

    @Test
    void alternativesAreTriedInOrder() {
        Subsets subsets = Subsets.by(keys("version"), keys("stage", "version"));
        subsets.fallbackList = true;
        Map<String, Object> wanted = Map.of("version", "v9", "fallback_list", List.of(
                Map.of("version", "v8"), Map.of("version", "v2", "stage", "prod"), Map.of("version", "v1")));

        assertThat(chosen(mesh(subsets, wanted, VERSIONS))).containsExactly(2);
        assertThat(chosen(mesh(subsets, Map.of("version", "v1", "fallback_list", List.of()), VERSIONS))).containsExactly(1, 3);
        subsets.fallbackList = false;
        assertNobody(mesh(subsets, wanted, VERSIONS));
    }

    @Test
    void aListStandsForEachOfItsValues() {
        Subsets subsets = Subsets.by(keys("stage", "version"));
        subsets.listAsAny = true;
        LbEndpoint[] endpoints = {
            endpoint(1, "version", List.of("v1", "v2"), "stage", List.of("prod", "test")), endpoint(2, "version", "v2", "stage", "prod")
        };

        assertThat(chosen(mesh(subsets, Map.of("version", "v2", "stage", "prod"), endpoints))).containsExactly(1, 2);
        assertThat(chosen(mesh(subsets, Map.of("version", "v1", "stage", "test"), endpoints))).containsExactly(1);
        subsets.listAsAny = false;
        assertNobody(mesh(subsets, Map.of("version", "v1", "stage", "test"), endpoints));
    }

    /** As in Envoy, whatever its health. */
    @Test
    void aSubsetOfOneHost() {
        Subsets subsets = Subsets.by(new Selector(List.of("name"), SelectorFallback.NOT_DEFINED, List.of(), true));

        assertThat(chosen(mesh(subsets, Map.of("name", "a"),
                        endpoint(1, "name", "b"), endpoint(2, Health.UNHEALTHY, "name", "a"), endpoint(3, "name", "a"))))
                .containsExactly(2);
    }

    @Test
    void anyEndpointRatherThanNoneInPanic() {
        Subsets subsets = Subsets.by(keys("version"));
        subsets.fallback = Fallback.DEFAULT_SUBSET;
        subsets.usual = Map.of("version", "v9");
        assertNobody(mesh(subsets, Map.of("version", "v8"), VERSIONS));

        subsets.panicModeAny = true;
        assertThat(chosen(mesh(subsets, Map.of("version", "v8"), VERSIONS))).containsExactly(1, 2, 3, 4);
    }

    @Test
    void healthCountsWithinTheSubset() {
        Subsets subsets = Subsets.by(keys("version"));
        LbEndpoint[] endpoints = {
            endpoint(1, "version", "v1"), endpoint(2, Health.UNHEALTHY, "version", "v1"), endpoint(3, "version", "v2"),
            endpoint(4, Health.UNHEALTHY, "version", "v3"), endpoint(5, Health.UNHEALTHY, "version", "v3")
        };

        assertThat(chosen(mesh(subsets, Map.of("version", "v1"), endpoints))).containsExactly(1);
        assertThat(chosen(mesh(subsets, Map.of("version", "v3"), endpoints))).as("in panic").containsExactly(4, 5);
    }

    @Test
    void localityWeightsScaledByWhatIsLeftOfEach() {
        Subsets subsets = Subsets.by(keys("version"));
        RoundRobin byWeight = new RoundRobin(Optional.empty(), new LocalityWeighted());
        LocalityEndpoints[] zones = {
            new LocalityEndpoints(new Locality("", "a", ""), 0, 10, List.of(
                    endpoint(1, "version", "v1"), endpoint(2, "version", "v2"), endpoint(3, "version", "v2"), endpoint(4, "version", "v2"))),
            new LocalityEndpoints(new Locality("", "b", ""), 0, 10, List.of(endpoint(5, "version", "v1"), endpoint(6, "version", "v1")))
        };
        Map<String, Object> v1 = Map.of("version", "v1");
        assertThat(share(mesh(subsets, byWeight, v1, Map.of(), zones))).as("by number").isCloseTo(1 / 3.0, within(0.02));
        subsets.weightAware = true;
        assertThat(share(mesh(subsets, byWeight, v1, Map.of(), zones))).as("by weight").isCloseTo(0.5, within(0.02));
        subsets.scaled = true;
        assertThat(share(mesh(subsets, byWeight, v1, Map.of(), zones))).as("3 to 10").isCloseTo(3 / 13.0, within(0.02));
    }

    private static double share(Fixture mesh) {
        return mesh.spread("orders", 2_000).get(1) / 2_000.0;
    }
}
