package io.weft.controlplane.ca;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;
import java.util.regex.Pattern;

/**
 * The roots that a control plane made for one mesh, in a file for its owner only. A control plane and the command line may use it
 * at the same time: every change is made under a lock. Not thread-safe.
 */
public final class RootFile implements RootStore {

    private static final Pattern SAFE = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,200}");

    private static final Duration LOCK_TIMEOUT = Duration.ofSeconds(5);
    private static final Duration LOCK_POLL = Duration.ofMillis(10);

    private static final ReentrantLock IN_THIS_PROCESS = new ReentrantLock();

    private final String mesh;
    private final Path file;

    /**
     * @param state the control plane's folder
     * @throws IOException the mesh's name cannot be a file's
     */
    public RootFile(Path state, String mesh) throws IOException {
        if (!SAFE.matcher(mesh).matches()) {
            throw new IOException("the name of mesh '" + mesh + "' cannot be used for a file: give it letters, digits, '.', '-' and '_' only");
        }
        this.mesh = mesh;
        this.file = state.resolve("ca").resolve(mesh + ".json");
    }

    public Path path() {
        return file;
    }

    @Override
    public String toString() {
        return file.toString();
    }

    @Override
    public Optional<Object> stamp() throws IOException {
        try {
            return Optional.of(List.of(Files.getLastModifiedTime(file), Files.size(file)));
        } catch (NoSuchFileException e) {
            return Optional.empty();
        }
    }

    @Override
    public RootSet at(Instant now, Duration leafLifetime) throws IOException {
        Locked locked = lock();
        try (locked) {
            Optional<RootSet> known = read();
            if (known.isEmpty()) {
                RootSet first = RootSet.first(mesh, now);
                write(first);
                return first;
            }
            RootSet current = known.get().goingOn(mesh, now, leafLifetime);
            if (!current.equals(known.get())) {
                write(current);
            }
            return current;
        }
    }

    /**
     * Begins a rotation: the new root is trusted from now on, and signs when every workload that is in contact knows it.
     *
     * @throws IOException the file is not there or cannot be used
     * @throws IllegalStateException a rotation is under way
     */
    public RootSet rotate(Instant now, Duration overlap) throws IOException {
        // Not even a lock where there is nothing to lock: the folder may be a wrong one.
        if (!Files.exists(file)) {
            throw none();
        }
        Locked locked = lock();
        try (locked) {
            RootSet known = read().orElseThrow(this::none);
            RootSet rotating = known.rotate(Root.generate(mesh, now), now, overlap);
            write(rotating);
            return rotating;
        }
    }

    private IOException none() {
        return new NoSuchFileException(file.toString(), null,
                "mesh " + mesh + " has no root of its own yet; it is made when an identity is first asked for");
    }

    /** Against other processes; within one, a file can be locked only once. */
    private record Locked(FileChannel channel) implements AutoCloseable {
        @Override
        public void close() throws IOException {
            try {
                channel.close();
            } finally {
                IN_THIS_PROCESS.unlock();
            }
        }
    }

    private Locked lock() throws IOException {
        IN_THIS_PROCESS.lock();
        FileChannel channel = null;
        try {
            Path lockFile = file.resolveSibling("." + mesh + ".lock");
            if (!Files.exists(lockFile)) {
                OwnerOnlyFile.create(lockFile, new byte[0]);
            }
            channel = FileChannel.open(lockFile, StandardOpenOption.WRITE);
            awaitLock(channel, lockFile);
            return new Locked(channel);
        } catch (IOException | RuntimeException e) {
            IN_THIS_PROCESS.unlock();
            if (channel != null) {
                channel.close();
            }
            throw e;
        }
    }

    /** Whoever holds it may be stopped or hang, and this control plane does more than to rotate roots. */
    private static void awaitLock(FileChannel channel, Path lockFile) throws IOException {
        long start = System.nanoTime();
        while (channel.tryLock() == null) {
            if (System.nanoTime() - start >= LOCK_TIMEOUT.toNanos()) {
                throw new IOException("another process has held " + lockFile + " for more than " + LOCK_TIMEOUT.toSeconds()
                        + " s; end it");
            }
            LockSupport.parkNanos(LOCK_POLL.toNanos());
        }
    }

    private Optional<RootSet> read() throws IOException {
        byte[] bytes;
        try {
            bytes = OwnerOnlyFile.read(file);
        } catch (NoSuchFileException e) {
            return Optional.empty();
        }
        try {
            return Optional.of(RootSetText.read(bytes));
        } catch (IOException e) {
            throw new IOException("the roots in " + file + " cannot be used: " + e.getMessage(), e);
        }
    }

    private void write(RootSet roots) throws IOException {
        OwnerOnlyFile.replace(file, RootSetText.write(roots));
    }
}
