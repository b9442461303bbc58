package io.weft.benchmarks;

import io.weft.benchmarks.Pair.Window;
import io.weft.it.harness.Testbed;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.ToDoubleFunction;

/**
 * Mesh TLS over TLS that the apps themselves have been given: the same apps, certificates, version and cipher suites, on the same JSSE. Measured
 * side by side as in {@link Overhead}: CPU of client and server for a request on a kept connection, and for one on a connection of
 * its own, where the handshake is most of it.
 */
final class Tls implements Benchmark {
    private static final double BUDGET = 1.03;

    @Override
    public String name() {
        return "tls";
    }

    @Override
    public String summary() {
        return "CPU per request and per connection, mesh TLS over the same apps with hand-configured TLS; java.net.http and Tomcat";
    }

    @Override
    public void run(Settings settings, Consumer<Figure> figures) throws Exception {
        Ratios requests = new Ratios();
        Ratios connections = new Ratios();
        for (int round = 0; round < settings.times(7, 1); round++) {
            try (Testbed testbed = new Testbed()) {
                Pair own = Pair.overOwnTls(testbed, settings);
                Pair mesh = Pair.overMeshTls(testbed, settings);
                int count = settings.times(10_000, 1_000);
                int handshakes = settings.times(1_000, 100);
                for (int warmUp = 0; warmUp < settings.times(Pair.WARM_UP, 2); warmUp++) {
                    own.send(count);
                    mesh.send(count);
                    own.connect(handshakes);
                    mesh.connect(handshakes);
                }
                requests.add(settings, () -> own.send(count), () -> mesh.send(count));
                connections.add(settings, () -> own.connect(handshakes), () -> mesh.connect(handshakes));
            }
        }
        figures.accept(requests.figure(name(), Map.of()));
        // Two threads, one connection after the other on each.
        figures.accept(connections.figure(name() + "-handshakes", Map.of(
                "perSecondOwn", Math.round(2e6 / connections.own(Window::p50Micros)),
                "perSecondMesh", Math.round(2e6 / connections.mesh(Window::p50Micros)))));
    }

    private interface Turn {
        Window take();
    }

    private static final class Ratios {
        private final List<Double> cpu = new ArrayList<>();
        private final List<Double> p50 = new ArrayList<>();
        private final List<Double> p99 = new ArrayList<>();
        private final List<Window> own = new ArrayList<>();
        private final List<Window> mesh = new ArrayList<>();

        void add(Settings settings, Turn off, Turn on) {
            List<Window> offs = new ArrayList<>();
            List<Window> ons = new ArrayList<>();
            for (int turn = 0; turn < settings.times(6, 1); turn++) {
                offs.add(off.take());
                ons.add(on.take());
                ons.add(on.take());
                offs.add(off.take());
            }
            cpu.add(Window.ratio(ons, offs, Window::cpuMicros));
            p50.add(Window.ratio(ons, offs, Window::p50Micros));
            p99.add(Window.ratio(ons, offs, Window::p99Micros));
            own.addAll(offs);
            mesh.addAll(ons);
        }

        double own(ToDoubleFunction<Window> quantity) {
            return Window.median(own, quantity);
        }

        double mesh(ToDoubleFunction<Window> quantity) {
            return Window.median(mesh, quantity);
        }

        Figure figure(String name, Map<String, Object> more) {
            Distribution ratios = Distribution.of(cpu);
            Map<String, Object> detail = new LinkedHashMap<>();
            detail.put("rounds", ratios.size());
            detail.put("least", Distribution.round(ratios.min(), 3));
            detail.put("most", Distribution.round(ratios.max(), 3));
            detail.put("cpuMicrosOwn", Distribution.round(own(Window::cpuMicros), 1));
            detail.put("p50Ratio", Distribution.round(Distribution.of(p50).median(), 3));
            detail.put("p99Ratio", Distribution.round(Distribution.of(p99).median(), 3));
            detail.putAll(more);
            return new Figure(name, Distribution.round(ratios.median(), 3), "ratio", BUDGET, detail);
        }
    }
}
