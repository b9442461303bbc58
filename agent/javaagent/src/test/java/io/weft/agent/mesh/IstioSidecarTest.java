package io.weft.agent.mesh;

import static org.assertj.core.api.Assertions.assertThat;

import io.weft.agent.settings.Settings;
import io.weft.agent.settings.SettingsReader;
import io.weft.dataplane.DataPlane;
import io.weft.dataplane.Inbound;
import io.weft.dataplane.InboundPorts;
import io.weft.dataplane.Self;
import io.weft.policy.Health;
import io.weft.policy.Node;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.Set;
import org.junit.jupiter.api.Test;

class IstioSidecarTest {
    private static final Workload NOBODY = new Workload(Optional.empty(), Optional.empty(), Optional.empty(), Map.of(), Map.of());

    private final InboundPorts ports = DataPlane.start(Duration.ZERO, (delay, task) -> () -> { }, (where, fault) -> {
        throw new AssertionError(where, fault);
    }, Self.UNKNOWN).inbound();

    private Node node(String argument, Workload workload) throws Exception {
        return sidecar(argument, workload).at(InetAddress.getByName("10.1.2.3"));
    }

    private IstioSidecar sidecar(String argument, Workload workload) {
        SettingsReader.Outcome outcome = SettingsReader.read(new Properties(), Map.of(), "control-plane.kind=istio" + argument, Set.of());
        Settings settings = ((SettingsReader.Valid) outcome).settings();
        return new IstioSidecar(settings, workload, new ServicePorts(settings, true), ports, "1a2b3c4d");
    }

    @Test
    void podOfAService() throws Exception {
        Workload workload = new Workload(Optional.of("orders-7d4"), Optional.of("shop"), Optional.of("orders-sa"),
                Map.of("app", "orders-app", "pod-template-hash", "7d4"), Map.of("CLUSTER_ID", "east", "NAME", "not this"));

        Node node = node(",service=orders,zone=a,tags=version=v1", workload);

        assertThat(node.id()).isEqualTo("sidecar~10.1.2.3~orders-7d4.shop~shop.svc.cluster.local");
        assertThat(node.cluster()).isEqualTo("orders.shop");
        assertThat(node.locality().zone()).isEqualTo("a");
        assertThat(node.metadata()).isEqualTo(Map.ofEntries(
                Map.entry("ISTIO_VERSION", "1.27.0"), Map.entry("INTERCEPTION_MODE", "REDIRECT"), Map.entry("DNS_CAPTURE", "true"),
                Map.entry("CLUSTER_ID", "east"), Map.entry("NAME", "orders-7d4"), Map.entry("NAMESPACE", "shop"),
                Map.entry("INSTANCE_IPS", "10.1.2.3"), Map.entry("WORKLOAD_NAME", "orders"), Map.entry("SERVICE_ACCOUNT", "orders-sa"),
                Map.entry("PROXY_CONFIG", Map.of()),
                Map.entry("LABELS", Map.of(
                        "app", "orders-app", "pod-template-hash", "7d4", "version", "v1", "security.istio.io/tlsMode", "istio"))));
    }

    @Test
    void processThatKnowsNothingOfItself() throws Exception {
        Node node = node(",address=10.9.9.9", NOBODY);

        assertThat(node.id()).isEqualTo("sidecar~10.9.9.9~client-1a2b3c4d.default~default.svc.cluster.local");
        assertThat(node.metadata()).containsEntry("INSTANCE_IPS", "10.9.9.9").doesNotContainKeys("SERVICE_ACCOUNT", "WORKLOAD_NAME");
    }

    @Test
    void theAddressesThatItIsKnownToHave() throws Exception {
        Workload workload = metadata(Map.of("INSTANCE_IPS", "10.7.7.7,fd00::7"));
        assertThat(node("", workload).id()).startsWith("sidecar~10.7.7.7~");
        assertThat(node("", workload).metadata()).containsEntry("INSTANCE_IPS", "10.7.7.7,fd00::7");
        assertThat(node(",address=10.9.9.9", workload).id()).startsWith("sidecar~10.9.9.9~");
        assertThat(node(",address=10.9.9.9", workload).metadata()).containsEntry("INSTANCE_IPS", "10.9.9.9");
    }

    private static Workload metadata(Map<String, Object> metadata) {
        return new Workload(Optional.of("orders-1"), Optional.of("shop"), Optional.empty(), Map.of(), metadata);
    }

    @Test
    void istiodIsToldHowOneIsThatItRegisters() throws Exception {
        IstioSidecar sidecar = sidecar(",service=orders", metadata(Map.of("AUTO_REGISTER_GROUP", "orders")));

        assertThat(sidecar.at(InetAddress.getByName("10.1.2.3")).metadata())
                .containsEntry("PROXY_CONFIG", Map.of("readinessProbe", Map.of()));
        assertThat(sidecar.health()).contains(Health.bad("it has no port open yet"));
        ports.opened("tomcat", new InetSocketAddress("127.0.0.1", 8081), false);
        assertThat(sidecar.health()).as("nobody reaches that").contains(Health.bad("it has no port open yet"));
        Inbound.Port port = ports.opened("tomcat", new InetSocketAddress("10.1.2.3", 8080), false);
        assertThat(sidecar.health()).contains(Health.GOOD);
        port.close();
        assertThat(sidecar.health()).contains(Health.bad("it has no port open yet"));
        ports.opened("tomcat", new InetSocketAddress("10.1.2.3", 8443), true);
        assertThat(sidecar.health()).as("its own TLS").contains(Health.GOOD);
        ports.beginDrain();
        assertThat(sidecar.health()).contains(Health.bad("it is about to stop"));
    }

    /** istiod takes the service's name from the group. */
    @Test
    void whoHasNoServiceNameOfItsOwnServesAsWell() {
        IstioSidecar sidecar = sidecar("", metadata(Map.of("AUTO_REGISTER_GROUP", "orders")));

        assertThat(sidecar.health()).contains(Health.bad("it has no port open yet"));
        ports.opened("tomcat", new InetSocketAddress("10.1.2.3", 8080), false);
        assertThat(sidecar.health()).contains(Health.GOOD);
    }

    @Test
    void ofPodsThatIsKubernetesAffair() {
        assertThat(sidecar(",service=orders", metadata(Map.of())).health()).isEmpty();
    }

    @Test
    void whatIsSaidOfTheProxyIsHandedOn() throws Exception {
        Workload workload = metadata(Map.of("AUTO_REGISTER_GROUP", "orders", "PROXY_CONFIG", Map.of("tracing", Map.of("sampling", 10.0))));

        assertThat(node(",service=orders", workload).metadata()).containsEntry("PROXY_CONFIG", Map.of("tracing", Map.of("sampling", 10.0)));
    }
}
