package io.weft.controlplane.xds.policy;

import static org.assertj.core.api.Assertions.assertThat;

import io.envoyproxy.envoy.config.endpoint.v3.ClusterLoadAssignment;
import io.envoyproxy.envoy.config.endpoint.v3.LbEndpoint;
import io.weft.controlplane.policy.MeshLoadBalancingStrategy;
import io.weft.controlplane.policy.Policy;
import io.weft.controlplane.policy.PolicyKinds;
import io.weft.controlplane.policy.ResourceParser;
import io.weft.controlplane.xds.policy.Localities.Caller;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class LocalitiesTest {

    private static final Caller CALLER = new Caller("east", Map.of("node", "a", "rack", "1"));

    private static MeshLoadBalancingStrategy strategy(String locality) {
        return read("{localityAwareness: " + locality + "}");
    }

    private static MeshLoadBalancingStrategy read(String conf) {
        Policy policy = (Policy) new ResourceParser()
                .parseFile("p.yaml", "type: MeshLoadBalancingStrategy\nname: a\nspec: {to: [{targetRef: {kind: Mesh}, default: " + conf + "}]}")
                .get(0).resource().orElseThrow();
        return PolicyKinds.LOAD_BALANCING.read(policy.to().get(0).conf());
    }

    private static ClusterLoadAssignment assignment(Optional<MeshLoadBalancingStrategy> strategy) {
        return assignment(strategy, CALLER);
    }

    private static ClusterLoadAssignment assignment(Optional<MeshLoadBalancingStrategy> strategy, Caller caller) {
        Localities.Assignment places = Localities.of(strategy, caller).assignment();
        places.add("east", Map.of("node", "a", "rack", "2"), LbEndpoint.getDefaultInstance());
        places.add("east", Map.of("node", "b", "rack", "1"), LbEndpoint.getDefaultInstance());
        places.add("east", Map.of("node", "b", "rack", "2"), LbEndpoint.getDefaultInstance());
        places.add("west", Map.of("node", "a"), LbEndpoint.getDefaultInstance());
        places.add("north", Map.of(), LbEndpoint.getDefaultInstance());
        ClusterLoadAssignment.Builder assignment = ClusterLoadAssignment.newBuilder();
        places.in(assignment);
        return assignment.build();
    }

    /** Each as "priority zone/sub-zone weight: number of endpoints". */
    private static List<String> places(Optional<MeshLoadBalancingStrategy> strategy) {
        return places(assignment(strategy));
    }

    private static List<String> places(ClusterLoadAssignment assignment) {
        return assignment.getEndpointsList().stream()
                .map(place -> place.getPriority() + " " + place.getLocality().getZone() + "/" + place.getLocality().getSubZone() + " "
                        + place.getLoadBalancingWeight().getValue() + ": " + place.getLbEndpointsCount())
                .toList();
    }

    @Test
    void withoutAPolicyAllZonesAreEquallyNear() {
        List<String> all = List.of("0 east/ 0: 3", "0 north/ 0: 1", "0 west/ 0: 1");
        assertThat(places(Optional.empty())).isEqualTo(all);
        assertThat(places(Optional.of(strategy("{disabled: true, crossZone: {failover: [{to: {type: None}}]}}")))).isEqualTo(all);
    }

    /** With any policy that does not say otherwise, as in Kuma, whatever it is about. */
    @Test
    void theCallersZoneComesFirst() {
        for (MeshLoadBalancingStrategy strategy : List.of(
                strategy("{disabled: false}"), read("{loadBalancer: {type: Random}}"),
                read("{hashPolicies: [{type: Header, header: {name: x-user}}]}"))) {
            assertThat(places(Optional.of(strategy))).containsExactly("0 east/ 0: 3", "1 north/ 0: 1", "1 west/ 0: 1");
        }
    }

    @Test
    void toACallerOfNoZoneAllAreEquallyNear() {
        assertThat(places(assignment(Optional.of(strategy("{disabled: false}")), new Caller("", Map.of()))))
                .containsExactly("0 east/ 0: 3", "0 north/ 0: 1", "0 west/ 0: 1");
    }

    @Test
    void whoSharesATagGetsMore() {
        assertThat(places(Optional.of(strategy("{localZone: {affinityTags: [{key: node}, {key: rack}]}}"))))
                .containsExactly("0 east/ 1: 1", "0 east/node=a 90: 1", "0 east/rack=1 9: 1");
        assertThat(places(Optional.of(strategy("{localZone: {affinityTags: [{key: rack, weight: 7}, {key: other, weight: 1}]}}"))))
                .containsExactly("0 east/ 1: 2", "0 east/rack=1 7: 1");
    }

    @Test
    void otherZonesAreAskedInTheOrderOfTheRules() {
        MeshLoadBalancingStrategy strategy = strategy("""
                {crossZone: {failoverThreshold: {percentage: 50}, failover: [
                {from: {zones: [south]}, to: {type: Any}}, {to: {type: Only, zones: [west]}}, {to: {type: AnyExcept, zones: [west]}}]}}""");
        assertThat(places(Optional.of(strategy))).containsExactly("0 east/ 1: 3", "2 west/ 0: 1", "3 north/ 0: 1");
        assertThat(assignment(Optional.of(strategy)).getPolicy().getOverprovisioningFactor().getValue()).isEqualTo(200);
    }

    @Test
    void whereNoRuleLeadsNobodyIsAsked() {
        assertThat(places(Optional.of(strategy("{crossZone: {failover: [{to: {type: None}}]}}")))).containsExactly("0 east/ 1: 3");
    }
}
