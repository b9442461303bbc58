package io.weft.instrumentation.tomcat;

import io.weft.instrumentation.Adapter;
import io.weft.instrumentation.AdapterContext;
import io.weft.instrumentation.Handler;
import io.weft.instrumentation.UnsecurableServers;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.nio.channels.AsynchronousSocketChannel;
import java.nio.channels.NetworkChannel;
import java.nio.channels.SocketChannel;
import org.apache.catalina.connector.Connector;
import org.apache.coyote.AbstractProtocol;
import org.apache.coyote.ProtocolHandler;
import org.apache.coyote.http11.AbstractHttp11Protocol;
import org.apache.tomcat.util.net.AbstractEndpoint;

/** A Tomcat that the other adapter does not fit: it does not serve where policy demands what that one could do. Thread-safe. */
public final class GuardedTomcatAdapter implements Adapter {
    private final UnsecurableServers servers;

    public GuardedTomcatAdapter(AdapterContext context) {
        servers = new UnsecurableServers(context, "tomcat");
    }

    @Override
    public Handler handler(String hook) {
        return switch (hook) {
            case TomcatModule.CONNECTOR_STARTED -> (Handler.Result) (connector, nothing, a0, a1, a2) -> started((Connector) connector);
            case TomcatModule.CONNECTOR_STOP -> (Handler.Around) (connector, a0, a1, a2, a3) -> {
                servers.closed(connector);
                return Handler.PROCEED;
            };
            case TomcatModule.ACCEPTED -> (Handler.Around) (endpoint, connection, a1, a2, a3) -> {
                SocketChannel socket = (SocketChannel) connection;
                return accepted((AbstractEndpoint<?, ?>) endpoint, socket, socket.getRemoteAddress());
            };
            case TomcatModule.ACCEPTED_NIO2 -> (Handler.Around) (endpoint, connection, a1, a2, a3) -> {
                AsynchronousSocketChannel socket = (AsynchronousSocketChannel) connection;
                return accepted((AbstractEndpoint<?, ?>) endpoint, socket, socket.getRemoteAddress());
            };
            default -> TomcatModule.module().idle(hook);
        };
    }

    /** What comes in meanwhile is asked about one by one. */
    private Object started(Connector connector) throws Exception {
        ProtocolHandler handler = connector.getProtocolHandler();
        int port = connector.getLocalPort();
        // Not what the connector says of being secure: that may be the word of a proxy in front of it.
        if (port <= 0 || handler instanceof AbstractHttp11Protocol<?> http && http.isSSLEnabled()) {
            return null;
        }
        InetAddress bound = handler instanceof AbstractProtocol<?> protocol ? protocol.getAddress() : null;
        IOException refusal = servers.opened(connector, bound == null ? new InetSocketAddress(port) : new InetSocketAddress(bound, port));
        if (refusal == null) {
            return null;
        }
        handler.stop();
        handler.destroy();
        return new Handler.Thrown(new IllegalStateException(refusal));
    }

    private Object accepted(AbstractEndpoint<?, ?> endpoint, NetworkChannel socket, SocketAddress remote) throws IOException {
        try {
            boolean admitted = servers.admits(address(socket.getLocalAddress()), address(remote), endpoint.isSSLEnabled(), socket);
            if (admitted) {
                return Handler.PROCEED;
            }
        } catch (IOException gone) {
            return false;
        } catch (Throwable fault) {
            // Without the agent's word Tomcat would go on: what policy may not admit must not get in because of that.
            return new Handler.Thrown(new IllegalStateException("the connection cannot be decided about", fault));
        }
        socket.close();
        return false;
    }

    private static InetSocketAddress address(SocketAddress address) {
        return address instanceof InetSocketAddress inet ? inet : null;
    }
}
