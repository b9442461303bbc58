package io.weft.it.client;

import static io.weft.it.harness.Routes.to;
import static org.assertj.core.api.Assertions.assertThat;

import io.weft.driver.RedeployedJettyClient;
import io.weft.it.harness.Jdk;
import io.weft.it.harness.Jdks;
import io.weft.it.harness.JvmProcess;
import io.weft.it.harness.Library;
import io.weft.it.harness.Policy;
import io.weft.it.harness.PolicyServer;
import io.weft.it.harness.Testbed;
import io.weft.it.harness.Upstream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** An app that is taken out of its server leaves nothing behind in the server's threads. */
class RedeployedClientIT {
    @RegisterExtension
    final Testbed testbed = new Testbed();

    @ParameterizedTest
    @ValueSource(strings = {"jetty-client-9.4", "jetty-client-12"})
    void theMeshHoldsNoAppThatIsGone(String name) {
        isCollected(name, Jdks.newest());
    }

    /** Before JDK 24 a thread keeps the loaders of all code that had a part in its making, as the first app has in the agent's timer. */
    @Test
    void theMeshsThreadsHoldNoAppThatStartedThem() {
        isCollected("jetty-client-12", Jdks.feature(17).orElseThrow());
    }

    private void isCollected(String name, Jdk jdk) {
        Upstream orders = testbed.upstream("orders");
        PolicyServer policies = testbed.policyServer();
        policies.serve(Policy.empty().cluster("orders", orders.address()).virtualHost("orders", to("orders")));
        // The JDK's own caches of method handles hold an app softly: until memory is scarce, which it is not here.
        JvmProcess server = testbed.jvm(name, jdk).option("-XX:SoftRefLRUPolicyMSPerMB=0").mesh(policies.uri(), "shop").driver(
                RedeployedJettyClient.class, Library.named(name).jars().stream().map(Object::toString).toArray(String[]::new));

        assertThat(server.ask(Call.get("http://orders/").form())).containsEntry("statuses", "200 200 200 ").containsEntry("collected", "true");
        assertThat(orders.requests()).hasSize(3).allSatisfy(request -> assertThat(request.header("host")).hasValue("orders"));
    }
}
