package io.weft.it.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.google.protobuf.UInt32Value;
import com.google.protobuf.util.Durations;
import io.envoyproxy.envoy.config.cluster.v3.Cluster.CommonLbConfig;
import io.envoyproxy.envoy.config.cluster.v3.OutlierDetection;
import io.envoyproxy.envoy.config.route.v3.RetryPolicy;
import io.envoyproxy.envoy.config.route.v3.Route;
import io.envoyproxy.envoy.type.v3.Percent;
import io.weft.driver.HttpCall.Way;
import io.weft.it.harness.Jdks;
import io.weft.it.harness.JvmCommand;
import io.weft.it.harness.JvmProcess;
import io.weft.it.harness.Library;
import io.weft.it.harness.Policy;
import io.weft.it.harness.PolicyServer;
import io.weft.it.harness.Routes;
import io.weft.it.harness.Testbed;
import io.weft.it.harness.Upstream;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** How slowly an app reads is not the endpoint's fault, also where it asks for bytes and is told of them. */
class SlowReadersIT {
    private static final int IDLE_MILLIS = 2_000;
    /** Much more than the sockets and the libraries take. */
    private static final String MUCH = "x".repeat(32 << 20);

    @RegisterExtension
    final Testbed testbed = new Testbed();

    private static Route impatient(String cluster) {
        Route route = Routes.to(cluster);
        RetryPolicy retry = RetryPolicy.newBuilder().setRetryOn("5xx").setPerTryIdleTimeout(Durations.fromMillis(IDLE_MILLIS))
                .setNumRetries(UInt32Value.of(0)).build();
        return route.toBuilder().setRoute(route.getRoute().toBuilder().setRetryPolicy(retry)).build();
    }

    @ParameterizedTest
    @CsvSource({
        "JavaNetHttp,", "ReactorNetty, reactor-netty-1.3", "JettyClient, jetty-client-12",
        "MicronautClient, micronaut-4.10", "VertxClient, vertx-4.0", "VertxClient, vertx-5", "JettyClientBefore12, jetty-client-9.4",
        "ArmeriaClient, armeria-1.40", "ApacheHttpAsyncClient4, httpasyncclient4-4.1.5", "ApacheHttpAsyncClient5, httpclient5-5.6",
        "AsyncHttpClients, async-http-client-2.12", "AsyncHttpClients, async-http-client-3.0"})
    void theEndpointIsNotToBlame(String driver, String library) {
        PolicyServer policies = testbed.policyServer();
        Upstream orders = testbed.upstream("orders");
        Upstream late = testbed.upstream("late");
        late.react(request -> new Upstream.Hang());
        OutlierDetection detection = OutlierDetection.newBuilder()
                .setConsecutive5Xx(UInt32Value.of(1))
                .setMaxEjectionPercent(UInt32Value.of(100))
                .setBaseEjectionTime(Durations.fromSeconds(300))
                .build();
        // Where all are left out there would be one again.
        CommonLbConfig noPanic = CommonLbConfig.newBuilder().setHealthyPanicThreshold(Percent.getDefaultInstance()).build();
        policies.serve(Policy.empty()
                .cluster("orders", builder -> builder.setOutlierDetection(detection).setCommonLbConfig(noPanic), orders.address())
                .cluster("late", late.address())
                .cluster("warm", orders.address())
                .virtualHost("warm", Routes.to("warm"))
                .virtualHost("orders", impatient("orders"))
                .virtualHost("late", impatient("late")));
        JvmCommand jvm = testbed.jvm("client", Jdks.newest()).mesh(policies.uri(), "client");
        JvmProcess client = (library == null ? jvm : jvm.classPath(Library.named(library))).driver("io.weft.driver." + driver);
        // What takes its time when it is done first is nobody's fault either.
        assertThat(client.get("http://warm/").body()).isEqualTo("orders");

        orders.react(request -> new Upstream.Respond(200, Map.of(), MUCH));
        assertThat(client.ask(new HashMap<>(Call.get("http://orders/much").way(driver.equals("AsyncHttpClients") ? Way.BLOCK : Way.FORGET).form()))).containsEntry("status", "200");
        assertThat(client.get("http://late/").status()).as("a limit is over that began later").isEqualTo(504);
        orders.react(request -> new Upstream.Respond(200, Map.of(), "orders"));
        assertThat(client.get("http://orders/").body()).isEqualTo("orders");

        orders.react(request -> Upstream.send(Upstream.Then.KEEP, "half", "HTTP/1.1 200 OK", "Content-Length: 8"));
        client.ask(Call.get("http://orders/broken").form());
        // In a moment: some libraries tell the app first.
        await().untilAsserted(() -> assertThat(client.get("http://orders/").status()).as("who asks and is told of nothing").isEqualTo(503));
    }
}
