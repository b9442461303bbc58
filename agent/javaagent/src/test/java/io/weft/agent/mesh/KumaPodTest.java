package io.weft.agent.mesh;

import static org.assertj.core.api.Assertions.assertThat;

import io.weft.agent.settings.Settings;
import io.weft.agent.settings.SettingsReader;
import io.weft.policy.Node;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import org.junit.jupiter.api.Test;

class KumaPodTest {
    private final Settings settings = ((SettingsReader.Valid) SettingsReader.read(new Properties(), Map.of(),
            "control-plane=grpcs://cp:5678,control-plane.kind=kuma,service=orders,mesh=shop,zone=east", Set.of())).settings();

    @Test
    void itIsThePodOfItsTokenAndSaysNothingOfItself() throws Exception {
        Instance pod = KumaPod.of(settings, Workload.claims(token("""
                {"sub": "system:serviceaccount:backend:orders",
                 "kubernetes.io": {"namespace": "backend", "pod": {"name": "orders-5d4-x", "uid": "u"}, "serviceaccount": {"name": "orders"}}}"""))).orElseThrow();
        Node node = pod.at(InetAddress.getByName("10.1.2.3"));

        assertThat(pod.name()).isEqualTo("shop.orders-5d4-x.backend");
        assertThat(pod.namespace()).isEqualTo("backend");
        assertThat(node.id()).isEqualTo("shop.orders-5d4-x.backend");
        assertThat(node.cluster()).isEqualTo("orders");
        assertThat(node.locality().zone()).isEqualTo("east");
        assertThat(node.metadata()).containsEntry("dataplane.proxyType", "dataplane").containsKeys("features", "transparentProxy", "version")
                // Where one is, kuma-cp would make a Dataplane of it beside the pod's.
                .doesNotContainKey("dataplane.resource");
        // It is known by no other name.
        pod.nameTaken();
        assertThat(pod.at(InetAddress.getByName("10.1.2.3"))).isEqualTo(node);
    }

    @Test
    void anyOtherTokenIsOfAKumaWithoutKubernetes() {
        for (String claims : new String[] {
            "{\"Name\": \"orders\", \"Mesh\": \"shop\", \"Tags\": {\"kuma.io/service\": [\"orders\"]}}",
            // Of a Secret: it is bound to no pod.
            "{\"sub\": \"system:serviceaccount:backend:orders\"}"}) {
            assertThat(KumaPod.of(settings, Workload.claims(token(claims)))).as(claims).isEmpty();
        }
        assertThat(KumaPod.of(settings, Map.of())).isEmpty();
    }

    private static String token(String claims) {
        return "e30." + Base64.getUrlEncoder().withoutPadding().encodeToString(claims.getBytes(StandardCharsets.UTF_8)) + ".c2ln";
    }
}
