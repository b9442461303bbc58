package io.weft.dataplane;

import static io.weft.dataplane.Policies.any;
import static io.weft.dataplane.Policies.forward;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.weft.dataplane.InboundPorts.PortInfo;
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
import io.weft.policy.model.TlsContext;
import io.weft.policy.model.TransportSocket;
import java.io.Closeable;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.junit.jupiter.api.Test;

/** Servers that can neither be secured nor be looked into: whether they may serve, and for how long. */
class UnsecurablePortsTest {
    private static final InetSocketAddress LOCAL = new InetSocketAddress("127.0.0.1", 8080);
    private static final InetSocketAddress REMOTE = new InetSocketAddress("127.0.0.1", 40_000);
    private static final TransportSocket PLAINTEXT = new TransportSocket.Plaintext();
    private static final TransportSocket TLS = new TransportSocket.DownstreamTls(
            new TlsContext(
                    new TlsContext.Parameters(TlsContext.Version.TLS_1_2, TlsContext.Version.TLS_1_3, List.of()),
                    List.of(), Optional.of(new TlsContext.NamedCertificate("identity")), new TlsContext.NoValidation()),
            true);
    private static final HttpFilter NOBODY = new HttpFilter.AccessControl(
            new Rbac(Optional.of(new Rbac.Policies(Rbac.Action.ALLOW, List.of())), Optional.empty()));
    private static final HttpFilter WATCHING = new HttpFilter.AccessControl(
            new Rbac(Optional.empty(), Optional.of(new Rbac.Policies(Rbac.Action.ALLOW, List.of()))));

    private final Fixture mesh = new Fixture();
    private final InboundPorts ports = mesh.dataPlane.inbound();
    private final List<Closeable> held = new ArrayList<>();
    private final List<String> closed = new ArrayList<>();

    private static FilterChain chain(String transport, TransportSocket socket, HttpFilter... filters) {
        List<NamedFilter> named = new ArrayList<>();
        for (HttpFilter filter : filters) {
            named.add(new NamedFilter("filter", filter, false));
        }
        FilterChainMatch match = new FilterChainMatch(0, List.of(), List.of(), transport, List.of(), Source.ANY);
        HttpConnectionManager manager = new HttpConnectionManager(
                "inbound", new HttpConnectionManager.Inline(Policies.routes(Policies.host("*", Policies.route(any(), forward("app"))))),
                named, HttpConnectionManager.Edge.NONE, HttpConnectionManager.StreamLimits.NONE);
        return new FilterChain("", match, socket, List.of(), manager);
    }

    private static final List<FilterChain> STRICT = List.of(chain("", TLS));
    private static final List<FilterChain> PERMISSIVE = List.of(chain("raw_buffer", PLAINTEXT), chain("tls", TLS));

    private void apply(List<FilterChain> chains) {
        Listener listener = new Listener("inbound", Listener.Kind.INBOUND, new HostPort("10.0.0.1", 8080), chains);
        mesh.dataPlane.apply(new PolicySnapshot(1, Map.of("inbound", listener), Map.of(), Map.of(), Map.of(), Map.of(), NameTable.EMPTY, List.of()));
    }

    private Inbound.Port open() throws UnsecurableException {
        return ports.openedUnsecurable("jetty", LOCAL);
    }

    private boolean accept(String name) {
        Closeable socket = () -> closed.add(name);
        held.add(socket);
        return ports.admitsUnsecurable(LOCAL, REMOTE, false, socket);
    }

    @Test
    void itServesWherePolicyLetsEveryoneIn() throws UnsecurableException {
        for (List<FilterChain> chains :
                List.of(PERMISSIVE, List.of(chain("", PLAINTEXT)), List.of(chain("", PLAINTEXT, WATCHING)))) {
            apply(chains);
            open().close();
            assertThat(accept("somebody")).isTrue();
        }
    }

    @Test
    void itDoesNotStartWherePolicyDemandsWhatCannotBeDone() {
        for (List<FilterChain> chains : List.of(
                STRICT, List.of(chain("tls", TLS)), List.of(chain("", PLAINTEXT, NOBODY)),
                List.of(chain("raw_buffer", PLAINTEXT, NOBODY), chain("tls", TLS)))) {
            apply(chains);
            assertThatThrownBy(this::open).isInstanceOf(UnsecurableException.class)
                    .hasMessageContaining("jetty must not serve on port 8080")
                    .hasMessageContaining("set weft.instrumentation.jetty.enabled=false");
            assertThat(ports.ports()).isEmpty();
            assertThat(accept("somebody")).isFalse();
        }
        assertThat(ports.rejections(Rejection.UNSECURABLE)).isEqualTo(2);
        assertThat(ports.rejections(Rejection.UNGUARDED)).isEqualTo(2);
    }

    @Test
    void theMeshHearsOfItAsOfOneThatTakesNobody() throws UnsecurableException {
        apply(PERMISSIVE);
        Inbound.Port port = open();
        assertThat(ports.ports()).isEqualTo(Set.of(new PortInfo("jetty", LOCAL, false, true)));
        port.close();
        assertThat(ports.ports()).isEmpty();
    }

    @Test
    void whenPolicyDemandsItLaterNobodyGetsInAnyMoreAndWhoIsInHasToGo() throws UnsecurableException {
        ports.drainWithin(Duration.ofSeconds(10));
        apply(PERMISSIVE);
        open();
        assertThat(accept("before")).isTrue();
        apply(STRICT);
        assertThat(accept("after")).isFalse();
        mesh.time.advance(Duration.ofSeconds(9));
        assertThat(closed).isEmpty();
        mesh.time.advance(Duration.ofSeconds(2));
        assertThat(closed).containsExactly("before");
    }

    @Test
    void oneThatServedBeforeTheAgentCameGoesOnUntilPolicyDemandsWhatCannotBeDone() {
        apply(PERMISSIVE);
        Inbound.Port port = ports.foundUnsecurable("jetty", LOCAL);
        assertThat(ports.ports()).isEqualTo(Set.of(new PortInfo("jetty", LOCAL, false, true)));
        assertThat(ports.admitsUnsecurable(LOCAL, REMOTE, false, null)).isTrue();
        apply(STRICT);
        assertThat(ports.admitsUnsecurable(LOCAL, REMOTE, false, null)).as("another request, over whatever connection").isFalse();
        port.close();
        assertThat(ports.ports()).isEmpty();
    }

    /** As for AJP beside HTTP: the server serves on, whatever becomes of this port. */
    @Test
    void aPortForOtherProtocolsOpensAndLetsNobodyInWherePolicyDemandsWhatCannotBeDone() {
        apply(STRICT);
        Inbound.Port port = ports.openedBeside("tomcat", LOCAL);
        assertThat(ports.ports()).isEqualTo(Set.of(new PortInfo("tomcat", LOCAL, false, true)));
        assertThat(ports.admitsUnsecurable(LOCAL, REMOTE, false, null)).isFalse();
        apply(PERMISSIVE);
        assertThat(ports.admitsUnsecurable(LOCAL, REMOTE, false, null)).isTrue();
        port.close();
        assertThat(ports.ports()).isEmpty();
    }

    @Test
    void whatComesInThereWaitsForThePolicyOfThePort() throws Exception {
        ports.guard(new InboundGuard(port -> true, Duration.ofSeconds(5), false));
        ports.openedBeside("tomcat", LOCAL);
        CompletableFuture<Boolean> admitted = CompletableFuture.supplyAsync(() -> ports.admitsUnsecurable(LOCAL, REMOTE, false, null));
        assertThatThrownBy(() -> admitted.get(100, TimeUnit.MILLISECONDS)).isInstanceOf(TimeoutException.class);
        apply(STRICT);
        assertThat(admitted.get(60, TimeUnit.SECONDS)).isFalse();
    }

    @Test
    void whoIsWelcomeAgainStays() throws UnsecurableException {
        apply(PERMISSIVE);
        open();
        accept("before");
        apply(STRICT);
        apply(PERMISSIVE);
        mesh.time.advance(Duration.ofSeconds(11));
        assertThat(closed).isEmpty();
    }

    /** With real time but for the hold's, which a policy ends. */
    @Test
    void itWaitsForThePolicyOfItsPort() throws Exception {
        ports.guard(new InboundGuard(port -> true, Duration.ofSeconds(5), false));
        CompletableFuture<String> started = CompletableFuture.supplyAsync(() -> {
            try {
                open();
                return "serves";
            } catch (UnsecurableException e) {
                return e.getMessage();
            }
        });
        while (ports.ports().isEmpty()) {
            Thread.onSpinWait();
        }
        assertThat(started).isNotDone();
        apply(STRICT);
        assertThat(started.get(60, TimeUnit.SECONDS)).contains("must not serve");
    }

    @Test
    void whatComesInWaitsForThePolicyOfItsPort() throws Exception {
        ports.guard(new InboundGuard(port -> true, Duration.ofSeconds(5), false));
        CompletableFuture<Boolean> admitted = CompletableFuture.supplyAsync(() -> accept("somebody"));
        assertThatThrownBy(() -> admitted.get(100, TimeUnit.MILLISECONDS)).isInstanceOf(TimeoutException.class);
        apply(PERMISSIVE);
        assertThat(admitted.get(60, TimeUnit.SECONDS)).isTrue();
    }

    @Test
    void withoutAPolicyItServesUnlessOneIsRequired() throws UnsecurableException {
        ports.guard(new InboundGuard(port -> true, Duration.ZERO, false));
        ports.diskRead();
        open().close();
        assertThat(accept("somebody")).isTrue();

        ports.guard(new InboundGuard(port -> true, Duration.ZERO, true));
        open();
        assertThat(accept("somebody")).as("before a policy names the port").isFalse();
    }
}
