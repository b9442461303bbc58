package io.weft.it.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

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
import java.io.IOException;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A JVM that has used its libraries already gets the agent. */
class AttachIT {
    @RegisterExtension
    final Testbed testbed = new Testbed();

    @EveryJdk
    void loadedClassesAreWoven(Jdk jdk) {
        PolicyServer server = testbed.policyServer();
        Upstream orders = testbed.upstream("orders");
        server.serve(Policy.empty().service("orders", orders.address()).virtualHost("orders", Routes.to("orders")));
        JvmProcess client = testbed.jvm("client", jdk).option("-XX:+EnableDynamicAgentLoading").driver(JavaNetHttp.class);
        client.get("http://127.0.0.1:" + orders.address().getPort() + "/");
        client.getFailing("http://orders/");

        JvmProcess attach = attach(jdk, client, "control-plane=" + server.uri(), "service=batch", "startup-wait=60s");

        assertThat(attach.awaitExit()).as(attach::report).isZero();
        assertThat(attach.stdout()).singleElement().asString().endsWith(": started, control plane " + server.uri());
        assertThat(client.get("http://orders/").body()).isEqualTo("orders");
        client.awaitStderr(line -> line.contains("instruments java-net-http"));
    }

    @EveryJdk
    void refusalIsSaidToWhoAttachesAndMayBePutRight(Jdk jdk) {
        PolicyServer server = testbed.policyServer();
        JvmProcess client = testbed.jvm("client", jdk).option("-XX:+EnableDynamicAgentLoading").driver(JavaNetHttp.class);
        client.getFailing("http://127.0.0.1:1/");

        JvmProcess refused = attach(jdk, client, "control-plane=nowhere");
        assertThat(refused.awaitExit()).isEqualTo(1);
        assertThat(refused.stderr()).singleElement().asString().contains("not started: invalid setting: agent argument control-plane");

        JvmProcess accepted = attach(jdk, client, "control-plane=" + server.uri());
        assertThat(accepted.awaitExit()).as(accepted::report).isZero();
        await().until(() -> server.streams() > 0);

        JvmProcess again = attach(jdk, client, "control-plane=" + server.uri());
        assertThat(again.awaitExit()).isEqualTo(1);
        assertThat(again.stderr()).singleElement().asString().contains("not started: the agent runs in it already");
    }

    @EveryJdk
    void processThatIsNoJvmSurvives(Jdk jdk) throws Exception {
        Process sleep = testbed.closeAfterwards(new Sleep()).process;

        JvmProcess attach = testbed.jvm("attach", jdk).jar(Build.agent(), "attach", Long.toString(sleep.pid()));

        assertThat(attach.awaitExit()).isEqualTo(1);
        assertThat(attach.stderr()).singleElement().asString().contains("cannot attach to " + sleep.pid() + ": it is no JVM");
        assertThat(sleep.isAlive()).isTrue();
    }

    private static final class Sleep implements AutoCloseable {
        final Process process;

        Sleep() throws IOException {
            process = new ProcessBuilder("sleep", "60").start();
        }

        @Override
        public void close() {
            process.destroy();
        }
    }

    private JvmProcess attach(Jdk jdk, JvmProcess target, String... settings) {
        String[] arguments = new String[settings.length + 2];
        arguments[0] = "attach";
        arguments[1] = Long.toString(target.pid());
        System.arraycopy(settings, 0, arguments, 2, settings.length);
        return testbed.jvm("attach", jdk).jar(Build.agent(), arguments);
    }
}
