package io.weft.benchmarks;

import io.weft.it.harness.JvmProcess;

/** CPU that processes have used, user and system, all threads; the resolution is the kernel's tick, 10 ms. */
final class Cpu {
    private Cpu() {}

    static double seconds(JvmProcess... processes) {
        double seconds = 0;
        for (JvmProcess process : processes) {
            seconds += process.handle().info().totalCpuDuration()
                            .orElseThrow(() -> new IllegalStateException("no CPU time of " + process.report()))
                            .toNanos()
                    / 1e9;
        }
        return seconds;
    }
}
