package io.weft.benchmarks;

import io.weft.benchmarks.Pair.Window;
import io.weft.it.harness.Testbed;
import java.util.Map;
import java.util.function.Consumer;

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
        SideBySide requests = new SideBySide();
        SideBySide connections = new SideBySide();
        for (int round = 0; round < settings.rounds(7, 1); round++) {
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
                requests.round(settings.times(6, 1), () -> own.send(count), () -> mesh.send(count));
                connections.round(settings.times(6, 1), () -> own.connect(handshakes), () -> mesh.connect(handshakes));
            }
        }
        figures.accept(requests.figure(name(), BUDGET, "cpuMicrosOwn", Map.of()));
        // Two threads, one connection after the other on each.
        figures.accept(connections.figure(name() + "-handshakes", BUDGET, "cpuMicrosOwn", Map.of(
                "perSecondOwn", Math.round(2e6 / connections.median(0, Window::p50Micros)),
                "perSecondMesh", Math.round(2e6 / connections.median(1, Window::p50Micros)))));
    }
}
