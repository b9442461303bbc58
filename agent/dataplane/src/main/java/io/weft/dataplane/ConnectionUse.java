package io.weft.dataplane;

import io.weft.policy.model.HttpConnectionManager.ConnectionLimits;
import java.util.concurrent.atomic.AtomicInteger;

/** How long a connection has carried requests, and how many. Thread-safe. */
final class ConnectionUse {
    private final long sinceNanos;
    private final AtomicInteger requests = new AtomicInteger();

    private ConnectionUse(long sinceNanos) {
        this.sinceNanos = sinceNanos;
    }

    /** Counts a request, and says whether it is to be the last. */
    static boolean endsWithThis(Connection connection, ConnectionLimits limits, NanoClock clock) {
        ConnectionUse use = (ConnectionUse) connection.kept(ConnectionUse.class, owner -> new ConnectionUse(clock.nanoTime()));
        int number = use.requests.incrementAndGet();
        long most = limits.duration().toNanos();
        return limits.requests() > 0 && number >= limits.requests()
                || most > 0 && clock.nanoTime() - use.sinceNanos >= most;
    }
}
