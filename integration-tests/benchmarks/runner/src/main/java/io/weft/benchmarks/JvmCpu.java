package io.weft.benchmarks;

import io.weft.it.harness.JvmProcess;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;

/**
 * CPU that a JVM has used until a moment, and how much of it for compiling: that goes on for minutes, in bursts of a tenth of a second and more, and is part of
 * what a start costs, not a request.
 *
 * @param seconds by {@link Cpu}
 * @param compilers nanoseconds of each of their threads, by Linux's scheduler; empty elsewhere
 */
record JvmCpu(double seconds, Map<String, Long> compilers) {

    static JvmCpu of(JvmProcess process) {
        Map<String, Long> compilers = new HashMap<>();
        Path threads = Path.of("/proc", Long.toString(process.pid()), "task");
        if (Files.isDirectory(threads)) {
            try (DirectoryStream<Path> each = Files.newDirectoryStream(threads)) {
                for (Path thread : each) {
                    read(thread, compilers);
                }
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
        return new JvmCpu(Cpu.seconds(process), compilers);
    }

    private static void read(Path thread, Map<String, Long> compilers) throws IOException {
        try {
            String name = Files.readString(thread.resolve("comm"));
            if (name.startsWith("C1 Compiler") || name.startsWith("C2 Compiler")) {
                String spent = Files.readString(thread.resolve("schedstat"));
                compilers.put(thread.getFileName().toString(), Long.parseLong(spent.substring(0, spent.indexOf(' '))));
            }
        } catch (IOException ended) {
            // Between being listed and being read; or between being opened and being read, which is no file that is missing but no process.
            if (Files.exists(thread)) {
                throw ended;
            }
        }
    }

    /** Without what was spent on compiling. */
    double microsSince(JvmCpu before) {
        long compiling = compilers.entrySet().stream().mapToLong(thread -> thread.getValue() - before.compilers.getOrDefault(thread.getKey(), 0L)).sum();
        return (seconds - before.seconds) * 1e6 - compiling / 1e3;
    }
}
