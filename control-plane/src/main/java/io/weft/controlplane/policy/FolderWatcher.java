package io.weft.controlplane.policy;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.ClosedWatchServiceException;
import java.nio.file.Path;
import java.nio.file.StandardWatchEventKinds;
import java.nio.file.WatchKey;
import java.nio.file.WatchService;
import java.time.Duration;
import java.util.List;
import java.util.SortedMap;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reads a folder whenever it changes. Told by the operating system where it can, and looks by itself every {@link #POLL}
 * besides, for file systems that tell nothing and on platforms whose watch service is slow.
 *
 * <p>A reading counts only if no file changed while it was made; one that has just become empty is given {@link #REFILL}
 * to be filled, because some editors empty a file before they write it.
 *
 * <p>Runs on a thread of its own, on which the listener is called too.
 */
public final class FolderWatcher implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(FolderWatcher.class);
    private static final Duration POLL = Duration.ofMillis(500);
    /** Quiet time after an event: several files of one save, or a write in pieces, are read together. */
    private static final Duration SETTLE = Duration.ofMillis(10);
    private static final Duration REFILL = Duration.ofMillis(100);

    private final FolderReader reader;
    private final Consumer<List<FolderReader.FileContent>> listener;
    private final Thread thread;
    private final WatchService watchService;
    private volatile boolean closed;
    private SortedMap<String, FolderReader.Stamp> seen;

    /**
     * @param reader already read once by the caller, when the folder had the stamps {@code seen}
     * @throws IOException if the folder cannot be watched
     */
    private FolderWatcher(
            FolderReader reader,
            SortedMap<String, FolderReader.Stamp> seen,
            Consumer<List<FolderReader.FileContent>> listener)
            throws IOException {
        this.reader = reader;
        this.listener = listener;
        this.seen = seen;
        Path folder = reader.folder();
        this.watchService = folder.getFileSystem().newWatchService();
        folder.register(
                watchService,
                StandardWatchEventKinds.ENTRY_CREATE,
                StandardWatchEventKinds.ENTRY_MODIFY,
                StandardWatchEventKinds.ENTRY_DELETE);
        this.thread = new Thread(this::run, "weft-policy-folder");
        this.thread.setDaemon(true);
    }

    /**
     * Hands the folder's content to the listener, on the caller's thread, and from then on each change.
     *
     * @throws IOException if the folder does not exist or cannot be read
     */
    public static FolderWatcher start(FolderReader reader, Consumer<List<FolderReader.FileContent>> listener)
            throws IOException {
        SortedMap<String, FolderReader.Stamp> seen = reader.stamps();
        listener.accept(reader.read());
        FolderWatcher watcher = new FolderWatcher(reader, seen, listener);
        watcher.thread.start();
        return watcher;
    }

    private void run() {
        boolean failing = false;
        while (!closed) {
            try {
                boolean told = awaitEvent();
                readIfChanged(told);
                failing = false;
            } catch (ClosedWatchServiceException | InterruptedException e) {
                return;
            } catch (IOException | UncheckedIOException e) {
                if (!failing) {
                    LOG.warn("the policy folder {} cannot be read ({}); what is in force stays in force",
                            reader.folder(), e.toString());
                }
                failing = true;
            } catch (RuntimeException e) {
                LOG.error("a change in the policy folder could not be applied; what is in force stays in force", e);
            }
        }
    }

    private boolean awaitEvent() throws InterruptedException {
        WatchKey key = watchService.poll(POLL.toMillis(), TimeUnit.MILLISECONDS);
        boolean told = key != null;
        while (key != null) {
            key.pollEvents();
            key.reset();
            key = watchService.poll(SETTLE.toMillis(), TimeUnit.MILLISECONDS);
        }
        return told;
    }

    private void readIfChanged(boolean told) throws IOException, InterruptedException {
        SortedMap<String, FolderReader.Stamp> before = reader.stamps();
        // An event with equal stamps is a write within the clock's resolution.
        if (!told && before.equals(seen)) {
            return;
        }
        long refillBy = System.nanoTime() + REFILL.toNanos();
        while (true) {
            List<FolderReader.FileContent> contents = reader.read();
            SortedMap<String, FolderReader.Stamp> after = reader.stamps();
            boolean settled = after.equals(before) && !(emptied(after) && System.nanoTime() < refillBy);
            if (settled) {
                seen = after;
                listener.accept(contents);
                return;
            }
            before = after;
            Thread.sleep(SETTLE.toMillis());
        }
    }

    private boolean emptied(SortedMap<String, FolderReader.Stamp> now) {
        return now.entrySet().stream().anyMatch(entry -> {
            FolderReader.Stamp old = seen.get(entry.getKey());
            return entry.getValue().size() == 0 && old != null && old.size() > 0;
        });
    }

    @Override
    public void close() throws IOException {
        closed = true;
        watchService.close();
        thread.interrupt();
    }
}
