package io.weft.instrumentation;

import io.weft.dataplane.NanoClock;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Sockets in a pool that looks only at those to the host that is asked for, and so never again at one to an endpoint that has gone: whoever gives one back closes
 * what has been idle for too long, once in a while. A socket that goes back and forth is put down once. Thread-safe.
 */
public final class IdleSockets {
    // In place of the time since which a socket is idle.
    static final long NEVER_WAS = Long.MIN_VALUE;
    private static final long IS_NOT = Long.MIN_VALUE + 1;
    private static final long FOR_TOO_LONG = Long.MIN_VALUE + 2;

    private static final long LIMIT_NANOS = TimeUnit.MINUTES.toNanos(5);
    private static final long PAUSE_NANOS = TimeUnit.MINUTES.toNanos(1);

    private final NanoClock clock;
    /** Those that have been idle, until they are closed, with what closes them. */
    private final Map<MeshSocket, Runnable> sockets = new ConcurrentHashMap<>();
    private final AtomicLong looked;

    public IdleSockets(NanoClock clock) {
        this.clock = clock;
        looked = new AtomicLong(clock.nanoTime());
    }

    /** @param close of the connection that the socket is of; does not block. It counts the first time */
    public void add(MeshSocket socket, Runnable close) {
        long now = clock.nanoTime();
        boolean known = socket.idleSince.get() != NEVER_WAS;
        socket.idleSince.setRelease(now);
        if (!known) {
            sockets.put(socket, close);
            socket.isKnownTo(this);
        }
        long last = looked.get();
        if (now - last >= PAUSE_NANOS && looked.compareAndSet(last, now)) {
            sockets.forEach((each, closing) -> look(each, closing, now));
        }
    }

    /** It is wanted again. If that is too late, the socket is closed on return. */
    public void remove(MeshSocket socket) {
        long since = socket.idleSince.get();
        while (since != IS_NOT && since != NEVER_WAS && !(since > FOR_TOO_LONG && socket.idleSince.compareAndSet(since, IS_NOT))) {
            // Whoever closes it does not block.
            Thread.yield();
            since = socket.idleSince.get();
        }
    }

    int known() {
        return sockets.size();
    }

    /** It is closed. */
    void forget(MeshSocket socket) {
        sockets.remove(socket);
    }

    private void look(MeshSocket socket, Runnable close, long now) {
        long since = socket.idleSince.get();
        if (since > FOR_TOO_LONG && now - since >= LIMIT_NANOS && socket.idleSince.compareAndSet(since, FOR_TOO_LONG)) {
            try {
                close.run();
            } finally {
                socket.idleSince.compareAndSet(FOR_TOO_LONG, IS_NOT);
            }
        }
    }
}
