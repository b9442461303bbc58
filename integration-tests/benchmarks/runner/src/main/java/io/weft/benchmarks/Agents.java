package io.weft.benchmarks;

import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/**
 * The streams of 10,000 agents against one control plane: from the moment before a canary's weights change in the cluster's API until the
 * last of them has acknowledged its routes. All of it on the cores of one machine, those who read the streams, too.
 */
final class Agents implements Benchmark {
    private static final int SERVICES = 100;
    private static final int PODS_OF_EACH = 10;
    private static final int[] AGENTS = {1_000, 3_000, 10_000};
    private static final int[] WHEN_QUICK = {100};
    private static final double SECONDS_BUDGET = 10;
    private static final double KIB_BUDGET = 100;
    private static final long PATIENCE_NANOS = TimeUnit.MINUTES.toNanos(2);
    private static final long LOOK_MILLIS = 50;

    @Override
    public String name() {
        return "agents";
    }

    @Override
    public String summary() {
        return "a canary's weights changed until the last of 10,000 agents' streams has acknowledged it; memory and CPU for each";
    }

    @Override
    public void run(Settings settings, Consumer<Figure> figures) throws Exception {
        int[] numbers = settings.agents().map(number -> new int[] {number}).orElse(settings.quick() ? WHEN_QUICK : AGENTS);
        for (int agents : numbers) {
            measure(settings, agents, agents == numbers[numbers.length - 1], figures);
        }
    }

    /** @param most the others are there to show how it grows */
    private void measure(Settings settings, int agents, boolean most, Consumer<Figure> figures) throws Exception {
        try (ManyStreams many = new ManyStreams(settings, SERVICES, PODS_OF_EACH, agents)) {
            many.canary(0);
            double heapWithout = many.liveHeap();
            double cpuWithout = Cpu.seconds(many.controlPlane);
            long joined = many.join();
            many.awaitRest();
            double cpuOfJoining = Cpu.seconds(many.controlPlane) - cpuWithout;
            double heapWith = many.liveHeap();
            Map<String, String> first = many.count();
            List<Double> last = new ArrayList<>();
            List<Double> middle = new ArrayList<>();
            double cpuBefore = Cpu.seconds(many.controlPlane);
            int changes = settings.times(10, 2);
            for (int change = 1; change <= changes; change++) {
                long saved = ChronoUnit.MICROS.between(Instant.EPOCH, Instant.now());
                many.canary(change);
                Map<String, String> acknowledged = acknowledged(many, saved, agents);
                last.add(Double.parseDouble(acknowledged.get("last")) / 1e6);
                middle.add(Double.parseDouble(acknowledged.get("middle")) / 1e6);
                many.awaitRest();
            }
            double cpu = Cpu.seconds(many.controlPlane) - cpuBefore;
            Map<String, String> then = many.count();
            Map<String, Object> detail = new LinkedHashMap<>();
            detail.put("agents", agents);
            detail.put("services", SERVICES);
            detail.put("changes", changes);
            detail.put("middleAgentSeconds", Distribution.round(Distribution.of(middle).median(), 2));
            detail.put("slowestChangeSeconds", Distribution.round(Distribution.of(last).max(), 2));
            detail.put("cpuMillisOfAChangeForEach", Distribution.round(cpu * 1_000 / changes / agents, 3));
            detail.put("bytesOfAChangeToEach", Math.round((Double.parseDouble(then.get("bytes")) - Double.parseDouble(first.get("bytes"))) / changes / agents));
            detail.put("joinedSeconds", Distribution.round(joined / 1e3, 1));
            detail.put("cpuMillisOfJoiningForEach", Distribution.round(cpuOfJoining * 1_000 / agents, 2));
            detail.put("residentMiB", Distribution.round(many.resident() / ManyStreams.MEBI, 1));
            detail.put("streamsBroken", Long.parseLong(then.get("failures")) - Long.parseLong(first.get("failures")));
            String name = most ? name() : name() + "-" + agents;
            figures.accept(new Figure(name, Distribution.round(Distribution.of(last).median(), 2), "s", SECONDS_BUDGET, detail));
            Map<String, Object> heap = new LinkedHashMap<>();
            heap.put("agents", agents);
            heap.put("heapMiB", Distribution.round(heapWith / ManyStreams.MEBI, 1));
            heap.put("heapWithoutAgentsMiB", Distribution.round(heapWithout / ManyStreams.MEBI, 1));
            figures.accept(new Figure(
                    name + "-heap", Distribution.round((heapWith - heapWithout) / agents / 1024, 1), "KiB for each agent", KIB_BUDGET, heap));
        }
    }

    private static Map<String, String> acknowledged(ManyStreams many, long since, int agents) throws InterruptedException {
        long deadline = System.nanoTime() + PATIENCE_NANOS;
        Map<String, String> answer = many.since(since);
        while (Integer.parseInt(answer.get("streams")) < agents) {
            if (System.nanoTime() - deadline > 0) {
                throw new IllegalStateException("only " + answer.get("streams") + " of " + agents + " have acknowledged the change");
            }
            Thread.sleep(LOOK_MILLIS);
            answer = many.since(since);
        }
        return answer;
    }
}
