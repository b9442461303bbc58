package io.weft.controlplane;

import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Work that is done once however often it is asked for, and again if asked for after it began. Thread-safe.
 */
final class Coalesced {

    private static final Logger LOG = LoggerFactory.getLogger(Coalesced.class);

    private final Executor executor;
    private final Runnable work;
    private final AtomicBoolean requested = new AtomicBoolean();

    /** @param executor of one thread */
    Coalesced(Executor executor, Runnable work) {
        this.executor = executor;
        this.work = work;
    }

    void request() {
        if (requested.compareAndSet(false, true)) {
            try {
                executor.execute(this::run);
            } catch (RejectedExecutionException e) {
                stopping();
            }
        }
    }

    private static void stopping() {
        LOG.debug("not done, this control plane is stopping");
    }

    private void run() {
        requested.set(false);
        try {
            work.run();
        } catch (RejectedExecutionException e) {
            stopping();
        } catch (RuntimeException | Error e) {
            LOG.error("a change could not be applied; what was served before is served on. Please report this", e);
        }
    }
}
