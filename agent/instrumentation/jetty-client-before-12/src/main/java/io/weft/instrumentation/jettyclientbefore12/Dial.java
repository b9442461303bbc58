package io.weft.instrumentation.jettyclientbefore12;

import java.net.SocketTimeoutException;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.eclipse.jetty.client.HttpClient;
import org.eclipse.jetty.client.api.Connection;
import org.eclipse.jetty.util.Promise;
import org.eclipse.jetty.util.thread.Scheduler;

/**
 * A connection to an endpoint that the library opens, with its handshake: one that takes longer than policy allows has failed as far as the
 * pool knows, and is closed if it comes after all. What waits in the pool for a place does not connect. Thread-safe.
 */
final class Dial implements Promise<Connection> {
    private final HttpClient client;
    private final Promise<Connection> pool;
    private final AtomicBoolean told = new AtomicBoolean();
    private final Scheduler.Task patience;

    Dial(HttpClient client, Promise<Connection> pool, long nanos) {
        this.client = client;
        this.pool = pool;
        this.patience = client.getScheduler().schedule(this::isLate, nanos, TimeUnit.NANOSECONDS);
    }

    @Override
    public void succeeded(Connection connection) {
        if (told.compareAndSet(false, true)) {
            patience.cancel();
            pool.succeeded(connection);
        } else {
            connection.close();
        }
    }

    @Override
    public void failed(Throwable failure) {
        if (told.compareAndSet(false, true)) {
            patience.cancel();
            pool.failed(failure);
        }
    }

    /** On the scheduler's thread, which is for nothing that takes time. */
    private void isLate() {
        if (!told.compareAndSet(false, true)) {
            return;
        }
        try {
            client.getExecutor().execute(this::giveUp);
        } catch (RejectedExecutionException stopped) {
            giveUp();
        }
    }

    private void giveUp() {
        pool.failed(new SocketTimeoutException("Connect Timeout"));
    }
}
