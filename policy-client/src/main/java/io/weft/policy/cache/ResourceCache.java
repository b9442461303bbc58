package io.weft.policy.cache;

import io.weft.policy.cache.CacheFile.UnusableException;
import io.weft.policy.parse.RawResource;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;

/**
 * The last good resources in one file, so that a process started without its control plane still has a policy. Whatever is
 * wrong with the file or the disk is said once and harms nothing.
 *
 * <p>A reader sees the old file or the new one, whole: the new one is written beside it and moved over it.
 */
public final class ResourceCache {
    private static final long MAX_BYTES = 512L << 20;
    private static final int MAX_NAME = 64;
    private static final String UNFINISHED = ".tmp";
    private static final Duration ABANDONED = Duration.ofHours(1);

    private final Path directory;
    private final Path file;
    private final CacheKey key;
    private final ScheduledExecutorService executor;
    private final Duration quiet;
    private final Consumer<String> problems;

    private final AtomicReference<List<RawResource>> waiting = new AtomicReference<>();
    // Guarded by this, which only writers hold.
    private byte[] writtenDigest = {};
    private String lastProblem = "";

    /**
     * @param directory created when absent
     * @param executor writes the file; must not be the event loop
     * @param quiet how long after a change the file is written; further changes meanwhile go into the same write
     * @param problems told what went wrong, from any thread
     */
    public ResourceCache(
            Path directory, CacheKey key, ScheduledExecutorService executor, Duration quiet, Consumer<String> problems) {
        this.directory = directory;
        this.file = directory.resolve(fileName(key));
        this.key = key;
        this.executor = executor;
        this.quiet = quiet;
        this.problems = problems;
    }

    /** Reads the file; empty when there is none or it is no good. Blocks. */
    public List<RawResource> load() {
        try {
            if (Files.size(file) > MAX_BYTES) {
                throw new UnusableException("it is larger than " + (MAX_BYTES >> 20) + " MB");
            }
            return CacheFile.decode(key, Files.readAllBytes(file));
        } catch (NoSuchFileException e) {
            return List.of();
        } catch (UnusableException e) {
            problems.accept("Policy cache " + file + " is ignored: " + e.getMessage() + ". The next policy replaces it.");
        } catch (IOException | RuntimeException e) {
            problems.accept("Policy cache " + file + " cannot be read: " + e + ". Check weft.cache.dir and its permissions.");
        }
        return List.of();
    }

    /** Has the resources written soon; returns at once. The latest call wins. */
    public void store(List<RawResource> resources) {
        if (waiting.getAndSet(List.copyOf(resources)) == null) {
            try {
                executor.schedule(this::flush, quiet.toMillis(), TimeUnit.MILLISECONDS);
            } catch (RejectedExecutionException e) {
                // Shutting down: what waits is written by the flush that comes with it.
                return;
            }
        }
    }

    /** Writes what is waiting, if anything, on the calling thread. */
    public synchronized void flush() {
        List<RawResource> resources = waiting.getAndSet(null);
        if (resources == null) {
            return;
        }
        byte[] bytes = CacheFile.encode(key, resources);
        byte[] digest = CacheFile.digest(bytes);
        if (Arrays.equals(digest, writtenDigest)) {
            return;
        }
        try {
            replace(bytes);
            writtenDigest = digest;
            lastProblem = "";
        } catch (IOException | RuntimeException e) {
            String problem = "Policy cache " + file + " cannot be written: " + e + ". Check weft.cache.dir, its permissions and"
                    + " free space; until then a start without the control plane has an old policy or none.";
            if (!problem.equals(lastProblem)) {
                lastProblem = problem;
                problems.accept(problem);
            }
        }
    }

    private void replace(byte[] bytes) throws IOException {
        Files.createDirectories(directory);
        Path unfinished = directory.resolve(file.getFileName() + "." + UUID.randomUUID() + UNFINISHED);
        try {
            try (FileChannel channel =
                    FileChannel.open(unfinished, Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE), ownerOnly())) {
                for (ByteBuffer rest = ByteBuffer.wrap(bytes); rest.hasRemaining(); ) {
                    channel.write(rest);
                }
                channel.force(true);
            }
            FileTime now = Files.getLastModifiedTime(unfinished);
            Files.move(unfinished, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
            removeAbandoned(now);
        } finally {
            Files.deleteIfExists(unfinished);
        }
    }

    /** Where the file system knows permissions: who may call whom is nobody else's affair. */
    private FileAttribute<?>[] ownerOnly() {
        return directory.getFileSystem().supportedFileAttributeViews().contains("posix")
                ? new FileAttribute<?>[] {PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------"))}
                : new FileAttribute<?>[0];
    }

    /** A process that was killed while writing has left its file behind. */
    private void removeAbandoned(FileTime now) throws IOException {
        try (DirectoryStream<Path> files = Files.newDirectoryStream(directory, file.getFileName() + ".*" + UNFINISHED)) {
            for (Path other : files) {
                FileTime then = modified(other);
                if (now.toMillis() - then.toMillis() > ABANDONED.toMillis()) {
                    Files.deleteIfExists(other);
                }
            }
        }
    }

    private static FileTime modified(Path path) throws IOException {
        try {
            return Files.getLastModifiedTime(path);
        } catch (NoSuchFileException e) {
            // Another process has just finished it.
            return FileTime.fromMillis(Long.MAX_VALUE);
        }
    }

    private static String fileName(CacheKey key) {
        String readable = key.service().replaceAll("[^A-Za-z0-9_-]", "_");
        if (readable.length() > MAX_NAME) {
            readable = readable.substring(0, MAX_NAME);
        }
        // The name is for people; the whole key tells services apart.
        UUID whole = UUID.nameUUIDFromBytes(
                (key.mesh() + '\0' + key.service() + '\0' + key.sharers() + '\0' + key.controlPlane()).getBytes(StandardCharsets.UTF_8));
        return readable + '-' + whole + ".policy";
    }
}
