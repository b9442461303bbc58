package io.weft.it.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.envoyproxy.envoy.config.cluster.v3.Cluster;
import io.weft.driver.JavaNetHttp;
import io.weft.driver.JdkHttpServer;
import io.weft.it.harness.EveryJdk;
import io.weft.it.harness.Identity;
import io.weft.it.harness.Jdk;
import io.weft.it.harness.JvmProcess;
import io.weft.it.harness.Policy;
import io.weft.it.harness.PolicyServer;
import io.weft.it.harness.Testbed;
import io.weft.it.harness.Upstream;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The agent's stream to the control plane: secured, lost, and with what it refuses. */
class PolicyStreamIT {
    @RegisterExtension
    final Testbed testbed = new Testbed();

    private final Upstream orders = testbed.upstream("orders");
    private final Upstream others = testbed.upstream("others");
    private final Policy policy = Policy.empty().service("orders", orders.address());

    @EveryJdk
    void processThatStartsWithoutTheControlPlaneHasTheLastGoodPolicy(Jdk jdk) throws IOException {
        Path cache = testbed.temporaryFolder();
        PolicyServer policies = testbed.policyServer();
        policies.serve(policy);
        JvmProcess first = testbed.jvm("first", jdk).mesh(policies.uri(), "shop").environment("WEFT_CACHE_DIR", cache.toString())
                .driver(JavaNetHttp.class);
        assertThat(first.get("http://orders/").body()).isEqualTo("orders");
        await().until(() -> holdsAFile(cache));
        policies.stop();

        JvmProcess second = testbed.jvm("second", jdk).mesh(policies.uri(), "shop").environment("WEFT_CACHE_DIR", cache.toString())
                .driver(JavaNetHttp.class);

        assertThat(second.get("http://orders/").body()).isEqualTo("orders");
        assertThat(first.get("http://orders/").body()).isEqualTo("orders");
        policies.restart();
        policies.serve(policy.service("orders", others.address()));
        await().until(() -> first.get("http://orders/").body().equals("others"));
        await().until(() -> second.get("http://orders/").body().equals("others"));
    }

    @EveryJdk
    void processThatStopsWhileTheControlPlaneIsAwayStillDrains(Jdk jdk) throws Exception {
        PolicyServer policies = testbed.policyServer();
        JvmProcess server = testbed.jvm("server", jdk).mesh(policies.uri(), "orders").unguarded().environment("WEFT_DRAIN_DELAY", "200ms")
                .driver(JdkHttpServer.class, "orders");
        URI slow = URI.create("http://127.0.0.1:" + server.awaitPort() + "/slow/1500");
        await().until(() -> policies.nodes().stream().anyMatch(node -> node.toString().contains("Ready")));
        policies.stop();

        CompletableFuture<HttpResponse<String>> inFlight = HttpClient.newHttpClient()
                .sendAsync(HttpRequest.newBuilder(slow).build(), BodyHandlers.ofString());
        TimeUnit.MILLISECONDS.sleep(300);
        server.handle().destroy();

        assertThat(inFlight.get(60, TimeUnit.SECONDS).body()).isEqualTo("orders");
        assertThat(server.awaitExit()).isEqualTo(143);
    }

    @EveryJdk
    void whatIsRefusedIsSaidOnceAndTheLastGoodStays(Jdk jdk) {
        PolicyServer policies = testbed.policyServer();
        policies.serve(policy);
        JvmProcess client = testbed.jvm("client", jdk).mesh(policies.uri(), "shop").driver(JavaNetHttp.class);
        assertThat(client.get("http://orders/").body()).isEqualTo("orders");

        policies.serve(policy.cluster("orders", cluster -> cluster.setClusterType(Cluster.CustomClusterType.newBuilder().setName("custom")), orders.address()));

        client.awaitStderr(line -> line.contains("weft WARN refused Cluster orders: "));
        // The log comes first: a refusal waits a moment before it goes back.
        await().untilAsserted(() -> assertThat(policies.refusals()).singleElement().asString().contains("orders"));
        assertThat(client.get("http://orders/").body()).isEqualTo("orders");
        assertThat(client.stderr()).filteredOn(line -> line.contains("WARN")).hasSize(1);
    }

    @EveryJdk
    void cacheThatCannotBeWrittenIsSaidAndHarmsNothing(Jdk jdk) throws IOException {
        Path file = Files.createFile(testbed.temporaryFolder().resolve("file"));
        PolicyServer policies = testbed.policyServer();
        policies.serve(policy);
        JvmProcess client = testbed.jvm("client", jdk).mesh(policies.uri(), "shop")
                .environment("WEFT_CACHE_DIR", file.resolve("cache").toString()).driver(JavaNetHttp.class);

        assertThat(client.get("http://orders/").body()).isEqualTo("orders");
        client.awaitStderr(line -> line.contains("weft WARN Policy cache ") && line.contains("Check weft.cache.dir"));
    }

    @EveryJdk
    void tlsWithTheControlPlanesAuthorityATokenAndAClientCertificate(Jdk jdk) throws IOException {
        Path folder = testbed.temporaryFolder();
        Identity server = Identity.selfSigned(folder, "control-plane", "ip:127.0.0.1");
        Identity agent = Identity.selfSigned(folder, "agent", "dns:agent");
        Path token = Files.writeString(folder.resolve("token"), "secret\n");
        Path wrongToken = Files.writeString(folder.resolve("wrong-token"), "guess\n");
        PolicyServer policies = testbed.policyServer(new PolicyServer.Security(server, agent, "secret"));
        policies.serve(policy);

        JvmProcess known = client(jdk, policies, server, agent, token);
        assertThat(known.get("http://orders/").body()).isEqualTo("orders");

        JvmProcess stranger = client(jdk, policies, server, agent, wrongToken);
        stranger.getFailing("http://orders/");
        stranger.awaitStderr(line -> line.contains("turns this process away: UNAUTHENTICATED: wrong token"));
    }

    private JvmProcess client(Jdk jdk, PolicyServer policies, Identity server, Identity own, Path token) {
        return testbed.jvm("client", jdk).mesh(policies.uri(), "shop")
                .environment("WEFT_STARTUP_WAIT", "10s")
                .environment("WEFT_CONTROL_PLANE_CA_FILE", server.certificate().toString())
                .environment("WEFT_CONTROL_PLANE_CLIENT_CERTIFICATE", own.certificate().toString())
                .environment("WEFT_CONTROL_PLANE_CLIENT_KEY", own.key().toString())
                .environment("WEFT_CONTROL_PLANE_TOKEN_FILE", token.toString())
                .driver(JavaNetHttp.class);
    }

    private static boolean holdsAFile(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.anyMatch(file -> file.toString().endsWith(".policy"));
        }
    }
}
