package io.weft.dataplane;

import static io.weft.dataplane.Policies.cluster;
import static io.weft.dataplane.Policies.endpoint;
import static io.weft.dataplane.Policies.host;
import static io.weft.dataplane.Policies.snapshot;
import static io.weft.dataplane.Policies.to;
import static org.assertj.core.api.Assertions.assertThat;

import io.weft.policy.model.EndpointAssignment.Health;
import io.weft.policy.model.EndpointAssignment.LbEndpoint;
import io.weft.policy.model.HostPort;
import io.weft.policy.model.HttpFilter;
import io.weft.policy.model.HttpFilter.CookieSession;
import io.weft.policy.model.HttpFilter.HeaderSession;
import io.weft.policy.model.Listener;
import io.weft.policy.model.LoadBalancing;
import io.weft.policy.model.NamedFilter;
import io.weft.policy.model.RouteConfiguration;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A session stays with the endpoint that a cookie or a header names. */
class StatefulSessionTest {
    private static final HttpFilter.SessionState COOKIE = new CookieSession("session", Duration.ZERO, "/shop");
    private static final HttpFilter.SessionState HEADER = new HeaderSession("x-session");

    private static Fixture mesh(HttpFilter.SessionState state, boolean strict, LbEndpoint... endpoints) {
        return mesh(state, strict, LoadBalancing.DEFAULT_OVERRIDE_HOST, endpoints);
    }

    private static Fixture mesh(HttpFilter.SessionState state, boolean strict, Set<Health> allowed, LbEndpoint... endpoints) {
        RouteConfiguration routes = Policies.routes(host("orders", to("orders")));
        LoadBalancing balancing = new LoadBalancing(LoadBalancing.RoundRobin.DEFAULT, Optional.empty(), 50, allowed);
        return Fixture.with(snapshot()
                .listener("outbound", Listener.Kind.OUTBOUND, new HostPort("0.0.0.0", 80),
                        List.of(new NamedFilter("session", new HttpFilter.StatefulSession(state, strict), false)), routes)
                .cluster(cluster("orders").with(balancing), endpoints));
    }

    private static LbEndpoint[] three() {
        return new LbEndpoint[] {endpoint(1), endpoint(2), endpoint(3)};
    }

    private static String base64(String text) {
        return Base64.getEncoder().encodeToString(text.getBytes(StandardCharsets.ISO_8859_1));
    }

    /** As {@code envoy.Cookie}: the address is field 1, the second in which it expires field 2. */
    private static String cookie(int port, String more) {
        String address = "127.0.0.1:" + port;
        return "a=b; session=\"" + base64("\n" + (char) address.length() + address + more) + '"';
    }

    private static Request answered(Fixture mesh, Request request) {
        mesh.dialled(request);
        request.onResponse(200, Fixture.NO_HEADERS);
        return request;
    }

    /** Null: the response is left as it is. */
    private static Map.Entry<String, String> named(Request request) {
        ResponseChanges changes = request.responseChanges();
        List<Map.Entry<String, String>> all = changes.set().isEmpty() ? changes.add() : changes.set();
        return all.isEmpty() ? null : all.get(0);
    }

    @Test
    void theFirstResponseNamesTheEndpointAndTheNextRequestGoesThere() {
        Fixture mesh = mesh(COOKIE, false, three());
        Request first = answered(mesh, Request.get("orders", "/shop/cart"));
        Map.Entry<String, String> set = named(first);

        assertThat(set.getKey()).isEqualTo("set-cookie");
        assertThat(set.getValue()).isEqualTo("session=\"" + base64("\n\u000b127.0.0.1:" + Fixture.port(first)) + "\"; Path=/shop; HttpOnly");
        for (int i = 0; i < 10; i++) {
            Request next = answered(mesh, Request.get("orders", "/shop/pay").with("cookie", set.getValue()));
            assertThat(Fixture.port(next)).isEqualTo(Fixture.port(first));
            assertThat(named(next)).isNull();
        }
    }

    @Test
    void aHeaderDoesAsWell() {
        Fixture mesh = mesh(HEADER, false, three());
        Request first = answered(mesh, Request.get("orders", "/"));

        assertThat(named(first).getKey()).isEqualTo("x-session");
        assertThat(named(first).getValue()).isEqualTo(base64("127.0.0.1:" + Fixture.port(first)));
        for (int i = 0; i < 10; i++) {
            Request next = answered(mesh, Request.get("orders", "/").with("x-session", base64("127.0.0.1:2")));
            assertThat(Fixture.port(next)).isEqualTo(2);
            assertThat(named(next)).isNull();
        }
    }

    @ParameterizedTest
    @CsvSource({"/shop, true", "/shop/cart, true", "/shop?x=1, true", "/shopping, false", "/, false"})
    void aCookieIsForItsPath(String path, boolean covered) {
        Request request = answered(mesh(COOKIE, false, three()), Request.get("orders", path));

        assertThat(named(request) != null).isEqualTo(covered);
    }

    @Test
    void anEndpointThatIsNotThereIsReplacedUnlessThePolicyIsStrict() {
        Request request = answered(mesh(COOKIE, false, three()), Request.get("orders", "/shop").with("cookie", cookie(9, "")));
        assertThat(Fixture.port(request)).isBetween(1, 3);
        assertThat(named(request)).isNotNull();

        LocalReply reply = mesh(COOKIE, true, three()).reply(Request.get("orders", "/shop").with("cookie", cookie(9, "")));
        assertThat(reply.status()).isEqualTo(503);
        assertThat(reply.body()).asString().isEqualTo("no healthy upstream");
    }

    @Test
    void onlyAnEndpointOfTheHealthThatThePolicyAllows() {
        LbEndpoint[] endpoints = {endpoint(1), endpoint(2, 1, Health.DRAINING), endpoint(3, 1, Health.DEGRADED)};
        Request draining = Request.get("orders", "/shop").with("cookie", cookie(2, ""));
        Request degraded = Request.get("orders", "/shop").with("cookie", cookie(3, ""));
        Fixture mesh = mesh(COOKIE, false, endpoints);

        assertThat(Fixture.port(answered(mesh, draining))).isEqualTo(1);
        assertThat(Fixture.port(answered(mesh, degraded))).isEqualTo(3);
        Fixture letting = mesh(COOKIE, false, Set.of(Health.DRAINING), endpoints);
        assertThat(Fixture.port(answered(letting, Request.get("orders", "/shop").with("cookie", cookie(2, ""))))).isEqualTo(2);
        Fixture ignoring = mesh(COOKIE, false, Set.of(), endpoints);
        assertThat(Fixture.port(answered(ignoring, Request.get("orders", "/shop").with("cookie", cookie(3, ""))))).isEqualTo(1);
    }

    @Test
    void aCookieThatIsOverNamesNobody() {
        // The simulated clock begins just before its end.
        long now = (Long.MAX_VALUE - 1_000) / 1_000_000_000;
        Fixture mesh = mesh(new CookieSession("session", Duration.ofSeconds(60), ""), false, three());
        Request valid = Request.get("orders", "/").with("cookie", cookie(2, expires(now + 1)));
        assertThat(named(answered(mesh, valid))).isNull();
        Request over = Request.get("orders", "/").with("cookie", cookie(2, expires(now - 1)));

        assertThat(named(answered(mesh, over)).getValue())
                .startsWith("session=\"" + base64("\n\u000b127.0.0.1:" + Fixture.port(over) + expires(now + 60)) + "\"; Max-Age=60");
    }

    private static String expires(long second) {
        StringBuilder varint = new StringBuilder("\u0010");
        for (; second >>> 7 != 0; second >>>= 7) {
            varint.append((char) (second & 0x7f | 0x80));
        }
        return varint.append((char) second).toString();
    }

    @ParameterizedTest
    @CsvSource({"MTI3LjAuMC4xOjI=, 2", "'', 0", "!!!, 0", "Cg==, 0"})
    void whatElseACookieMayHold(String value, int port) {
        Fixture mesh = mesh(COOKIE, false, three());
        Set<Integer> ports = new java.util.HashSet<>();
        for (int i = 0; i < 6; i++) {
            ports.add(Fixture.port(answered(mesh, Request.get("orders", "/shop").with("cookie", "session=" + value))));
        }

        assertThat(ports).hasSize(port == 0 ? 3 : 1);
    }

    @Test
    void aRetryMayGoElsewhere() {
        Fixture mesh = mesh(COOKIE, true, three());
        mesh.apply(snapshot()
                .listener("outbound", Listener.Kind.OUTBOUND, new HostPort("0.0.0.0", 80),
                        List.of(new NamedFilter("session", new HttpFilter.StatefulSession(COOKIE, false), false)),
                        Policies.routes(host("orders", Policies.route(Policies.any(), Policies.forward(
                                "orders", Policies.retryOn(3, io.weft.policy.model.RetryPolicy.On.SERVER_ERROR_5XX), Duration.ZERO)))))
                .cluster("orders", 1, 2, 3));
        Request request = mesh.dialled(Request.get("orders", "/shop").with("cookie", cookie(2, "")));
        assertThat(Fixture.port(request)).isEqualTo(2);
        Set<Integer> ports = new java.util.HashSet<>();
        while (request.onResponse(503, Fixture.NO_HEADERS)) {
            assertThat(request.next()).isEqualTo(Exchange.Step.DIAL);
            ports.add(Fixture.port(request));
        }

        assertThat(ports).hasSizeGreaterThan(1);
    }
}
