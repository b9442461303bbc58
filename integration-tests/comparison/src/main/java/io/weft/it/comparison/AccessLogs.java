package io.weft.it.comparison;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The access logs of both sides, which have the same policy and so the same file. Each line says of which case and exchange it is
 * ({@link #KEY}). Thread-safe.
 */
final class AccessLogs implements AutoCloseable {
    /** The case, in the requests of which something is written that is compared. */
    static final String CASE = "x-case";
    /** For one of a line's fields. */
    static final String KEY = "%REQ(" + CASE + ")% %REQ(" + Upstreams.TAG + ")%";
    /** With which the last line of every request ends. */
    static final String END = "that is all";

    private static final Pattern WRITTEN_KEY = Pattern.compile("(case[0-9]{6}) ((Envoy|JVM)-[0-9]+-[0-9]+)");
    private static final long PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(5);
    private static final long PAUSE_MILLIS = 20;

    private final Path file;
    private final Map<String, List<String>> lines = new ConcurrentHashMap<>();
    private final Thread reader = new Thread(this::read, "access logs");

    /** @param folder for the file */
    AccessLogs(Path folder) {
        try {
            file = Files.createFile(folder.resolve("access.log"));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        reader.setDaemon(true);
        reader.start();
    }

    Path file() {
        return file;
    }

    /** Waits for what is written of an exchange; if the last line does not come, what there is. */
    List<String> take(String id, String tag) {
        String key = id + " " + tag;
        long deadline = System.nanoTime() + PATIENCE_NANOS;
        while (!ended(key) && System.nanoTime() - deadline < 0) {
            pause();
        }
        List<String> written = lines.remove(key);
        return written == null ? List.of() : written;
    }

    private boolean ended(String key) {
        List<String> written = lines.get(key);
        return written != null && written.get(written.size() - 1).endsWith(END);
    }

    private void read() {
        try (RandomAccessFile log = new RandomAccessFile(file.toFile(), "r")) {
            byte[] unfinished = new byte[0];
            while (!Thread.currentThread().isInterrupted()) {
                byte[] more = new byte[(int) (log.length() - log.getFilePointer())];
                log.readFully(more);
                String text = new String(unfinished, StandardCharsets.ISO_8859_1) + new String(more, StandardCharsets.ISO_8859_1);
                int end = text.lastIndexOf('\n') + 1;
                text.substring(0, end).lines().forEach(this::take);
                unfinished = text.substring(end).getBytes(StandardCharsets.ISO_8859_1);
                pause();
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Lines of requests that nobody compares have no key. */
    private void take(String line) {
        Matcher key = WRITTEN_KEY.matcher(line);
        if (key.find()) {
            lines.compute(key.group(), (of, before) -> {
                List<String> with = before == null ? new ArrayList<>() : new ArrayList<>(before);
                with.add(key.replaceFirst("KEY"));
                return List.copyOf(with);
            });
        }
    }

    private static void pause() {
        try {
            Thread.sleep(PAUSE_MILLIS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Override
    public void close() {
        reader.interrupt();
    }
}
