package io.weft.agent.mesh;

import io.weft.agent.log.AgentLog;
import io.weft.policy.DaemonThreads;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/** The agent's one thread for what is not a request: a daemon, of no app loader, started with the first task. */
public final class Background {
    private final ScheduledThreadPoolExecutor executor = new ScheduledThreadPoolExecutor(1, new DaemonThreads("weft-agent"));
    private final AgentLog log;

    public Background(AgentLog log) {
        this.log = log;
        executor.setRemoveOnCancelPolicy(true);
    }

    /** @param what for people, should it fail */
    public void run(String what, Runnable task) {
        executor.execute(new Reported(what, task, log));
    }

    /** @return to cancel it by */
    public Future<?> runAfter(long milliseconds, String what, Runnable task) {
        return executor.schedule(new Reported(what, task, log), milliseconds, TimeUnit.MILLISECONDS);
    }

    private record Reported(String what, Runnable task, AgentLog log) implements Runnable {
        @Override
        public void run() {
            try {
                task.run();
            } catch (Throwable fault) {
                log.faultOnce("background " + what, "cannot " + what, fault);
            }
        }
    }
}
