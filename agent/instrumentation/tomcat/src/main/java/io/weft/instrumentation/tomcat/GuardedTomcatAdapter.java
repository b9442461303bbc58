package io.weft.instrumentation.tomcat;

import io.weft.instrumentation.Adapter;
import io.weft.instrumentation.AdapterContext;
import io.weft.instrumentation.Handler;
import io.weft.instrumentation.UnsecurableServers;
import java.io.IOException;
import java.lang.invoke.MethodHandles.Lookup;
import java.lang.invoke.VarHandle;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.UnknownHostException;
import java.nio.channels.AsynchronousSocketChannel;
import java.nio.channels.NetworkChannel;
import java.nio.channels.SocketChannel;
import java.util.Set;
import org.apache.catalina.LifecycleException;
import org.apache.catalina.connector.Connector;
import org.apache.catalina.connector.CoyoteAdapter;
import org.apache.coyote.AbstractProtocol;
import org.apache.coyote.ActionCode;
import org.apache.coyote.ProtocolHandler;
import org.apache.coyote.Request;
import org.apache.coyote.Response;
import org.apache.coyote.http11.AbstractHttp11Protocol;
import org.apache.tomcat.util.net.AbstractEndpoint;

/**
 * A Tomcat that the other adapter does not fit: it does not serve where policy demands what that one could do. Asked about is each
 * connection, and each request of a connector whose connections are not seen, or were there before the agent. Thread-safe.
 */
public final class GuardedTomcatAdapter implements Adapter {
    private static final Set<String> SEEN = Set.of("org.apache.coyote.http11.Http11NioProtocol", "org.apache.coyote.http11.Http11Nio2Protocol");

    private final UnsecurableServers servers;
    private final boolean late;
    private final VarHandle connectorOfAdapter;
    private final VarHandle endpointOfProtocol;

    public GuardedTomcatAdapter(AdapterContext context) throws ReflectiveOperationException {
        servers = new UnsecurableServers(context, "tomcat");
        late = context.late();
        connectorOfAdapter = field(context, CoyoteAdapter.class, "connector", Connector.class);
        endpointOfProtocol = field(context, AbstractProtocol.class, "endpoint", AbstractEndpoint.class);
    }

    private static VarHandle field(AdapterContext context, Class<?> holder, String name, Class<?> type) throws ReflectiveOperationException {
        Lookup lookup = context.lookup(holder.getName());
        return lookup.findVarHandle(holder, name, type);
    }

    @Override
    public Handler handler(String hook) {
        return switch (hook) {
            case TomcatModule.CONNECTOR_STARTED -> (Handler.Result) (connector, nothing, a0, a1, a2) -> started((Connector) connector);
            case TomcatModule.CONNECTOR_STOP -> (Handler.Around) (connector, a0, a1, a2, a3) -> {
                servers.closed(((Connector) connector).getLocalPort());
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
            case TomcatModule.SERVICE -> (Handler.Around) (adapter, request, response, a2, a3) ->
                    asked(((Connector) connectorOfAdapter.get((CoyoteAdapter) adapter)).getProtocolHandler(), (Request) request, (Response) response);
            default -> TomcatModule.module().idle(hook);
        };
    }

    /** What comes in meanwhile is asked about one by one. */
    private Object started(Connector connector) throws Exception {
        ProtocolHandler handler = connector.getProtocolHandler();
        int port = connector.getLocalPort();
        // Not what the connector says of being secure: that may be the word of a proxy in front of it.
        if (port <= 0 || hasOwnTls(handler)) {
            return null;
        }
        InetAddress bound = handler instanceof AbstractProtocol<?> protocol ? protocol.getAddress() : null;
        IOException refusal = servers.opened(bound == null ? new InetSocketAddress(port) : new InetSocketAddress(bound, port));
        if (refusal == null) {
            return null;
        }
        handler.stop();
        handler.destroy();
        return new Handler.Thrown(new LifecycleException(refusal));
    }

    private boolean hasOwnTls(ProtocolHandler handler) {
        return handler instanceof AbstractProtocol<?> protocol && ((AbstractEndpoint<?, ?>) endpointOfProtocol.get(protocol)).isSSLEnabled();
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

    private Object asked(ProtocolHandler handler, Request request, Response response) {
        if (!late && SEEN.contains(handler.getClass().getName())) {
            return Handler.PROCEED;
        }
        try {
            int port = handler instanceof AbstractProtocol<?> protocol ? protocol.getLocalPort() : -1;
            // Without one it is over no network.
            if (port <= 0 || admits(handler, request, port)) {
                return Handler.PROCEED;
            }
            response.action(ActionCode.CLOSE_NOW, null);
            return null;
        } catch (Throwable fault) {
            // Without the agent's word the app would be called.
            return new Handler.Thrown(new IOException("the request cannot be decided about", fault));
        }
    }

    /** Over AJP a web server says who has called that, and not who it is itself. */
    private boolean admits(ProtocolHandler handler, Request request, int port) throws UnknownHostException {
        if (!(handler instanceof AbstractHttp11Protocol<?>)) {
            return servers.admits(new InetSocketAddress(port), new InetSocketAddress(0), false);
        }
        request.action(ActionCode.REQ_LOCAL_ADDR_ATTRIBUTE, request);
        request.action(ActionCode.REQ_HOST_ADDR_ATTRIBUTE, request);
        request.action(ActionCode.REQ_REMOTEPORT_ATTRIBUTE, request);
        // Figures: nothing is looked up.
        InetAddress here = InetAddress.getByName(request.localAddr().toString());
        InetAddress there = InetAddress.getByName(request.remoteAddr().toString());
        return servers.admits(new InetSocketAddress(here, port), new InetSocketAddress(there, Math.max(0, request.getRemotePort())), hasOwnTls(handler));
    }
}
