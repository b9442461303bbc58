package io.weft.instrumentation.tomcat;

import io.weft.dataplane.Inbound;
import io.weft.dataplane.InboundConnection;
import io.weft.instrumentation.Handler;
import io.weft.transport.AcceptedChannel;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.channels.SocketChannel;
import org.apache.tomcat.util.net.NioChannel;
import org.apache.tomcat.util.net.NioEndpoint;
import org.apache.tomcat.util.net.SocketWrapperBase;

/**
 * From the accepted socket to Tomcat's own objects for it: {@code NioEndpoint.setSocketOptions} makes a channel and a wrapper around
 * that, and all three happen on one thread. Where policy wants to see the first bytes, the wrapper gets a channel of the mesh's instead.
 */
final class Accepting {
    private final Inbound inbound;
    private final Internals internals;
    private final MeshHttp2 http2;
    private final Connections connections;
    private final MeshChannel.Maker maker;
    /** Of the acceptor's thread; what is there is of the connection that was accepted last. */
    private final ThreadLocal<Accepted> accepted = new ThreadLocal<>();

    /** @param connection null: of no network that policy knows */
    private record Accepted(SocketChannel socket, InboundConnection connection, Closing closing) {}

    Accepting(Inbound inbound, Internals internals, MeshHttp2 http2, Connections connections, MeshChannel.Maker maker) {
        this.inbound = inbound;
        this.internals = internals;
        this.http2 = http2;
        this.connections = connections;
        this.maker = maker;
    }

    /** In the place of {@code NioEndpoint.setSocketOptions}. */
    Object accept(NioEndpoint endpoint, SocketChannel socket) {
        try {
            return admits(endpoint, socket) ? Handler.PROCEED : internals.refused(endpoint, socket);
        } catch (Throwable fault) {
            // Without the agent's word Tomcat would go on: what policy may not admit must not get in because of that.
            return new Handler.Thrown(new IllegalStateException("the connection cannot be decided about", fault));
        }
    }

    private boolean admits(NioEndpoint endpoint, SocketChannel socket) {
        try {
            accepted.remove();
            if (!(socket.getLocalAddress() instanceof InetSocketAddress local)
                    || !(socket.getRemoteAddress() instanceof InetSocketAddress remote)) {
                return true;
            }
            Closing closing = new Closing(socket);
            InboundConnection connection = inbound.accepted(local, remote, endpoint.isSSLEnabled(), closing);
            if (connection == null) {
                return false;
            }
            accepted.set(new Accepted(socket, connection, closing));
            return true;
        } catch (IOException gone) {
            return false;
        }
    }

    /** Instead of the channel that Tomcat is about to wrap. */
    NioChannel channel(NioChannel own, NioEndpoint endpoint) {
        Accepted now = accepted.get();
        if (own instanceof MeshChannel) {
            return now == null ? new NioChannel(own.getBufHandler()) : own;
        }
        return now != null && now.connection.inspects() ? maker.make(own.getBufHandler(), endpoint, new MeshBytes(this, http2)) : own;
    }

    /** The wrapper is made. */
    void wrapped(SocketWrapperBase<NioChannel> wrapper) throws IOException {
        Accepted now = accepted.get();
        if (now == null) {
            return;
        }
        now.closing.wrapper = wrapper;
        connections.opened(wrapper, now.connection);
        NioChannel channel = wrapper.getSocket();
        if (channel instanceof MeshChannel) {
            // Tomcat does so itself with the channel that this one stands in for.
            channel.reset(now.socket, (NioEndpoint.NioSocketWrapper) wrapper);
        }
    }

    /** For a channel that begins with this connection. */
    AcceptedChannel channel(SocketChannel socket) {
        Accepted now = accepted.get();
        if (now == null || now.socket != socket) {
            throw new IllegalStateException("another connection was accepted");
        }
        return new AcceptedChannel(socket, now.connection, http2.isThere());
    }

    /** Closes the connection, whatever Tomcat has made of it by then. */
    private static final class Closing implements Runnable {
        private final SocketChannel socket;
        private volatile SocketWrapperBase<?> wrapper;

        Closing(SocketChannel socket) {
            this.socket = socket;
        }

        @Override
        public void run() {
            SocketWrapperBase<?> known = wrapper;
            if (known != null) {
                known.close();
                return;
            }
            try {
                socket.close();
            } catch (IOException closed) {
                return;
            }
        }
    }
}
