package io.weft.it.client;

import static io.weft.it.harness.Routes.to;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.weft.driver.HttpAnswer;
import io.weft.driver.VertxClient;
import io.weft.it.harness.Generations;
import io.weft.it.harness.Jdks;
import io.weft.it.harness.JvmProcess;
import io.weft.it.harness.Library;
import io.weft.it.harness.Policy;
import io.weft.it.harness.PolicyServer;
import io.weft.it.harness.Testbed;
import io.weft.it.harness.Upstream;
import java.time.Duration;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A proxy is for the names that the app has it for, and not for the endpoints behind other names. */
class VertxProxyIT {
    @RegisterExtension
    final Testbed testbed = new Testbed();

    @ParameterizedTest
    @ValueSource(strings = {"vertx-4.5", "vertx-5"})
    void whatTheAppWantsWithoutAProxyGoesToItsEndpointWithoutOne(String library) {
        Upstream orders = testbed.upstream("orders");
        Upstream proxy = testbed.upstream("proxy");
        PolicyServer policies = testbed.policyServer();
        Generations generations = testbed.closeAfterwards(new Generations());
        policies.serve(generations.next(Policy.empty().cluster("orders", orders.address()).virtualHost("orders", to("orders"))));
        JvmProcess shop = testbed.jvm("shop", Jdks.newest()).classPath(Library.named(library)).mesh(policies.uri(), "shop").driver(VertxClient.class);
        await().atMost(Duration.ofSeconds(30)).until(() -> generations.isObeyedBy(shop));
        Call call = Call.get("http://orders/").proxy(proxy.address().getPort());

        for (int i = 0; i < 2; i++) {
            assertThat(HttpAnswer.of(shop.ask(call.header("X-Unproxied", "orders").form())).body()).isEqualTo("orders");
        }
        assertThat(proxy.requests()).isEmpty();
        assertThat(HttpAnswer.of(shop.ask(call.form())).body()).isEqualTo("proxy");
        assertThat(policies.refusals()).isEmpty();
    }
}
