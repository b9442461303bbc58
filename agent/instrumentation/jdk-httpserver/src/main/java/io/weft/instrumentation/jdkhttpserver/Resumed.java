package io.weft.instrumentation.jdkhttpserver;

import io.weft.policy.DaemonThreads;
import java.util.concurrent.Executor;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/** Where what was held up goes on. Each thread starts with the first that needs it and ends when it has had nothing to do for a while. */
final class Resumed {
    static final Executor CONNECTIONS = thread("weft-held-up");
    /** For as long as the app's handlers take, which connections must not wait for. */
    static final Executor REQUESTS = thread("weft-held-up-requests");

    /** For executors of apps, some of which run in place what they are given. */
    static final Executor HAND_OVERS = thread("weft-held-up-hand-overs");

    private Resumed() {}

    private static Executor thread(String name) {
        ThreadPoolExecutor one = new ThreadPoolExecutor(1, 1, 10, TimeUnit.SECONDS, new LinkedBlockingQueue<>(),
                // What runs on them runs an app's code, and may make an app's threads: as on the server's own, in most apps.
                new DaemonThreads(name, ClassLoader.getSystemClassLoader()));
        one.allowCoreThreadTimeOut(true);
        return one;
    }
}
