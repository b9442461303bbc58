package io.weft.benchmarks;

import io.weft.it.harness.JvmProcess;
import java.util.stream.LongStream;
import java.util.stream.Stream;

/** CPU that processes have used, user and system, all threads; the resolution is the kernel's tick, 10 ms. */
final class Cpu {
    private Cpu() {}

    static double seconds(JvmProcess... processes) {
        return seconds(Stream.of(processes).mapToLong(JvmProcess::pid).toArray());
    }

    static double seconds(long... pids) {
        return LongStream.of(pids).mapToDouble(Cpu::ofProcess).sum();
    }

    private static double ofProcess(long pid) {
        return ProcessHandle.of(pid)
                        .flatMap(process -> process.info().totalCpuDuration())
                        .orElseThrow(() -> new IllegalStateException("no CPU time of process " + pid))
                        .toNanos()
                / 1e9;
    }
}
