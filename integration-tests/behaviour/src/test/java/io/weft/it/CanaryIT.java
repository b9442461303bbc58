package io.weft.it;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.awaitility.Awaitility.await;

import io.weft.driver.JavaNetHttp;
import io.weft.it.harness.EveryJdk;
import io.weft.it.harness.Jdk;
import io.weft.it.harness.JvmProcess;
import io.weft.it.harness.JvmProcess.Tally;
import io.weft.it.harness.Policy;
import io.weft.it.harness.PolicyServer;
import io.weft.it.harness.Routes;
import io.weft.it.harness.Testbed;
import io.weft.it.harness.Upstream;
import java.util.Map;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The shortest way through everything: literal xDS in, an unmodified client under the real jar, recording upstreams. */
class CanaryIT {
    private static final int SAMPLE = 2_000;

    @RegisterExtension
    final Testbed testbed = new Testbed();

    private final Upstream v1 = testbed.upstream("v1");
    private final Upstream v2 = testbed.upstream("v2");
    private final Policy clusters = Policy.empty().cluster("orders-v1", v1.address()).cluster("orders-v2", v2.address());

    @EveryJdk
    void weightsAreObeyedAndChangedWhileTrafficFlows(Jdk jdk) {
        PolicyServer policies = testbed.policyServer();
        policies.serve(clusters.virtualHost("orders", Routes.to("orders-v1")));
        JvmProcess client = testbed.jvm("client", jdk).mesh(policies.uri(), "shop").driver(JavaNetHttp.class);

        assertThat(client.load("http://orders/", Map.of(), SAMPLE, 4).body("v1")).isEqualTo(SAMPLE);

        policies.serve(clusters.virtualHost("orders", Routes.split(Map.of("orders-v1", 75, "orders-v2", 25))));
        await().until(() -> client.get("http://orders/").body().equals("v2"));
        Tally shared = client.load("http://orders/", Map.of(), SAMPLE, 4);
        assertThat(shared.status(200)).isEqualTo(SAMPLE);
        assertThat(shared.body("v2") / (double) SAMPLE).isCloseTo(0.25, within(3 * Math.sqrt(0.25 * 0.75 / SAMPLE)));
        assertThat(policies.refusals()).isEmpty();
    }

    @EveryJdk
    void aHeaderSendsARequestToTheCanary(Jdk jdk) {
        PolicyServer policies = testbed.policyServer(PolicyServer.Protocol.STATE_OF_THE_WORLD);
        policies.serve(clusters.virtualHost(
                "orders", Routes.whenHeader("x-canary", "yes", Routes.to("orders-v2")), Routes.to("orders-v1")));
        JvmProcess client = testbed.jvm("client", jdk).mesh(policies.uri(), "shop").driver(JavaNetHttp.class);

        assertThat(client.get("http://orders/a?b=c", Map.of("x-canary", "yes")).body()).isEqualTo("v2");
        assertThat(client.get("http://orders/").body()).isEqualTo("v1");
        assertThat(v2.requests()).singleElement().satisfies(request -> {
            assertThat(request.line()).isEqualTo("GET /a?b=c HTTP/1.1");
            assertThat(request.header("host")).hasValue("orders");
        });
    }

    @EveryJdk
    void aHostThatNoPolicyNamesIsNotTouched(Jdk jdk) {
        PolicyServer policies = testbed.policyServer();
        policies.serve(clusters.virtualHost("orders", Routes.to("orders-v1")));
        JvmProcess client = testbed.jvm("client", jdk).mesh(policies.uri(), "shop").driver(JavaNetHttp.class);
        Upstream other = testbed.upstream("other");

        String authority = "127.0.0.1:" + other.address().getPort();
        assertThat(client.get("http://" + authority + "/").body()).isEqualTo("other");
        assertThat(other.requests()).singleElement().satisfies(request -> assertThat(request.header("host")).hasValue(authority));
    }
}
