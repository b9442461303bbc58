package io.weft.dataplane;

import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;

/** Timers on a daemon thread of their own, which starts with the first of them and belongs to no app loader. */
public final class TimerThread implements Timers {
    private final ScheduledThreadPoolExecutor executor = new ScheduledThreadPoolExecutor(1, new Threads());
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

    private static final class Threads implements ThreadFactory {
        @Override
        public Thread newThread(Runnable task) {
            Thread thread = new Thread(null, task, "weft-timer", 0, false);
            thread.setDaemon(true);
            thread.setContextClassLoader(TimerThread.class.getClassLoader());
            return thread;
        }
    }
}
