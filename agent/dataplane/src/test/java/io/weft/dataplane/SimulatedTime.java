package io.weft.dataplane;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;

/** Stands still until a test moves it; then whatever is due on the way is done, at its time. */
public final class SimulatedTime implements NanoClock, InstantSource, Timers {
    private static final long BEGINNING = Long.MAX_VALUE - 1_000;

    private final AtomicLong now = new AtomicLong(BEGINNING);
    /** In the order of their scheduling. */
    private final List<Scheduled> scheduled = new ArrayList<>();

    @Override
    public long nanoTime() {
        return now.get();
    }

    /** Begins at noon of the first day of 2030. */
    @Override
    public Instant instant() {
        return Instant.parse("2030-01-01T12:00:00Z").plusNanos(now.get() - BEGINNING);
    }

    public void advance(Duration by) {
        long end = now.get() + by.toNanos();
        for (Scheduled next = due(end); next != null; next = due(end)) {
            if (next.at() - now.get() > 0) {
                now.set(next.at());
            }
            next.task().run();
        }
        now.set(end);
    }

    private synchronized Scheduled due(long end) {
        Scheduled first = null;
        for (Scheduled candidate : scheduled) {
            if (candidate.at() - end <= 0 && (first == null || candidate.at() - first.at() < 0)) {
                first = candidate;
            }
        }
        scheduled.remove(first);
        return first;
    }

    /** What has not to wait is done before it returns. */
    @Override
    public Timer schedule(long delayNanos, Runnable task) {
        if (delayNanos <= 0) {
            task.run();
            return () -> {};
        }
        return scheduleLater(delayNanos, task);
    }

    private synchronized Timer scheduleLater(long delayNanos, Runnable task) {
        Scheduled entry = new Scheduled(now.get() + delayNanos, task);
        scheduled.add(entry);
        return () -> cancel(entry);
    }

    private synchronized void cancel(Scheduled entry) {
        scheduled.removeIf(candidate -> candidate == entry);
    }

    /** How many tasks wait for their time. */
    public synchronized int pending() {
        return scheduled.size();
    }

    private record Scheduled(long at, Runnable task) {}
}
