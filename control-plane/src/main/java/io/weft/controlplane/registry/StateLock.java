package io.weft.controlplane.registry;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.HashSet;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps a second control plane off a state folder: each would overwrite what the other saves. The operating system releases it when
 * the process ends, however it ends. The command line's work on keys does not need it. Thread-safe.
 */
public final class StateLock implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(StateLock.class);

    /** A process cannot lock a file against itself, and loses its lock as soon as it closes the file once. */
    private static final Set<Path> IN_THIS_PROCESS = new HashSet<>();

    private final Path folder;
    private final FileChannel channel;

    private StateLock(Path folder, FileChannel channel) {
        this.folder = folder;
        this.channel = channel;
    }

    /**
     * @param state created when needed
     * @throws IOException it is taken, or cannot be created
     */
    public static StateLock take(Path state) throws IOException {
        // Through a link to a folder Java 17 cannot create one that is there.
        if (!Files.isDirectory(state)) {
            try {
                Files.createDirectories(state);
            } catch (IOException e) {
                throw unusable(state, e);
            }
        }
        Path folder = state.toRealPath();
        synchronized (IN_THIS_PROCESS) {
            if (!IN_THIS_PROCESS.add(folder)) {
                throw taken(state);
            }
            try {
                return new StateLock(folder, lock(state));
            } catch (IOException | RuntimeException e) {
                IN_THIS_PROCESS.remove(folder);
                throw e;
            }
        }
    }

    private static FileChannel lock(Path state) throws IOException {
        Path file = state.resolve("control-plane.lock");
        FileChannel channel;
        try {
            channel = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        } catch (IOException e) {
            throw unusable(state, e);
        }
        boolean locked;
        try {
            locked = channel.tryLock() != null;
        } catch (IOException e) {
            // Some network file systems have no locks.
            LOG.warn("{} cannot be locked ({}); see to it that no other control plane uses this folder", file, e.toString());
            locked = true;
        }
        if (!locked) {
            channel.close();
            throw taken(state);
        }
        return channel;
    }

    /** The system's own words may be no more than a path. */
    private static IOException unusable(Path state, IOException why) {
        return new IOException("nothing can be kept in the state folder " + state + " (" + why + "); make it writable for this user,"
                + " or name another one with --state-dir", why);
    }

    private static IOException taken(Path state) {
        return new IOException("another control plane uses the state folder " + state
                + "; stop that one, or give this one a folder of its own with --state-dir");
    }

    @Override
    public void close() throws IOException {
        synchronized (IN_THIS_PROCESS) {
            if (channel.isOpen()) {
                channel.close();
                IN_THIS_PROCESS.remove(folder);
            }
        }
    }
}
