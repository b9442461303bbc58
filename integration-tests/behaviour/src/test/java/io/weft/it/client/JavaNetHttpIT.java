package io.weft.it.client;

import static io.weft.it.harness.Routes.answer;
import static io.weft.it.harness.Routes.retried;
import static io.weft.it.harness.Routes.to;
import static io.weft.it.harness.Routes.whenPrefix;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.envoyproxy.envoy.config.route.v3.VirtualHost;
import io.weft.driver.HttpCall.Way;
import io.weft.driver.JavaNetHttpAsync;
import io.weft.it.harness.AdminPage;
import io.weft.it.harness.Authority;
import io.weft.it.harness.Generations;
import io.weft.it.harness.Http2Upstream;
import io.weft.it.harness.Jdk;
import io.weft.it.harness.Jdks;
import io.weft.it.harness.JvmProcess;
import io.weft.it.harness.MeshTlsSockets;
import io.weft.it.harness.Policy;
import io.weft.it.harness.PolicyServer;
import io.weft.it.harness.RecordedRequest;
import io.weft.it.harness.Testbed;
import io.weft.it.harness.Upstream;
import io.weft.it.harness.Upstream.Reaction;
import io.weft.it.harness.Upstream.Respond;
import io.weft.it.harness.Upstream.Then;
import io.weft.it.harness.WebSocketUpstream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CancellationException;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.AfterParameterizedClassInvocation;
import org.junit.jupiter.params.BeforeParameterizedClassInvocation;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.MethodSource;

/** The JDK's client as an app uses it that does not wait: its futures and what follows from them are what they are without the mesh. */
@ParameterizedClass
@MethodSource("jdks")
class JavaNetHttpIT {
    private static final Authority MESH = new Authority("mesh");
    private static final String ORDERS = "spiffe://mesh/orders";
    private static final int BETWEEN = 21;

    private static Testbed stage;
    private static PolicyServer policies;
    private static Generations generations;
    private static JvmProcess plain;
    private static JvmProcess meshed;

    @Parameter
    Jdk jdk;

    @RegisterExtension
    final Testbed testbed = new Testbed();

    private final Upstream orders = testbed.upstream("orders");
    private final String url = "http://127.0.0.1:" + orders.address().getPort() + "/";

    static Stream<Jdk> jdks() {
        return Stream.concat(Jdks.matrix().stream(), Jdks.feature(BETWEEN).stream()).distinct();
    }

    @BeforeParameterizedClassInvocation
    static void start(Jdk jdk) {
        stage = new Testbed();
        policies = stage.policyServer();
        generations = stage.closeAfterwards(new Generations());
        policies.serve(generations.next(Policy.empty()));
        plain = stage.jvm("without", jdk).driver(JavaNetHttpAsync.class);
        meshed = stage.jvm("in the mesh", jdk).mesh(policies.uri(), "shop").driver(JavaNetHttpAsync.class);
    }

    @AfterParameterizedClassInvocation
    static void stop() throws Exception {
        stage.close();
    }

    @Test
    void whatFollowsFromAnAnswerRunsWhereItDoesWithoutTheMesh() {
        name(orders);
        // Not before the app has said what follows.
        orders.react(request -> request.target().equals("/") ? new Upstream.Drip(response("one"), 5) : new Upstream.Drip(response("two"), 5));
        Map<String, String> without = plain.ask(way("chain", url).form());

        assertThat(without).containsEntry("body", "two").containsEntry("seen.version", "HTTP_1_1");
        assertThat(meshed.ask(way("chain", url).form())).isEqualTo(without);
        assertThat(orders.requests()).extracting(RecordedRequest::target).containsExactly("/", "/?one", "/", "/?one");
    }

    @Test
    void howARequestFailedIsToldByItsFutureAsWithoutTheMesh() {
        name(orders);
        orders.react(request -> switch (request.target()) {
            case "/late" -> new Upstream.Hang();
            case "/short" -> Upstream.send(Then.CLOSE, "half", "HTTP/1.1 200 OK", "Content-Length: 8");
            case "/nothing" -> Upstream.send(Then.CLOSE, "", "HTTP/1.1 200 OK", "X-Cut");
            case "/garbage" -> Upstream.send(Then.CLOSE, "", "SSH-2.0-OpenSSH");
            case "/404" -> new Respond(404, Map.of(), "no");
            default -> orders.ok();
        });
        List<Call> calls = Stream.of("late", "short", "nothing", "garbage", "404", "ok")
                .map(path -> way("outcome", url + path).timeoutMillis(path.equals("late") ? 500 : 0)).toList();
        for (Call call : calls) {
            assertThat(meshed.ask(call.form())).as("%s", call).isEqualTo(plain.ask(call.form()));
        }
        orders.die();
        Call refused = way("outcome", url);
        Map<String, String> without = plain.ask(refused.form());
        assertThat(without.get("seen.get")).contains("java.net.ConnectException");
        assertThat(meshed.ask(refused.form())).isEqualTo(without);
    }

    @Test
    void aFutureThatIsCancelledEndsItsRequest() {
        name(orders);
        // Their first requests.
        plain.ask(way("chain", url).form());
        meshed.ask(way("chain", url).form());
        Path socket = AdminPage.usualSocket(meshed);
        await().until(() -> AdminPage.isOpen(socket));
        for (Reaction reaction : List.of(new Upstream.Hang(), Upstream.send(Then.KEEP, "half", "HTTP/1.1 200 OK", "Content-Length: 8"))) {
            for (String way : List.of("cancel", "cancel-next")) {
                for (JvmProcess process : List.of(plain, meshed)) {
                    // Who ends the future first, who cancels it or the exchange that is told, and so in what the exception is wrapped, is chance.
                    assertThat(cancelled(process, way, reaction)).as(way).containsEntry("seen.cancelled", "true")
                            .allSatisfy((seen, said) -> assertThat(!List.of("seen.handled", "seen.next", "seen.get", "seen.join").contains(seen)
                                    || said.contains(CancellationException.class.getName())).as("%s: %s", seen, said).isTrue());
                }
                await().untilAsserted(() ->
                        assertThat(AdminPage.sum(socket, "envoy_cluster_upstream_rq_active", "envoy_cluster_name=\"orders\"")).isZero());
                orders.react(request -> orders.ok());
                assertThat(meshed.ask(way("chain", url).form())).containsEntry("body", "orders");
                assertThat(orders.requests()).extracting(RecordedRequest::target).containsExactly("/", "/", "/?orders");
            }
        }
    }

    /** Returns when its connection is closed. On a busy machine the JDK may have sent nothing when it is cancelled. */
    private Map<String, String> cancelled(JvmProcess process, String way, Reaction reaction) {
        orders.react(request -> reaction);
        Map<String, String> answer;
        do {
            orders.closeConnections();
            await().until(() -> orders.openConnections() == 0);
            orders.forgetRequests();
            answer = process.ask(way(way, url).way(Way.CANCEL).form());
        } while (orders.requests().isEmpty());
        await().untilAsserted(() -> assertThat(orders.openConnections()).isZero());
        return answer;
    }

    @Test
    void aServerOfHttp2IsAskedForItByAnUpgrade() {
        Http2Upstream http2 = testbed.closeAfterwards(Http2Upstream.startUpgrading("http2"));
        name(http2.address().getPort(), Policy.empty().cluster("orders", http2.address()));
        String there = "http://127.0.0.1:" + http2.address().getPort() + "/";
        Map<String, String> without = plain.ask(way("chain", there).form());

        assertThat(without).containsEntry("seen.version", "HTTP_2").containsEntry("body", "http2");
        assertThat(meshed.ask(way("chain", there).form())).isEqualTo(without);
        assertThat(http2.connections()).as("one of each process").isEqualTo(2);
    }

    @Test
    void aWebSocketAlwaysGoesPastTheMesh() {
        WebSocketUpstream sockets = testbed.closeAfterwards(WebSocketUpstream.start());
        String there = "http://127.0.0.1:" + sockets.port() + "/socket";
        Map<String, String> without = plain.ask(way("web-socket", there).form());
        assertThat(without).containsEntry("body", "text of 5, bytes of 40000, pong of 3, close 1000");
        Call unknown = way("web-socket", "http://orders.invalid/socket");

        serve(Policy.empty());
        assertThat(meshed.ask(way("web-socket", there).form())).as("no policy names it").isEqualTo(without);

        name(sockets.port(), Policy.empty().virtualHost("orders.invalid", to("orders")).cluster("orders", orders.address()));
        assertThat(meshed.ask(way("chain", there).form())).as("where its requests go").containsEntry("body", "orders");
        assertThat(meshed.ask(way("web-socket", there).form())).as("a policy names it").isEqualTo(without);
        assertThat(meshed.ask(way("chain", "http://orders.invalid/").form())).containsEntry("body", "orders");
        assertThat(meshed.ask(unknown.form())).as("a name that the mesh alone knows").containsKey("error").isEqualTo(plain.ask(unknown.form()));
        assertThat(sockets.opened()).isEqualTo(3);

        name(sockets.port(), Policy.empty().cluster("orders", cluster ->
                cluster.setTransportSocket(MeshTlsSockets.upstream(MESH, MESH.certify("spiffe://mesh/shop"), ORDERS)), orders.address()));
        assertThat(meshed.ask(way("web-socket", there).form())).as("its requests must be secured").isEqualTo(without);
        assertThat(sockets.opened()).isEqualTo(4);
    }

    /** Its host and port are named by a policy, which sends them there. */
    private void name(Upstream upstream) {
        name(upstream.address().getPort(), Policy.empty().cluster("orders", upstream.address()));
        assertThat(meshed.ask(way("chain", url + "mesh").form())).as("named by a policy").containsEntry("body", "mesh");
    }

    private static void name(int port, Policy policy) {
        serve(policy.virtualHost(port, VirtualHost.newBuilder().setName("orders").addDomains("*")
                .addRoutes(whenPrefix("/mesh", answer(200, "mesh")))
                .addRoutes(retried("reset", 2, to("orders")))
                .build()));
    }

    private static void serve(Policy policy) {
        policies.serve(generations.next(policy));
        await().until(() -> generations.isObeyedBy(meshed));
        assertThat(policies.refusals()).isEmpty();
    }

    private static byte[] response(String body) {
        return ("HTTP/1.1 200 OK\r\nContent-Length: " + body.length() + "\r\n\r\n" + body).getBytes(StandardCharsets.US_ASCII);
    }

    private static Call way(String way, String url) {
        return Call.get(url).header("X-Way", way);
    }
}
