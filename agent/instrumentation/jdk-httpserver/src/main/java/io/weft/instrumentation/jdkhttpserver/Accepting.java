package io.weft.instrumentation.jdkhttpserver;

import io.weft.dataplane.Inbound;
import io.weft.dataplane.InboundConnection;
import io.weft.instrumentation.AdapterContext;
import io.weft.instrumentation.Handler;
import io.weft.transport.AcceptedChannel;
import io.weft.transport.AcceptedSocketChannel;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.channels.ClosedSelectorException;
import java.nio.channels.SocketChannel;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.IntPredicate;

/**
 * The connections of the servers, by the server's own object for each. A handshake goes on whenever the server's selector finds bytes,
 * on the dispatcher's thread and without waiting; the request is read when it is done.
 */
final class Accepting {
    private final AdapterContext context;
    private final Inbound inbound;
    private final Internals internals;
    /** Whether a server with the app's own TLS listens on a port. */
    private final IntPredicate ownTls;
    private final Map<Object, InboundConnection> accepted = new ConcurrentHashMap<>();
    /** Of those whose first bytes count, by the socket. */
    private final Map<SocketChannel, AcceptedSocketChannel> channels = new ConcurrentHashMap<>();
    private final Map<SocketChannel, AcceptedChannel> undecided = new ConcurrentHashMap<>();
    /** Of those that are held up, by the socket: the dispatcher that has let go of it, and so would never find out that it is closed. */
    private final Map<SocketChannel, Object> held = new ConcurrentHashMap<>();

    Accepting(AdapterContext context, Internals internals, IntPredicate ownTls) {
        this.context = context;
        inbound = context.inbound();
        this.internals = internals;
        this.ownTls = ownTls;
    }

    /** After {@code HttpConnection.setChannel}. */
    void accepted(Object connection, SocketChannel socket) throws IOException {
        if (socket == null) {
            return;
        }
        try {
            if (!(socket.getLocalAddress() instanceof InetSocketAddress local)
                    || !(socket.getRemoteAddress() instanceof InetSocketAddress remote)) {
                return;
            }
            InboundConnection seen = inbound.accepted(local, remote, ownTls.test(local.getPort()), () -> close(connection, socket));
            if (seen == null) {
                socket.close();
                return;
            }
            accepted.put(connection, seen);
            if (seen.inspects()) {
                AcceptedChannel channel = new AcceptedChannel(socket, seen, false);
                undecided.put(socket, channel);
                channels.put(socket, new AcceptedSocketChannel(socket, channel));
            }
        } catch (Throwable fault) {
            // What policy may not admit must not get in because of a fault.
            socket.close();
            throw fault;
        }
    }

    /** The server's idle timer finds out about what its selector would have looked at next. */
    private void close(Object connection, SocketChannel socket) {
        Object dispatcher = held.remove(socket);
        if (dispatcher != null) {
            internals.closeConnection(dispatcher, connection);
            return;
        }
        try {
            socket.close();
        } catch (IOException closed) {
            return;
        }
    }

    /** @return null: it was not seen when it was accepted */
    InboundConnection of(Object connection) {
        return accepted.get(connection);
    }

    /** For the server's streams. */
    SocketChannel channel(SocketChannel socket) {
        AcceptedSocketChannel channel = channels.get(socket);
        return channel == null ? socket : channel;
    }

    /** In the place of {@code ServerImpl.Dispatcher.handle}, on the dispatcher's thread: the selector has found something to read. */
    Object handle(Object dispatcher, SocketChannel socket, Object connection) {
        AcceptedChannel channel = undecided.get(socket);
        if (channel == null) {
            return Handler.PROCEED;
        }
        try {
            // Before anybody could close it.
            held.put(socket, dispatcher);
            if (channel.connection().held(() -> Resumed.CONNECTIONS.execute(() -> resume(dispatcher, socket, connection)))) {
                return null;
            }
            held.remove(socket);
            socket.configureBlocking(false);
            boolean ready = channel.handshake() == 0;
            if (ready) {
                undecided.remove(socket);
                if (channel.hasInput()) {
                    socket.configureBlocking(true);
                    return Handler.PROCEED;
                }
            }
            internals.lookAgain(dispatcher, connection);
        } catch (IOException refused) {
            internals.closeConnection(dispatcher, connection);
        } catch (Throwable fault) {
            internals.closeConnection(dispatcher, connection);
            return new Handler.Thrown(new IllegalStateException("the connection cannot be decided about", fault));
        }
        return null;
    }

    private void resume(Object dispatcher, SocketChannel socket, Object connection) {
        held.remove(socket);
        try {
            internals.lookAgainFromOutside(dispatcher, connection);
        } catch (IOException | ClosedSelectorException gone) {
            internals.closeConnection(dispatcher, connection);
        } catch (Throwable fault) {
            internals.closeConnection(dispatcher, connection);
            context.warn("JDK HttpServer: a connection that was held up is closed: " + fault);
        }
    }

    void closed(Object connection) {
        InboundConnection seen = accepted.remove(connection);
        if (seen != null) {
            seen.closed();
            SocketChannel socket = internals.channel(connection);
            if (socket != null) {
                undecided.remove(socket);
                held.remove(socket);
                channels.remove(socket);
            }
        }
    }
}
