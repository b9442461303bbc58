package io.weft.instrumentation.undertow;

import io.undertow.Undertow;
import io.undertow.Undertow.ListenerInfo;
import io.undertow.server.Connectors;
import io.undertow.server.ListenerRegistry.Listener;
import io.undertow.server.ServerConnection;
import io.weft.dataplane.Inbound;
import io.weft.instrumentation.AdapterContext;
import io.weft.instrumentation.UnsecurableServers;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.xnio.XnioWorker;
import org.xnio.management.XnioServerMXBean;
import org.xnio.management.XnioWorkerMXBean;

/** Which port of the mesh stands for which listener. Thread-safe; read by every request. */
final class ListenerPorts {
    /** As WildFly spells it: what its administrators call, which is no port of the app's. */
    private static final String MANAGEMENT = "wildfly-managment";
    /** Whose threads serve what its administrators call, and nothing else. */
    private static final String MANAGEMENT_WORKER = "management";

    private final AdapterContext context;
    private final Http2Channels http2;
    private final boolean inWildFly;
    /** Of listeners for AJP, whose connections and requests are looked at like all others. */
    private final UnsecurableServers beside;
    private final Map<Undertow, List<Inbound.Port>> open = new ConcurrentHashMap<>();
    private final Map<Listener, Inbound.Port> registered = new ConcurrentHashMap<>();
    /** By number: those of which nobody has said by which threads they serve. */
    private final Map<Integer, Inbound.Port> unmeasured = new ConcurrentHashMap<>();
    /** By number. Those of servers that have stopped, too: requests on their open connections are still looked at. */
    private final Map<Integer, Inbound.Port> byNumber = new ConcurrentHashMap<>();
    /** The one of them that came last, which mostly is the only one. */
    private volatile Inbound.Port newest;
    /** By number: those of which it is not known whose they are. */
    private final Map<Integer, Inbound.Port> found = new HashMap<>();

    ListenerPorts(AdapterContext context, Http2Channels http2) {
        this.context = context;
        this.http2 = http2;
        beside = new UnsecurableServers(context, "undertow");
        inWildFly = context.library() != null && context.library().getClass().getName().startsWith("org.jboss.modules.");
    }

    synchronized void started(Undertow undertow) {
        stopped(undertow);
        List<Inbound.Port> ports = new ArrayList<>();
        for (ListenerInfo listener : undertow.getListenerInfo()) {
            if (!(listener.getAddress() instanceof InetSocketAddress address)) {
                context.warn("Undertow listener " + listener + " is not registered: it listens on no TCP port");
            } else if (!listener.getProtcol().startsWith("http")) {
                beside.openedBeside("Undertow listener " + listener, address);
            } else {
                ports.add(opened(undertow.getWorker(), address, listener.getSslContext() != null));
            }
        }
        open.put(undertow, ports);
    }

    private Inbound.Port opened(XnioWorker worker, InetSocketAddress address, boolean tls) {
        return known(worker, context.inbound().opened("undertow", address, tls));
    }

    /** Of WildFly, which is about to bind it. */
    synchronized void registered(Listener listener) {
        // Of port 0 it is said later which it got.
        if (listener.getBindAddress().getPort() != 0) {
            registered(listener, listener.getBindAddress());
        }
    }

    /** Of WildFly: a listener on port 0 got this one. It may have been found by that meanwhile. */
    synchronized void bound(Listener listener, InetSocketAddress address) {
        Inbound.Port port = found.remove(address.getPort());
        if (port != null) {
            registered.put(listener, port);
        } else if (!registered.containsKey(listener)) {
            registered(listener, address);
        }
    }

    private void registered(Listener listener, InetSocketAddress address) {
        if (listener.getServerName().equals(MANAGEMENT) || !listener.getProtocol().startsWith("http")) {
            return;
        }
        Inbound.Port port = known(context.inbound().opened("undertow", address, listener.getProtocol().equals("https")));
        unmeasured.put(port.port(), port);
        registered.put(listener, port);
    }

    /** @param listener null: there is none by that name */
    synchronized void unregistered(Listener listener) {
        if (listener == null) {
            return;
        }
        Inbound.Port port = registered.remove(listener);
        if (port == null) {
            port = found.remove(listener.getBindAddress().getPort());
        }
        if (port != null) {
            port.close();
        }
    }

    private Inbound.Port known(XnioWorker worker, Inbound.Port port) {
        port.busyThreads(() -> busyShare(worker.getMXBean()));
        return known(port);
    }

    private Inbound.Port known(Inbound.Port port) {
        port.onDrain(http2::lastStreams);
        port.ownRequest(ListenerPorts::servesHere);
        byNumber.put(port.port(), port);
        newest = port;
        return port;
    }

    synchronized void stopped(Undertow undertow) {
        List<Inbound.Port> ports = open.remove(undertow);
        if (ports != null) {
            ports.forEach(Inbound.Port::close);
        }
        for (ListenerInfo listener : listeners(undertow)) {
            if (listener.getAddress() instanceof InetSocketAddress address) {
                beside.closed(address.getPort());
                Inbound.Port port = found.remove(address.getPort());
                if (port != null) {
                    port.close();
                }
            }
        }
    }

    private static List<ListenerInfo> listeners(Undertow undertow) {
        try {
            return undertow.getListenerInfo();
        } catch (IllegalStateException notStarted) {
            return List.of();
        }
    }

    /** One that is not registered yet serves already. */
    Inbound.Port of(ServerConnection connection, int number) {
        Inbound.Port latest = newest;
        Inbound.Port port = latest != null && latest.port() == number ? latest : byNumber.get(number);
        if (port == null && context.late() && !isWildFlysManagement(connection)) {
            port = found(connection, number);
        }
        if (!unmeasured.isEmpty()) {
            Inbound.Port first = unmeasured.remove(number);
            if (first != null) {
                first.busyThreads(() -> busyShare(connection.getWorker().getMXBean()));
            }
        }
        return port == null ? context.inbound().unregistered(number, hasOwnTls(connection)) : port;
    }

    /** One that listened before the agent came is registered with its first request. */
    private synchronized Inbound.Port found(ServerConnection connection, int number) {
        Inbound.Port port = byNumber.get(number);
        if (port == null) {
            InetSocketAddress bound = bound(connection, number);
            port = known(connection.getWorker(), connection.getTransportProtocol().startsWith("ajp")
                    ? context.inbound().foundUnsecurable("undertow", bound)
                    : context.inbound().found("undertow", bound, hasOwnTls(connection)));
            found.put(number, port);
        }
        return port;
    }

    private boolean isWildFlysManagement(ServerConnection connection) {
        return inWildFly && MANAGEMENT_WORKER.equals(connection.getWorker().getName());
    }

    private static boolean hasOwnTls(ServerConnection connection) {
        return connection.getSslSession() != null;
    }

    /** A connection has the address that its caller used, which is not the one that was bound where all are. */
    private static InetSocketAddress bound(ServerConnection connection, int number) {
        for (XnioServerMXBean server : connection.getWorker().getMXBean().getServerMXBeans()) {
            String address = server.getBindAddress();
            if (address.endsWith("/0.0.0.0:" + number) || address.endsWith("/[0:0:0:0:0:0:0:0]:" + number)) {
                return new InetSocketAddress(number);
            }
        }
        return connection.getLocalAddress(InetSocketAddress.class);
    }

    private static double busyShare(XnioWorkerMXBean worker) {
        int most = worker.getMaxWorkerPoolSize();
        return most <= 0 ? 0 : worker.getBusyWorkerThreadCount() / (double) most;
    }

    /** A request is not over while a connector has it with its handlers. */
    private static boolean servesHere() {
        return StackWalker.getInstance().walk(frames -> frames.anyMatch(frame -> frame.getClassName().equals(Connectors.class.getName())));
    }
}
