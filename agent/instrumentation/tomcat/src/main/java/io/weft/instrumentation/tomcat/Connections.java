package io.weft.instrumentation.tomcat;

import io.weft.dataplane.Connection;
import io.weft.dataplane.InboundConnection;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.tomcat.util.net.SocketWrapperBase;

/** The connections that were accepted, or of which a policy wanted to know something, until they are closed. Thread-safe. */
final class Connections {
    private final Map<SocketWrapperBase<?>, InboundConnection> accepted = new ConcurrentHashMap<>();
    /** Of implementations of a connector that do not say what they accept. */
    private final Map<SocketWrapperBase<?>, Connection> known = new ConcurrentHashMap<>();

    void opened(SocketWrapperBase<?> socket, InboundConnection connection) {
        accepted.put(socket, connection);
    }

    /** @return null: it was not seen when it was accepted */
    InboundConnection accepted(SocketWrapperBase<?> socket) {
        return accepted.get(socket);
    }

    /** Of one that was not seen. */
    Connection of(SocketWrapperBase<?> socket) {
        Connection connection = known.get(socket);
        return connection == null ? learn(socket) : connection;
    }

    private Connection learn(SocketWrapperBase<?> socket) {
        Connection connection = known.computeIfAbsent(socket, Connections::connection);
        if (socket.isClosed()) {
            // Meanwhile, perhaps: nobody will say so once more.
            known.remove(socket);
        }
        return connection;
    }

    void closed(SocketWrapperBase<?> socket) {
        InboundConnection seen = accepted.remove(socket);
        if (seen != null) {
            seen.closed();
        }
        if (!known.isEmpty()) {
            known.remove(socket);
        }
    }

    private static Connection connection(SocketWrapperBase<?> socket) {
        return new Connection(
                address(socket.getLocalAddr(), socket.getLocalPort()),
                address(socket.getRemoteAddr(), socket.getRemotePort()),
                "",
                null);
    }

    /** The text is an IP address, so nothing is looked up. */
    private static InetSocketAddress address(String ip, int port) {
        try {
            return new InetSocketAddress(InetAddress.getByName(ip), Math.max(port, 0));
        } catch (UnknownHostException e) {
            throw new IllegalStateException("a connection without an address: " + ip, e);
        }
    }
}
