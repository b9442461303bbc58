package io.weft.controlplane.policy;

import io.weft.controlplane.policy.FolderReader.Listing;
import io.weft.controlplane.policy.FolderReader.Stamp;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.ClosedWatchServiceException;
import java.nio.file.Path;
import java.nio.file.StandardWatchEventKinds;
import java.nio.file.WatchKey;
import java.nio.file.WatchService;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reads a folder whenever it changes. Told by the operating system where it can, and looks by itself every {@link #POLL}
 * besides, for file systems that tell nothing and on platforms whose watch service is slow.
 *
 * <p>A reading counts only if no file changed while it was made; one that has just become empty is given a
 * moment to be filled, because some editors empty a file before they write it, and one that has gone as long to come back. What keeps
 * changing for longer than {@link #RESTLESS} is left out as unreadable, and the others are read without it.
 *
 * <p>A file that is removed is taken for removed. Files that go all at once, or with the folder itself, are more likely a folder that
 * is being replaced or a mount that was lost: they count as unreadable, which keeps what they had, until they are back or the hold is
 * over.
 *
 * <p>Runs on a thread of its own, on which the listener is called too.
 */
public final class FolderWatcher implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(FolderWatcher.class);

    private static final Duration POLL = Duration.ofMillis(500);
    /** Quiet time after an event: several files of one save, or a write in pieces, are read together. */
    private static final Duration SETTLE = Duration.ofMillis(10);
    private static final Duration RESTLESS = Duration.ofSeconds(2);
    /** Equal to no look at a file, so that it is looked at again. */
    private static final Stamp.Unusable UNSETTLED =
            new Stamp.Unusable("changes all the time; what it had before stays in force until it is left alone");

    /**
     * @param refill for an empty file to be filled, and for a file that has gone to come back, or for others to follow it
     * @param hold how long files that went all at once still count
     */
    public record Patience(Duration refill, Duration hold) {
        public static final Patience DEFAULT = new Patience(Duration.ofMillis(100), Duration.ofSeconds(10));
    }

    private final FolderReader reader;
    private final Patience patience;
    private final Consumer<List<SourceText>> listener;
    private final Thread thread;
    private final WatchService watchService;
    private volatile boolean closed;
    // What follows is confined to the thread once it runs.
    private WatchKey watch;
    private Listing seen;
    /** Whether another folder stands in the place of the one that was seen. */
    private boolean replaced;
    /** Files that are gone and still count. */
    private final SortedSet<String> missing = new TreeSet<>();
    private long missingUntil;
    private String lastFailure = "";

    /** @param seen what the folder was like before its content went to the listener */
    private FolderWatcher(FolderReader reader, Patience patience, Listing seen, Consumer<List<SourceText>> listener)
            throws IOException {
        this.reader = reader;
        this.patience = patience;
        this.listener = listener;
        this.seen = seen;
        Path folder = reader.folder();
        this.watchService = folder.getFileSystem().newWatchService();
        this.watch = watch();
        this.thread = new Thread(this::run, "weft-policy-folder");
        this.thread.setDaemon(true);
    }

    private WatchKey watch() throws IOException {
        return reader.folder().register(
                watchService,
                StandardWatchEventKinds.ENTRY_CREATE,
                StandardWatchEventKinds.ENTRY_MODIFY,
                StandardWatchEventKinds.ENTRY_DELETE);
    }

    /**
     * Hands the folder's content to the listener, on the caller's thread, and from then on each change.
     *
     * @throws IOException if the folder does not exist or cannot be read
     */
    public static FolderWatcher start(FolderReader reader, Patience patience, Consumer<List<SourceText>> listener)
            throws IOException {
        Listing seen = reader.look();
        listener.accept(reader.read());
        FolderWatcher watcher = new FolderWatcher(reader, patience, seen, listener);
        watcher.thread.start();
        return watcher;
    }

    private void run() {
        while (!closed) {
            try {
                readIfChanged(awaitEvent());
                lastFailure = "";
            } catch (ClosedWatchServiceException | InterruptedException e) {
                return;
            } catch (IOException | UncheckedIOException e) {
                if (isNew(e)) {
                    LOG.warn("the policy folder {} cannot be read ({}); what is in force stays in force",
                            reader.folder(), e.toString());
                }
            } catch (Throwable e) {
                // Errors too: without this thread no change would be seen any more.
                if (isNew(e)) {
                    LOG.error("a change in the policy folder could not be applied; what is in force stays in force", e);
                }
            }
        }
    }

    private boolean isNew(Throwable failure) {
        boolean known = closed || failure.toString().equals(lastFailure);
        lastFailure = failure.toString();
        return !known;
    }

    private boolean awaitEvent() throws InterruptedException {
        WatchKey key = watchService.poll(POLL.toMillis(), TimeUnit.MILLISECONDS);
        boolean told = key != null;
        long start = System.nanoTime();
        while (key != null) {
            key.pollEvents();
            key.reset();
            key = System.nanoTime() - start < POLL.toNanos()
                    ? watchService.poll(SETTLE.toMillis(), TimeUnit.MILLISECONDS)
                    : null;
        }
        return told;
    }

    private void readIfChanged(boolean told) throws IOException, InterruptedException {
        // A folder that was deleted invalidates its key, even if the next one gets its inode.
        replaced |= !watch.isValid();
        Listing before = reader.look();
        if (!watch.isValid() || !before.folder().equals(seen.folder())) {
            replaced = true;
            watchAnew();
        }
        // An event with equal stamps is a write within the clock's resolution.
        if (!told && !holdIsOver() && before.equals(seen)) {
            return;
        }
        long start = System.nanoTime();
        while (true) {
            List<SourceText> contents = reader.read();
            Listing after = reader.look();
            long waited = System.nanoTime() - start;
            boolean mayBeFilled = waited < patience.refill.toNanos() && (emptied(after) || lacks(after));
            if (after.equals(before) && !mayBeFilled || waited >= patience.refill.toNanos() + RESTLESS.toNanos()) {
                take(contents, before, after);
                return;
            }
            before = after;
            Thread.sleep(SETTLE.toMillis());
        }
    }

    private void watchAnew() {
        watch.cancel();
        try {
            watch = watch();
        } catch (IOException e) {
            // It is looked at all the same, and tried again then.
            LOG.debug("the policy folder {} cannot be watched", reader.folder(), e);
        }
    }

    private boolean holdIsOver() {
        return !missing.isEmpty() && System.nanoTime() - missingUntil >= 0;
    }

    private boolean emptied(Listing now) {
        return now.files().entrySet().stream().anyMatch(entry -> isEmpty(entry.getValue())
                && seen.files().get(entry.getKey()) instanceof Stamp.Regular old
                && old.size() > 0);
    }

    private static boolean isEmpty(Stamp stamp) {
        return stamp instanceof Stamp.Regular regular && regular.size() == 0;
    }

    private boolean lacks(Listing now) {
        return !now.files().keySet().containsAll(seen.files().keySet());
    }

    private void take(List<SourceText> read, Listing before, Listing after) {
        List<SourceText> contents = new ArrayList<>(read);
        SortedMap<String, Stamp> stamps = new TreeMap<>(after.files());
        for (String name : different(before.files(), after.files())) {
            contents.removeIf(content -> content.name().equals(name));
            contents.add(SourceText.failed(name, UNSETTLED.reason()));
            stamps.put(name, UNSETTLED);
        }
        noteMissing(stamps);
        for (String name : missing) {
            contents.add(SourceText.failed(name, "is gone together with the folder or with all other files; what it had stays in force"
                    + " for " + patience.hold.toMillis() + " ms, unless it comes back"));
        }
        listener.accept(contents);
        seen = new Listing(after.folder(), stamps);
        replaced = false;
    }

    private static Set<String> different(SortedMap<String, Stamp> some, SortedMap<String, Stamp> others) {
        Set<String> names = new HashSet<>(some.keySet());
        names.addAll(others.keySet());
        names.removeIf(name -> Objects.equals(some.get(name), others.get(name)));
        return names;
    }

    private void noteMissing(SortedMap<String, Stamp> now) {
        Set<String> gone = new TreeSet<>(seen.files().keySet());
        gone.removeAll(now.keySet());
        missing.removeAll(now.keySet());
        if (holdIsOver()) {
            LOG.warn("files that were gone have not come back to {} and count as removed: {}", reader.folder(), missing);
            missing.clear();
        }
        // The only file is as a rule removed on purpose.
        boolean atOnce = replaced || now.isEmpty() && gone.size() > 1;
        if (atOnce && !gone.isEmpty()) {
            missing.addAll(gone);
            missingUntil = System.nanoTime() + patience.hold.toNanos();
        }
    }

    @Override
    public void close() throws IOException {
        closed = true;
        watchService.close();
        thread.interrupt();
    }
}
