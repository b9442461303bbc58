package io.weft.agent.log;

import io.weft.dataplane.Faults;
import io.weft.dataplane.accesslog.AccessLogSink;
import io.weft.policy.DaemonThreads;
import io.weft.policy.model.AccessLog;
import java.io.BufferedOutputStream;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.LockSupport;

/**
 * Writes access logs on a daemon thread of its own, started with the first line. What it cannot keep up with is lost and counted,
 * so that no request waits. A file that was moved away is opened anew within a second; one that cannot be opened is said once; one that
 * policy does not name any more is closed.
 */
public final class AccessLogFiles implements AccessLogSink {
    private static final int MAX_WAITING = 16_384;
    private static final long PAUSE_NANOS = TimeUnit.MILLISECONDS.toNanos(100);
    private static final long CHECK_NANOS = TimeUnit.SECONDS.toNanos(1);
    private static final long LAST_MILLIS = 300;

    private record Line(String path, String text) {}

    private final Faults faults;
    private final Queue<Line> waiting = new ConcurrentLinkedQueue<>();
    private final AtomicInteger count = new AtomicInteger();
    private final LongAdder lost = new LongAdder();
    private volatile Thread writer;
    private volatile boolean ending;
    /** Null: nothing was said yet. */
    private volatile Set<String> named;
    /** Of the writer's thread. */
    private final Map<String, Output> outputs = new HashMap<>();

    public AccessLogFiles(Faults faults) {
        this.faults = faults;
    }

    @Override
    public void write(String path, String line) {
        if (count.incrementAndGet() > MAX_WAITING) {
            count.decrementAndGet();
            lost.increment();
            return;
        }
        waiting.add(new Line(path, line));
        if (writer == null) {
            start();
        }
    }

    /** From now on policy names these paths, and no others: what is still written to those is of requests that began before. */
    public void keep(Set<String> paths) {
        named = Set.copyOf(paths);
    }

    /** Lines that were lost so far. */
    public long lost() {
        return lost.sum();
    }

    private synchronized void start() {
        if (writer == null) {
            Thread thread = new DaemonThreads("weft-access-log").newThread(this::run);
            writer = thread;
            thread.start();
        }
    }

    private void run() {
        boolean last;
        do {
            last = ending;
            try {
                drain();
            } catch (Throwable fault) {
                faults.fault("access logs", fault);
            }
            if (!last) {
                // Nobody wakes it: a request pays nothing for being written down.
                LockSupport.parkNanos(this, PAUSE_NANOS);
            }
        } while (!last);
    }

    /** Has what is waiting written, before the process ends. Waits 300 ms at most: a disk or a pipe may be stuck. */
    public void close() {
        ending = true;
        Thread running = writer;
        if (running != null) {
            LockSupport.unpark(running);
            try {
                running.join(LAST_MILLIS);
            } catch (InterruptedException hurried) {
                Thread.currentThread().interrupt();
            }
        }
    }

    private void drain() {
        Line line = waiting.poll();
        while (line != null) {
            count.decrementAndGet();
            outputs.computeIfAbsent(line.path, Output::new).write(line.text);
            line = waiting.poll();
        }
        for (Output output : outputs.values()) {
            output.flush();
        }
        Set<String> kept = named;
        if (kept != null) {
            outputs.values().removeIf(output -> !kept.contains(output.path) && output.close());
        }
    }

    private final class Output {
        private final String path;
        private OutputStream stream;
        private Object key;
        private long checkedNanos;

        Output(String path) {
            this.path = path;
        }

        void write(String text) {
            byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
            try {
                open();
                stream.write(bytes);
            } catch (IOException e) {
                failed(e);
            }
        }

        void flush() {
            try {
                if (stream != null) {
                    stream.flush();
                }
            } catch (IOException e) {
                failed(e);
            }
        }

        /** The process's own streams stay open: others use them. */
        boolean close() {
            try {
                if (stream != null && !isStandard()) {
                    stream.close();
                }
            } catch (IOException e) {
                failed(e);
            }
            return true;
        }

        private boolean isStandard() {
            return path.equals(AccessLog.STDOUT) || path.equals(AccessLog.STDERR);
        }

        private void open() throws IOException {
            boolean standard = isStandard();
            long now = System.nanoTime();
            if (stream != null && !standard && now - checkedNanos > CHECK_NANOS) {
                checkedNanos = now;
                if (!Objects.equals(key, keyOf(path))) {
                    stream.close();
                    stream = null;
                }
            }
            if (stream == null) {
                // The process's own streams, not System.out, which apps redirect.
                OutputStream raw = standard
                        ? new FileOutputStream(path.equals(AccessLog.STDOUT) ? FileDescriptor.out : FileDescriptor.err)
                        : new FileOutputStream(path, true);
                stream = new BufferedOutputStream(raw);
                key = standard ? null : keyOf(path);
                checkedNanos = now;
            }
        }

        private void failed(IOException e) {
            lost.increment();
            stream = null;
            faults.fault("access log " + path, e);
        }
    }

    /** Which file is under the name; null when there is none. */
    private static Object keyOf(String path) {
        try {
            return Files.readAttributes(Path.of(path), BasicFileAttributes.class).fileKey();
        } catch (IOException e) {
            // moved away, so another one is to be begun
            return null;
        }
    }
}
