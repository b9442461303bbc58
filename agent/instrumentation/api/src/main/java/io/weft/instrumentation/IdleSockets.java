package io.weft.instrumentation;

import io.weft.dataplane.NanoClock;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Sockets in a pool that looks only at those to the host that is asked for, and so never again at one to an endpoint that has gone: whoever gives one back closes
 * what has been idle for too long, once in a while. Thread-safe.
 */
public final class IdleSockets {
    private static final long LIMIT_NANOS = TimeUnit.MINUTES.toNanos(5);
    private static final long PAUSE_NANOS = TimeUnit.MINUTES.toNanos(1);

    private record Idle(Runnable close, long since) {}

    private final NanoClock clock;
    private final Map<MeshSocket, Idle> sockets = new ConcurrentHashMap<>();
    private final AtomicLong looked;

    public IdleSockets(NanoClock clock) {
        this.clock = clock;
        looked = new AtomicLong(clock.nanoTime());
    }

    /** @param close of the connection that the socket is of; does not block */
    public void add(MeshSocket socket, Runnable close) {
        long now = clock.nanoTime();
        sockets.put(socket, new Idle(close, now));
        long last = looked.get();
        if (now - last >= PAUSE_NANOS && looked.compareAndSet(last, now)) {
            sockets.keySet().forEach(idle -> sockets.computeIfPresent(idle, (key, each) -> closed(each, now) ? null : each));
        }
    }

    /** It is wanted again. If that is too late, the socket is closed on return. */
    public void remove(MeshSocket socket) {
        sockets.remove(socket);
    }

    private static boolean closed(Idle idle, long now) {
        if (now - idle.since() < LIMIT_NANOS) {
            return false;
        }
        idle.close().run();
        return true;
    }
}
