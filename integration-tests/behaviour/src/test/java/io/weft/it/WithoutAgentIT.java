package io.weft.it;

import static org.assertj.core.api.Assertions.assertThat;

import io.weft.driver.HttpAnswer;
import io.weft.driver.JavaNetHttp;
import io.weft.it.harness.EveryJdk;
import io.weft.it.harness.Jdk;
import io.weft.it.harness.JvmProcess;
import io.weft.it.harness.Testbed;
import io.weft.it.harness.Upstream;
import java.util.Map;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What every other test takes for granted: a driver and an upstream do their work when no agent stands between them. */
class WithoutAgentIT {
    @RegisterExtension
    final Testbed testbed = new Testbed();

    @EveryJdk
    void aRequestIsRecordedAsItArrived(Jdk jdk) {
        Upstream orders = testbed.upstream("orders");
        JvmProcess client = testbed.jvm("client", jdk).driver(JavaNetHttp.class);

        HttpAnswer answer = client.get(url(orders) + "/a?b=c", Map.of("X-Tenant", "blue"));

        assertThat(answer.status()).isEqualTo(200);
        assertThat(answer.body()).isEqualTo("orders");
        assertThat(orders.requests()).singleElement().satisfies(request -> {
            assertThat(request.line()).isEqualTo("GET /a?b=c HTTP/1.1");
            assertThat(request.headers()).contains("X-Tenant: blue");
            assertThat(request.header("host")).hasValue("127.0.0.1:" + orders.address().getPort());
        });
        assertThat(client.stderr()).isEmpty();
    }

    @EveryJdk
    void theUpstreamMisbehavesWhenTold(Jdk jdk) {
        Upstream orders = testbed.upstream("orders");
        JvmProcess client = testbed.jvm("client", jdk).driver(JavaNetHttp.class);

        orders.answer(503);
        assertThat(client.get(url(orders) + "/").status()).isEqualTo(503);
        orders.react(request -> new Upstream.Reset());
        assertThat(client.getFailing(url(orders) + "/")).containsEntry("error", "java.io.IOException");
        orders.die();
        assertThat(client.getFailing(url(orders) + "/")).containsEntry("error", "java.net.ConnectException");
        orders.revive();
        orders.react(request -> orders.ok());
        assertThat(client.load(url(orders) + "/", Map.of(), 100, 4)).satisfies(tally -> {
            assertThat(tally.body("orders")).isEqualTo(100);
            assertThat(tally.errors()).isZero();
        });
    }

    @EveryJdk
    void anEndedDriverIsGone(Jdk jdk) {
        JvmProcess client = testbed.jvm("client", jdk).driver(JavaNetHttp.class);
        assertThat(client.stop()).isEqualTo(143);
        assertThat(client.isAlive()).isFalse();
    }

    private static String url(Upstream upstream) {
        return "http://127.0.0.1:" + upstream.address().getPort();
    }
}
