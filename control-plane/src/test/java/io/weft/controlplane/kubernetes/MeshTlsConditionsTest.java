package io.weft.controlplane.kubernetes;

import static org.assertj.core.api.Assertions.assertThat;

import io.weft.controlplane.policy.Dataplane;
import io.weft.controlplane.policy.Metadata;
import io.weft.controlplane.policy.ResourceId;
import io.weft.controlplane.registry.ClientNode;
import io.weft.controlplane.registry.Registry.Health;
import io.weft.controlplane.registry.Registry.Instance;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** The one condition of a pod, which says of all of its ports whether they take mesh TLS. */
class MeshTlsConditionsTest {
    private static final String ADDRESS = "10.0.0.1";

    private static Instance instance(Set<Integer> ports, Integer... ready) {
        List<Dataplane.Inbound> inbounds = new ArrayList<>();
        ports.forEach(port -> inbounds.add(new Dataplane.Inbound(
                port, ADDRESS, Optional.empty(), port, ADDRESS, true, Map.of("kuma.io/service", "orders"), Optional.empty(), Set.of())));
        Set<ClientNode.Address> secured = new HashSet<>();
        List.of(ready).forEach(port -> secured.add(new ClientNode.Address(ADDRESS, port)));
        Metadata metadata = new Metadata(new ResourceId("Dataplane", "default", "orders-1.shop"), "orders-1", "shop", Map.of());
        return new Instance(new Dataplane(metadata, ADDRESS, inbounds), Health.HEALTHY, Optional.of(secured));
    }

    /** Else callers would speak TLS to a port that does not take it. */
    @Test
    void itIsTrueOnceThePodTakesMeshTlsAtAllOfItsPorts() {
        assertThat(MeshTlsConditions.takes(instance(Set.of()), false)).as("without ports").isFalse();
        assertThat(MeshTlsConditions.takes(instance(Set.of(8080, 9090)), false)).isFalse();
        assertThat(MeshTlsConditions.takes(instance(Set.of(8080, 9090), 8080), false)).isFalse();
        assertThat(MeshTlsConditions.takes(instance(Set.of(8080, 9090), 8080, 9090), false)).isTrue();
    }

    @Test
    void aPortThatIsOpenedLaterTakesItBackForNoOther() {
        assertThat(MeshTlsConditions.takes(instance(Set.of(8080, 9090), 8080), true)).isTrue();
        assertThat(MeshTlsConditions.takes(instance(Set.of(8080, 9090)), true)).as("at none any more").isFalse();
    }
}
