package io.weft.it.client;

import static io.weft.it.harness.Routes.to;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.google.protobuf.util.Durations;
import io.envoyproxy.envoy.config.route.v3.VirtualHost;
import io.weft.driver.websocket.AsyncHttpClientWebSocket;
import io.weft.driver.websocket.OkHttpWebSocket;
import io.weft.driver.websocket.ReactorNettyWebSocket;
import io.weft.driver.websocket.VertxWebSocket;
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
import io.weft.it.harness.WebSocketUpstream;
import java.util.Map;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A WebSocket goes where the app sends it, whatever policy says of requests of the same client to the same place; {@code java.net.http}'s are in {@link JavaNetHttpIT}. */
class WebSocketClientsIT {
    private static final Authority MESH = new Authority("mesh");

    enum Sockets {
        OK_HTTP_3_12("okhttp-3.12", OkHttpWebSocket.class),
        OK_HTTP_5("okhttp-5", OkHttpWebSocket.class),
        REACTOR_NETTY_1_0("reactor-netty-1.0", ReactorNettyWebSocket.class),
        REACTOR_NETTY_1_3("reactor-netty-1.3", ReactorNettyWebSocket.class),
        VERTX_4_0("vertx-4.0", VertxWebSocket.class),
        VERTX_4_5("vertx-4.5", VertxWebSocket.class),
        VERTX_5("vertx-5", VertxWebSocket.class),
        ASYNC_HTTP_CLIENT_2_12("async-http-client-2.12", AsyncHttpClientWebSocket.class),
        ASYNC_HTTP_CLIENT_3_0("async-http-client-3.0", AsyncHttpClientWebSocket.class);

        private final String library;
        private final Class<?> driver;

        Sockets(String library, Class<?> driver) {
            this.library = library;
            this.driver = driver;
        }
    }

    @RegisterExtension
    final Testbed testbed = new Testbed();

    private final Generations generations = testbed.closeAfterwards(new Generations());
    private final PolicyServer policies = testbed.policyServer();

    @ParameterizedTest
    @EnumSource
    void aWebSocketAlwaysGoesPastTheMesh(Sockets sockets) {
        Upstream orders = testbed.upstream("orders");
        WebSocketUpstream there = testbed.closeAfterwards(WebSocketUpstream.start());
        String authority = "127.0.0.1:" + there.port();
        Call talk = Call.get("ws://" + authority + "/socket");
        Call unknown = Call.get("ws://orders.invalid/socket");
        policies.serve(generations.next(Policy.empty()));
        JvmProcess plain = testbed.jvm("without", Jdks.newest()).classPath(Library.named(sockets.library)).driver(sockets.driver);
        JvmProcess meshed = testbed.jvm("in the mesh", Jdks.newest()).classPath(Library.named(sockets.library)).mesh(policies.uri(), "shop").driver(sockets.driver);
        Map<String, String> without = plain.ask(talk.form());
        Map<String, String> withoutName = plain.ask(unknown.form());

        assertThat(without.get("body")).as("without the agent").startsWith("text of 5, bytes of 40000");
        assertThat(withoutName).containsKey("error");
        assertThat(meshed.ask(talk.form())).as("no policy names it").isEqualTo(without);

        Policy named = Policy.empty()
                .virtualHost(there.port(), VirtualHost.newBuilder().setName("orders").addDomains("*").addRoutes(to("orders")).build())
                .virtualHost("orders.invalid", to("orders"));
        serve(meshed, named.cluster("orders", orders.address()));
        assertThat(meshed.ask(Call.get("http://" + authority + "/socket").form())).as("where its requests go").containsEntry("body", "orders");
        assertThat(meshed.ask(talk.form())).as("a policy names it").isEqualTo(without);
        assertThat(meshed.ask(unknown.form())).as("a name that the mesh alone knows").isEqualTo(withoutName);

        serve(meshed, named.cluster("orders", cluster -> cluster
                .setTransportSocket(MeshTlsSockets.upstream(MESH, MESH.certify("spiffe://mesh/shop"), "spiffe://mesh/orders"))
                .setConnectTimeout(Durations.fromSeconds(20)), orders.address()));
        assertThat(meshed.ask(talk.form())).as("its requests must be secured").isEqualTo(without);
        assertThat(there.opened()).isEqualTo(4);
        assertThat(orders.requests()).hasSize(1);
    }

    private void serve(JvmProcess meshed, Policy policy) {
        policies.serve(generations.next(policy));
        await().until(() -> generations.isObeyedBy(meshed));
        assertThat(policies.refusals()).isEmpty();
    }
}
