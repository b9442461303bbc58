package io.weft.controlplane.registry;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/** Runs what is due when the test says that time has passed, on the test's thread. */
final class SimulatedScheduler extends ScheduledThreadPoolExecutor {

    private final List<Task> tasks = new ArrayList<>();
    private long now;

    private record Task(long due, Runnable work, ScheduledFuture<?> future) {}

    SimulatedScheduler() {
        super(1);
    }

    @Override
    public ScheduledFuture<?> schedule(Runnable work, long delay, TimeUnit unit) {
        // Never runs by itself; it is there to be cancelled.
        ScheduledFuture<?> future = super.schedule(() -> {}, 365, TimeUnit.DAYS);
        tasks.add(new Task(now + unit.toNanos(delay), work, future));
        return future;
    }

    void advance(long nanos) {
        long until = now + nanos;
        while (true) {
            tasks.removeIf(task -> task.future.isCancelled());
            Task next = tasks.stream().min(Comparator.comparingLong(Task::due)).filter(task -> task.due <= until).orElse(null);
            if (next == null) {
                now = until;
                return;
            }
            tasks.remove(next);
            now = Math.max(now, next.due);
            next.work.run();
        }
    }
}
