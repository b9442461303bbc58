package io.weft.agent.mesh;

import java.util.concurrent.Executor;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/** For questions to the name service, which may take seconds: daemons, of no app loader, there only while something is asked. */
final class NameThreads implements Executor, ThreadFactory {
    private static final int THREADS = 4;

    private final ThreadPoolExecutor executor =
            new ThreadPoolExecutor(THREADS, THREADS, 10, TimeUnit.SECONDS, new LinkedBlockingQueue<>(), this);

    NameThreads() {
        executor.allowCoreThreadTimeOut(true);
    }

    @Override
    public void execute(Runnable task) {
        executor.execute(task);
    }

    @Override
    public Thread newThread(Runnable task) {
        Thread thread = new Thread(null, task, "weft-names", 0, false);
        thread.setDaemon(true);
        thread.setContextClassLoader(NameThreads.class.getClassLoader());
        return thread;
    }
}
