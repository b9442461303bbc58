package io.weft.benchmarks;

import io.weft.it.harness.JvmProcess;
import io.weft.it.harness.Testbed;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Consumer;

/**
 * Ten million requests through the data plane alone, over policies that change all the time. No request may go where no policy
 * sends it, the counters must add up and the heap must be in the end what it was at the beginning. The value is how many of these
 * did not hold.
 */
final class Soak implements Benchmark {
    static final long HEAP_TOLERANCE_BYTES = 2 << 20;

    @Override
    public String name() {
        return "soak";
    }

    @Override
    public String summary() {
        return "10 million requests over changing policies in the data plane: wrong endpoints, counters, leaks";
    }

    @Override
    public void run(Settings settings, Consumer<Figure> figures) throws Exception {
        long seed = System.nanoTime();
        figures.accept(dataPlane(settings, seed));
    }

    private Figure dataPlane(Settings settings, long seed) throws Exception {
        try (Testbed testbed = new Testbed()) {
            JvmProcess process = testbed.jvm("soak", settings.jdk())
                    .module(Settings.decisions())
                    .option("-Xmx256m")
                    .main("io.weft.benchmarks.decision.Soak",
                            Long.toString(settings.requests(10_000_000, 500_000)), Long.toString(seed),
                            Integer.toString(settings.times(100, 10)));
            if (process.awaitExit(Duration.ofMinutes(20)) != 0) {
                throw new IllegalStateException(process.report());
            }
            Map<String, String> answer = process.nextAnswer();
            long leaked = leaked(Long.parseLong(answer.get("heapBefore")), Long.parseLong(answer.get("heapAfter")));
            long off = Long.parseLong(answer.get("wrong")) + Long.parseLong(answer.get("faults"))
                    + (answer.get("counters").isEmpty() ? 0 : 1) + (leaked > HEAP_TOLERANCE_BYTES ? 1 : 0);
            Map<String, Object> detail = new LinkedHashMap<>(answer);
            detail.put("seed", seed);
            return new Figure(name(), off, "violations", 0, detail);
        }
    }

    static long leaked(long before, long after) {
        return Math.max(0, after - before);
    }
}
