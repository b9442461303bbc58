package io.weft.it.client;

import static io.weft.it.harness.Routes.to;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.envoyproxy.envoy.config.route.v3.VirtualHost;
import io.weft.driver.ApacheHttpAsyncClient4;
import io.weft.driver.ApacheHttpAsyncClient5;
import io.weft.driver.ApacheHttpClient4;
import io.weft.driver.HelidonClient;
import io.weft.it.harness.Authority;
import io.weft.it.harness.Generations;
import io.weft.it.harness.Jdks;
import io.weft.it.harness.JvmProcess;
import io.weft.it.harness.Library;
import io.weft.it.harness.MeshTlsSockets;
import io.weft.it.harness.Policy;
import io.weft.it.harness.PolicyServer;
import io.weft.it.harness.Testbed;
import io.weft.it.harness.Upstream;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Requests that no adapter can lead go where the app sends them, and nowhere if policy wants them secured. */
class UnledClientsIT {
    private static final Authority MESH = new Authority("mesh");

    @RegisterExtension
    final Testbed testbed = new Testbed();

    private enum Unled {
        APACHE_BEFORE_4_3("httpclient4-4.3", ApacheHttpClient4.class, Map.of("header.X-Client", "before-4.3"), false),
        APACHE_BEFORE_4_3_IN_4_5("httpclient4-4.5", ApacheHttpClient4.class, Map.of("header.X-Client", "before-4.3"), false),
        APACHE_ASYNC_MINIMAL_4_1("httpasyncclient4-4.1", ApacheHttpAsyncClient4.class, Map.of("header.X-Client", "minimal"), false),
        APACHE_ASYNC_MINIMAL_4_1_5("httpasyncclient4-4.1.5", ApacheHttpAsyncClient4.class, Map.of("header.X-Client", "minimal"), false),
        APACHE_ASYNC_PIPELINING_4_1("httpasyncclient4-4.1", ApacheHttpAsyncClient4.class, Map.of("header.X-Client", "pipelining"), false),
        APACHE_ASYNC_PIPELINING_4_1_5("httpasyncclient4-4.1.5", ApacheHttpAsyncClient4.class, Map.of("header.X-Client", "pipelining"), false),
        APACHE_MINIMAL_HTTP2_5_0("httpclient5-5.0", ApacheHttpAsyncClient5.class, Map.of("header.X-Client", "minimal-http2"), true),
        APACHE_MINIMAL_HTTP2_5_6("httpclient5-5.6", ApacheHttpAsyncClient5.class, Map.of("header.X-Client", "minimal-http2"), true),
        HELIDON_UPGRADE_4_5("helidon-4.5", HelidonClient.class, Map.of("header.X-Http", "upgrade"), true);

        private final String library;
        private final Class<?> driver;
        private final Map<String, String> asking;
        private final boolean http2;

        Unled(String library, Class<?> driver, Map<String, String> asking, boolean http2) {
            this.library = library;
            this.driver = driver;
            this.asking = asking;
            this.http2 = http2;
        }

        private boolean isAskedAboutWhenConnected() {
            return asking.containsValue("pipelining");
        }
    }

    @ParameterizedTest
    @EnumSource
    void nothingGoesOutInPlaintextWherePolicyWantsItSecured(Unled client) {
        Upstream orders = testbed.upstream("orders");
        int port = orders.address().getPort();
        PolicyServer policies = testbed.policyServer();
        Generations generations = testbed.closeAfterwards(new Generations());
        Policy named = Policy.empty().virtualHost(port, VirtualHost.newBuilder()
                .setName("orders").addDomains("127.0.0.1:" + port).addRoutes(to("orders")).build());
        policies.serve(generations.next(named.cluster("orders", orders.address())));
        JvmProcess shop = testbed.jvm("shop", Jdks.newest()).classPath(Library.named(client.library)).mesh(policies.uri(), "shop")
                .driver(client.driver);
        await().until(() -> generations.isObeyedBy(shop));
        if (!client.http2) {
            assertThat(ask(shop, client, port)).containsEntry("body", "orders");
            assertThat(ask(shop, client, port)).containsEntry("body", "orders");
            shop.awaitStderr(line -> line.contains("go out without the mesh"));
            assertThat(shop.stderr()).filteredOn(line -> line.contains("go out without the mesh")).hasSize(1);
        }
        int requests = orders.requests().size();
        int connections = orders.connections();

        policies.serve(generations.next(named.cluster("orders", cluster -> cluster.setTransportSocket(
                MeshTlsSockets.upstream(MESH, MESH.certify("spiffe://mesh/shop"), "spiffe://mesh/orders")), orders.address())));
        await().atMost(Duration.ofSeconds(30)).until(() -> generations.isObeyedBy(shop));
        assertThat(ask(shop, client, port).toString()).contains("mesh TLS is not supported");
        assertThat(orders.requests()).hasSize(requests);
        if (!client.isAskedAboutWhenConnected()) {
            assertThat(orders.connections()).isEqualTo(connections);
        }
        assertThat(policies.refusals()).isEmpty();
    }

    @ParameterizedTest
    @EnumSource
    void nothingGoesToWherePolicyLetsNobodyCall(Unled client) {
        PolicyServer policies = testbed.policyServer();
        Generations generations = testbed.closeAfterwards(new Generations());
        policies.serve(generations.next(Policy.empty().listener(OutsideExpectations.PASSTHROUGH)));
        JvmProcess shop = testbed.jvm("shop", Jdks.newest()).classPath(Library.named(client.library)).mesh(policies.uri(), "shop")
                .driver(client.driver);
        await().until(() -> generations.isObeyedBy(shop));
        assertThat(ask(shop, client, "http://outside.invalid/").toString()).contains("MeshPassthrough");
    }

    private static Map<String, String> ask(JvmProcess shop, Unled client, int port) {
        return ask(shop, client, "http://127.0.0.1:" + port + "/");
    }

    private static Map<String, String> ask(JvmProcess shop, Unled client, String url) {
        Map<String, String> form = new HashMap<>(client.asking);
        form.put("url", url);
        return shop.ask(form);
    }
}
