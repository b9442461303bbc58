package io.weft.instrumentation.jetty;

import io.weft.dataplane.Inbound;
import io.weft.dataplane.InboundConnection;
import io.weft.instrumentation.Handler;
import io.weft.transport.AcceptedChannel;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.channels.SocketChannel;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.eclipse.jetty.io.AbstractEndPoint;
import org.eclipse.jetty.server.ServerConnector;

/** From the accepted socket to the end point, which Jetty makes on another thread. Thread-safe. */
final class Accepting {
    private final Inbound inbound;
    private final Interest interest;
    /** Without an end point yet: few, and for a moment. */
    private final Map<SocketChannel, MeshSocketChannel> accepted = new ConcurrentHashMap<>();

    Accepting(Inbound inbound, Interest interest) {
        this.inbound = inbound;
        this.interest = interest;
    }

    /** In the place of {@code ServerConnector.accepted}. */
    Object accept(ServerConnector connector, SocketChannel socket) {
        try {
            return admits(connector, socket) ? Handler.PROCEED : closed(socket);
        } catch (Throwable fault) {
            // Without the agent's word Jetty would go on: what policy may not admit must not get in because of that.
            closed(socket);
            return new Handler.Thrown(new IOException("the connection cannot be decided about", fault));
        }
    }

    private boolean admits(ServerConnector connector, SocketChannel socket) {
        forgetLost();
        try {
            if (!(socket.getLocalAddress() instanceof InetSocketAddress local)
                    || !(socket.getRemoteAddress() instanceof InetSocketAddress remote)) {
                return true;
            }
            Closing closing = new Closing();
            InboundConnection connection = inbound.accepted(local, remote, Protocols.hasTls(connector), closing);
            if (connection == null) {
                return false;
            }
            AcceptedChannel bytes = new AcceptedChannel(socket, connection, Protocols.hasHttp2(connector));
            closing.channel = new MeshSocketChannel(socket, bytes, connector.getExecutor(), interest);
            accepted.put(socket, closing.channel);
            return true;
        } catch (IOException gone) {
            return false;
        }
    }

    /** Jetty has closed them before it had an end point. */
    private void forgetLost() {
        for (Map.Entry<SocketChannel, MeshSocketChannel> entry : accepted.entrySet()) {
            if (!entry.getKey().isOpen() && accepted.remove(entry.getKey(), entry.getValue())) {
                entry.getValue().bytes().connection().closed();
            }
        }
    }

    private static Object closed(SocketChannel socket) {
        try {
            socket.close();
        } catch (IOException gone) {
            return null;
        }
        return null;
    }

    /** For the end point that is about to be made. */
    SocketChannel channel(SocketChannel socket) {
        MeshSocketChannel channel = accepted.remove(socket);
        return channel == null ? socket : channel;
    }

    void made(AbstractEndPoint endPoint, SocketChannel channel) {
        if (channel instanceof MeshSocketChannel mesh) {
            mesh.servedBy(endPoint);
        }
    }

    /** Not run before the connection is there. */
    private static final class Closing implements Runnable {
        private volatile MeshSocketChannel channel;

        @Override
        public void run() {
            channel.abandon();
        }
    }
}
