package io.weft.instrumentation;

import io.weft.policy.DaemonThreads;
import java.util.concurrent.Executor;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/**
 * For what completes a request and has no thread of the library's to run on. Not the common pool: the app may have all of its threads
 * waiting for these very requests.
 *
 * <p>Daemons, as many as there is to do at once, and gone when there is nothing: each holds an adapter, and with it the app.
 */
public final class AsyncThreads implements Executor {
    private final ThreadPoolExecutor executor;

    /**
     * @param name of all of them
     * @param library whose loader it is: theirs, as on its own threads, for the app's callbacks run here
     */
    public AsyncThreads(String name, ClassLoader library) {
        executor = new ThreadPoolExecutor(
                0, Integer.MAX_VALUE, 1, TimeUnit.SECONDS, new SynchronousQueue<>(), new DaemonThreads(name, library));
    }

    @Override
    public void execute(Runnable task) {
        executor.execute(task);
    }
}
