package io.weft.controlplane.demo;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/** A JVM of the demo. Its error output goes to a log file; its output to a reader, or to the same file. */
final class ChildProcess implements AutoCloseable {
    private final String name;
    private final Path log;
    private final Process process;
    /** From then on its output may break off. */
    private volatile boolean ending;

    private ChildProcess(String name, Path log, Process process) {
        this.name = name;
        this.log = log;
        this.process = process;
    }

    /** Starts it with its output in the log file. */
    static ChildProcess start(String name, List<String> command, Map<String, String> environment, Path logs)
            throws IOException {
        Path log = logs.resolve(name + ".log");
        ProcessBuilder builder = builder(command, environment, log);
        return new ChildProcess(name, log, builder.redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile())).start());
    }

    /** Starts it and hands each line of its output to the reader, on a thread of its own. */
    static ChildProcess startReading(
            String name, List<String> command, Map<String, String> environment, Path logs, Consumer<String> reader)
            throws IOException {
        Path log = logs.resolve(name + ".log");
        Process process = builder(command, environment, log).start();
        ChildProcess child = new ChildProcess(name, log, process);
        Thread thread = new Thread(() -> child.read(reader), "demo-" + name);
        thread.setDaemon(true);
        thread.start();
        return child;
    }

    private static ProcessBuilder builder(List<String> command, Map<String, String> environment, Path log) {
        ProcessBuilder builder = new ProcessBuilder(command);
        // The shell's own mesh settings are not for these.
        builder.environment().keySet().removeIf(name -> name.startsWith("WEFT_") || name.equals("JAVA_TOOL_OPTIONS"));
        builder.environment().putAll(environment);
        return builder.redirectError(ProcessBuilder.Redirect.appendTo(log.toFile()));
    }

    private void read(Consumer<String> reader) {
        try (BufferedReader lines = process.inputReader(StandardCharsets.UTF_8)) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                reader.accept(line);
            }
        } catch (IOException e) {
            if (!ending && process.isAlive()) {
                throw new UncheckedIOException("Reading the output of process " + process.pid(), e);
            }
        }
    }

    String name() {
        return name;
    }

    long pid() {
        return process.pid();
    }

    /** @throws IllegalStateException when it has ended, with the end of its log */
    void requireAlive() {
        if (!process.isAlive()) {
            throw new IllegalStateException(
                    "%s ended with exit code %d. The end of %s:%n%s".formatted(name, process.exitValue(), log, tail()));
        }
    }

    private String tail() {
        try {
            List<String> lines = Files.readAllLines(log);
            return String.join(System.lineSeparator(), lines.subList(Math.max(0, lines.size() - 15), lines.size()));
        } catch (IOException e) {
            return "(unreadable: " + e.getMessage() + ")";
        }
    }

    /** As {@code kill -9}. */
    void kill() throws InterruptedException {
        ending = true;
        process.destroyForcibly();
        process.waitFor();
    }

    /** Asks it to end and waits; after ten seconds it is killed. */
    void stop() throws InterruptedException {
        close();
        if (!process.waitFor(10, TimeUnit.SECONDS)) {
            kill();
        }
    }

    /** Asks it to end without waiting. */
    @Override
    public void close() {
        ending = true;
        process.destroy();
    }

    /** @return false when it had to be killed */
    boolean awaitEnd(long deadlineMs) throws InterruptedException {
        if (process.waitFor(Math.max(0, deadlineMs - System.currentTimeMillis()), TimeUnit.MILLISECONDS)) {
            return true;
        }
        kill();
        return false;
    }
}
