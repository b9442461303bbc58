package io.weft.instrumentation.jetty;

import io.weft.dataplane.Inbound;
import io.weft.instrumentation.AdapterContext;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.channels.NetworkChannel;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import org.eclipse.jetty.server.Connector;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.eclipse.jetty.util.thread.QueuedThreadPool;

/** Which port of the mesh stands for which connector. Thread-safe; read by every request. */
final class ConnectorPorts {
    private final AdapterContext context;
    private final Http2Sessions http2;
    private final Map<Connector, Inbound.Port> open = new ConcurrentHashMap<>();
    /** Of connectors that are closed: requests on their open connections are still looked at. Forgotten when one starts. */
    private final Map<Connector, Inbound.Port> closing = new ConcurrentHashMap<>();

    ConnectorPorts(AdapterContext context, Http2Sessions http2) {
        this.context = context;
        this.http2 = http2;
    }

    synchronized void started(ServerConnector connector) throws IOException {
        register(connector, false);
    }

    /** @param found it served before the agent came */
    private void register(ServerConnector connector, boolean found) throws IOException {
        if (!(connector.getTransport() instanceof NetworkChannel listening)
                || !(listening.getLocalAddress() instanceof InetSocketAddress address)) {
            context.warn("Jetty connector " + connector + " is not registered: it listens on no TCP port");
            return;
        }
        if (!Protocols.hasHttp(connector)) {
            context.warn("Jetty connector " + connector + " is not registered: it does not speak HTTP");
            return;
        }
        closed(connector);
        closing.clear();
        Inbound.Port opened = found
                ? context.inbound().found("jetty", address, Protocols.hasTls(connector))
                : context.inbound().opened("jetty", address, Protocols.hasTls(connector));
        opened.busyThreads(() -> busyShare(connector.getExecutor()));
        opened.onDrain(() -> http2.lastStreams(connector));
        opened.ownRequest(ConnectorPorts::servesHere);
        open.put(connector, opened);
    }

    synchronized void closed(Connector connector) {
        Inbound.Port port = open.remove(connector);
        if (port != null) {
            closing.put(connector, port);
            port.close();
        }
    }

    /**
     * One that is not registered yet serves already.
     *
     * @return null: it is over no network
     */
    Inbound.Port of(Connector connector) {
        Inbound.Port port = open.get(connector);
        if (port == null) {
            port = closing.get(connector);
        }
        if (port == null && context.late() && connector instanceof ServerConnector network && network.isStarted()) {
            port = found(network);
        }
        return port == null ? unregistered(connector) : port;
    }

    /** One that started before the agent came is registered with its first request; one that starts is about to be. */
    private synchronized Inbound.Port found(ServerConnector connector) {
        if (!closing.containsKey(connector) && !open.containsKey(connector)) {
            try {
                register(connector, true);
            } catch (IOException gone) {
                context.warn("Jetty connector " + connector + " is not registered: " + gone.getMessage());
            }
        }
        return open.get(connector);
    }

    private Inbound.Port unregistered(Connector connector) {
        return connector instanceof ServerConnector network && network.getLocalPort() > 0
                ? context.inbound().unregistered(network.getLocalPort(), Protocols.hasTls(network))
                : null;
    }

    /** Zero where the threads are not Jetty's own. */
    private static double busyShare(Executor executor) {
        return executor instanceof QueuedThreadPool pool && pool.getMaxThreads() > 0
                ? (pool.getThreads() - pool.getIdleThreads()) / (double) pool.getMaxThreads()
                : 0;
    }

    /** A request is not over while the server has it with its handlers. */
    private static boolean servesHere() {
        return StackWalker.getInstance().walk(frames -> frames.anyMatch(
                frame -> frame.getClassName().equals(Server.class.getName()) && frame.getMethodName().startsWith("handle")));
    }
}
