package io.weft.instrumentation.jdkhttpserver;

import java.util.concurrent.Executor;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/** Where what was held up goes on. Started with the first that needs it; ends when it has had nothing to do for a while. */
final class Resumed {
    static final Executor THREAD = thread();

    private Resumed() {}

    private static Executor thread() {
        ThreadPoolExecutor one = new ThreadPoolExecutor(1, 1, 10, TimeUnit.SECONDS, new LinkedBlockingQueue<>(), task -> {
            Thread thread = new Thread(task, "weft-held-up");
            thread.setDaemon(true);
            return thread;
        });
        one.allowCoreThreadTimeOut(true);
        return one;
    }
}
