package io.weft.dataplane;

import io.weft.policy.DaemonThreads;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/** Timers on a daemon thread of their own, which starts with the first of them and belongs to no app loader. */
public final class TimerThread implements Timers {
    private final ScheduledThreadPoolExecutor executor = new ScheduledThreadPoolExecutor(1, new DaemonThreads("weft-timer"));
    private final Faults faults;

    /** @param faults told, on the timer thread, what a task threw; the other tasks go on */
    public TimerThread(Faults faults) {
        this.faults = faults;
        executor.setRemoveOnCancelPolicy(true);
    }

    @Override
    public Timer schedule(long delayNanos, Runnable task) {
        var scheduled = executor.schedule(() -> run(task), delayNanos, TimeUnit.NANOSECONDS);
        return () -> scheduled.cancel(false);
    }

    private void run(Runnable task) {
        try {
            task.run();
        } catch (Throwable fault) {
            faults.fault("timer", fault);
        }
    }
}
