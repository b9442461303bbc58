package io.weft.benchmarks;

import io.weft.benchmarks.Pair.Window;
import io.weft.it.harness.Testbed;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/**
 * CPU that client and server use together for a request, with the agent in both over with it in neither. The app does nothing
 * else, so the ratio is the worst that a real service can see.
 *
 * <p>Both pairs of JVMs live side by side and take turns in the order off, on, on, off: what drifts on the machine hits both
 * alike. Each round has fresh JVMs, because two JVMs that run the same code differ by per cents from what their compilers
 * happened to do.
 */
final class Overhead implements Benchmark {
    private static final double BUDGET = 1.03;

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
        List<Double> cpu = new ArrayList<>();
        List<Double> p50 = new ArrayList<>();
        List<Double> p99 = new ArrayList<>();
        List<Double> cpuOff = new ArrayList<>();
        for (int round = 0; round < settings.times(20, 1); round++) {
            try (Testbed testbed = new Testbed()) {
                Pair off = Pair.plain(testbed, settings);
                Pair on = Pair.meshed(testbed, settings);
                // Short ones: a window must end even on a machine that is busy with other things.
                int requests = settings.times(10_000, 1_000);
                for (int warmUp = 0; warmUp < settings.times(Pair.WARM_UP, 2); warmUp++) {
                    off.send(requests);
                    on.send(requests);
                }
                List<Window> offs = new ArrayList<>();
                List<Window> ons = new ArrayList<>();
                for (int turn = 0; turn < settings.times(6, 1); turn++) {
                    offs.add(off.send(requests));
                    ons.add(on.send(requests));
                    ons.add(on.send(requests));
                    offs.add(off.send(requests));
                }
                cpu.add(Window.ratio(ons, offs, Window::cpuMicros));
                p50.add(Window.ratio(ons, offs, Window::p50Micros));
                p99.add(Window.ratio(ons, offs, Window::p99Micros));
                cpuOff.add(Window.median(offs, Window::cpuMicros));
            }
        }
        Distribution ratios = Distribution.of(cpu);
        Map<String, Object> detail = new LinkedHashMap<>();
        detail.put("rounds", ratios.size());
        detail.put("least", Distribution.round(ratios.min(), 3));
        detail.put("most", Distribution.round(ratios.max(), 3));
        detail.put("cpuMicrosPerRequestOff", Distribution.round(Distribution.of(cpuOff).median(), 1));
        detail.put("p50Ratio", Distribution.round(Distribution.of(p50).median(), 3));
        detail.put("p99Ratio", Distribution.round(Distribution.of(p99).median(), 3));
        figures.accept(new Figure(name(), Distribution.round(ratios.median(), 3), "ratio", BUDGET, detail));
    }
}
