package io.weft.it.client;

import static io.weft.it.harness.Routes.retried;
import static io.weft.it.harness.Routes.to;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.google.protobuf.UInt32Value;
import io.envoyproxy.envoy.config.cluster.v3.CircuitBreakers;
import io.weft.driver.ApacheHttpAsyncClient5;
import io.weft.driver.ApacheHttpClient5;
import io.weft.driver.HttpCall.Way;
import io.weft.it.harness.Authority;
import io.weft.it.harness.Http2Upstream;
import io.weft.it.harness.Http2Upstream.Begin;
import io.weft.it.harness.Jdks;
import io.weft.it.harness.JvmProcess;
import io.weft.it.harness.Library;
import io.weft.it.harness.MeshTlsSockets;
import io.weft.it.harness.Policy;
import io.weft.it.harness.PolicyServer;
import io.weft.it.harness.Testbed;
import io.weft.it.harness.Upstream;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What the library has that others have not, in how an app lets go of a response and how a connection is made. */
class ApacheHttpClient5IT {
    private static final Authority MESH = new Authority("mesh");
    private static final String ORDERS = "spiffe://mesh/orders";
    private static final CircuitBreakers ONE_REQUEST = CircuitBreakers.newBuilder()
            .addThresholds(CircuitBreakers.Thresholds.newBuilder().setMaxRequests(UInt32Value.of(1)))
            .build();

    @RegisterExtension
    final Testbed testbed = new Testbed();

    private final PolicyServer policies = testbed.policyServer();

    @ParameterizedTest
    @ValueSource(strings = {"httpclient5-5.0", "httpclient5-5.6"})
    void anEntityThatIsClosedGivesThePlaceOfItsResponseBack(String library) {
        Upstream orders = testbed.upstream("orders");
        policies.serve(Policy.empty()
                .cluster("orders", cluster -> cluster.setCircuitBreakers(ONE_REQUEST), orders.address())
                .virtualHost("orders", to("orders")));
        JvmProcess client = client(library);

        for (int i = 0; i < 3; i++) {
            assertThat(client.ask(Call.get("http://orders/").way(Way.CLOSE_ENTITY).form())).containsEntry("status", "200");
        }
    }

    /** The library makes another one before it sends the request. */
    @ParameterizedTest
    @ValueSource(strings = {"httpclient5-5.0", "httpclient5-5.6"})
    void aConnectionThatIsMadeOnceMoreIsSecured(String library) {
        Upstream orders = testbed.upstream("orders", MESH.certify(ORDERS).trusting(MESH));
        policies.serve(Policy.empty()
                .cluster("orders", cluster -> cluster.setTransportSocket(MeshTlsSockets.upstream(MESH, MESH.certify("spiffe://mesh/shop"), ORDERS)), orders.address())
                .virtualHost("orders", to("orders")));
        Map<String, String> answer = client(library).ask(Call.get("http://orders/").header("X-Client", "closing").form());

        assertThat(answer).containsEntry("body", "orders");
        assertThat(orders.connections()).isEqualTo(2);
    }

    @ParameterizedTest
    @ValueSource(strings = "httpclient5-5.6")
    void aStreamWhoseResponseIsDroppedIsEnded(String library) {
        List<Http2Upstream> endpoints = Stream.of("a", "b").map(name -> testbed.closeAfterwards(Http2Upstream.start(name))).toList();
        policies.serve(Policy.empty()
                .cluster("orders", endpoints.get(0).address(), endpoints.get(1).address())
                .virtualHost("orders", retried("5xx", 1, to("orders"))));
        AtomicInteger requests = new AtomicInteger();
        endpoints.forEach(endpoint -> endpoint.react(request -> requests.getAndIncrement() == 0 ? new Begin(503, "half") : endpoint.ok()));
        Map<String, String> answer = client(library, ApacheHttpAsyncClient5.class).ask(Call.get("http://orders/").header("X-Client", "http2").form());

        assertThat(answer).containsEntry("status", "200");
        await().untilAsserted(() -> assertThat(endpoints.stream().mapToInt(Http2Upstream::cancellations).sum()).isEqualTo(1));
    }

    private JvmProcess client(String library) {
        return client(library, ApacheHttpClient5.class);
    }

    private JvmProcess client(String library, Class<?> driver) {
        return testbed.jvm("shop", Jdks.newest()).classPath(Library.named(library)).mesh(policies.uri(), "shop").driver(driver);
    }
}
