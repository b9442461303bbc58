package io.weft.it.chaos;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Assumptions;

/** What the operating system can do to a process. */
final class Linux {
    private Linux() {}

    /** The process stands still; what it listens on still accepts, as far as its queues go. */
    static void freeze(ProcessHandle process) {
        run("kill", "-STOP", Long.toString(process.pid()));
    }

    static void thaw(ProcessHandle process) {
        run("kill", "-CONT", Long.toString(process.pid()));
    }

    /** From now on the process can open nothing that would need a descriptor from this number on. */
    static void limitDescriptors(ProcessHandle process, int limit) {
        Assumptions.assumeTrue(Files.exists(Path.of("/usr/bin/prlimit")), "there is no prlimit");
        // The soft limit alone, or it could not be taken back.
        run("prlimit", "--pid", Long.toString(process.pid()), "--nofile=" + limit + ":");
    }

    /** The number of descriptors that a process has open. */
    static int descriptors(ProcessHandle process) {
        String[] descriptors = Path.of("/proc", Long.toString(process.pid()), "fd").toFile().list();
        return descriptors == null ? 0 : descriptors.length;
    }

    /** A file system of its own with no room left but a page, unmounted by its end. */
    record FullDisk(Path folder) implements AutoCloseable {

        /** Skips the test for who may not mount. */
        static FullDisk at(Path folder) {
            int exit = exit("mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", folder.toString());
            Assumptions.assumeTrue(exit == 0, "a small file system cannot be mounted here: that takes root");
            return new FullDisk(folder);
        }

        void fill() {
            byte[] block = new byte[4096];
            try (var out = Files.newOutputStream(folder.resolve("filler"))) {
                while (true) {
                    out.write(block);
                }
            } catch (IOException full) {
                // That is what it is for.
            }
        }

        void empty() {
            try {
                Files.delete(folder.resolve("filler"));
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        @Override
        public void close() {
            run("umount", "-l", folder.toString());
        }
    }

    static void run(String... command) {
        int exit = exit(command);
        if (exit != 0) {
            throw new IllegalStateException(String.join(" ", command) + ": exit " + exit);
        }
    }

    private static int exit(String... command) {
        try {
            Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
            String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            int exit = process.waitFor();
            if (exit != 0) {
                System.err.println(String.join(" ", command) + ": " + said);
            }
            return exit;
        } catch (IOException e) {
            return -1;
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }
}
