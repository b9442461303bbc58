package io.weft.instrumentation.helidon;

import io.helidon.webserver.ConnectionContext;
import io.weft.dataplane.Inbound;
import io.weft.dataplane.InboundConnection;
import io.weft.dataplane.InboundConnection.Fate;
import io.weft.instrumentation.AdapterContext;
import io.weft.instrumentation.Handler;
import java.io.Closeable;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketAddress;
import java.net.SocketException;
import java.nio.channels.ByteChannel;
import java.nio.channels.SocketChannel;
import java.util.Collection;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** From an accepted connection to what Helidon speaks over it. Thread-safe. */
final class Accepting {
    private final Inbound inbound;
    private final boolean http2;
    private final Map<Ends, Accepted> open = new ConcurrentHashMap<>();
    /** The same, by what Helidon knows them by, from the first request on. */
    private final Map<Object, Accepted> byContext = new ConcurrentHashMap<>();

    private record Ends(InetSocketAddress local, InetSocketAddress remote) {}

    /** Since it is with it that the connection is registered. */
    private static final class Closer implements Runnable {
        private volatile Accepted accepted;

        @Override
        public void run() {
            Accepted known = accepted;
            if (known != null) {
                known.refuse();
            }
        }
    }

    /** @param http2 the app can speak it */
    Accepting(AdapterContext context, boolean http2) {
        inbound = context.inbound();
        this.http2 = http2;
    }

    /** In the place of a socket without TLS. */
    Object socket(Socket socket) {
        try {
            if (socket instanceof AcceptedSocket || !(socket.getLocalSocketAddress() instanceof InetSocketAddress local)
                    || !(socket.getRemoteSocketAddress() instanceof InetSocketAddress remote)) {
                return socket;
            }
            Ends ends = new Ends(local, remote);
            Accepted accepted = accepted(ends, AcceptedSocket.wire(socket));
            return new AcceptedSocket(socket, accepted, () -> closed(ends, accepted));
        } catch (Throwable fault) {
            return refused(socket, fault);
        }
    }

    /** The same, of a version that reads from channels. */
    Object channel(SocketChannel socket) {
        try {
            if (socket instanceof AcceptedNioChannel || !(socket.getLocalAddress() instanceof InetSocketAddress local)
                    || !(socket.getRemoteAddress() instanceof InetSocketAddress remote)) {
                return socket;
            }
            Ends ends = new Ends(local, remote);
            Accepted accepted = accepted(ends, socket);
            return new AcceptedNioChannel(socket, accepted, () -> closed(ends, accepted));
        } catch (Throwable fault) {
            return refused(socket, fault);
        }
    }

    private Accepted accepted(Ends ends, ByteChannel wire) {
        Closer closer = new Closer();
        Accepted accepted = new Accepted(wire, inbound.accepted(ends.local, ends.remote, false, closer), http2);
        closer.accepted = accepted;
        if (accepted.connection() != null) {
            open.put(ends, accepted);
        }
        return accepted;
    }

    private void closed(Ends ends, Accepted accepted) {
        if (open.remove(ends, accepted)) {
            accepted.connection().closed();
        }
        Object context = accepted.context();
        if (context != null) {
            byContext.remove(context);
        }
    }

    /** Before a connection with TLS of the app's is served. When policy changes, each of its requests is asked about anew. */
    Object ownTls(SocketAddress local, SocketAddress remote, Closeable socket) {
        if (!(local instanceof InetSocketAddress here) || !(remote instanceof InetSocketAddress there)) {
            return Handler.PROCEED;
        }
        try {
            InboundConnection opened = inbound.accepted(here, there, true, () -> close(socket));
            return opened != null && passes(opened)
                    ? Handler.PROCEED
                    : refused(socket, new SocketException("policy does not admit the connection"));
        } catch (Throwable fault) {
            return refused(socket, fault);
        }
    }

    private static boolean passes(InboundConnection opened) {
        try {
            // What is held up is let in: then each of its requests is.
            return !opened.inspects() || opened.held(() -> { }) || opened.decide(null) == Fate.PASS;
        } finally {
            opened.closed();
        }
    }

    /** Without the agent's word Helidon would go on: what policy may not admit must not get in because of that. */
    private static Object refused(Closeable socket, Throwable why) {
        close(socket);
        return new Handler.Thrown(
                why instanceof IOException e ? new UncheckedIOException(e) : new IllegalStateException("the connection cannot be decided about", why));
    }

    private static void close(Closeable socket) {
        try {
            socket.close();
        } catch (IOException closed) {
            return;
        }
    }

    /** @return null: it was not seen when it was accepted, or has TLS of the app's */
    Accepted of(ConnectionContext context) {
        Accepted known = byContext.get(context);
        if (known == null && !context.isSecure()
                && context.localPeer().address() instanceof InetSocketAddress local
                && context.remotePeer().address() instanceof InetSocketAddress remote) {
            known = open.get(new Ends(local, remote));
            if (known != null) {
                known.knownBy(context);
                byContext.put(context, known);
                if (known.isRefused()) {
                    byContext.remove(context);
                }
            }
        }
        return known;
    }

    Collection<Accepted> all() {
        return open.values();
    }

    /**
     * It speaks something that cannot be looked into.
     *
     * @return false: it is to be closed
     */
    boolean admitsOpaque(ConnectionContext context) {
        Accepted accepted = of(context);
        if (accepted != null) {
            return accepted.connection().admitsOpaque();
        }
        if (!(context.localPeer().address() instanceof InetSocketAddress local)
                || !(context.remotePeer().address() instanceof InetSocketAddress remote)) {
            return true;
        }
        InboundConnection unseen = inbound.accepted(local, remote, context.isSecure(), () -> { });
        if (unseen == null) {
            return false;
        }
        try {
            return unseen.admitsOpaque();
        } finally {
            unseen.closed();
        }
    }
}
