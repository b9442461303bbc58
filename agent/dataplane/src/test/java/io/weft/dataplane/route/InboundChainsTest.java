package io.weft.dataplane.route;

import static org.assertj.core.api.Assertions.assertThat;

import io.weft.dataplane.Connection;
import io.weft.dataplane.Connection.Hello;
import io.weft.policy.model.CidrRange;
import io.weft.policy.model.FilterChainMatch;
import io.weft.policy.model.FilterChainMatch.Source;
import io.weft.policy.model.FilterChainMatch.Type;
import io.weft.policy.model.HttpConnectionManager;
import io.weft.policy.model.HttpConnectionManager.Edge;
import io.weft.policy.model.HttpConnectionManager.StreamLimits;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The order of criteria is Envoy's, and nothing is taken back. */
class InboundChainsTest {
    private static final HttpConnectionManager OPAQUE =
            new HttpConnectionManager("", new HttpConnectionManager.Opaque(), List.of(), Edge.NONE, StreamLimits.NONE);
    private static final InboundRoutes OTHERWISE = routes(false);

    private final List<InboundChains.Chain> chains = new ArrayList<>();

    private static InboundRoutes routes(boolean secured) {
        return new InboundRoutes(true, null, OPAQUE, List.of(), new InboundRoutes.Security(secured, null));
    }

    private InboundRoutes chain(FilterChainMatch match, boolean secured) {
        InboundRoutes routes = routes(secured);
        chains.add(new InboundChains.Chain(match, routes));
        return routes;
    }

    private static FilterChainMatch match(int port, String transport, String... protocols) {
        return new FilterChainMatch(port, List.of(), List.of(), transport, List.of(protocols), Source.ANY);
    }

    private static FilterChainMatch names(String... names) {
        return new FilterChainMatch(0, List.of(), List.of(names), "", List.of(), Source.ANY);
    }

    private static FilterChainMatch from(Source source) {
        return new FilterChainMatch(0, List.of(), List.of(), "", List.of(), source);
    }

    private InboundRoutes select(Connection connection) {
        return new InboundChains(chains, OTHERWISE).select(connection);
    }

    private static Connection plaintext() {
        return from("10.0.0.7", 40_000, null);
    }

    private static Connection tls(String name, String... protocols) {
        return from("10.0.0.7", 40_000, new Hello(name, List.of(protocols)));
    }

    private static Connection from(String ip, int port, Hello hello) {
        return new Connection(address("10.0.0.1", 8080), address(ip, port), hello, null);
    }

    private static InetSocketAddress address(String ip, int port) {
        try {
            return new InetSocketAddress(InetAddress.getByName(ip), port);
        } catch (UnknownHostException e) {
            throw new IllegalArgumentException(e);
        }
    }

    @Test
    void permissiveAsKumaHasIt() {
        InboundRoutes plaintext = chain(match(0, "raw_buffer"), false);
        InboundRoutes theApps = chain(match(0, "tls"), false);
        InboundRoutes mesh = chain(match(0, "tls", "kuma"), true);

        assertThat(select(plaintext())).isSameAs(plaintext);
        assertThat(select(tls(""))).isSameAs(theApps);
        assertThat(select(tls("orders", "h2", "http/1.1"))).isSameAs(theApps);
        assertThat(select(tls("orders{mesh=default}", "kuma"))).isSameAs(mesh);
        assertThat(new InboundChains(chains, null).inspects()).isTrue();
    }

    @Test
    void onePlaintextChainForAllNeedsNoLookAtTheConnection() {
        InboundRoutes only = chain(match(8080, ""), false);
        assertThat(new InboundChains(chains, null).only()).isSameAs(only);
        assertThat(new InboundChains(chains, null).inspects()).isFalse();

        chains.clear();
        chain(match(0, ""), true);
        assertThat(new InboundChains(chains, null).only()).isNull();
        assertThat(new InboundChains(chains, null).inspects()).isTrue();
    }

    @Test
    void whatAnEarlierCriterionHasDecidedNoLaterOneTakesBack() {
        chain(match(8080, "tls"), true);
        chain(match(0, "raw_buffer"), false);

        assertThat(select(plaintext())).isSameAs(OTHERWISE);
        assertThat(new InboundChains(chains, null).select(plaintext())).isNull();
    }

    @Test
    void theLongestServerNameWins() {
        InboundRoutes any = chain(match(0, ""), false);
        InboundRoutes wide = chain(names("*.mesh"), false);
        InboundRoutes narrow = chain(names("*.orders.mesh", "x"), false);
        InboundRoutes exact = chain(names("v1.orders.mesh"), false);

        assertThat(Stream.of("v1.orders.mesh", "v2.orders.mesh", "users.mesh", "orders.mesh", "mesh", "x", "")
                        .map(name -> select(tls(name))))
                .containsExactly(exact, narrow, wide, wide, any, narrow, any);
    }

    @Test
    void theClientsOrderOfProtocolsCounts() {
        InboundRoutes istio = chain(match(0, "", "istio", "istio-http/1.1"), true);
        InboundRoutes h2 = chain(match(0, "", "h2"), true);

        assertThat(select(tls("", "istio-http/1.1", "h2"))).isSameAs(istio);
        assertThat(select(tls("", "x", "h2", "istio"))).isSameAs(h2);
        assertThat(select(tls("", "x"))).isSameAs(OTHERWISE);
    }

    @Test
    void whereItComesFrom() {
        CidrRange ten = new CidrRange("10.0.0.0", 8);
        InboundRoutes local = chain(from(new Source(List.of(), Type.SAME_IP_OR_LOOPBACK, List.of(), List.of())), false);
        InboundRoutes near = chain(from(new Source(List.of(), Type.EXTERNAL, List.of(ten), List.of())), false);
        InboundRoutes nearest = chain(from(new Source(List.of(), Type.EXTERNAL, List.of(new CidrRange("10.0.0.7", 32)), List.of())), false);
        InboundRoutes port = chain(from(new Source(List.of(), Type.EXTERNAL, List.of(ten), List.of(7))), false);

        assertThat(select(from("127.0.0.1", 1, null))).isSameAs(local);
        assertThat(select(from("10.0.0.1", 1, null))).isSameAs(local);
        assertThat(select(from("10.0.0.7", 1, null))).isSameAs(nearest);
        assertThat(select(from("10.0.0.8", 1, null))).isSameAs(near);
        assertThat(select(from("10.0.0.8", 7, null))).isSameAs(port);
        assertThat(select(from("11.0.0.1", 1, null))).isSameAs(OTHERWISE);
    }
}
