package io.weft.agent.mesh;

import io.weft.policy.DaemonThreads;
import java.util.concurrent.Executor;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/** For questions to the name service, which may take seconds: daemons, of no app loader, there only while something is asked. */
final class NameThreads implements Executor {
    private static final int THREADS = 4;

    private final ThreadPoolExecutor executor =
            new ThreadPoolExecutor(THREADS, THREADS, 10, TimeUnit.SECONDS, new LinkedBlockingQueue<>(),
                    new DaemonThreads("weft-names"));

    NameThreads() {
        executor.allowCoreThreadTimeOut(true);
    }

    @Override
    public void execute(Runnable task) {
        executor.execute(task);
    }
}
