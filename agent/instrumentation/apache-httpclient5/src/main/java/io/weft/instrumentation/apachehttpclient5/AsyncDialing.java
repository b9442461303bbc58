package io.weft.instrumentation.apachehttpclient5;

import io.weft.dataplane.ClientConnection;
import io.weft.dataplane.ClientTls;
import io.weft.instrumentation.Attached;
import io.weft.instrumentation.SharedConnection;
import java.lang.ref.WeakReference;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.apache.hc.core5.concurrent.FutureCallback;
import org.apache.hc.core5.http.nio.command.ShutdownCommand;
import org.apache.hc.core5.io.CloseMode;
import org.apache.hc.core5.reactor.Command;
import org.apache.hc.core5.reactor.IOSession;
import org.apache.hc.core5.util.Timeout;

/**
 * What is to be dialled on this thread, and what was secured. The library asks a reactor for a connection on the thread that wants one,
 * and tells whoever wants it before the first event of the new connection: there mesh TLS comes in.
 */
final class AsyncDialing {
    /** Of a thread, and kept: to put a value into a thread and take it out again costs more than all else here. */
    private static final class Current {
        private AsyncDial dial;
        private boolean outdated;
    }

    /** For the peer to read that it is over. */
    private static final int CLOSING_SECONDS = 1;

    private final AsyncInternals internals;
    private final ThreadLocal<Current> current = ThreadLocal.withInitial(Current::new);

    /** By session. Those that have mesh TLS: the app sees none. */
    private final Attached<ClientConnection> connections = new Attached<>();

    /** Likewise, those of clients that speak HTTP/2 alone. */
    private final Attached<SharedConnection> shared = new Attached<>();

    AsyncDialing(AsyncInternals internals) {
        this.internals = internals;
    }

    /**
     * To be ended by the same thread. May nest: whoever hears at once that there is no connection may ask for another one.
     *
     * @return what is to be given to {@link #end}
     */
    AsyncDial begin(AsyncDial dial) {
        Current here = current.get();
        AsyncDial outer = here.dial;
        here.dial = dial;
        return outer;
    }

    void end(AsyncDial outer) {
        current.get().dial = outer;
    }

    // A reactor is asked for a connection: these come one after the other.

    Timeout within(Timeout limit) {
        AsyncDial dial = current.get().dial;
        if (dial != null) {
            dial.within(limit);
        }
        return limit;
    }

    /** @param address of the app's; null: the library would look up the name. The pool of a client that speaks HTTP/2 alone has none. */
    Object at(Object address) {
        AsyncDial dial = current.get().dial;
        return address == null && dial != null && dial.speaksHttp2Alone() ? dial.endpoint().address() : address;
    }

    /** @param attachment of the library's, an {@code HttpVersionPolicy} where it is one of HttpClient's */
    Object speaking(Object attachment) {
        AsyncDial dial = current.get().dial;
        if (dial != null) {
            dial.speaksHttp2(attachment != null && attachment.toString().equals("FORCE_HTTP_2"));
        }
        return attachment;
    }

    /** @return whom the reactor is to tell instead */
    FutureCallback<IOSession> secured(FutureCallback<IOSession> callback) {
        AsyncDial dial = current.get().dial;
        return dial == null || dial.endpoint().tls() == null ? callback : new Securing(this, dial, callback);
    }

    /** The handshake is done. */
    void secured(IOSession session, AsyncDial dial) {
        ClientTls tls = dial.endpoint().tls();
        if (dial.speaksHttp2Alone()) {
            WeakReference<IOSession> pooled = new WeakReference<>(session);
            shared.put(session, new SharedConnection(tls, () -> closeShared(pooled.get())));
        } else {
            connections.put(session, tls.connections().opened(closing(session)));
        }
    }

    private static Runnable closing(IOSession session) {
        WeakReference<IOSession> pooled = new WeakReference<>(session);
        return () -> close(pooled.get());
    }

    /** On the reactor's thread, once what is under way there is over. */
    private static void close(IOSession session) {
        if (session != null) {
            session.enqueue(ShutdownCommand.GRACEFUL, Command.Priority.IMMEDIATE);
        }
    }

    /** No request is on it, nor comes on it any more. With TLS 1.3 the library waits for the peer to close it, too, without an end. */
    private static void closeShared(IOSession session) {
        if (session != null) {
            close(session);
            CompletableFuture.delayedExecutor(CLOSING_SECONDS, TimeUnit.SECONDS, AsyncHop.THREADS).execute(() -> session.close(CloseMode.IMMEDIATE));
        }
    }

    boolean isSecured(Object session) {
        return connections.of(session) != null || shared.of(session) != null;
    }

    /**
     * A request is about to be given to a connection of a client that speaks HTTP/2 alone.
     *
     * @return false: policy has taken it away meanwhile, and it is closed, so that the library's pool gives another one
     */
    boolean lease(IOSession session, long waitsSince) {
        SharedConnection connection = shared.of(session);
        if (connection == null || connection.lease(waitsSince)) {
            return true;
        }
        session.close(CloseMode.IMMEDIATE);
        return false;
    }

    /** After each request that was given to it. */
    void giveBack(IOSession session) {
        SharedConnection connection = shared.of(session);
        if (connection != null && !connection.giveBack()) {
            closeShared(session);
        }
    }

    /** A pool gives a connection to whoever is told of it on this thread. */
    void leased(Object connection) throws Throwable {
        ClientConnection secured = connections.of(internals.session(connection));
        if (secured != null && !secured.lease()) {
            current.get().outdated = true;
        }
    }

    /** Whether policy has taken away meanwhile what this thread has got from a pool last; said once. */
    boolean isOutdated() {
        Current here = current.get();
        boolean is = here.outdated;
        here.outdated = false;
        return is;
    }

    /** A pool gets it back. */
    void released(Object connection) throws Throwable {
        IOSession session = internals.session(connection);
        ClientConnection secured = connections.of(session);
        if (secured != null && !secured.giveBack()) {
            close(session);
        }
    }
}
