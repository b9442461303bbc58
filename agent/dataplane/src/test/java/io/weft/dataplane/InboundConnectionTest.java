package io.weft.dataplane;

import static io.weft.dataplane.Policies.any;
import static io.weft.dataplane.Policies.forward;
import static org.assertj.core.api.Assertions.assertThat;

import io.weft.dataplane.Connection.Hello;
import io.weft.dataplane.Connection.Peer;
import io.weft.dataplane.InboundConnection.Fate;
import io.weft.dataplane.InboundExchange.Step;
import io.weft.policy.model.FilterChain;
import io.weft.policy.model.FilterChainMatch;
import io.weft.policy.model.FilterChainMatch.Source;
import io.weft.policy.model.HostPort;
import io.weft.policy.model.HttpConnectionManager;
import io.weft.policy.model.HttpFilter;
import io.weft.policy.model.Listener;
import io.weft.policy.model.NameTable;
import io.weft.policy.model.NamedFilter;
import io.weft.policy.model.PolicySnapshot;
import io.weft.policy.model.Rbac;
import io.weft.policy.model.Secret;
import io.weft.policy.model.TlsContext;
import io.weft.policy.model.TransportSocket;
import io.weft.policy.model.TransportSocket.DownstreamTls;
import io.weft.policy.model.TransportSocket.UpstreamTls;
import java.lang.ref.WeakReference;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import javax.net.ssl.SSLEngine;
import org.junit.jupiter.api.Test;

/** Who gets in under which policy, who has to go when it changes, and for how long nobody has to say what he is. */
class InboundConnectionTest {
    private static final InetSocketAddress LOCAL = new InetSocketAddress("127.0.0.1", 8080);
    private static final InetSocketAddress REMOTE = new InetSocketAddress("127.0.0.1", 40_000);
    private static final Hello KUMA = new Hello("orders", List.of("kuma"));
    private static final Peer SHOP = new Peer(List.of("spiffe://mesh/shop"), List.of(), "CN=shop");
    private static final DownstreamTls TLS = new DownstreamTls(
            new TlsContext(
                    new TlsContext.Parameters(TlsContext.Version.TLS_1_2, TlsContext.Version.TLS_1_3, List.of()),
                    List.of(), Optional.of(new TlsContext.NamedCertificate("identity")), new TlsContext.NoValidation()),
            true);

    private final Fixture mesh = new Fixture();
    private final InboundPorts ports = mesh.dataPlane.inbound();
    private final List<String> closed = new ArrayList<>();
    private boolean hasIdentity = true;
    private boolean valid = true;
    private Instant expires = mesh.time.instant().plus(Duration.ofHours(24));
    private boolean trusting = true;

    InboundConnectionTest() {
        mesh.dataPlane.secureBy(new TransportSecurity() {
            @Override
            public Optional<ClientTls> client(UpstreamTls socket, Map<String, Secret> secrets) {
                return Optional.empty();
            }

            @Override
            public Optional<ServerTls> server(DownstreamTls socket, Map<String, Secret> secrets) {
                return hasIdentity ? Optional.of(new Identity()) : Optional.empty();
            }
        });
    }

    private final class Identity implements ServerTls {
        @Override
        public SSLEngine engine(boolean http2) {
            throw new AssertionError("no handshake here");
        }

        @Override
        public Peer peer(SSLEngine engine) {
            throw new AssertionError("no handshake here");
        }

        @Override
        public boolean isValid(Instant now) {
            return valid;
        }

        @Override
        public Instant expires() {
            return expires;
        }

        @Override
        public boolean stillAdmits(Peer peer, ServerTls before) {
            return trusting;
        }
    }

    private static FilterChain chain(String transport, TransportSocket socket, String... protocols) {
        return chain(transport, socket, List.of(), protocols);
    }

    private static FilterChain chain(String transport, TransportSocket socket, List<NamedFilter> filters, String... protocols) {
        FilterChainMatch match = new FilterChainMatch(0, List.of(), List.of(), transport, List.of(protocols), Source.ANY);
        HttpConnectionManager manager = new HttpConnectionManager(
                "inbound", new HttpConnectionManager.Inline(Policies.routes(Policies.host("*", Policies.route(any(), forward("app"))))),
                filters, HttpConnectionManager.Edge.NONE, HttpConnectionManager.StreamLimits.NONE);
        return new FilterChain("", match, socket, List.of(), manager);
    }

    private static final FilterChain PLAINTEXT = chain("", new TransportSocket.Plaintext());
    private static final FilterChain STRICT = chain("", TLS);
    private static final FilterChain FOR_NOBODY = chain("", new TransportSocket.Plaintext(), List.of(new NamedFilter(
            "rbac",
            new HttpFilter.AccessControl(new Rbac(Optional.of(new Rbac.Policies(Rbac.Action.ALLOW, List.of())), Optional.empty())),
            false)));
    private static final List<FilterChain> PERMISSIVE = List.of(
            chain("raw_buffer", new TransportSocket.Plaintext()), chain("tls", new TransportSocket.Plaintext()), chain("tls", TLS, "kuma"));

    private void apply(List<FilterChain> chains) {
        Listener listener = new Listener("inbound", Listener.Kind.INBOUND, new HostPort("10.0.0.1", 8080), chains);
        mesh.dataPlane.apply(new PolicySnapshot(1, Map.of("inbound", listener), Map.of(), Map.of(), Map.of(), Map.of(), NameTable.EMPTY, List.of()));
    }

    private InboundConnection accept(String name) {
        return ports.accepted(LOCAL, REMOTE, false, () -> closed.add(name));
    }

    private InboundConnection plaintext(String name) {
        InboundConnection connection = accept(name);
        if (connection.inspects()) {
            assertThat(connection.decide(null)).isEqualTo(Fate.PASS);
        }
        return connection;
    }

    private InboundConnection secured(String name) {
        InboundConnection connection = accept(name);
        assertThat(connection.decide(KUMA)).isEqualTo(Fate.SECURE);
        connection.secured(SHOP);
        return connection;
    }

    /** What becomes of a request over it, and whether that is the last one. */
    private String request(InboundConnection connection) {
        Over request = new Over(connection);
        Inbound.Port port = ports.unregistered(8080, false);
        port.enter(request);
        Step step = request.next();
        String outcome = step + (request.draining() ? " and close" : "");
        request.end();
        return outcome;
    }

    private static final class Over extends Incoming {
        private final InboundConnection accepted;

        Over(InboundConnection accepted) {
            super("GET", "/");
            this.accepted = accepted;
            over(accepted.connection());
        }

        @Override
        protected InboundConnection accepted() {
            return accepted;
        }
    }

    @Test
    void whoseRequestsCannotBeLookedAtIsLetInOnlyWherePolicyDoesNotSayWhoMayCall() {
        apply(List.of(PLAINTEXT));
        InboundConnection before = accept("before");
        InboundConnection governed = accept("governed");
        assertThat(before.isRestricted()).isFalse();
        assertThat(before.admitsOpaque()).isTrue();

        apply(List.of(FOR_NOBODY));
        InboundConnection after = accept("after");
        assertThat(after.isRestricted()).isTrue();
        assertThat(after.admitsOpaque()).isFalse();
        assertThat(ports.rejections(Rejection.UNGUARDED)).isEqualTo(1);
        after.closed();

        mesh.time.advance(Duration.ofSeconds(11));
        assertThat(closed).as("one that is looked at stays").containsExactly("before");
        assertThat(request(governed)).isEqualTo("REPLY");
    }

    @Test
    void whereNoPolicyWantsTlsNoByteIsLookedAt() {
        assertThat(accept("a").inspects()).isFalse();
        apply(List.of(PLAINTEXT));
        assertThat(accept("b").inspects()).isFalse();
        assertThat(ports.undecided()).isZero();
    }

    @Test
    void permissive() {
        apply(PERMISSIVE);
        assertThat(request(plaintext("a"))).isEqualTo("PROCEED");
        assertThat(request(secured("b"))).isEqualTo("PROCEED");
        assertThat(accept("c").decide(new Hello("", List.of("h2")))).isEqualTo(Fate.PASS);
        assertThat(ports.undecided()).isZero();
    }

    @Test
    void strict() {
        apply(List.of(STRICT));
        assertThat(accept("a").decide(null)).isEqualTo(Fate.CLOSE);
        assertThat(request(secured("b"))).isEqualTo("PROCEED");
        assertThat(ports.rejections(Rejection.PLAINTEXT)).isEqualTo(1);
    }

    @Test
    void whatTheServerLetInByMistakeGoesNoFurther() {
        apply(List.of(STRICT));
        Incoming request = Incoming.get("/");
        ports.unregistered(8080, false).enter(request);
        assertThat(request.next()).isEqualTo(Step.CLOSE);
        request.end();
    }

    @Test
    void withoutAnIdentityNobodyGetsIn() {
        hasIdentity = false;
        apply(List.of(STRICT));
        assertThat(accept("a").decide(KUMA)).isEqualTo(Fate.CLOSE);
        assertThat(ports.rejections(Rejection.NO_IDENTITY)).isEqualTo(1);

        hasIdentity = true;
        valid = false;
        apply(List.of(STRICT));
        assertThat(accept("b").decide(KUMA)).isEqualTo(Fate.CLOSE);
        assertThat(ports.rejections(Rejection.EXPIRED_IDENTITY)).isEqualTo(1);

        valid = true;
        assertThat(accept("c").decide(KUMA)).isEqualTo(Fate.SECURE);
    }

    @Test
    void theAppsOwnTlsCannotBeSecured() {
        apply(List.of(STRICT));
        assertThat(ports.accepted(LOCAL, REMOTE, true, () -> closed.add("a"))).isNull();
        assertThat(ports.rejections(Rejection.UNSECURABLE)).isEqualTo(1);

        apply(PERMISSIVE);
        assertThat(ports.accepted(LOCAL, REMOTE, true, () -> closed.add("b")).inspects()).isFalse();
    }

    @Test
    void oldConnectionsGetOneMoreAnswerAndHaveToGoInTheEnd() {
        ports.drainWithin(Duration.ofSeconds(10));
        InboundConnection before = plaintext("before");
        assertThat(request(before)).isEqualTo("PROCEED");
        apply(PERMISSIVE);
        InboundConnection permitted = plaintext("permitted");
        InboundConnection secured = secured("secured");
        assertThat(request(before)).isEqualTo("PROCEED");

        apply(List.of(STRICT));
        assertThat(request(before)).isEqualTo("PROCEED and close");
        assertThat(request(permitted)).isEqualTo("PROCEED and close");
        assertThat(request(secured)).isEqualTo("PROCEED");

        mesh.time.advance(Duration.ofSeconds(11));
        assertThat(closed).containsExactlyInAnyOrder("before", "permitted");
        assertThat(request(permitted)).isEqualTo("CLOSE and close");
        assertThat(request(secured)).isEqualTo("PROCEED");
    }

    @Test
    void whoIsWelcomeAgainStays() {
        apply(PERMISSIVE);
        InboundConnection permitted = plaintext("permitted");
        apply(List.of(STRICT));
        assertThat(request(permitted)).isEqualTo("PROCEED and close");
        apply(PERMISSIVE);
        assertThat(request(permitted)).isEqualTo("PROCEED");

        mesh.time.advance(Duration.ofSeconds(11));
        assertThat(closed).isEmpty();
    }

    @Test
    void whoSaysNothingIsWaitedForForAWhile() {
        apply(PERMISSIVE);
        accept("silent");
        plaintext("quick");
        mesh.time.advance(Duration.ofSeconds(9));
        assertThat(closed).isEmpty();
        assertThat(ports.undecided()).isEqualTo(1);

        mesh.time.advance(Duration.ofSeconds(2));
        assertThat(closed).containsExactly("silent");
        assertThat(ports.rejections(Rejection.HANDSHAKE_TIME)).isEqualTo(1);
    }

    @Test
    void ofTooManyWhoSayNothingTheOldestHasToGo() {
        apply(PERMISSIVE);
        for (int i = 0; i < 1_000; i++) {
            accept(Integer.toString(i));
        }
        assertThat(closed).isEmpty();
        secured("mesh");
        assertThat(closed).containsExactly("0");
        assertThat(ports.rejections(Rejection.HANDSHAKE_NUMBER)).isEqualTo(1);
    }

    /** It leads to the server, and to the app that may be taken out of it. */
    @Test
    void whatIsClosedIsHeldByNobodyUntilItsTimeIsUp() {
        apply(PERMISSIVE);
        List<WeakReference<InboundConnection>> gone = List.of(
                closed(this::plaintext), closed(this::secured), closed(this::accept), closed(name -> refused()));
        for (int i = 0; i < 100 && !gone.stream().allMatch(each -> each.refersTo(null)); i++) {
            System.gc();
        }
        assertThat(gone).allMatch(each -> each.refersTo(null));
        assertThat(closed).isEmpty();
    }

    private InboundConnection refused() {
        apply(List.of(STRICT));
        InboundConnection refused = accept("refused");
        assertThat(refused.decide(null)).isEqualTo(Fate.CLOSE);
        return refused;
    }

    private static WeakReference<InboundConnection> closed(Function<String, InboundConnection> accepted) {
        InboundConnection connection = accepted.apply("a");
        connection.closed();
        return new WeakReference<>(connection);
    }

    @Test
    void aCertificateThatIsReplacedCutsNothing() {
        apply(List.of(STRICT));
        InboundConnection connection = secured("a");
        apply(List.of(STRICT));
        mesh.time.advance(Duration.ofHours(23));
        assertThat(request(connection)).isEqualTo("PROCEED");
        assertThat(closed).isEmpty();
    }

    @Test
    void whoIsNotTrustedAnyLongerGetsOneMoreAnswer() {
        apply(List.of(STRICT));
        InboundConnection connection = secured("a");
        trusting = false;
        apply(List.of(STRICT));
        InboundConnection after = secured("b");
        assertThat(request(connection)).isEqualTo("PROCEED and close");
        mesh.time.advance(Duration.ofSeconds(11));
        assertThat(closed).containsExactly("a");
        assertThat(request(after)).isEqualTo("PROCEED");
    }

    @Test
    void withoutTrustNobodyStays() {
        apply(List.of(STRICT));
        InboundConnection connection = secured("a");
        hasIdentity = false;
        apply(List.of(STRICT));
        assertThat(request(connection)).isEqualTo("PROCEED and close");
    }

    @Test
    void noConnectionOutlivesTheCertificateThatWasShown() {
        apply(List.of(STRICT));
        InboundConnection before = secured("before");
        mesh.time.advance(Duration.ofHours(12));
        expires = mesh.time.instant().plus(Duration.ofHours(24));
        apply(List.of(STRICT));
        InboundConnection after = secured("after");

        mesh.time.advance(Duration.ofHours(12));
        assertThat(request(before)).isEqualTo("PROCEED and close");
        assertThat(request(after)).isEqualTo("PROCEED");
        mesh.time.advance(Duration.ofSeconds(11));
        assertThat(closed).containsExactly("before");

        mesh.time.advance(Duration.ofHours(13));
        assertThat(closed).containsExactly("before", "after");
    }

    @Test
    void howManyConnectionsThereAreThereIsOneLookForExpiredCertificates() {
        apply(List.of(STRICT));
        mesh.time.advance(Duration.ofMinutes(1));
        for (int i = 0; i < 100; i++) {
            expires = mesh.time.instant().plus(Duration.ofMinutes(200 - i));
            secured(Integer.toString(i));
        }
        mesh.time.advance(Duration.ofMinutes(90));
        assertThat(closed).isEmpty();
        assertThat(mesh.time.pending()).isEqualTo(1);
        mesh.time.advance(Duration.ofMinutes(50).plusSeconds(30));
        assertThat(closed).hasSize(40);
        assertThat(mesh.time.pending()).isEqualTo(1);
    }
}
