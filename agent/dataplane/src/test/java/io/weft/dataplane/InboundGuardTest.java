package io.weft.dataplane;

import static io.weft.dataplane.Policies.any;
import static io.weft.dataplane.Policies.forward;
import static org.assertj.core.api.Assertions.assertThat;

import io.weft.dataplane.InboundConnection.Fate;
import io.weft.dataplane.InboundExchange.Step;
import io.weft.policy.model.FilterChain;
import io.weft.policy.model.FilterChainMatch;
import io.weft.policy.model.FilterChainMatch.Source;
import io.weft.policy.model.HostPort;
import io.weft.policy.model.HttpConnectionManager;
import io.weft.policy.model.Listener;
import io.weft.policy.model.NameTable;
import io.weft.policy.model.PolicySnapshot;
import io.weft.policy.model.TransportSocket;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;
import org.junit.jupiter.api.Test;

/** A port of the service is not open to everyone because its policy has not come yet. */
class InboundGuardTest {
    private static final InetSocketAddress LOCAL = new InetSocketAddress("10.0.0.1", 8080);
    private static final InetSocketAddress REMOTE = new InetSocketAddress("10.0.0.2", 40000);
    private static final Duration HOLD = Duration.ofSeconds(5);

    private final Fixture mesh = new Fixture();
    private final InboundPorts ports = mesh.dataPlane.inbound();
    private final List<String> resumed = new ArrayList<>();
    private final List<String> closed = new ArrayList<>();
    private final List<String> notices = new ArrayList<>();

    private void guard(boolean required) {
        guard(required, port -> true);
    }

    private void guard(boolean required, Predicate<InboundPorts.PortInfo> ofService) {
        ports.guard(new InboundGuard(ofService, HOLD, required));
        mesh.dataPlane.noticesTo(notices::add);
        ports.diskRead();
        ports.opened("tomcat", new InetSocketAddress(8080), false);
    }

    /** @param generation 0: read from disk */
    private void apply(long generation, int... inbound) {
        HttpConnectionManager manager = new HttpConnectionManager(
                "inbound", new HttpConnectionManager.Inline(Policies.routes(Policies.host("*", Policies.route(any(), forward("app"))))),
                List.of(), HttpConnectionManager.Edge.NONE, HttpConnectionManager.StreamLimits.NONE);
        FilterChainMatch match = new FilterChainMatch(0, List.of(), List.of(), "", List.of(), Source.ANY);
        FilterChain chain = new FilterChain("", match, new TransportSocket.Plaintext(), List.of(), manager);
        Map<String, Listener> listeners = new HashMap<>();
        for (int port : inbound) {
            String name = "inbound:" + port;
            listeners.put(name, new Listener(name, Listener.Kind.INBOUND, new HostPort("10.0.0.1", port), List.of(chain)));
        }
        mesh.dataPlane.apply(new PolicySnapshot(generation, listeners, Map.of(), Map.of(), Map.of(), Map.of(), NameTable.EMPTY, List.of()));
    }

    private InboundConnection accept(String name) {
        return ports.accepted(LOCAL, REMOTE, false, () -> closed.add(name));
    }

    private boolean isHeld(InboundConnection connection, String name) {
        return connection.held(() -> resumed.add(name));
    }

    private Incoming enter(InboundConnection over) {
        Incoming request = new Incoming("GET", "/") {
            @Override
            protected InboundConnection accepted() {
                return over;
            }
        };
        ports.unregistered(8080, false).enter(request);
        return request;
    }

    @Test
    void aConnectionWaitsForThePolicyOfItsPort() {
        guard(false);
        InboundConnection early = accept("early");
        assertThat(early.inspects()).isTrue();
        assertThat(isHeld(early, "early")).isTrue();
        apply(1, 8081);
        assertThat(resumed).isEmpty();

        apply(2, 8080, 8081);
        assertThat(resumed).containsExactly("early");
        assertThat(isHeld(early, "early")).isFalse();
        assertThat(early.decide(null)).isEqualTo(Fate.PASS);
        assertThat(accept("late").inspects()).isFalse();
        assertThat(notices).isEmpty();
        assertThat(ports.undecided()).isZero();
    }

    @Test
    void aConnectionThatIsAskedAboutTwiceWaitsOnce() {
        guard(false);
        InboundConnection early = accept("early");
        assertThat(isHeld(early, "first")).isTrue();
        assertThat(isHeld(early, "second")).isTrue();
        assertThat(ports.undecided()).isZero();

        apply(1, 8080);
        assertThat(resumed).containsExactly("second");
        assertThat(early.decide(null)).isEqualTo(Fate.PASS);
        assertThat(ports.undecided()).isZero();
    }

    /** Attached to: who came in until now goes on doing so until somebody says who may. */
    @Test
    void aPortThatServedBeforeTheAgentCameIsRegisteredAndHoldsNobodyUp() {
        mesh.dataPlane.inbound().guard(new InboundGuard(port -> true, HOLD, false));
        ports.diskRead();
        Inbound.Port found = ports.found("tomcat", new InetSocketAddress(8080), false);

        assertThat(ports.ports()).extracting(InboundPorts.PortInfo::library).containsExactly("tomcat");
        assertThat(accept("early").inspects()).isFalse();
        found.close();
        assertThat(ports.ports()).isEmpty();
    }

    @Test
    void unlessNothingMayGetInWithoutAPolicy() {
        mesh.dataPlane.inbound().guard(new InboundGuard(port -> true, HOLD, true));
        ports.diskRead();
        ports.found("tomcat", new InetSocketAddress(8080), false);

        assertThat(isHeld(accept("early"), "early")).isTrue();
        apply(1, 8080);
        assertThat(resumed).containsExactly("early");
    }

    /** As when the instance is about to go, soon after it came. */
    @Test
    void aPortWhosePolicyGoesIsNotWaitedForOnceMore() {
        guard(false);
        apply(1, 8080);
        InboundConnection kept = accept("kept");
        apply(2);
        assertThat(enter(kept).next()).isEqualTo(Step.PROCEED);
        assertThat(accept("new").inspects()).isFalse();

        ports.opened("tomcat", new InetSocketAddress(8080), false);
        assertThat(accept("of the next server").inspects()).isTrue();
    }

    @Test
    void withoutAnyControlPlaneItIsAsWithoutAMeshAfterAWhile() {
        guard(false);
        InboundConnection early = accept("early");
        assertThat(isHeld(early, "early")).isTrue();
        mesh.time.advance(HOLD.minusMillis(1));
        assertThat(resumed).isEmpty();

        mesh.time.advance(Duration.ofMillis(2));
        assertThat(resumed).containsExactly("early");
        assertThat(early.decide(null)).isEqualTo(Fate.PASS);
        assertThat(accept("late").inspects()).isFalse();
        assertThat(notices).singleElement().asString().contains("port 8080", "weft.required");
    }

    @Test
    void aControlPlaneThatDoesNotNameThePortMeansIt() {
        guard(false);
        apply(1);
        assertThat(isHeld(accept("early"), "early")).isTrue();
        mesh.time.advance(HOLD.plusMillis(1));
        InboundConnection late = accept("late");
        assertThat(late.inspects()).isFalse();
        assertThat(enter(late).next()).isEqualTo(Step.PROCEED);
        assertThat(notices).isEmpty();
    }

    @Test
    void whereTheMeshIsRequiredNobodyGetsInWithoutAPolicy() {
        guard(true);
        InboundConnection early = accept("early");
        assertThat(isHeld(early, "early")).isTrue();
        apply(1, 8081);
        mesh.time.advance(HOLD.plusMillis(1));
        assertThat(resumed).containsExactly("early");
        assertThat(early.decide(null)).isEqualTo(Fate.CLOSE);
        assertThat(accept("late")).isNull();
        assertThat(ports.rejections(Rejection.NO_POLICY)).isEqualTo(2);

        apply(2, 8080);
        assertThat(enter(accept("then")).next()).isEqualTo(Step.PROCEED);
    }

    @Test
    void whereTheMeshIsRequiredNothingGetsInOnceThePolicyIsGone() {
        guard(true);
        apply(1, 8080);
        mesh.time.advance(HOLD);
        InboundConnection old = accept("old");
        assertThat(enter(old).next()).isEqualTo(Step.PROCEED);
        apply(2);

        assertThat(enter(old).next()).isEqualTo(Step.CLOSE);
        mesh.time.advance(Duration.ofSeconds(11));
        assertThat(closed).containsExactly("old");
        assertThat(accept("new")).isNull();
    }

    @Test
    void aPolicyFromDiskForOtherPortsClosesThisOneUntilTheControlPlaneSpeaks() {
        guard(false);
        apply(PolicySnapshot.empty().generation(), 8081);
        assertThat(isHeld(accept("early"), "early")).isTrue();
        mesh.time.advance(HOLD.plusMillis(1));
        assertThat(accept("late")).isNull();
        assertThat(enter(null).next()).isEqualTo(Step.CLOSE);

        apply(1, 8081);
        assertThat(accept("then").inspects()).isFalse();
    }

    @Test
    void aDiskThatIsSlowIsWaitedForABitLonger() {
        ports.guard(new InboundGuard(port -> true, HOLD, false));
        ports.opened("tomcat", new InetSocketAddress(8080), false);
        assertThat(isHeld(accept("early"), "early")).isTrue();
        mesh.time.advance(HOLD.plusSeconds(1));
        assertThat(resumed).isEmpty();
        apply(PolicySnapshot.empty().generation(), 8081);
        ports.diskRead();
        assertThat(resumed).containsExactly("early");
        assertThat(accept("late")).isNull();
    }

    @Test
    void aDiskThatIsNeverReadHoldsNobodyUpForEver() {
        ports.guard(new InboundGuard(port -> true, HOLD, false));
        ports.opened("tomcat", new InetSocketAddress(8080), false);
        assertThat(isHeld(accept("early"), "early")).isTrue();
        mesh.time.advance(HOLD.plusSeconds(31));
        assertThat(resumed).containsExactly("early");
        assertThat(accept("late").inspects()).isFalse();
    }

    @Test
    void aPolicyFromDiskThatSaysNothingOfWhatComesInClosesNothing() {
        guard(false);
        apply(PolicySnapshot.empty().generation());
        mesh.time.advance(HOLD.plusMillis(1));
        assertThat(accept("late").inspects()).isFalse();
    }

    @Test
    void otherPortsAreNobodysBusiness() {
        guard(true, port -> port.address().getPort() != 8080);
        assertThat(accept("management").inspects()).isFalse();
        assertThat(enter(null).next()).isEqualTo(Step.PROCEED);
        assertThat(ports.accepted(LOCAL, REMOTE, true, () -> { }).inspects()).isFalse();
    }

    @Test
    void aPortThatListensBeforeItIsOpenedIsGuardedToo() {
        ports.guard(new InboundGuard(port -> true, HOLD, false));
        InboundConnection first = accept("first");
        assertThat(isHeld(first, "first")).isTrue();
        mesh.time.advance(Duration.ofSeconds(4));
        ports.opened("tomcat", new InetSocketAddress(8080), false);
        mesh.time.advance(Duration.ofSeconds(4));
        assertThat(resumed).isEmpty();
        apply(1, 8080);
        assertThat(resumed).containsExactly("first");
    }

    @Test
    void aRequestOverAConnectionThatNobodySawWaits() {
        guard(false);
        Incoming request = enter(null);
        assertThat(request.claimed()).isTrue();
        assertThat(request.next()).isEqualTo(Step.WAIT);
        List<Step> then = new ArrayList<>();
        request.afterDelay(() -> then.add(request.next()));
        mesh.time.advance(Duration.ofMillis(100));
        assertThat(then).containsExactly(Step.WAIT);
        apply(1, 8080);
        assertThat(request.next()).isEqualTo(Step.PROCEED);
    }

    @Test
    void ofTooManyTheOldestHasToGo() {
        guard(false);
        for (int i = 0; i < 1_000; i++) {
            assertThat(isHeld(accept(Integer.toString(i)), Integer.toString(i))).isTrue();
        }
        assertThat(closed).isEmpty();
        assertThat(ports.undecided()).isZero();
        assertThat(isHeld(accept("last"), "last")).isTrue();
        assertThat(closed).containsExactly("0");
        apply(1, 8080);
        assertThat(resumed).hasSize(1_000).contains("last").doesNotContain("0");
        assertThat(Set.copyOf(resumed)).hasSize(1_000);
    }

    /** As the JDK's server, which does not look at what is held up. */
    @Test
    void whatHadToGoIsNotCountedThoughItsServerDoesNotFindOut() {
        guard(false);
        List<InboundConnection> all = new ArrayList<>();
        for (int i = 0; i < 1_500; i++) {
            InboundConnection connection = accept(Integer.toString(i));
            assertThat(isHeld(connection, Integer.toString(i))).isTrue();
            all.add(connection);
        }
        assertThat(closed).hasSize(500);
        apply(1, 8080);
        for (String name : resumed) {
            assertThat(all.get(Integer.parseInt(name)).decide(null)).isEqualTo(Fate.PASS);
        }
        assertThat(resumed).hasSize(1_000);
        assertThat(ports.undecided()).isZero();
    }

    /** The control plane's first word may come before it has heard of the port. */
    @Test
    void aPolicyFromDiskIsNotTheOneThatAPortWaitsFor() {
        guard(false);
        apply(PolicySnapshot.empty().generation(), 8080);
        apply(1);
        assertThat(isHeld(accept("early"), "early")).isTrue();
        apply(2, 8080);
        assertThat(resumed).containsExactly("early");
    }

    @Test
    void whoGoesAwayMeanwhileIsForgotten() {
        guard(false);
        InboundConnection gone = accept("gone");
        assertThat(isHeld(gone, "gone")).isTrue();
        gone.closed();
        apply(1, 8080);
        assertThat(resumed).isEmpty();
        assertThat(ports.undecided()).isZero();
    }

    @Test
    void theTimeToSayWhatItIsBeginsWithTheEndOfTheHold() {
        ports.guard(new InboundGuard(port -> true, Duration.ofSeconds(60), false));
        ports.diskRead();
        InboundConnection patient = accept("patient");
        assertThat(isHeld(patient, "patient")).isTrue();
        mesh.time.advance(Duration.ofSeconds(59));
        assertThat(closed).isEmpty();
        mesh.time.advance(Duration.ofSeconds(10));
        assertThat(closed).isEmpty();
        mesh.time.advance(Duration.ofSeconds(2));
        assertThat(closed).containsExactly("patient");
    }
}
