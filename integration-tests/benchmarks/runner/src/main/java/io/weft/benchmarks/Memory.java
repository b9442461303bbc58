package io.weft.benchmarks;

import io.weft.it.harness.JvmCommand;
import io.weft.it.harness.JvmProcess;
import io.weft.it.harness.Policy;
import io.weft.it.harness.PolicyServer;
import io.weft.it.harness.Testbed;
import io.weft.it.harness.Upstream;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.ToDoubleFunction;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * Memory that the agent and a big policy add to a JVM: live heap after a full collection, committed metaspace and the touched
 * part of thread stacks, the latter two from the JVM's native memory tracking.
 */
final class Memory implements Benchmark {
    private static final double BUDGET = 40;
    private static final double MEBI = 1 << 20;
    private static final int SERVICES = 1_000;
    private static final int ENDPOINTS_PER_SERVICE = 10;

    @Override
    public String name() {
        return "memory";
    }

    @Override
    public String summary() {
        return "live heap, metaspace and stacks added, 1,000 services with 10,000 endpoints pushed";
    }

    @Override
    public void run(Settings settings, Consumer<Figure> figures) throws Exception {
        List<Footprint> without = new ArrayList<>();
        List<Footprint> with = new ArrayList<>();
        for (int round = 0; round < settings.rounds(3, 1); round++) {
            without.add(withoutAgent(settings));
            with.add(withAgent(settings));
        }
        double heap = added(with, without, Footprint::heap);
        double metaspace = added(with, without, Footprint::metaspace);
        double stacks = added(with, without, Footprint::stacks);
        Map<String, Object> detail = new LinkedHashMap<>();
        detail.put("heapMiB", Distribution.round(heap / MEBI, 1));
        detail.put("metaspaceMiB", Distribution.round(metaspace / MEBI, 1));
        detail.put("stacksMiB", Distribution.round(stacks / MEBI, 1));
        detail.put("outsideHeapMiB", Distribution.round(added(with, without, Footprint::outsideHeap) / MEBI, 1));
        detail.put("services", SERVICES);
        detail.put("endpoints", SERVICES * ENDPOINTS_PER_SERVICE);
        figures.accept(new Figure(name(), Distribution.round((heap + metaspace + stacks) / MEBI, 1), "MiB", BUDGET, detail));
    }

    private static double added(List<Footprint> with, List<Footprint> without, ToDoubleFunction<Footprint> part) {
        return median(with, part) - median(without, part);
    }

    private static double median(List<Footprint> footprints, ToDoubleFunction<Footprint> part) {
        return Distribution.of(footprints.stream().mapToDouble(part).boxed().toList()).median();
    }

    private static Footprint withoutAgent(Settings settings) throws Exception {
        try (Testbed testbed = new Testbed()) {
            Upstream upstream = testbed.upstream("upstream");
            return probe(command(testbed, settings), "http://127.0.0.1:" + upstream.address().getPort() + "/", settings, testbed);
        }
    }

    private static Footprint withAgent(Settings settings) throws Exception {
        try (Testbed testbed = new Testbed()) {
            InetSocketAddress[] real = Stream.generate(() -> testbed.upstream("upstream").address())
                    .limit(ENDPOINTS_PER_SERVICE)
                    .toArray(InetSocketAddress[]::new);
            PolicyServer policies = testbed.policyServer();
            policies.serve(bigPolicy(real));
            // The last service's name resolves by policy alone: its answer shows that the whole policy is in force.
            String url = "http://" + service(SERVICES - 1) + "/";
            return probe(command(testbed, settings).mesh(policies.uri(), "probe"), url, settings, testbed);
        }
    }

    private static JvmCommand command(Testbed testbed, Settings settings) {
        return testbed.jvm("probe", settings.jdk()).module(Settings.workloads()).option("-XX:NativeMemoryTracking=summary").option("-Xmx512m");
    }

    private static Footprint probe(JvmCommand command, String url, Settings settings, Testbed testbed) {
        JvmProcess probe = command.main("io.weft.benchmarks.workload.MemoryProbe");
        Map<String, String> answer = probe.ask(Map.of("url", url));
        for (int tries = 0; tries < 30 && !answer.get("status").equals("200"); tries++) {
            answer = probe.ask(Map.of("url", url));
        }
        if (!answer.get("status").equals("200")) {
            throw new IllegalStateException("the policy never came into force: " + probe.report());
        }
        JvmProcess jcmd = testbed.jvm("jcmd", settings.jdk()).tool("jcmd", Long.toString(probe.pid()), "VM.native_memory", "summary");
        jcmd.awaitExit();
        String report = String.join("\n", jcmd.stdout());
        return new Footprint(
                Long.parseLong(answer.get("heap")),
                committed(report, "Metadata:   )") + committed(report, "Class space:)"),
                committed(report, "stack:"),
                committed(report, "Total:") - committed(report, "Java Heap"));
    }

    /** The figure of the first line after a heading of the report, or of the heading's own line, that says what is committed. */
    private static long committed(String report, String heading) {
        Matcher figure = Pattern.compile(Pattern.quote(heading) + ".*?committed=(\\d+)KB", Pattern.DOTALL).matcher(report);
        if (!figure.find()) {
            throw new IllegalStateException("no " + heading + " in the report of native memory tracking:\n" + report);
        }
        return Long.parseLong(figure.group(1)) * 1024;
    }

    /** @param real endpoints of the last service; the others' are never called */
    private static Policy bigPolicy(InetSocketAddress[] real) {
        Policy policy = Policy.empty();
        for (int i = 0; i < SERVICES - 1; i++) {
            policy = policy.service(service(i), endpoints(i));
        }
        return policy.service(service(SERVICES - 1), real);
    }

    private static InetSocketAddress[] endpoints(int service) {
        return IntStream.rangeClosed(1, ENDPOINTS_PER_SERVICE)
                .mapToObj(i -> new InetSocketAddress("10." + service / 250 + "." + service % 250 + "." + i, 8080))
                .toArray(InetSocketAddress[]::new);
    }

    private static String service(int i) {
        return "service-%04d".formatted(i);
    }

    /**
     * Bytes.
     *
     * @param outsideHeap everything that the JVM has committed but the Java heap
     */
    private record Footprint(double heap, double metaspace, double stacks, double outsideHeap) {}
}
