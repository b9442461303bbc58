package io.weft.instrumentation.apachehttpclient5;

import io.weft.dataplane.ClientConnection;
import io.weft.dataplane.ClientTls;
import io.weft.dataplane.Endpoint;
import io.weft.instrumentation.Attached;
import io.weft.instrumentation.Handler;
import java.io.IOException;
import java.lang.ref.WeakReference;
import java.net.ConnectException;
import java.net.Socket;
import java.util.Collections;
import java.util.Set;
import java.util.WeakHashMap;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLSession;
import javax.net.ssl.SSLSocket;
import org.apache.hc.core5.io.CloseMode;
import org.apache.hc.core5.io.ModalCloseable;
import org.apache.hc.core5.util.TimeValue;

/**
 * The endpoint to which this thread is connecting. The library gives a connection its socket on the thread that asked for it: once
 * before it is connected, in versions before 5.4, and once after; there mesh TLS comes in.
 */
final class Dialing {
    private static final class Dial {
        private final Endpoint endpoint;
        /** Of {@link System#nanoTime}. */
        private long until;
        /** To send a request, for which there should be a connection. */
        private final boolean sends;
        private boolean secured;

        Dial(Endpoint endpoint, long limitNanos, boolean sends) {
            this.endpoint = endpoint;
            this.until = System.nanoTime() + limitNanos;
            this.sends = sends;
        }
    }

    private final ThreadLocal<Dial> current = new ThreadLocal<>();
    private final Attached<ClientConnection> connections = new Attached<>();
    /** There is something while this thread has got a connection from the pool that policy has taken away meanwhile. */
    private final ThreadLocal<Boolean> outdated = new ThreadLocal<>();
    /** Of the mesh: the app sees no TLS. */
    private final Set<SSLSession> sessions = Collections.synchronizedSet(Collections.newSetFromMap(new WeakHashMap<>()));

    /**
     * To be ended by the same thread.
     *
     * @param nanos how long connecting may take, the handshake included
     */
    void begin(Endpoint endpoint, long nanos) {
        current.set(new Dial(endpoint, nanos, false));
    }

    /** A request is about to be sent over a connection with mesh TLS, which the library makes anew if it finds it closed. To be ended by the same thread. */
    void beginSending(Endpoint endpoint, long nanos) {
        current.set(new Dial(endpoint, nanos, true));
    }

    void endSending() {
        current.remove();
    }

    /** @param limit for the connect of this thread that begins now; null or not above zero: none */
    TimeValue within(TimeValue limit) {
        Dial dial = current.get();
        if (dial != null && limit != null && limit.getDuration() > 0) {
            long until = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(limit.toMilliseconds());
            if (until - dial.until < 0) {
                dial.until = until;
            }
        }
        return limit;
    }

    /** @return whether the connection is as policy wants it: whoever is told otherwise must not send anything over it */
    boolean end() {
        Dial dial = current.get();
        current.remove();
        return dial.endpoint.tls() == null || dial.secured;
    }

    /** @return the socket that the connection is to use */
    Object secure(Object connection, Socket socket) {
        Dial dial = current.get();
        ClientTls tls = dial == null ? null : dial.endpoint.tls();
        if (tls == null || !socket.isConnected()) {
            return socket;
        }
        try {
            SSLSocket secured = tls.layer(socket, dial.endpoint.address(), dial.until - System.nanoTime());
            sessions.add(secured.getSession());
            connections.put(connection, tls.connections().opened(closing(connection)));
            dial.secured = true;
            return secured;
        } catch (Throwable e) {
            return new Handler.Thrown(e instanceof IOException ? e : new ConnectException("mesh TLS cannot be set up: " + e));
        }
    }

    private static Runnable closing(Object connection) {
        WeakReference<Object> pooled = new WeakReference<>(connection);
        return () -> close(pooled.get());
    }

    private static void close(Object connection) {
        if (connection instanceof ModalCloseable open) {
            open.close(CloseMode.GRACEFUL);
        }
    }

    /** A pool gives a connection to this thread. */
    void leased(Object connection) {
        ClientConnection secured = connections.of(connection);
        if (secured != null && !secured.lease()) {
            outdated.set(true);
        }
    }

    /** Whether the connection that this thread has got last is to be discarded; said once. */
    boolean isOutdated() {
        boolean is = outdated.get() != null;
        if (is) {
            outdated.remove();
        }
        return is;
    }

    /** A pool gets it back. */
    void released(Object connection) {
        ClientConnection secured = connections.of(connection);
        if (secured != null && !secured.giveBack()) {
            close(connection);
        }
    }

    /**
     * The library asks a connection for it just before it writes a request.
     *
     * @return null for a session of the mesh
     */
    Object visible(Object connection, SSLSession session) {
        Dial dial = current.get();
        if (dial != null && dial.sends) {
            // from here on the app's own code may run, which may connect elsewhere
            current.remove();
            if (connections.of(connection) == null) {
                return new Handler.Thrown(new ConnectException("mesh TLS to " + dial.endpoint + " is not in place"));
            }
        }
        return session == null || sessions.contains(session) ? null : session;
    }
}
