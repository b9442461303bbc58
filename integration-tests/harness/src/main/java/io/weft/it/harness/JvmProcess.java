package io.weft.it.harness;

import io.weft.driver.Form;
import io.weft.driver.HttpAnswer;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import java.util.stream.Collectors;

/**
 * A JVM that a test has forked, with all that it printed. Thread-safe, but for {@link #ask} and what calls it. Dies with the
 * JVM of the test at the latest.
 */
public final class JvmProcess implements AutoCloseable {
    private static final Duration ANSWER = Duration.ofSeconds(60);
    private static final Duration EXIT = Duration.ofSeconds(30);
    private static final Duration DUMP = Duration.ofSeconds(20);
    private static final int REPORTED_LINES = 200;
    private static final int REPORTED_LENGTH = 400;

    private final String name;
    private final Process process;
    private final Thread killer;
    private final Output stdout;
    private final Output stderr;
    private int answersRead;

    private JvmProcess(String name, Process process) {
        this.name = name;
        this.process = process;
        this.killer = new Thread(process.toHandle()::destroyForcibly, "kill " + name);
        this.stdout = Output.of(process.getInputStream(), name + " stdout");
        this.stderr = Output.of(process.getErrorStream(), name + " stderr");
    }

    static JvmProcess start(String name, ProcessBuilder builder) {
        try {
            JvmProcess process = new JvmProcess(name, builder.start());
            Runtime.getRuntime().addShutdownHook(process.killer);
            return process;
        } catch (IOException e) {
            throw new UncheckedIOException("cannot start " + builder.command(), e);
        }
    }

    public long pid() {
        return process.pid();
    }

    /** Ends it, too: {@link Process#destroy} would close the streams, under the threads that read them and with what is still to be read. */
    public ProcessHandle handle() {
        return process.toHandle();
    }

    public List<String> stdout() {
        return stdout.lines();
    }

    public List<String> stderr() {
        return stderr.lines();
    }

    /** Waits for a line on standard output, at most a minute, from the start of the process on. */
    public String awaitStdout(Predicate<String> wanted) {
        return await(stdout, 0, wanted);
    }

    /** Waits for a line on standard error, at most a minute, from the start of the process on. */
    public String awaitStderr(Predicate<String> wanted) {
        return await(stderr, 0, wanted);
    }

    public void send(String line) {
        try {
            OutputStream in = process.getOutputStream();
            in.write((line + "\n").getBytes(StandardCharsets.UTF_8));
            in.flush();
        } catch (IOException e) {
            throw new UncheckedIOException(report(), e);
        }
    }

    /** Sends a form to a driver and waits for the next line that it prints. */
    public Map<String, String> ask(Map<String, String> form) {
        send(Form.write(form));
        return nextAnswer();
    }

    /** The next form that a driver prints unasked, such as the port of a server. */
    public Map<String, String> nextAnswer() {
        String line = stdout.await(answersRead, any -> true, ANSWER).orElseThrow(this::lost);
        answersRead++;
        try {
            return Form.read(line);
        } catch (IllegalArgumentException noForm) {
            throw new AssertionError("a driver printed something else than an answer: " + report(), noForm);
        }
    }

    /** The port that a server driver printed. To be called first. */
    public int awaitPort() {
        return Integer.parseInt(nextAnswer().get("port"));
    }

    /** A request of a client driver that is expected to be answered. */
    public HttpAnswer get(String url, Map<String, String> headers) {
        Map<String, String> answer = ask(request(url, headers));
        if (!answer.containsKey("status")) {
            throw new AssertionError("GET " + url + " failed: " + answer + "\n" + report());
        }
        return HttpAnswer.of(answer);
    }

    public HttpAnswer get(String url) {
        return get(url, Map.of());
    }

    /** A request of a client driver that is expected to fail: the fields {@code error}, {@code message}, {@code causes}. */
    public Map<String, String> getFailing(String url) {
        Map<String, String> answer = ask(request(url, Map.of()));
        if (!answer.containsKey("error")) {
            throw new AssertionError("GET " + url + " was answered: " + answer + "\n" + report());
        }
        return answer;
    }

    /** Many requests of a client driver, as a tally. */
    public Tally load(String url, Map<String, String> headers, int times, int threads) {
        return load(request(url, headers), times, threads);
    }

    /** @param request a driver's form */
    public Tally load(Map<String, String> request, int times, int threads) {
        Map<String, String> form = new LinkedHashMap<>(request);
        form.put("times", Integer.toString(times));
        form.put("threads", Integer.toString(threads));
        return Tally.of(ask(form));
    }

    /** As {@link #load}; the threads are virtual, which takes a JVM of 21 or later. */
    public Tally loadByVirtualThreads(String url, int times, int threads) {
        Map<String, String> form = request(url, Map.of());
        form.put("times", Integer.toString(times));
        form.put("threads", Integer.toString(threads));
        form.put("virtual", "true");
        return Tally.of(ask(form));
    }

    private static Map<String, String> request(String url, Map<String, String> headers) {
        Map<String, String> form = new LinkedHashMap<>();
        form.put("url", url);
        headers.forEach((name, value) -> form.put("header." + name, value));
        return form;
    }

    /** Asks the process to end (SIGTERM) and waits for it. */
    public int stop() {
        handle().destroy();
        return awaitExit();
    }

    /** Ends the process as a crash would (SIGKILL) and waits for it. */
    public void kill() {
        handle().destroyForcibly();
        awaitExit();
    }

    public int awaitExit() {
        return awaitExit(EXIT);
    }

    public int awaitExit(Duration patience) {
        try {
            if (!process.waitFor(patience.toMillis(), TimeUnit.MILLISECONDS)) {
                throw new AssertionError("still running after " + patience + ": " + report());
            }
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
        stdout.awaitEnd();
        stderr.awaitEnd();
        return process.exitValue();
    }

    public boolean isAlive() {
        return process.isAlive();
    }

    /** Kills the process, if it still runs. */
    @Override
    public void close() {
        handle().destroyForcibly();
        awaitExit();
        try {
            Runtime.getRuntime().removeShutdownHook(killer);
        } catch (IllegalStateException shuttingDown) {
            return;
        }
    }

    /** What it printed of late, for a failed test. */
    public String report() {
        String state = process.isAlive() ? "running" : "exit " + process.exitValue();
        return "--- " + name + " (" + state + ") stdout\n" + newest(stdout()) + "\n--- " + name + " stderr\n" + newest(stderr());
    }

    /** A driver that served many tests has printed much. */
    private static String newest(List<String> lines) {
        return lines.subList(Math.max(0, lines.size() - REPORTED_LINES), lines.size()).stream()
                .map(line -> line.length() > REPORTED_LENGTH ? line.substring(0, REPORTED_LENGTH) + "…" : line)
                .collect(Collectors.joining("\n"));
    }

    /** Ends it: whoever told it more would wait for ever once its pipe is full. */
    private AssertionError lost() {
        AssertionError lost = new AssertionError("did not answer, and is ended: " + report() + "\n--- " + name + " threads\n" + threads());
        handle().destroyForcibly();
        return lost;
    }

    private String threads() {
        String java = process.info().command().orElse("java");
        try {
            Process dump = new ProcessBuilder(Path.of(java).resolveSibling("jcmd").toString(), Long.toString(process.pid()), "Thread.print")
                    .redirectErrorStream(true).start();
            // A JVM that comes to no safepoint does not answer that, either.
            CompletableFuture.delayedExecutor(DUMP.toMillis(), TimeUnit.MILLISECONDS).execute(dump::destroyForcibly);
            return new String(dump.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            return "not known: " + e;
        }
    }

    private String await(Output output, int from, Predicate<String> wanted) {
        return output.await(from, wanted, ANSWER)
                .orElseThrow(() -> new AssertionError("did not print what was waited for: " + report()));
    }

    /** How often a client driver saw which outcome. */
    public record Tally(Map<String, Integer> counts) {
        private static Tally of(Map<String, String> answer) {
            return new Tally(answer.entrySet().stream().collect(Collectors.toMap(Map.Entry::getKey, e -> Integer.parseInt(e.getValue()))));
        }

        public int status(int status) {
            return counts.getOrDefault("status." + status, 0);
        }

        public int body(String body) {
            return counts.getOrDefault("body." + body, 0);
        }

        public int errors() {
            return counts.entrySet().stream().filter(e -> e.getKey().startsWith("error.")).mapToInt(Map.Entry::getValue).sum();
        }
    }

    /** The lines of one stream, collected by a daemon thread. */
    private static final class Output {
        private final List<String> lines = new ArrayList<>();
        private boolean ended;

        static Output of(InputStream stream, String name) {
            Output output = new Output();
            Thread reader = new Thread(() -> output.readAll(stream), name);
            reader.setDaemon(true);
            reader.start();
            return output;
        }

        private void readAll(InputStream stream) {
            try (BufferedReader reader = new BufferedReader(new InputStreamReader(stream, StandardCharsets.UTF_8))) {
                for (String line = reader.readLine(); line != null; line = reader.readLine()) {
                    add(line);
                }
            } catch (IOException e) {
                add("(stream broke: " + e + ")");
            } finally {
                end();
            }
        }

        private synchronized void add(String line) {
            lines.add(line);
            notifyAll();
        }

        private synchronized void end() {
            ended = true;
            notifyAll();
        }

        synchronized List<String> lines() {
            return List.copyOf(lines);
        }

        synchronized Optional<String> await(int from, Predicate<String> wanted, Duration patience) {
            long deadline = System.nanoTime() + patience.toNanos();
            int next = from;
            while (true) {
                for (; next < lines.size(); next++) {
                    if (wanted.test(lines.get(next))) {
                        return Optional.of(lines.get(next));
                    }
                }
                long left = TimeUnit.NANOSECONDS.toMillis(deadline - System.nanoTime());
                if (ended || left <= 0) {
                    return Optional.empty();
                }
                waitUpTo(left);
            }
        }

        synchronized void awaitEnd() {
            // A grandchild may hold the stream open: do not wait for it for ever.
            long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(5);
            for (long left = 5_000; !ended && left > 0; left = TimeUnit.NANOSECONDS.toMillis(deadline - System.nanoTime())) {
                waitUpTo(left);
            }
        }

        private void waitUpTo(long millis) {
            try {
                wait(millis);
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
        }
    }
}
