package io.weft.benchmarks.decision;

import com.sun.management.OperatingSystemMXBean;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * What the machine's processors have done so far, as Linux tells it; elsewhere nothing is known to disturb.
 *
 * @param othersNanos for other processes
 * @param stolenNanos nothing, since the machine is a guest and had to wait
 */
record Processors(long othersNanos, long stolenNanos) {
    private static final Path STAT = Path.of("/proc/stat");
    private static final long NANOS_PER_TICK = 10_000_000;
    private static final int IDLE = 4;
    private static final int WAITING = 5;
    private static final int STOLEN = 8;
    /** What any machine does, and what the ticks do not tell better. */
    private static final long USUAL_NANOS = 100_000_000;

    static Processors now() {
        if (!Files.isReadable(STAT)) {
            return new Processors(0, 0);
        }
        String[] ticks;
        try {
            ticks = Files.readAllLines(STAT).get(0).split(" +");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        long busy = 0;
        for (int i = 1; i < STOLEN; i++) {
            busy += i == IDLE || i == WAITING ? 0 : Long.parseLong(ticks[i]);
        }
        long own = ((OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean()).getProcessCpuTime();
        return new Processors(busy * NANOS_PER_TICK - own, Long.parseLong(ticks[STOLEN]) * NANOS_PER_TICK);
    }

    boolean disturbedSince(Processors before) {
        return othersNanos - before.othersNanos > USUAL_NANOS || stolenNanos != before.stolenNanos;
    }
}
