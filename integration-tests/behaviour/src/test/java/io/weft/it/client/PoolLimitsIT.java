package io.weft.it.client;

import static io.weft.it.harness.Routes.to;
import static org.assertj.core.api.Assertions.assertThat;

import io.weft.it.harness.Jdks;
import io.weft.it.harness.JvmProcess;
import io.weft.it.harness.Library;
import io.weft.it.harness.Policy;
import io.weft.it.harness.PolicyServer;
import io.weft.it.harness.Testbed;
import io.weft.it.harness.Upstream;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** How many connections an app allows for a host is how many there may be to each endpoint of it. */
class PoolLimitsIT {
    private static final int PLACES = 8;
    private static final Map<String, String> WIDE = Map.of("X-Client", "wide");

    @RegisterExtension
    final Testbed testbed = new Testbed();

    @ParameterizedTest
    @CsvSource({
        "ApacheHttpClient4, httpclient4-4.5", "ApacheHttpAsyncClient4, httpasyncclient4-4.1.5",
        "ApacheHttpClient5, httpclient5-5.6", "ApacheHttpAsyncClient5, httpclient5-5.6",
        "ReactorNetty, reactor-netty-1.0", "ReactorNetty, reactor-netty-1.3"})
    void anEndpointHasThePlacesOfItsHost(String driver, String library) {
        PolicyServer policies = testbed.policyServer();
        Upstream orders = testbed.upstream("orders");
        policies.serve(Policy.empty().cluster("orders", orders.address()).virtualHost("orders", to("orders")));
        JvmProcess client = testbed.jvm("client", Jdks.newest()).classPath(Library.named(library)).mesh(policies.uri(), "client")
                .driver("io.weft.driver." + driver);
        client.load("http://orders/", WIDE, 1, 1);

        CountDownLatch together = new CountDownLatch(PLACES);
        orders.react(request -> {
            together.countDown();
            await(together);
            return orders.ok();
        });
        client.load("http://orders/", WIDE, PLACES, PLACES);

        assertThat(orders.connections()).isEqualTo(PLACES);
    }

    private static void await(CountDownLatch together) {
        try {
            // Not for ever: who has no connection of its own waits for one of these.
            boolean ignored = together.await(2, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }
}
