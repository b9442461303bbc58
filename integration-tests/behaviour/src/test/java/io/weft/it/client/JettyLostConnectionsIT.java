package io.weft.it.client;

import static io.weft.it.harness.Routes.to;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.envoyproxy.envoy.config.route.v3.VirtualHost;
import io.weft.driver.HttpAnswer;
import io.weft.driver.JettyClientOfLostConnections;
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

/** A request that loses its connection before it is on it goes where policy says all the same, and not where its URL does. */
class JettyLostConnectionsIT {
    @RegisterExtension
    final Testbed testbed = new Testbed();

    @ParameterizedTest
    @ValueSource(strings = {"jetty-client-12.0", "jetty-client-12"})
    void theLibrarysOwnRetryGoesToTheEndpoint(String library) {
        Upstream orders = testbed.upstream("orders");
        Upstream elsewhere = testbed.upstream("elsewhere");
        int port = elsewhere.address().getPort();
        PolicyServer policies = testbed.policyServer();
        Generations generations = testbed.closeAfterwards(new Generations());
        policies.serve(generations.next(Policy.empty().cluster("orders", orders.address()).virtualHost(port, VirtualHost.newBuilder()
                .setName("orders").addDomains("*").addRoutes(to("orders")).build())));
        JvmProcess shop = testbed.jvm("shop", Jdks.newest()).classPath(Library.named(library)).mesh(policies.uri(), "shop")
                .driver(JettyClientOfLostConnections.class);
        await().atMost(Duration.ofSeconds(30)).until(() -> generations.isObeyedBy(shop));

        Call call = Call.get("http://127.0.0.1:" + port + "/");
        assertThat(HttpAnswer.of(shop.ask(call.form())).body()).isEqualTo("orders");
        for (int i = 0; i < 5; i++) {
            HttpAnswer answer = HttpAnswer.of(shop.ask(call.header("X-Connection", "lost").form()));
            assertThat(answer.seen()).containsEntry("lost", "true");
            assertThat(answer.body()).isEqualTo("orders");
        }
        assertThat(elsewhere.connections()).isZero();
        // What the library adds for the app is for the URL, on whichever connection it goes.
        assertThat(orders.requests()).hasSize(6)
                .allSatisfy(request -> assertThat(request.header("x-signed-for")).hasValue("127.0.0.1:" + port));
        assertThat(policies.refusals()).isEmpty();
    }
}
