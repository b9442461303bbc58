package io.weft.benchmarks;

import io.weft.it.harness.Testbed;
import java.util.function.BiConsumer;
import java.util.function.Consumer;

/**
 * CPU that client and server use together for a request, with the agent in both over with it in neither. The app does nothing
 * else, so the ratio is the worst that a real service can see.
 *
 * <p>Both pairs of JVMs live side by side and take turns. Each round has fresh JVMs, because two JVMs that run the same code differ by
 * per cents from what their compilers happened to do.
 */
final class Overhead implements Benchmark {
    static final double BUDGET = 1.03;

    @Override
    public String name() {
        return "overhead";
    }

    @Override
    public String summary() {
        return "CPU per request, agent on over off; java.net.http and Tomcat, HTTP/1.1 with keep-alive";
    }

    @Override
    public void run(Settings settings, Consumer<Figure> figures) throws Exception {
        SideBySide pairs = new SideBySide();
        measure(settings, Apps.LEAN, settings.rounds(20, 1),
                (off, on) -> pairs.round(settings.times(6, 1), () -> off.send(requests(settings)), () -> on.send(requests(settings))));
        figures.accept(pairs.figure(name(), BUDGET, "cpuMicrosPerRequestOff", AgentShare.measure(settings, Apps.LEAN).detail()));
    }

    /** Of a window; few, since it must end even on a machine that is busy with other things. */
    static int requests(Settings settings) {
        return settings.times(10_000, 1_000);
    }

    /** @param take what is measured of the pair without the agent and of that with it; in each round, when both are warm */
    static void measure(Settings settings, Apps apps, int rounds, BiConsumer<Pair, Pair> take) throws Exception {
        for (int round = 0; round < rounds; round++) {
            try (Testbed testbed = new Testbed()) {
                Pair off = Pair.plain(testbed, settings, apps);
                Pair on = Pair.meshed(testbed, settings, apps);
                for (int warmUp = 0; warmUp < settings.times(Pair.WARM_UP, 2); warmUp++) {
                    off.send(requests(settings));
                    on.send(requests(settings));
                }
                take.accept(off, on);
                if (settings.recordings().isPresent()) {
                    off.end();
                    on.end();
                }
            }
        }
    }
}
