package io.weft.dataplane;

import static org.assertj.core.api.Assertions.assertThat;

import io.weft.dataplane.ClientLayer.Phase;
import io.weft.dataplane.metrics.RequestMetrics;
import java.lang.reflect.Method;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;

class ClientLayersTest {
    private static final Map<Phase, String> METHODS = Map.of(
            Phase.ATTEMPT, "attempt",
            Phase.CONNECTED, "connected",
            Phase.REQUEST_SENT, "requestSent",
            Phase.OUTCOME, "outcome",
            Phase.BROKE_OFF, "brokeOff",
            Phase.RELEASE, "release");

    private final SimulatedTime time = new SimulatedTime();
    private final Notices.Relay notices = new Notices.Relay();
    private final ClientLayers usual = ClientLayers.of(
            new Deadlines(time, time),
            new Surroundings(time, time, new SeededRandomness(1), time, Fixture.NO_FAULTS, Self.UNKNOWN),
            new Mirroring(Fixture.NO_FAULTS, notices),
            new RequestMetrics(time, new SeededRandomness(1), time),
            new Telling(new Debugging(true, 0.5, text -> {}), true),
            notices);

    @Test
    void aLayerOverridesWhatItTakesPartInAndNothingElse() {
        Set<ClientLayer> all = new HashSet<>();
        byPhase(usual).values().forEach(all::addAll);
        byPhase(usual.hedged()).values().forEach(all::addAll);
        assertThat(all).hasSizeGreaterThan(10).allSatisfy(layer -> assertThat(overridden(layer.getClass())).isEqualTo(layer.phases()));
    }

    @Test
    void eachPhaseGoesThroughThoseThatTakePartInItAndEndsAtTheLibrary() {
        byPhase(usual).forEach(ClientLayersTest::assertWhole);
        byPhase(usual.hedged()).forEach(ClientLayersTest::assertWhole);
        byPhase(usual.hedged().further()).forEach(ClientLayersTest::assertWhole);
        byPhase(usual.mirrored()).forEach(ClientLayersTest::assertWhole);
    }

    private static void assertWhole(Phase phase, List<ClientLayer> chain) {
        assertThat(chain).hasSizeGreaterThan(1).allSatisfy(layer -> assertThat(layer.phases()).contains(phase));
        assertThat(chain).last().isSameAs(ClientLayer.DIAL);
    }

    @Test
    void onlyAHedgedRequestPassesWhatIsForHedging() {
        assertThat(byPhase(usual).values()).allSatisfy(chain -> assertThat(chain).noneMatch(Hedge.class::isInstance));
        assertThat(byPhase(usual.hedged()).get(Phase.OUTCOME)).anyMatch(Hedge.class::isInstance);
    }

    @Test
    void onlyWhatTheAppItselfHasSentIsMeasured() {
        assertThat(byPhase(usual.mirrored()).values()).allSatisfy(chain -> assertThat(chain).noneMatch(Measure.class::isInstance));
        assertThat(List.of(usual, usual.hedged())).allSatisfy(layers -> assertThat(layers.release).isInstanceOf(Measure.class));
    }

    private static Map<Phase, List<ClientLayer>> byPhase(ClientLayers layers) {
        Map<Phase, List<ClientLayer>> chains = new EnumMap<>(Phase.class);
        chains.put(Phase.ATTEMPT, chain(layers.attempt, layer -> layer.innerAttempt));
        chains.put(Phase.CONNECTED, chain(layers.connected, layer -> layer.innerConnected));
        chains.put(Phase.REQUEST_SENT, chain(layers.requestSent, layer -> layer.innerRequestSent));
        chains.put(Phase.OUTCOME, chain(layers.outcome, layer -> layer.innerOutcome));
        chains.put(Phase.BROKE_OFF, chain(layers.brokeOff, layer -> layer.innerBrokeOff));
        chains.put(Phase.RELEASE, chain(layers.release, layer -> layer.innerRelease));
        return chains;
    }

    private static List<ClientLayer> chain(ClientLayer outermost, UnaryOperator<ClientLayer> inner) {
        List<ClientLayer> chain = new ArrayList<>();
        for (ClientLayer layer = outermost; layer != null; layer = inner.apply(layer)) {
            chain.add(layer);
        }
        return chain;
    }

    private static Set<Phase> overridden(Class<?> layer) {
        Set<Phase> phases = new HashSet<>();
        for (Method method : layer.getDeclaredMethods()) {
            METHODS.forEach((phase, name) -> {
                if (method.getName().equals(name) && method.getParameterCount() > 0 && method.getParameterTypes()[0] == Exchange.class) {
                    phases.add(phase);
                }
            });
        }
        return phases;
    }
}
