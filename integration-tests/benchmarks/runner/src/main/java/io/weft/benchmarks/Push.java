package io.weft.benchmarks;

import io.weft.it.harness.ControlPlane;
import io.weft.it.harness.JvmProcess;
import io.weft.it.harness.Testbed;
import java.net.URI;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.stream.Stream;

/**
 * From the moment before a policy file is saved until the last of 100 agents decides by it; the real control plane in a process
 * of its own, the agents' policy clients and data planes together in another: real ones have machines of their own, and compilers of
 * several processes would take from each other, on this one, what those do not. The first saves are counted, too, when nothing has been compiled.
 */
final class Push implements Benchmark {
    private static final double BUDGET_MILLIS = 250;
    private static final int AGENTS = 100;
    private static final long PAUSE_MILLIS = 300;
    /** CPU seconds of all processes in a second. */
    private static final double AT_REST = 0.1;
    /** Of 100, the 99th percentile would be the second slowest, in processes that have just begun. */
    private static final int SAVES = 500;

    @Override
    public String name() {
        return "push";
    }

    @Override
    public String summary() {
        return "policy file saved until obeyed by every one of 100 agents, 99th percentile of the saves";
    }

    @Override
    public void run(Settings settings, Consumer<Figure> figures) throws Exception {
        List<Double> slowest = new ArrayList<>();
        List<Double> each = new ArrayList<>();
        try (Testbed testbed = new Testbed()) {
            ControlPlane controlPlane = testbed.controlPlane(settings.jdk());
            controlPlane.save("orders.yaml", ORDERS);
            controlPlane.save("route.yaml", route(0));
            JvmProcess agents = agents(testbed, settings, controlPlane.uri());
            obeyed(agents, 0);
            awaitRest(controlPlane.process(), agents);
            for (int revision = 1; revision <= settings.times(SAVES, 5); revision++) {
                Thread.sleep(PAUSE_MILLIS);
                long saved = ChronoUnit.MICROS.between(Instant.EPOCH, Instant.now());
                controlPlane.save("route.yaml", route(revision));
                List<Double> millis = obeyed(agents, revision).stream().map(micros -> (micros - saved) / 1e3).toList();
                each.addAll(millis);
                slowest.add(Distribution.of(millis).max());
            }
        }
        Distribution last = Distribution.of(slowest);
        Map<String, Object> detail = new LinkedHashMap<>();
        detail.put("agents", AGENTS);
        detail.put("saves", last.size());
        detail.put("slowestAgentP50", Distribution.round(last.median(), 1));
        // What is done then has been done by nobody before.
        detail.put("firstSave", Distribution.round(slowest.get(0), 1));
        detail.put("p99OfFirst100", Distribution.round(Distribution.of(slowest.subList(0, Math.min(100, slowest.size()))).quantile(0.99), 1));
        detail.put("slowestAgentMax", Distribution.round(last.max(), 1));
        detail.put("oneAgentP50", Distribution.round(Distribution.of(each).median(), 1));
        figures.accept(new Figure(name(), Distribution.round(last.quantile(0.99), 1), "ms", BUDGET_MILLIS, detail));
    }

    private static JvmProcess agents(Testbed testbed, Settings settings, URI controlPlane) {
        return testbed.jvm("agents", settings.jdk())
                .module(Settings.decisions())
                .main("io.weft.benchmarks.decision.PolicyAgents", controlPlane.toString(), Integer.toString(AGENTS), "agent-");
    }

    /** Until they have done with starting, all at once on one machine: what the compilers make of that goes on for a while after it. */
    private static void awaitRest(JvmProcess controlPlane, JvmProcess agents) throws InterruptedException {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
        double used;
        do {
            double before = Cpu.seconds(controlPlane, agents);
            Thread.sleep(1_000);
            used = Cpu.seconds(controlPlane, agents) - before;
        } while (used > AT_REST && System.nanoTime() - deadline < 0);
    }

    /** Waits until all agents of the process obey the revision: when each did. */
    private static List<Long> obeyed(JvmProcess process, int revision) {
        Map<String, String> answer = process.nextAnswer();
        while (!answer.get("revision").equals(Integer.toString(revision))) {
            answer = process.nextAnswer();
        }
        return Stream.of(answer.get("micros").split(",")).map(Long::valueOf).toList();
    }

    private static final String ORDERS = """
            type: Dataplane
            mesh: default
            name: orders-1
            networking:
              address: 127.0.0.1
              inbound:
              - port: 9
                tags: {kuma.io/service: orders, kuma.io/protocol: http, version: v1}
            """;

    private static String route(int revision) {
        return """
                type: MeshHTTPRoute
                name: orders-revision
                mesh: default
                spec:
                  targetRef: {kind: Mesh}
                  to:
                  - targetRef: {kind: MeshService, name: orders}
                    rules:
                    - matches:
                      - path: {type: PathPrefix, value: /}
                      default:
                        filters:
                        - type: RequestHeaderModifier
                          requestHeaderModifier:
                            set:
                            - {name: x-revision, value: "%d"}
                        backendRefs:
                        - {kind: MeshService, name: orders, weight: 1}
                """.formatted(revision);
    }
}
