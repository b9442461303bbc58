package io.weft.dataplane;

import static org.assertj.core.api.Assertions.assertThat;

import io.weft.dataplane.ServerLayer.Phase;
import io.weft.dataplane.load.LoadMeter;
import io.weft.dataplane.metrics.RequestMetrics;
import java.lang.reflect.Method;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;

class ServerLayersTest {
    private static final Map<Phase, String> METHODS = Map.of(
            Phase.ENTER, "enter",
            Phase.REQUEST, "request",
            Phase.RESPONSE, "response",
            Phase.END, "end");

    private static final Telling EVERYTHING = new Telling(new Debugging(true, 0.5, text -> {}), true);

    private final SimulatedTime time = new SimulatedTime();
    private final Surroundings surroundings =
            new Surroundings(time, time, new SeededRandomness(1), time, Fixture.NO_FAULTS, Self.UNKNOWN);

    private ServerLayers layers(Telling telling) {
        Supplier<Policy> none = () -> null;
        Drain drain = new Drain(time);
        UnnamedPorts unnamed = new UnnamedPorts(none, () -> false, time, new Notices.Relay());
        return new ServerLayers(none, surroundings, drain, new RequestMetrics(time, new SeededRandomness(1), time), telling,
                new LoadMeter(time, time, drain::entered, () -> 0),
                new InboundConnections(none, unnamed, surroundings, new Refusals.Relay()));
    }

    @Test
    void aLayerOverridesWhatItTakesPartInAndNothingElse() {
        Set<ServerLayer> all = new HashSet<>();
        byPhase(layers(EVERYTHING)).values().forEach(all::addAll);
        assertThat(all).hasSize(9).allSatisfy(layer -> assertThat(overridden(layer.getClass())).isEqualTo(layer.phases()));
    }

    @Test
    void eachPhaseGoesThroughThoseThatTakePartInItAndEndsAtTheApp() {
        byPhase(layers(Telling.NOTHING)).forEach(ServerLayersTest::assertWhole);
        byPhase(layers(EVERYTHING)).forEach(ServerLayersTest::assertWhole);
    }

    private static void assertWhole(Phase phase, List<ServerLayer> chain) {
        assertThat(chain).hasSizeGreaterThan(1).allSatisfy(layer -> assertThat(layer.phases()).contains(phase));
        assertThat(chain).last().isSameAs(ServerLayer.APP);
    }

    @Test
    void nobodyPaysForWhatIsNotTold() {
        assertThat(byPhase(layers(Telling.NOTHING)).values()).allSatisfy(chain ->
                assertThat(chain).noneMatch(layer -> layer instanceof TellDecisionInbound || layer instanceof TraceInbound));
        assertThat(byPhase(layers(EVERYTHING)).get(Phase.RESPONSE)).anyMatch(TellDecisionInbound.class::isInstance);
    }

    private static Map<Phase, List<ServerLayer>> byPhase(ServerLayers layers) {
        Map<Phase, List<ServerLayer>> chains = new EnumMap<>(Phase.class);
        chains.put(Phase.ENTER, chain(layers.enter, layer -> layer.innerEnter));
        chains.put(Phase.REQUEST, chain(layers.request, layer -> layer.innerRequest));
        chains.put(Phase.RESPONSE, chain(layers.response, layer -> layer.innerResponse));
        chains.put(Phase.END, chain(layers.end, layer -> layer.innerEnd));
        return chains;
    }

    private static List<ServerLayer> chain(ServerLayer outermost, UnaryOperator<ServerLayer> inner) {
        List<ServerLayer> chain = new ArrayList<>();
        for (ServerLayer layer = outermost; layer != null; layer = inner.apply(layer)) {
            chain.add(layer);
        }
        return chain;
    }

    private static Set<Phase> overridden(Class<?> layer) {
        Set<Phase> phases = new HashSet<>();
        for (Method method : layer.getDeclaredMethods()) {
            METHODS.forEach((phase, name) -> {
                Class<?>[] parameters = method.getParameterTypes();
                if (method.getName().equals(name) && parameters.length > 0 && parameters[0] == InboundExchange.class) {
                    phases.add(phase);
                }
            });
        }
        return phases;
    }
}
