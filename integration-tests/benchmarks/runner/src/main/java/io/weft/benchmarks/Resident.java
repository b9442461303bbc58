package io.weft.benchmarks;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Memory of processes as the kernel counts it. */
final class Resident {
    private Resident() {}

    static long bytes(long... pids) throws IOException {
        long bytes = 0;
        for (long pid : pids) {
            for (String line : Files.readAllLines(Path.of("/proc", Long.toString(pid), "status"))) {
                if (line.startsWith("VmRSS:")) {
                    bytes += Long.parseLong(line.replaceAll("\\D", "")) << 10;
                }
            }
        }
        return bytes;
    }
}
