package io.weft.instrumentation.apachehttpclient5;

import java.util.concurrent.Executor;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.apache.hc.client5.http.async.AsyncExecChain;

/**
 * For what completes a request and has no thread of the library's to run on. Not the common pool: the app may have all of its threads
 * waiting for these very requests.
 *
 * <p>Daemons, as many as there is to do at once, and gone when there is nothing: each holds this adapter, and with it the app.
 */
final class AsyncThreads implements Executor, ThreadFactory {
    private final ThreadPoolExecutor executor =
            new ThreadPoolExecutor(0, Integer.MAX_VALUE, 1, TimeUnit.SECONDS, new SynchronousQueue<>(), this);

    @Override
    public void execute(Runnable task) {
        executor.execute(task);
    }

    @Override
    public Thread newThread(Runnable task) {
        Thread thread = new Thread(null, task, "weft-apache-async", 0, false);
        thread.setDaemon(true);
        // the library's, as on its reactor's threads: the app's callbacks run here
        thread.setContextClassLoader(AsyncExecChain.class.getClassLoader());
        return thread;
    }
}
