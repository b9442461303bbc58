package io.weft.it.secured;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.weft.driver.JavaNetHttp;
import io.weft.it.harness.AdminPage;
import io.weft.it.harness.Build;
import io.weft.it.harness.ControlPlane;
import io.weft.it.harness.EveryJdk;
import io.weft.it.harness.Jdk;
import io.weft.it.harness.Jdks;
import io.weft.it.harness.JvmProcess;
import io.weft.it.harness.Testbed;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Who a JVM is in a mesh that gives identities, with the real jars. */
class IdentityIT {
    static final String IDENTITY = """
            type: MeshIdentity
            name: everyone
            mesh: default
            spec:
              selector: {dataplane: {matchLabels: {}}}
              provider: {type: Bundled, bundled: {autogenerate: {enabled: true}, certificateParameters: {expiry: %s}}}
            """;
    private static final String SOMEBODY = """
            type: MeshService
            name: orders
            mesh: default
            spec: {selector: {dataplaneTags: {kuma.io/service: orders}}, ports: [{port: 80}]}
            """;

    @RegisterExtension
    final Testbed testbed = new Testbed();

    private final Path sockets = testbed.temporaryFolder().resolve("sockets");

    @EveryJdk
    void aJvmAsksForItsCertificateAndRenewsIt(Jdk jdk) {
        ControlPlane controlPlane = testbed.controlPlane(Jdks.newest());
        controlPlane.save("services.yaml", SOMEBODY);
        controlPlane.save("identity.yaml", IDENTITY.formatted("10s"));
        JvmProcess client = client(jdk, controlPlane, "shop", "shop");
        // It joins with its first call.
        client.get("http://127.0.0.1:" + testbed.upstream("outside").address().getPort() + "/");
        await().atMost(Duration.ofSeconds(30)).until(() -> AdminPage.isOpen(sockets.resolve(client.pid() + ".sock")));

        String[] first = new String[1];
        await().atMost(Duration.ofSeconds(60)).untilAsserted(() -> {
            String status = status(jdk);
            assertThat(status).contains("\"spiffeId\":\"spiffe://default.default.mesh.local/workload/shop\"", "\"issuer\":\"", "\"expires\":\"");
            first[0] = status.substring(status.indexOf("\"expires\":\""));
        });
        await().atMost(Duration.ofSeconds(30)).untilAsserted(() -> {
            String status = status(jdk);
            assertThat(status).contains("\"expires\":\"");
            assertThat(status.substring(status.indexOf("\"expires\":\""))).isNotEqualTo(first[0]);
        });
    }

    @EveryJdk
    void aJvmWithTheTokenOfAnotherServiceIsToldSo(Jdk jdk) {
        ControlPlane controlPlane = testbed.controlPlane(Jdks.newest());
        controlPlane.save("services.yaml", SOMEBODY);
        controlPlane.save("identity.yaml", IDENTITY.formatted("1h"));
        JvmProcess client = client(jdk, controlPlane, "shop", "orders");
        client.get("http://127.0.0.1:" + testbed.upstream("outside").address().getPort() + "/");
        client.awaitStderr(line -> line.contains("turns this process away: PERMISSION_DENIED: the token of default.shop-")
                && line.contains("is for service orders, but it calls itself shop; make one with weft token"));
        await().atMost(Duration.ofSeconds(30)).until(() -> AdminPage.isOpen(sockets.resolve(client.pid() + ".sock")));
        assertThat(status(jdk)).contains("\"state\":\"disconnected\"", "\"turnedAway\":true", "it calls itself shop");
    }

    private JvmProcess client(Jdk jdk, ControlPlane controlPlane, String service, String tokenFor) {
        return testbed.jvm("client", jdk).mesh(controlPlane.uri(), service)
                .environment("WEFT_CONTROL_PLANE_TOKEN_FILE", controlPlane.token(tokenFor).toString())
                .environment("WEFT_ADMIN_DIR", sockets.toString())
                // One that is turned away gets no policy to wait for.
                .environment("WEFT_STARTUP_WAIT", "2s")
                .driver(JavaNetHttp.class);
    }

    private String status(Jdk jdk) {
        JvmProcess status = testbed.jvm("status", jdk).jar(Build.agent(), "status", "--json", "--dir", sockets.toString());
        status.awaitExit();
        return String.join("\n", status.stdout());
    }
}
