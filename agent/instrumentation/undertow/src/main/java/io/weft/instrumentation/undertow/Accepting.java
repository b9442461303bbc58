package io.weft.instrumentation.undertow;

import io.undertow.UndertowOptions;
import io.undertow.server.OpenListener;
import io.undertow.server.ServerConnection;
import io.undertow.util.AttachmentKey;
import io.weft.dataplane.Inbound;
import io.weft.dataplane.InboundConnection;
import io.weft.dataplane.InboundConnection.Fate;
import io.weft.instrumentation.AdapterContext;
import io.weft.instrumentation.Handler;
import java.net.InetSocketAddress;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.RejectedExecutionException;
import org.xnio.IoUtils;
import org.xnio.StreamConnection;
import org.xnio.channels.SslChannel;

/** From an accepted connection to what Undertow speaks over it. Thread-safe. */
final class Accepting {
    private static final AttachmentKey<InboundConnection> ACCEPTED = AttachmentKey.create(InboundConnection.class);

    private final Inbound inbound;
    private final Map<Ends, InboundConnection> accepted = new ConcurrentHashMap<>();

    /** Of a connection; what is spoken over it hides the connection itself. */
    private record Ends(InetSocketAddress local, InetSocketAddress remote) {
        /** Spelled out, as hashCode is: JDK 17 keeps the record that it compared last, and what the one is made of that it hashed last. */
        @Override
        public boolean equals(Object other) {
            return other instanceof Ends that && local.equals(that.local) && remote.equals(that.remote);
        }

        @Override
        public int hashCode() {
            return 31 * local.hashCode() + remote.hashCode();
        }
    }

    Accepting(AdapterContext context) {
        inbound = context.inbound();
    }

    /** In the place of {@code handleEvent} of whatever listens. */
    Object opened(Object listener, StreamConnection connection) {
        try {
            return admits(listener, connection) ? Handler.PROCEED : closed(connection);
        } catch (Throwable fault) {
            // Without the agent's word Undertow would go on: what policy may not admit must not get in because of that.
            closed(connection);
            return new Handler.Thrown(new IllegalStateException("the connection cannot be decided about", fault));
        }
    }

    private boolean admits(Object listener, StreamConnection connection) {
        if (!(connection.getLocalAddress() instanceof InetSocketAddress local)
                || !(connection.getPeerAddress() instanceof InetSocketAddress remote)
                || connection.getSourceChannel().getConduit() instanceof MeshSource) {
            return true;
        }
        boolean ownTls = connection instanceof SslChannel;
        InboundConnection opened = inbound.accepted(local, remote, ownTls, () -> close(connection));
        if (opened == null) {
            return false;
        }
        if (ownTls) {
            return passes(opened);
        }
        Ends ends = new Ends(local, remote);
        accepted.put(ends, opened);
        boolean http2 = listener instanceof OpenListener http
                && http.getUndertowOptions().get(UndertowOptions.ENABLE_HTTP2, false);
        MeshConduits.install(connection, opened, http2, () -> {
            accepted.remove(ends, opened);
            opened.closed();
        });
        return true;
    }

    /** The first bytes are the app's TLS already. When policy changes, each of its requests is asked about anew. */
    private static boolean passes(InboundConnection opened) {
        try {
            // What is held up is let in: then each of its requests is.
            return !opened.inspects() || opened.held(() -> { }) || opened.decide(null) == Fate.PASS;
        } finally {
            opened.closed();
        }
    }

    private static Object closed(StreamConnection connection) {
        IoUtils.safeClose(connection);
        return null;
    }

    /** On the thread that Undertow would close it on. */
    private static void close(StreamConnection connection) {
        try {
            connection.getIoThread().execute(() -> IoUtils.safeClose(connection));
        } catch (RejectedExecutionException stopping) {
            IoUtils.safeClose(connection);
        }
    }

    /**
     * As a request asks: over HTTP/1.1 what is spoken is the same object for all of them.
     *
     * @return null: it was not seen when it was accepted
     */
    InboundConnection of(ServerConnection spoken) {
        InboundConnection known = spoken.getAttachment(ACCEPTED);
        if (known == null
                && spoken.getLocalAddress() instanceof InetSocketAddress local
                && spoken.getPeerAddress() instanceof InetSocketAddress remote) {
            known = accepted.get(new Ends(local, remote));
            if (known != null) {
                spoken.putAttachment(ACCEPTED, known);
            }
        }
        return known;
    }
}
