package io.weft.instrumentation.jetty;

import io.weft.dataplane.Connection;
import io.weft.dataplane.InboundConnection;
import io.weft.instrumentation.Attached;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.nio.channels.SocketChannel;
import org.eclipse.jetty.io.EndPoint;

/** What is known of the connections over which requests come. Thread-safe. */
final class Connections {
    /** Of those that were there before the agent. */
    private final Attached<Connection> known = new Attached<>();

    /** @return null: it was not seen when it was accepted */
    InboundConnection accepted(EndPoint endPoint) {
        MeshSocketChannel channel = MeshSocketChannel.of(endPoint);
        return channel == null ? null : channel.bytes().connection();
    }

    Connection of(EndPoint endPoint) {
        InboundConnection accepted = accepted(endPoint);
        if (accepted != null) {
            return accepted.connection();
        }
        Object transport = MeshSocketChannel.transport(endPoint);
        Connection connection = known.of(transport);
        if (connection == null) {
            connection = learn((SocketChannel) transport);
            known.put(transport, connection);
        }
        return connection;
    }

    private static Connection learn(SocketChannel socket) {
        try {
            return new Connection((InetSocketAddress) socket.getLocalAddress(), (InetSocketAddress) socket.getRemoteAddress(), "", null);
        } catch (IOException closed) {
            throw new UncheckedIOException("a connection without an address", closed);
        }
    }
}
