package io.weft.it.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.google.protobuf.UInt32Value;
import io.envoyproxy.envoy.config.cluster.v3.Cluster;
import io.weft.driver.JavaNetHttp;
import io.weft.it.harness.Build;
import io.weft.it.harness.EveryJdk;
import io.weft.it.harness.Jdk;
import io.weft.it.harness.JvmProcess;
import io.weft.it.harness.Policy;
import io.weft.it.harness.PolicyServer;
import io.weft.it.harness.Routes;
import io.weft.it.harness.Testbed;
import io.weft.it.harness.Upstream;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What an operator learns of a JVM by {@code weft status}. */
class StatusIT {
    @RegisterExtension
    final Testbed testbed = new Testbed();

    private final Path sockets = testbed.temporaryFolder().resolve("sockets");
    private final Upstream orders = testbed.upstream("orders");

    @EveryJdk
    void saysWhatIsInForceWhatWasRefusedAndWhatHasNoEffect(Jdk jdk) {
        PolicyServer policies = testbed.policyServer();
        Policy policy = Policy.empty()
                .cluster("orders", cluster -> cluster.setPerConnectionBufferLimitBytes(UInt32Value.of(65536)), orders.address())
                .virtualHost("orders", Routes.to("orders"));
        policies.serve(policy);
        JvmProcess client = client(jdk, policies);
        assertThat(client.get("http://orders/").body()).isEqualTo("orders");
        policies.serve(policy.cluster("broken",
                cluster -> cluster.setClusterType(Cluster.CustomClusterType.newBuilder().setName("custom")), orders.address()));
        await().until(() -> !policies.refusals().isEmpty());
        await().until(() -> Files.exists(sockets.resolve(client.pid() + ".sock")));

        JvmProcess json = status(jdk, "--json");
        assertThat(json.awaitExit()).as(json::report).isZero();
        assertThat(json.stdout()).singleElement().asString()
                .startsWith("{\"pid\":" + client.pid() + ",")
                .contains("\"service\":\"shop\"", "\"state\":\"connected\"", "\"uri\":\"" + policies.uri() + "\"")
                .contains("{\"resource\":\"Cluster broken\",\"path\":\"cluster_type\"")
                .contains("{\"resource\":\"Cluster orders\",\"path\":\"per_connection_buffer_limit_bytes\"}")
                .contains("\"library\":\"java-net-http\"", "\"inMesh\":true")
                .containsPattern("\"name\":\"orders\",\"active\":0,\"successes\":1,\"failures\":0");

        JvmProcess lines = status(jdk);
        assertThat(lines.awaitExit()).as(lines::report).isZero();
        assertThat(lines.stdout()).hasSize(2);
        assertThat(lines.stdout().get(1).split(" +")).startsWith(Long.toString(client.pid()), "shop", "connected");

        JvmProcess everything = status(jdk, Long.toString(client.pid()));
        assertThat(everything.awaitExit()).as(everything::report).isZero();
        assertThat(String.join("\n", everything.stdout()))
                .contains(policies.uri() + " connected for ", "Cluster broken: cluster_type: ", "Cluster orders: per_connection_buffer_limit_bytes");
    }

    @EveryJdk
    void oneThatIsFrozenHoldsUpNobodyAndOneThatWasKilledIsForgotten(Jdk jdk) throws Exception {
        PolicyServer policies = testbed.policyServer();
        policies.serve(Policy.empty().service("orders", orders.address()));
        JvmProcess killed = client(jdk, policies);
        killed.get("http://orders/");
        Path socket = sockets.resolve(killed.pid() + ".sock");
        await().until(() -> Files.exists(socket));
        killed.kill();

        JvmProcess none = status(jdk);
        assertThat(none.awaitExit()).isEqualTo(1);
        assertThat(none.stderr()).singleElement().asString().contains("no JVM of user");
        assertThat(socket).doesNotExist();

        JvmProcess named = status(jdk, Long.toString(killed.pid()));
        assertThat(named.awaitExit()).isEqualTo(1);
        assertThat(named.stderr()).singleElement().asString().contains("cannot be asked: there is no " + socket);
    }

    @EveryJdk
    void withoutTheSocketTheAppRunsAsBefore(Jdk jdk) throws Exception {
        Path file = Files.createFile(testbed.temporaryFolder().resolve("file"));
        PolicyServer policies = testbed.policyServer();
        policies.serve(Policy.empty().service("orders", orders.address()));
        JvmProcess client = testbed.jvm("client", jdk).mesh(policies.uri(), "shop")
                .environment("WEFT_ADMIN_DIR", file.resolve("sockets").toString()).driver(JavaNetHttp.class);

        assertThat(client.get("http://orders/").body()).isEqualTo("orders");
        client.awaitStderr(line -> line.contains("weft WARN weft status cannot ask this process: ") && line.contains("check weft.admin.dir"));
        assertThat(client.get("http://orders/").body()).isEqualTo("orders");
    }

    private JvmProcess client(Jdk jdk, PolicyServer policies) {
        return testbed.jvm("client", jdk).mesh(policies.uri(), "shop").environment("WEFT_ADMIN_DIR", sockets.toString()).driver(JavaNetHttp.class);
    }

    private JvmProcess status(Jdk jdk, String... arguments) {
        String[] all = new String[arguments.length + 3];
        all[0] = "status";
        System.arraycopy(arguments, 0, all, 1, arguments.length);
        all[arguments.length + 1] = "--dir";
        all[arguments.length + 2] = sockets.toString();
        return testbed.jvm("status", jdk).jar(Build.agent(), all);
    }
}
