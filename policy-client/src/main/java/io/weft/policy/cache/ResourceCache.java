package io.weft.policy.cache;

import io.weft.policy.parse.RawResource;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.ScheduledExecutorService;
import java.util.function.Consumer;

/**
 * The last good resources in one file, so that a process started without its control plane still has a policy. Whatever is
 * wrong with the file or the disk is said once and harms nothing.
 */
public final class ResourceCache {

    /**
     * @param directory created when absent
     * @param executor writes the file; must not be the event loop
     * @param quiet how long after a change the file is written; further changes meanwhile go into the same write
     * @param problems told what went wrong, from any thread
     */
    public ResourceCache(
            Path directory, CacheKey key, ScheduledExecutorService executor, Duration quiet, Consumer<String> problems) {
        throw new UnsupportedOperationException("cache");
    }

    /** Reads the file; empty when there is none or it is no good. Blocks. */
    public List<RawResource> load() {
        throw new UnsupportedOperationException("cache");
    }

    /** Has the resources written soon; returns at once. The latest call wins. */
    public void store(List<RawResource> resources) {
        throw new UnsupportedOperationException("cache");
    }

    /** Writes what is waiting, if anything, on the calling thread. */
    public void flush() {
        throw new UnsupportedOperationException("cache");
    }
}
