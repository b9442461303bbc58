package io.weft.it.client;

import static io.weft.it.harness.Routes.answer;
import static io.weft.it.harness.Routes.retried;
import static io.weft.it.harness.Routes.to;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.google.protobuf.UInt32Value;
import com.google.protobuf.util.Durations;
import io.envoyproxy.envoy.config.cluster.v3.CircuitBreakers;
import io.envoyproxy.envoy.config.core.v3.HeaderValue;
import io.envoyproxy.envoy.config.core.v3.HeaderValueOption;
import io.envoyproxy.envoy.config.route.v3.Route;
import io.envoyproxy.envoy.config.route.v3.VirtualHost;
import io.weft.driver.ApacheHttpAsyncClient5;
import io.weft.driver.ApacheHttpClient4;
import io.weft.driver.ApacheHttpClient5;
import io.weft.driver.HttpAnswer;
import io.weft.driver.HttpCall.Way;
import io.weft.it.harness.Authority;
import io.weft.it.harness.Generations;
import io.weft.it.harness.Jdks;
import io.weft.it.harness.JvmProcess;
import io.weft.it.harness.JvmProcess.Tally;
import io.weft.it.harness.Library;
import io.weft.it.harness.MeshTlsSockets;
import io.weft.it.harness.Policy;
import io.weft.it.harness.PolicyServer;
import io.weft.it.harness.RecordedRequest;
import io.weft.it.harness.Testbed;
import io.weft.it.harness.Upstream;
import io.weft.it.harness.Upstream.Drip;
import io.weft.it.harness.Upstream.Hang;
import io.weft.it.harness.Upstream.Respond;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.AfterParameterizedClassInvocation;
import org.junit.jupiter.params.BeforeParameterizedClassInvocation;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/** Clients that do without most of what their libraries can: with the mesh they are as the others are. */
@ParameterizedClass
@EnumSource
class MinimalClientsIT {
    private static final Authority MESH = new Authority("mesh");
    private static final String ORDERS = "spiffe://mesh/orders";
    private static final Map<String, String> MINIMAL = Map.of("X-Client", "minimal");

    enum Minimal {
        APACHE_4_3("httpclient4-4.3", ApacheHttpClient4.class),
        APACHE_4_5("httpclient4-4.5", ApacheHttpClient4.class),
        APACHE_5_0("httpclient5-5.0", ApacheHttpClient5.class),
        APACHE_5_6("httpclient5-5.6", ApacheHttpClient5.class),
        APACHE_ASYNC_5_0("httpclient5-5.0", ApacheHttpAsyncClient5.class),
        APACHE_ASYNC_5_6("httpclient5-5.6", ApacheHttpAsyncClient5.class);

        private final String library;
        private final Class<?> driver;

        Minimal(String library, Class<?> driver) {
            this.library = library;
            this.driver = driver;
        }
    }

    private static final Testbed STAGE = new Testbed();
    private static PolicyServer policies;
    private static Generations generations;
    private static JvmProcess shop;
    /** The same without the mesh. */
    private static JvmProcess plain;

    @Parameter
    Minimal client;

    @RegisterExtension
    final Testbed testbed = new Testbed();

    private final Upstream a = testbed.upstream("a");
    private final Upstream b = testbed.upstream("b");

    @BeforeParameterizedClassInvocation
    static void start(Minimal client) {
        policies = STAGE.policyServer();
        generations = STAGE.closeAfterwards(new Generations());
        policies.serve(generations.next(Policy.empty()));
        shop = STAGE.jvm("shop", Jdks.newest()).classPath(Library.named(client.library)).mesh(policies.uri(), "shop").driver(client.driver);
        plain = STAGE.jvm("plain", Jdks.newest()).classPath(Library.named(client.library)).driver(client.driver);
    }

    @AfterParameterizedClassInvocation
    static void stop() throws Exception {
        STAGE.close();
    }

    @AfterEach
    void policiesWereAccepted() {
        assertThat(policies.refusals()).isEmpty();
    }

    @Test
    void requestsAreSharedOutOverConnectionsThatAreKept() {
        serve(to("orders"));
        Tally tally = shop.load("http://orders/", MINIMAL, 40, 1);

        assertThat(List.of(tally.body("a"), tally.body("b"))).as(tally.toString()).containsOnly(20);
        assertThat(List.of(a.connections(), b.connections())).containsOnly(1);
    }

    @Test
    void whatArrivesIsWhatWouldHaveArrivedWithoutTheMesh() {
        int port = a.address().getPort();
        String url = "http://127.0.0.1:" + port + "/path?a=b";
        serve(Policy.empty().cluster("orders", b.address())
                .virtualHost(port, VirtualHost.newBuilder().setName("orders").addDomains("127.0.0.1:" + port).addRoutes(to("orders")).build()));
        List<Call> calls = List.of(Call.get(url), Call.post(url, "the body").header("X-Tenant", "blue"), Call.post(url, "once").way(Way.STREAM), Call.get(url).method("HEAD"));
        for (Call call : calls) {
            HttpAnswer meshed = send(call);
            HttpAnswer without = HttpAnswer.of(plain.ask(minimal(call)));
            assertThat(meshed.status()).isEqualTo(without.status());
            assertThat(meshed.headers()).isEqualTo(without.headers());
        }
        assertThat(b.requests()).extracting(MinimalClientsIT::seen).containsExactlyElementsOf(a.requests().stream().map(MinimalClientsIT::seen).toList());
    }

    /** But for the order of its headers: what stands in for a client of 5.6 puts {@code Host} first. */
    private static List<String> seen(RecordedRequest request) {
        return Stream.of(Stream.of(request.line()), request.headers().stream().sorted(), Stream.of(request.text())).flatMap(lines -> lines).toList();
    }

    @Test
    void whatARouteChangesIsChangedOnTheWireAlone() {
        Route.Builder route = to("orders").toBuilder();
        route.getMatchBuilder().setPrefix("/shop/");
        route.getRouteBuilder().setPrefixRewrite("/").setHostRewriteLiteral("orders.internal");
        route.addRequestHeadersToAdd(added("x-added")).addResponseHeadersToAdd(added("x-answered"));
        serve(route.build());

        HttpAnswer answer = send(Call.post("http://orders/shop/list?all=1", "the body"));

        assertThat(answer.headers()).containsEntry("x-answered", "yes");
        assertThat(all()).singleElement().satisfies(request -> {
            assertThat(request.line()).isEqualTo("POST /list?all=1 HTTP/1.1");
            assertThat(request.header("host")).hasValue("orders.internal");
            assertThat(request.header("x-added")).hasValue("yes");
            assertThat(request.text()).isEqualTo("the body");
        });
    }

    private static HeaderValueOption added(String name) {
        return HeaderValueOption.newBuilder().setHeader(HeaderValue.newBuilder().setKey(name).setValue("yes")).build();
    }

    @Test
    void aStatusIsRetriedWithTheSameBodyWhereThatCanBeGivenAgain() {
        serve(retried("5xx", 1, to("orders")));
        AtomicInteger count = new AtomicInteger();
        Stream.of(a, b).forEach(upstream -> upstream.react(request -> count.getAndIncrement() % 2 == 0 ? new Respond(503, Map.of(), "not now") : upstream.ok()));
        assertThat(send(Call.post("http://orders/", "the body")).status()).isEqualTo(200);
        assertThat(all()).extracting(RecordedRequest::text).containsExactly("the body", "the body");

        assertThat(send(Call.post("http://orders/", "only once").way(Way.STREAM)).status()).isEqualTo(503);
        assertThat(all()).extracting(RecordedRequest::text).containsOnlyOnce("only once");
    }

    @Test
    void aDeadEndpointCostsNoRequest() {
        serve(retried("connect-failure,reset", 3, to("orders")));
        shop.load("http://orders/", MINIMAL, 10, 2);
        a.die();

        Tally tally = shop.load("http://orders/", MINIMAL, 30, 2);
        assertThat(tally.body("b")).as(tally.toString()).isEqualTo(30);
    }

    @Test
    void timeIsLimitedAndTheMeshAnswersByItself() {
        Route.Builder route = to("orders").toBuilder();
        route.getRouteBuilder().setTimeout(Durations.fromMillis(300));
        serve(route.build());
        Stream.of(a, b).forEach(upstream -> upstream.react(request -> new Hang()));
        assertThat(send(Call.get("http://orders/")).status()).isEqualTo(504);

        serve(answer(418, "a teapot"));
        assertThat(send(Call.get("http://orders/")).body()).isEqualTo("a teapot");
        assertThat(send(Call.get("http://orders/")).status()).isEqualTo(418);
    }

    @Test
    void whereThereIsNoPlaceOrNobodyTheMeshAnswers() {
        serve(Policy.empty().cluster("orders").virtualHost("orders", to("orders")));
        assertThat(send(Call.get("http://orders/")).status()).isEqualTo(503);
        assertThat(send(Call.post("http://orders/", "the body")).status()).isEqualTo(503);

        CircuitBreakers one = CircuitBreakers.newBuilder()
                .addThresholds(CircuitBreakers.Thresholds.newBuilder().setMaxRequests(UInt32Value.of(1))).build();
        serve(Policy.empty().cluster("orders", cluster -> cluster.setCircuitBreakers(one), a.address()).virtualHost("orders", to("orders")));
        a.react(request -> new Drip("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na".getBytes(StandardCharsets.US_ASCII), 20));
        Tally tally = shop.load("http://orders/", MINIMAL, 12, 4);
        assertThat(tally.status(200)).as(tally.toString()).isPositive();
        assertThat(tally.status(503)).as(tally.toString()).isEqualTo(12 - tally.status(200)).isPositive();
        a.react(request -> a.ok());
        for (int i = 0; i < 3; i++) {
            assertThat(send(Call.get("http://orders/")).body()).as("no place is taken for good").isEqualTo("a");
        }
    }

    @Test
    void nothingGoesToWherePolicyLetsNobodyCall() {
        serve(Policy.empty().listener(OutsideExpectations.PASSTHROUGH));
        assertThat(shop.ask(minimal(Call.get("http://outside.invalid/"))).toString()).contains("MeshPassthrough");
    }

    @Test
    void connectionsAreSecuredAsPolicyWantsItNow() {
        Upstream orders = testbed.upstream("orders", MESH.certify(ORDERS).trusting(MESH));
        Policy secured = secured(orders);
        serve(secured);
        for (int i = 0; i < 3; i++) {
            assertThat(send(Call.get("http://orders/")).body()).isEqualTo("orders");
        }
        assertThat(orders.connections()).isEqualTo(1);

        serve(secured(orders));
        await().untilAsserted(() -> assertThat(orders.openConnections()).isZero());
        assertThat(send(Call.get("http://orders/")).body()).isEqualTo("orders");
        assertThat(orders.connections()).isEqualTo(2);
    }

    /** By a certificate of its own each time. */
    private static Policy secured(Upstream orders) {
        return Policy.empty().virtualHost("orders", to("orders")).cluster("orders",
                cluster -> cluster.setTransportSocket(MeshTlsSockets.upstream(MESH, MESH.certify("spiffe://mesh/shop"), ORDERS)), orders.address());
    }

    private void serve(Route route) {
        serve(Policy.empty().cluster("orders", a.address(), b.address()).virtualHost("orders", route));
    }

    private static void serve(Policy policy) {
        policies.serve(generations.next(policy));
        await().pollDelay(Duration.ZERO).pollInterval(Duration.ofMillis(10)).atMost(Duration.ofSeconds(30)).until(() -> generations.isObeyedBy(shop));
    }

    private List<RecordedRequest> all() {
        return Stream.of(a, b).flatMap(upstream -> upstream.requests().stream()).toList();
    }

    private static HttpAnswer send(Call call) {
        Map<String, String> answer = shop.ask(minimal(call));
        assertThat(answer).containsKey("status");
        return HttpAnswer.of(answer);
    }

    private static Map<String, String> minimal(Call call) {
        return call.header("X-Client", "minimal").form();
    }
}
