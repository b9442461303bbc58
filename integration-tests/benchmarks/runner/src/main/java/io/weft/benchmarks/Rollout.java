package io.weft.benchmarks;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Consumer;

/**
 * One rolling update in a cluster of 1,000 services with 20,000 endpoints: 500 pods are replaced one after the other, 20 in a second, each
 * as a Deployment does it. Agents get what changed and nothing else.
 */
final class Rollout implements Benchmark {
    private static final int SERVICES = 1_000;
    private static final int PODS_OF_EACH = 20;
    private static final int AGENTS = 100;
    private static final int REPLACED = 500;
    private static final int A_SECOND = 20;
    /** Of one core, while it lasts. */
    private static final double CPU_BUDGET = 0.5;
    private static final double KIB_BUDGET = 30;
    private static final double HEAP_BUDGET = 512;

    @Override
    public String name() {
        return "rollout";
    }

    @Override
    public String summary() {
        return "1,000 services, 20,000 endpoints, 500 pods replaced: CPU and memory of the control plane, bytes to each of 100 agents";
    }

    @Override
    public void run(Settings settings, Consumer<Figure> figures) throws Exception {
        int services = settings.times(SERVICES, 50);
        int replaced = settings.times(REPLACED, 40);
        int agents = settings.agents().orElse(settings.times(AGENTS, 10));
        try (ManyStreams many = new ManyStreams(settings, services, PODS_OF_EACH, agents)) {
            double heapWithout = many.liveHeap();
            long joined = many.join();
            many.awaitRest();
            double heapBefore = many.liveHeap();
            Map<String, String> first = many.count();
            double cpuBefore = Cpu.seconds(many.controlPlane);
            long begun = System.nanoTime();
            many.roll(replaced, replaced * 1_000L / A_SECOND);
            double seconds = (System.nanoTime() - begun) / 1e9;
            many.awaitRest();
            double cpu = Cpu.seconds(many.controlPlane) - cpuBefore;
            Map<String, String> then = many.count();
            Map<String, Object> detail = new LinkedHashMap<>();
            detail.put("services", services);
            detail.put("endpoints", services * PODS_OF_EACH);
            detail.put("agents", agents);
            detail.put("replaced", replaced);
            detail.put("seconds", Distribution.round(seconds, 1));
            detail.put("joinedMillis", joined);
            detail.put("firstKiB", Distribution.round(Double.parseDouble(first.get("bytes")) / agents / 1024, 1));
            double bytes = grown(first, then, "bytes") / agents;
            detail.put("messagesToEach", Distribution.round(grown(first, then, "messages") / agents, 1));
            detail.put("assignmentsToEach", Distribution.round(grown(first, then, "endpoints") / agents, 1));
            figures.accept(new Figure(name(), Distribution.round(bytes / replaced / 1024, 2), "KiB to each agent for a pod", KIB_BUDGET, detail));
            // Clusters, listeners and routes: none of them changed.
            figures.accept(new Figure(name() + "-unchanged", grown(first, then, "others"), "resources sent that did not change", 0, detail));
            figures.accept(new Figure(name() + "-cpu", Distribution.round(cpu / seconds, 3), "of one core", CPU_BUDGET, detail));
            detail = new LinkedHashMap<>(detail);
            detail.put("heapWithoutAgentsMiB", Distribution.round(heapWithout / ManyStreams.MEBI, 1));
            detail.put("heapBeforeMiB", Distribution.round(heapBefore / ManyStreams.MEBI, 1));
            detail.put("residentMiB", Distribution.round(many.resident() / ManyStreams.MEBI, 1));
            detail.put("streamsBroken", then.get("failures"));
            figures.accept(new Figure(
                    name() + "-heap", Distribution.round(many.liveHeap() / ManyStreams.MEBI, 1), "MiB", HEAP_BUDGET, detail));
        }
    }

    private static double grown(Map<String, String> first, Map<String, String> then, String what) {
        return Double.parseDouble(then.get(what)) - Double.parseDouble(first.get(what));
    }
}
