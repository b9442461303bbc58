package io.weft.instrumentation.tomcat;

import io.weft.dataplane.Inbound;
import io.weft.instrumentation.AdapterContext;
import io.weft.instrumentation.UnsecurableServers;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.catalina.LifecycleState;
import org.apache.catalina.connector.Connector;
import org.apache.catalina.connector.CoyoteAdapter;
import org.apache.coyote.AbstractProtocol;
import org.apache.coyote.ProtocolHandler;
import org.apache.coyote.http11.AbstractHttp11Protocol;
import org.apache.coyote.http11.Http11Nio2Protocol;
import org.apache.coyote.http11.Http11NioProtocol;
import org.apache.tomcat.util.net.AbstractEndpoint;

/** Which port of the mesh stands for which connector. Thread-safe; read by every request. */
final class ConnectorPorts {
    /** Over AJP a web server says who has called that, and not who it is itself. */
    private static final InetSocketAddress NOBODY = new InetSocketAddress(0);

    private final AdapterContext context;
    private final Internals internals;
    /** Of connectors for AJP. */
    private final UnsecurableServers beside;
    private final Map<Connector, Inbound.Port> open = new ConcurrentHashMap<>();
    /** The one of them that was opened last, which mostly is the only one; null: it is not open any more. */
    private volatile Opened newest;
    /** Of connectors that are paused or stopped: requests on their open connections are still looked at. Forgotten when one starts. */
    private final Map<Connector, Inbound.Port> closing = new ConcurrentHashMap<>();

    private record Opened(Connector connector, Inbound.Port port) {}

    ConnectorPorts(AdapterContext context, Internals internals) {
        this.context = context;
        this.internals = internals;
        beside = new UnsecurableServers(context, "tomcat");
    }

    /** Whether a request over that connector, which {@link #of no port} stands for, may come to the app. */
    boolean admitsBeside(Connector connector) {
        int port = connector.getLocalPort();
        return port <= 0 || beside.admits(new InetSocketAddress(port), NOBODY, false);
    }

    synchronized void started(Connector connector) {
        register(connector, false);
    }

    /** @param found it served before the agent came */
    private void register(Connector connector, boolean found) {
        ProtocolHandler handler = connector.getProtocolHandler();
        int port = connector.getLocalPort();
        if (port <= 0) {
            context.warn("Tomcat connector " + connector + " is not registered: it listens on no TCP port");
            return;
        }
        if (!(handler instanceof AbstractHttp11Protocol<?> http)) {
            beside.openedBeside("Tomcat connector " + connector, address(handler, port));
            return;
        }
        if (!(handler instanceof Http11NioProtocol)) {
            boolean asks = handler instanceof Http11Nio2Protocol;
            context.warn("Tomcat connector " + connector + ": of the connector implementations only "
                    + Http11NioProtocol.class.getName() + " is supported in full; on " + handler.getClass().getName()
                    + " a file that is being sent does not hold up a shutdown, mesh TLS is not spoken and what must be secured is refused"
                    + (asks ? "" : ", and limits for connections do not hold"));
        }
        closed(connector);
        closing.clear();
        Inbound.Port opened = found
                ? context.inbound().found("tomcat", address(http, port), http.isSSLEnabled())
                : context.inbound().opened("tomcat", address(http, port), http.isSSLEnabled());
        AbstractEndpoint<?, ?> endpoint = internals.endpoint(http);
        opened.busyThreads(() -> busyShare(endpoint));
        // As when the connector is paused: HTTP/2 connections get a GOAWAY, and HTTP/1.1 has nothing of the kind.
        opened.onDrain(() -> endpoint.getHandler().pause());
        opened.ownRequest(ConnectorPorts::servesHere);
        open.put(connector, opened);
        newest = new Opened(connector, opened);
    }

    synchronized void resumed(Connector connector) {
        if (connector.getState().isAvailable() && !open.containsKey(connector)) {
            started(connector);
        }
    }

    synchronized void closed(Connector connector) {
        if (newest != null && newest.connector == connector) {
            newest = null;
        }
        Inbound.Port port = open.remove(connector);
        if (port != null) {
            closing.put(connector, port);
            port.close();
        } else if (!(connector.getProtocolHandler() instanceof AbstractHttp11Protocol<?>)) {
            beside.closed(connector.getLocalPort());
        }
    }

    /** One that is not registered yet serves already. */
    Inbound.Port of(Connector connector) {
        Opened latest = newest;
        if (latest != null && latest.connector == connector) {
            return latest.port;
        }
        Inbound.Port port = open.get(connector);
        if (port == null) {
            port = closing.get(connector);
        }
        if (port == null) {
            port = unregistered(connector);
            return port != null && context.late() && connector.getState() == LifecycleState.STARTED ? found(connector, port) : port;
        }
        return port;
    }

    /** One that started before the agent came is registered with its first request; one that starts is about to be. */
    private synchronized Inbound.Port found(Connector connector, Inbound.Port unregistered) {
        if (!closing.containsKey(connector) && !open.containsKey(connector)) {
            register(connector, true);
        }
        return open.getOrDefault(connector, unregistered);
    }

    /** @return null where no HTTP is spoken, or over no network */
    private Inbound.Port unregistered(Connector connector) {
        int port = connector.getLocalPort();
        return port > 0 && connector.getProtocolHandler() instanceof AbstractHttp11Protocol<?> http
                ? context.inbound().unregistered(port, http.isSSLEnabled())
                : null;
    }

    /** Zero where the threads are not Tomcat's own, or have no limit. */
    private static double busyShare(AbstractEndpoint<?, ?> endpoint) {
        int most = endpoint.getMaxThreads();
        return most <= 0 ? 0 : Math.max(0, endpoint.getCurrentThreadsBusy()) / (double) most;
    }

    /** A request is not over while coyote has it with catalina. */
    private static boolean servesHere() {
        return StackWalker.getInstance().walk(frames -> frames.anyMatch(frame -> frame.getClassName().equals(CoyoteAdapter.class.getName())));
    }

    private static InetSocketAddress address(ProtocolHandler handler, int port) {
        InetAddress bound = handler instanceof AbstractProtocol<?> protocol ? protocol.getAddress() : null;
        return bound == null ? new InetSocketAddress(port) : new InetSocketAddress(bound, port);
    }
}
