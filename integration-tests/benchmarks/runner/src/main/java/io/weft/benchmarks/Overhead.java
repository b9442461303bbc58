package io.weft.benchmarks;

import io.weft.it.harness.JvmCommand;
import io.weft.it.harness.JvmProcess;
import io.weft.it.harness.Policy;
import io.weft.it.harness.PolicyServer;
import io.weft.it.harness.Testbed;
import java.net.InetSocketAddress;
import java.net.URI;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.ToDoubleFunction;

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
    private static final int THREADS = 2;

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
        for (int round = 0; round < settings.times(7, 1); round++) {
            try (Testbed testbed = new Testbed()) {
                Pair off = Pair.without(testbed, settings);
                Pair on = Pair.with(testbed, settings);
                // Short ones: a window must end even on a machine that is busy with other things.
                int requests = settings.times(10_000, 1_000);
                for (int warmUp = 0; warmUp < settings.times(4, 2); warmUp++) {
                    off.send(requests);
                    on.send(requests);
                }
                List<Window> offs = new ArrayList<>();
                List<Window> ons = new ArrayList<>();
                for (int turn = 0; turn < settings.times(8, 1); turn++) {
                    offs.add(off.send(requests));
                    ons.add(on.send(requests));
                    ons.add(on.send(requests));
                    offs.add(off.send(requests));
                }
                cpu.add(ratio(ons, offs, Window::cpuMicros));
                p50.add(ratio(ons, offs, Window::p50Micros));
                p99.add(ratio(ons, offs, Window::p99Micros));
                cpuOff.add(median(offs, Window::cpuMicros));
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

    private static double ratio(List<Window> on, List<Window> off, ToDoubleFunction<Window> quantity) {
        return median(on, quantity) / median(off, quantity);
    }

    private static double median(List<Window> windows, ToDoubleFunction<Window> quantity) {
        return Distribution.of(windows.stream().mapToDouble(quantity).boxed().toList()).median();
    }

    /** A stretch of load on one pair. */
    private record Window(double cpuMicros, double p50Micros, double p99Micros) {}

    private record Pair(JvmProcess client, JvmProcess server, String url) {

        static Pair without(Testbed testbed, Settings settings) {
            JvmProcess server = server(workload(testbed, "server", settings));
            int port = server.awaitPort();
            return new Pair(client(workload(testbed, "client", settings)), server, "http://127.0.0.1:" + port + "/orders/1");
        }

        static Pair with(Testbed testbed, Settings settings) {
            PolicyServer policies = testbed.policyServer();
            URI controlPlane = policies.uri();
            JvmProcess server = server(workload(testbed, "server with agent", settings).mesh(controlPlane, "orders").unguarded());
            policies.serve(Policy.empty().service("orders", new InetSocketAddress("127.0.0.1", server.awaitPort())));
            return new Pair(client(workload(testbed, "client with agent", settings).mesh(controlPlane, "shop")), server, "http://orders/orders/1");
        }

        private static JvmProcess server(JvmCommand command) {
            return command.main("io.weft.benchmarks.workload.TomcatServer", "orders");
        }

        private static JvmProcess client(JvmCommand command) {
            return command.main("io.weft.benchmarks.workload.LoadClient");
        }

        private static JvmCommand workload(Testbed testbed, String name, Settings settings) {
            return testbed.jvm(name, settings.jdk()).module(Settings.workloads()).option("-Xms256m").option("-Xmx256m");
        }

        Window send(int requests) {
            double before = Cpu.seconds(client, server);
            Map<String, String> answer = client.ask(Map.of(
                    "url", url, "requests", Integer.toString(requests), "threads", Integer.toString(THREADS)));
            double seconds = Cpu.seconds(client, server) - before;
            if (!answer.get("failed").equals("0")) {
                throw new IllegalStateException(answer.get("failed") + " of " + requests + " requests failed\n" + client.report() + "\n" + server.report());
            }
            return new Window(seconds / requests * 1e6, micros(answer.get("p50")), micros(answer.get("p99")));
        }

        private static double micros(String nanos) {
            return Long.parseLong(nanos) / 1e3;
        }
    }
}
