package io.weft.it.client;

import static io.weft.it.harness.Routes.answer;
import static io.weft.it.harness.Routes.retried;
import static io.weft.it.harness.Routes.to;
import static io.weft.it.harness.Routes.whenPrefix;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.google.protobuf.UInt32Value;
import com.google.protobuf.util.Durations;
import io.envoyproxy.envoy.config.cluster.v3.CircuitBreakers;
import io.envoyproxy.envoy.config.route.v3.VirtualHost;
import io.weft.driver.HttpAnswer;
import io.weft.driver.ReactorNettyWays;
import io.weft.it.harness.Authority;
import io.weft.it.harness.Certified;
import io.weft.it.harness.Jdks;
import io.weft.it.harness.JvmProcess;
import io.weft.it.harness.Library;
import io.weft.it.harness.MeshTlsSockets;
import io.weft.it.harness.Policy;
import io.weft.it.harness.PolicyServer;
import io.weft.it.harness.RecordedRequest;
import io.weft.it.harness.Testbed;
import io.weft.it.harness.Upstream;
import io.weft.it.harness.Upstream.Respond;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What Reactor Netty's clients can do beside what {@link ClientIT} expects of every library. */
class ReactorNettyIT {
    @RegisterExtension
    final Testbed testbed = new Testbed();

    @ParameterizedTest
    @ValueSource(strings = {"reactor-netty-1.0", "reactor-netty-1.3"})
    void itsOtherWaysAreTheLibrarysOwn(String library) {
        Authority mesh = new Authority("mesh");
        Certified shop = mesh.certify("spiffe://mesh/shop");
        Upstream secured = testbed.upstream("secured", mesh.certify("spiffe://mesh/orders").trusting(mesh));
        Upstream a = testbed.upstream("a");
        CircuitBreakers oneRequest = CircuitBreakers.newBuilder()
                .addThresholds(CircuitBreakers.Thresholds.newBuilder().setMaxRequests(UInt32Value.of(1)))
                .build();
        VirtualHost elsewhere = VirtualHost.newBuilder().setName("elsewhere").addDomains("*").addRoutes(answer(200, "mesh")).build();
        PolicyServer policies = testbed.policyServer();
        policies.serve(Policy.empty()
                .cluster("secured", cluster -> cluster.setTransportSocket(MeshTlsSockets.upstream(mesh, shop, "spiffe://mesh/orders"))
                        .setConnectTimeout(Durations.fromSeconds(20)), secured.address())
                .virtualHost("secured", to("secured"))
                .cluster("a", cluster -> cluster.setCircuitBreakers(oneRequest), a.address())
                .virtualHost("orders", whenPrefix("/ready", answer(200, "ready")), retried("5xx", 1, to("a")))
                .virtualHost(a.address().getPort(), elsewhere));
        JvmProcess app = testbed.jvm(library, Jdks.newest())
                .classPath(Library.named(library))
                .mesh(policies.uri(), "shop")
                .driver(ReactorNettyWays.class);
        await().until(() -> "ready".equals(app.ask(way("usual", "http://orders/ready").form()).get("body")));

        for (String way : List.of("usual", "upgrade", "new-connection")) {
            HttpAnswer answer = HttpAnswer.of(app.ask(way(way, "http://secured/").form()));
            assertThat(answer.body()).as(way).isEqualTo("secured");
            assertThat(answer.seen()).containsEntry("version", "HTTP/1.1");
        }
        assertThat(secured.requests()).hasSize(3).allMatch(request -> request.header("upgrade").isEmpty());
        await().untilAsserted(() -> assertThat(secured.openConnections()).as("the one that is not pooled is closed").isEqualTo(secured.connections() - 1));
        Map<String, String> failure = app.ask(way("prior-knowledge", "http://secured/").form());
        assertThat(failure.get("error")).isEqualTo("java.net.ConnectException");
        assertThat(secured.requests()).as("in plaintext nothing goes there").hasSize(3);

        String named = "http://127.0.0.1:" + a.address().getPort() + "/";
        assertThat(app.ask(way("usual", named).form())).containsEntry("body", "mesh");
        app.ask(way("web-socket", named).form());
        assertThat(a.requests()).singleElement().satisfies(request -> assertThat(request.header("upgrade")).hasValue("websocket"));

        a.forgetRequests();
        AtomicInteger calls = new AtomicInteger();
        a.react(request -> calls.getAndIncrement() == 0 ? new Respond(503, Map.of(), "busy") : a.ok());
        HttpAnswer retried = HttpAnswer.of(app.ask(way("callback", "http://orders/").method("POST").body("once").form()));
        assertThat(retried.body()).isEqualTo("a");
        assertThat(retried.seen()).containsEntry("callbacks", "1").containsEntry("redirects", "0");
        assertThat(a.requests()).hasSize(2).allSatisfy(request -> {
            assertThat(request.text()).isEqualTo("once");
            assertThat(request.header("x-callback")).hasValue("1");
            assertThat(request.header("x-on-request")).hasValue("app");
        });
        assertThat(a.requests().stream().map(RecordedRequest::wire).distinct()).hasSize(1);

        a.react(request -> new Upstream.Hang());
        app.ask(way("cancel", "http://orders/").form());
        a.react(request -> a.ok());
        await().untilAsserted(() -> assertThat(app.ask(way("usual", "http://orders/").form()))
                .as("the place of what was given up").containsEntry("status", "200"));
        assertThat(policies.refusals()).isEmpty();
    }

    private static Call way(String way, String url) {
        return Call.get(url).header("X-Way", way);
    }
}
