package io.weft.policy.xds;

import io.netty.channel.EventLoop;
import io.netty.channel.ManualIoEventLoop;
import io.netty.channel.nio.NioIoHandler;
import io.weft.policy.DaemonThreads;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/** The one thread of a policy client, and its event loop. Whoever starts it waits for nothing, not even for Netty's classes. */
final class ClientThread {
    private final Thread thread;
    private final Consumer<Throwable> failed;

    /** Guarded by this; null until the loop runs. */
    private List<Runnable> early = new ArrayList<>();
    private ManualIoEventLoop loop;

    /**
     * @param begin called first, on the thread
     * @param failed called on the thread when something was thrown that nothing on it expects; the loop goes on
     */
    ClientThread(Consumer<EventLoop> begin, Consumer<Throwable> failed) {
        this.failed = failed;
        this.thread = new DaemonThreads("weft-policy").newThread(() -> run(begin));
    }

    void start() {
        thread.start();
    }

    /** @return false: it is about to end, and the task is not run */
    boolean execute(Runnable task) {
        Runnable guarded = () -> guard(task);
        synchronized (this) {
            if (early != null) {
                early.add(guarded);
                return true;
            }
        }
        if (loop.isShuttingDown()) {
            // It may take what it never runs.
            return false;
        }
        try {
            loop.execute(guarded);
            return true;
        } catch (RejectedExecutionException e) {
            if (!loop.isShuttingDown()) {
                throw e;
            }
            return false;
        }
    }

    /** Runs the last task, then ends the loop; waits for both unless it is called on the thread itself. */
    void stop(Runnable last, Duration patience) throws InterruptedException {
        execute(() -> {
            guard(last);
            loop.shutdownGracefully(0, patience.toMillis(), TimeUnit.MILLISECONDS);
        });
        if (Thread.currentThread() != thread) {
            thread.join(patience.toMillis());
        }
    }

    private void run(Consumer<EventLoop> begin) {
        ManualIoEventLoop fresh = new ManualIoEventLoop(thread, NioIoHandler.newFactory());
        fresh.execute(() -> guard(() -> begin.accept(fresh)));
        synchronized (this) {
            loop = fresh;
            early.forEach(fresh::execute);
            early = null;
        }
        while (!fresh.isTerminated()) {
            fresh.run(0);
        }
    }

    private void guard(Runnable task) {
        try {
            task.run();
        } catch (Throwable e) {
            failed.accept(e);
        }
    }
}
