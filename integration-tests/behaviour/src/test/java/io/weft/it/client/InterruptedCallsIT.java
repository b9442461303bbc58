package io.weft.it.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.google.protobuf.UInt32Value;
import com.google.protobuf.util.Durations;
import io.envoyproxy.envoy.config.cluster.v3.CircuitBreakers;
import io.envoyproxy.envoy.config.cluster.v3.Cluster.CommonLbConfig;
import io.envoyproxy.envoy.config.cluster.v3.OutlierDetection;
import io.envoyproxy.envoy.config.route.v3.VirtualHost;
import io.envoyproxy.envoy.type.v3.Percent;
import io.weft.driver.HttpCall.Way;
import io.weft.driver.JavaNetHttp;
import io.weft.it.harness.EveryJdk;
import io.weft.it.harness.Jdk;
import io.weft.it.harness.Jdks;
import io.weft.it.harness.JvmCommand;
import io.weft.it.harness.JvmProcess;
import io.weft.it.harness.Library;
import io.weft.it.harness.Policy;
import io.weft.it.harness.PolicyServer;
import io.weft.it.harness.RecordedRequest;
import io.weft.it.harness.Routes;
import io.weft.it.harness.Testbed;
import io.weft.it.harness.Upstream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** An app that interrupts a virtual thread has the JDK close its socket: that is neither tried again nor held against the endpoint. What becomes of other threads is the library's own. */
class InterruptedCallsIT {
    private static final int VIRTUAL_THREADS = 21;
    private static final String PATIENCE_MILLIS = "500";

    @RegisterExtension
    final Testbed testbed = new Testbed();

    @ParameterizedTest
    @CsvSource({
        "OkHttp, okhttp-5", "ApacheHttpClient5, httpclient5-5.6", "ApacheHttpClient4, httpclient4-4.5", "HelidonClient, helidon-4.5", "HttpUrlConnection,"})
    void theEndpointIsNotToBlame(String driver, String library) {
        Jdk jdk = Jdks.newest();
        assumeTrue(jdk.feature() >= VIRTUAL_THREADS, "no JDK here has virtual threads");
        PolicyServer policies = testbed.policyServer();
        Upstream orders = testbed.upstream("orders");
        OutlierDetection detection = OutlierDetection.newBuilder()
                .setConsecutive5Xx(UInt32Value.of(1))
                .setMaxEjectionPercent(UInt32Value.of(100))
                .setBaseEjectionTime(Durations.fromSeconds(300))
                .build();
        // Where all are left out there would be one again.
        CommonLbConfig noPanic = CommonLbConfig.newBuilder().setHealthyPanicThreshold(Percent.getDefaultInstance()).build();
        policies.serve(Policy.empty()
                .cluster("orders", builder -> builder.setOutlierDetection(detection).setCommonLbConfig(noPanic), orders.address())
                .virtualHost("orders", Routes.retried("reset", 2, Routes.to("orders"))));
        JvmCommand jvm = testbed.jvm("client", jdk).mesh(policies.uri(), "client");
        JvmProcess client = (library == null ? jvm : jvm.classPath(Library.named(library))).driver("io.weft.driver." + driver);
        assertThat(client.get("http://orders/").body()).isEqualTo("orders");

        orders.react(request -> new Upstream.Hang());
        interrupted(client, orders);
        orders.react(request -> Upstream.send(Upstream.Then.KEEP, "half", "HTTP/1.1 200 OK", "Content-Length: 8"));
        interrupted(client, orders);
    }

    /** Some wait on, and leave the interrupt to the app; of others the request is over, which is not sent again. */
    @ParameterizedTest
    @CsvSource({
        "JavaNetHttp,", "HttpUrlConnection,", "OkHttp, okhttp-5", "ApacheHttpClient5, httpclient5-5.6", "ApacheHttpClient4, httpclient4-4.5",
        "JettyClient, jetty-client-12", "HelidonClient, helidon-4.5"})
    void onAPlatformThreadItIsAsWithoutTheMesh(String driver, String library) {
        Jdk jdk = Jdks.newest();
        assumeTrue(jdk.feature() >= VIRTUAL_THREADS || !driver.startsWith("Helidon"), "its classes are Java 21's");
        PolicyServer policies = testbed.policyServer();
        Upstream orders = testbed.upstream("orders");
        policies.serve(Policy.empty().cluster("orders", orders.address()).virtualHost(orders.address().getPort(), VirtualHost.newBuilder()
                .setName("orders").addDomains("*")
                .addRoutes(Routes.whenPrefix("/mesh", Routes.answer(200, "mesh")))
                .addRoutes(Routes.retried("reset,5xx", 2, Routes.to("orders"))).build()));
        String url = "http://127.0.0.1:" + orders.address().getPort() + "/";
        Map<String, String> call = new HashMap<>(Call.get(url + "slow").form());
        call.put("interrupted", PATIENCE_MILLIS);
        call.put("platform", "");
        byte[] answer = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\norders".getBytes(StandardCharsets.US_ASCII);

        List<Map<String, String>> answers = new ArrayList<>();
        for (JvmCommand command : List.of(testbed.jvm("without", jdk), testbed.jvm("client", jdk).mesh(policies.uri(), "client"))) {
            JvmProcess client = (library == null ? command : command.classPath(Library.named(library))).driver("io.weft.driver." + driver);
            orders.react(request -> request.target().equals("/slow") ? new Upstream.Drip(answer, 40) : orders.ok());
            // Its first request takes longer.
            assertThat(client.get(url + "mesh").body()).isEqualTo(answers.isEmpty() ? "orders" : "mesh");
            assertThat(client.get(url).body()).isEqualTo("orders");
            orders.forgetRequests();
            answers.add(client.ask(call));
            assertThat(client.get(url).body()).isEqualTo("orders");
            assertThat(orders.requests()).extracting(RecordedRequest::target).containsExactly("/slow", "/");
        }
        assertThat(answers.get(1)).isEqualTo(answers.get(0)).containsKey("flag");
    }

    /** JDK 17 reads such an answer by itself, and then lets the app wait for it until it gives up. */
    @EveryJdk
    void whatIsAnsweredInThePlaceOf100ContinueTakesNoPlaceForGood(Jdk jdk) {
        PolicyServer policies = testbed.policyServer();
        Upstream orders = testbed.upstream("orders");
        CircuitBreakers oneAtATime = CircuitBreakers.newBuilder()
                .addThresholds(CircuitBreakers.Thresholds.newBuilder().setMaxRequests(UInt32Value.of(1))).build();
        policies.serve(Policy.empty()
                .cluster("orders", cluster -> cluster.setCircuitBreakers(oneAtATime), orders.address())
                .virtualHost("orders", Routes.to("orders")));
        JvmProcess client = testbed.jvm("client", jdk).mesh(policies.uri(), "client").driver(JavaNetHttp.class);
        Map<String, String> call = new HashMap<>(Call.post("http://orders/", "body").way(Way.EXPECT_CONTINUE).form());
        call.put("interrupted", PATIENCE_MILLIS);
        for (String body : List.of("", "no, thanks")) {
            orders.onExpectation(Upstream.send(Upstream.Then.KEEP, body, "HTTP/1.1 200 OK", "Content-Length: " + body.length()));
            Map<String, String> ignored = client.ask(call);
            assertThat(client.get("http://orders/").body()).as("after an answer of " + body.length() + " bytes").isEqualTo("orders");
        }
    }

    private static void interrupted(JvmProcess client, Upstream orders) {
        orders.forgetRequests();
        Map<String, String> call = new HashMap<>(Call.get("http://orders/broken").form());
        call.put("interrupted", PATIENCE_MILLIS);
        assertThat(client.ask(call)).containsKey("error");
        assertThat(orders.requests()).as("tried again").hasSize(1);
        orders.react(request -> new Upstream.Respond(200, Map.of(), "orders"));
        assertThat(client.get("http://orders/").body()).isEqualTo("orders");
    }
}
