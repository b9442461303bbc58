package io.weft.agent.mesh;

import static org.assertj.core.api.Assertions.assertThat;

import io.weft.agent.settings.Settings;
import io.weft.agent.settings.SettingsReader;
import io.weft.policy.Node;
import java.net.InetAddress;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.Set;
import org.junit.jupiter.api.Test;

class IstioSidecarTest {
    private static final Workload NOBODY = new Workload(Optional.empty(), Optional.empty(), Optional.empty(), Map.of(), Map.of());

    private static Node node(String argument, Workload workload) throws Exception {
        SettingsReader.Outcome outcome = SettingsReader.read(new Properties(), Map.of(), "control-plane.kind=istio" + argument, Set.of());
        Settings settings = ((SettingsReader.Valid) outcome).settings();
        return new IstioSidecar(settings, workload, "1a2b3c4d").at(InetAddress.getByName("10.1.2.3"));
    }

    @Test
    void podOfAService() throws Exception {
        Workload workload = new Workload(Optional.of("orders-7d4"), Optional.of("shop"), Optional.of("orders-sa"),
                Map.of("app", "orders-app", "pod-template-hash", "7d4"), Map.of("CLUSTER_ID", "east", "NAME", "not this"));

        Node node = node(",service=orders,zone=a,tags=version=v1", workload);

        assertThat(node.id()).isEqualTo("sidecar~10.1.2.3~orders-7d4.shop~shop.svc.cluster.local");
        assertThat(node.cluster()).isEqualTo("orders.shop");
        assertThat(node.locality().zone()).isEqualTo("a");
        assertThat(node.metadata()).isEqualTo(Map.of(
                "ISTIO_VERSION", "1.27.0", "INTERCEPTION_MODE", "REDIRECT", "DNS_CAPTURE", "true", "CLUSTER_ID", "east",
                "NAME", "orders-7d4", "NAMESPACE", "shop", "INSTANCE_IPS", "10.1.2.3", "WORKLOAD_NAME", "orders",
                "SERVICE_ACCOUNT", "orders-sa", "LABELS", Map.of(
                        "app", "orders-app", "pod-template-hash", "7d4", "version", "v1", "security.istio.io/tlsMode", "istio")));
    }

    @Test
    void processThatKnowsNothingOfItself() throws Exception {
        Node node = node(",address=10.9.9.9", NOBODY);

        assertThat(node.id()).isEqualTo("sidecar~10.9.9.9~client-1a2b3c4d.default~default.svc.cluster.local");
        assertThat(node.metadata()).containsEntry("INSTANCE_IPS", "10.9.9.9").doesNotContainKeys("SERVICE_ACCOUNT", "WORKLOAD_NAME");
    }
}
