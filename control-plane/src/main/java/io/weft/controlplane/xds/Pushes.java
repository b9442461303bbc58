package io.weft.controlplane.xds;

import java.time.Duration;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.Set;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * How much is on its way to all readers together. What one change means for thousands of them at once need not fit into memory: those for
 * whom there is no room are told when others have answered, or when none has for {@link #PATIENCE}. Thread-safe.
 */
final class Pushes {

    static final Duration PATIENCE = Duration.ofSeconds(2);

    private static final Logger LOG = LoggerFactory.getLogger(Pushes.class);

    private final long most;
    private final ScheduledExecutorService scheduler;
    private final Set<Runnable> waiting = new LinkedHashSet<>();
    private long underWay;
    /** Counts how often those who did not answer have been given up. */
    private long round;
    private long answers;
    private boolean telling;
    private boolean watched;

    /** A response that has not been answered. */
    record Sent(long round, long bytes) {

        static final Sent NOTHING = new Sent(-1, 0);
    }

    /**
     * @param most bytes, beyond which nothing is begun
     * @param scheduler on which those are told who had to wait
     */
    Pushes(long most, ScheduledExecutorService scheduler) {
        this.most = most;
        this.scheduler = scheduler;
    }

    /** Whether there is room. If there is none yet, {@code later} is run as soon as there is, once however often it waits meanwhile. */
    synchronized boolean hasRoom(Runnable later) {
        if (underWay < most && waiting.isEmpty()) {
            return true;
        }
        waiting.add(later);
        watch();
        return false;
    }

    synchronized Sent sent(long bytes) {
        underWay += bytes;
        return new Sent(round, bytes);
    }

    /** Or never will be. */
    synchronized void answered(Sent response) {
        if (response.round == round) {
            underWay -= response.bytes;
            answers++;
            if (underWay < most && !waiting.isEmpty() && !telling) {
                telling = true;
                execute(this::tell);
            }
        }
    }

    private void tell() {
        for (Runnable next = next(); next != null; next = next()) {
            try {
                next.run();
            } catch (RuntimeException e) {
                LOG.error("a data plane could not be told what changed; it keeps what it has. Please report this", e);
            }
        }
    }

    private synchronized Runnable next() {
        Iterator<Runnable> all = waiting.iterator();
        if (underWay >= most || !all.hasNext()) {
            telling = false;
            return null;
        }
        Runnable next = all.next();
        all.remove();
        return next;
    }

    private void watch() {
        if (!watched) {
            watched = true;
            long before = answers;
            try {
                scheduler.schedule(() -> look(before), PATIENCE.toMillis(), TimeUnit.MILLISECONDS);
            } catch (RejectedExecutionException e) {
                LOG.debug("nobody is told any more, this control plane is stopping");
            }
        }
    }

    private void look(long before) {
        synchronized (this) {
            watched = false;
            if (waiting.isEmpty()) {
                return;
            }
            if (answers == before) {
                round++;
                underWay = 0;
            }
            watch();
            telling = true;
        }
        tell();
    }

    private void execute(Runnable task) {
        try {
            scheduler.execute(task);
        } catch (RejectedExecutionException e) {
            LOG.debug("nobody is told any more, this control plane is stopping");
        }
    }
}
