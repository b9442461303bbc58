package io.weft.it.secured;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.weft.driver.GrpcClient;
import io.weft.driver.GrpcServer;
import io.weft.it.harness.ControlPlane;
import io.weft.it.harness.Jdk;
import io.weft.it.harness.Jdks;
import io.weft.it.harness.JvmCommand;
import io.weft.it.harness.JvmProcess;
import io.weft.it.harness.Library;
import io.weft.it.harness.Testbed;
import java.time.Duration;
import java.util.Map;
import org.awaitility.core.ConditionFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** gRPC at both ends, in JVMs that nobody changed, with the real jars: found, secured and permitted by the real control plane. */
class GrpcMeshIT {
    private static final String PERMISSION = """
            type: MeshTrafficPermission
            name: orders
            mesh: default
            spec:
              rules:
              - default: {allow: [{spiffeID: {type: %s, value: "spiffe://default.default.mesh.local/%s"}}]}
            """;
    private static final String STRICT = """
            type: MeshTLS
            name: mode
            mesh: default
            spec: {rules: [{default: {mode: Strict}}]}
            """;

    @RegisterExtension
    final Testbed testbed = new Testbed();

    private final Jdk jdk = Jdks.newest();

    @Test
    void callsAreFoundSecuredAndPermitted() {
        ControlPlane controlPlane = testbed.controlPlane(jdk);
        controlPlane.save("permission.yaml", PERMISSION.formatted("Prefix", ""));
        int port = member("orders", controlPlane).driver(GrpcServer.class, "v1").awaitPort();
        JvmProcess client = member("shop", controlPlane).driver(GrpcClient.class);
        JvmProcess stranger = testbed.jvm("stranger", jdk).classPath(Library.named("grpc-netty-1.85")).driver(GrpcClient.class);
        Map<String, String> directly = Map.of("target", "127.0.0.1:" + port, "deadline", "20000");
        patiently().untilAsserted(() -> assertThat(call(client)).containsEntry("body", "v1:hello"));
        assertThat(stranger.ask(directly)).containsEntry("body", "v1:hello");

        controlPlane.save("identity.yaml", IdentityIT.IDENTITY.formatted("1h"));
        patiently().until(controlPlane::allTakeMeshTls);
        controlPlane.save("tls.yaml", STRICT);
        patiently().untilAsserted(() -> assertThat(stranger.ask(directly)).containsEntry("code", "UNAVAILABLE"));
        assertThat(call(client)).containsEntry("body", "v1:hello");
        Map<String, String> stream = client.ask(Map.of("target", "dns:///orders", "kind", "BIDI_STREAMING", "messages", "3", "wait", "3"));
        assertThat(stream).containsEntry("body", "v1:hello|v1:hello|v1:hello");

        controlPlane.save("permission.yaml", PERMISSION.formatted("Exact", "workload/somebody"));
        patiently().untilAsserted(() -> assertThat(call(client)).containsEntry("code", "PERMISSION_DENIED"));
        controlPlane.save("permission.yaml", PERMISSION.formatted("Exact", "workload/shop"));
        patiently().untilAsserted(() -> assertThat(call(client)).containsEntry("body", "v1:hello"));
    }

    private static Map<String, String> call(JvmProcess client) {
        return client.ask(Map.of("target", "dns:///orders", "deadline", "20000"));
    }

    private static ConditionFactory patiently() {
        return await().atMost(Duration.ofSeconds(90));
    }

    private JvmCommand member(String service, ControlPlane controlPlane) {
        return testbed.jvm(service, jdk).mesh(controlPlane.uri(), service)
                .environment("WEFT_CONTROL_PLANE_TOKEN_FILE", controlPlane.token(service).toString())
                .classPath(Library.named("grpc-netty-1.85"));
    }
}
