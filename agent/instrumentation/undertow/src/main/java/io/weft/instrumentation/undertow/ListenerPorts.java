package io.weft.instrumentation.undertow;

import io.undertow.Undertow;
import io.undertow.Undertow.ListenerInfo;
import io.undertow.server.Connectors;
import io.weft.dataplane.Inbound;
import io.weft.instrumentation.AdapterContext;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.xnio.XnioWorker;
import org.xnio.management.XnioWorkerMXBean;

/** Which port of the mesh stands for which listener. Thread-safe; read by every request. */
final class ListenerPorts {
    private final AdapterContext context;
    private final Http2Channels http2;
    private final Map<Undertow, List<Inbound.Port>> open = new ConcurrentHashMap<>();
    /** By number. Those of servers that have stopped, too: requests on their open connections are still looked at. */
    private final Map<Integer, Inbound.Port> byNumber = new ConcurrentHashMap<>();

    ListenerPorts(AdapterContext context, Http2Channels http2) {
        this.context = context;
        this.http2 = http2;
    }

    void started(Undertow undertow) {
        stopped(undertow);
        List<Inbound.Port> ports = new ArrayList<>();
        for (ListenerInfo listener : undertow.getListenerInfo()) {
            if (!(listener.getAddress() instanceof InetSocketAddress address)) {
                context.warn("Undertow listener " + listener + " is not registered: it listens on no TCP port");
            } else if (!listener.getProtcol().startsWith("http")) {
                context.warn("Undertow listener " + listener + " is not registered: it does not speak HTTP");
            } else {
                ports.add(opened(undertow.getWorker(), address, listener.getSslContext() != null));
            }
        }
        open.put(undertow, ports);
    }

    private Inbound.Port opened(XnioWorker worker, InetSocketAddress address, boolean tls) {
        Inbound.Port port = context.inbound().opened("undertow", address, tls);
        port.busyThreads(() -> busyShare(worker.getMXBean()));
        port.onDrain(http2::lastStreams);
        port.ownRequest(ListenerPorts::servesHere);
        byNumber.put(port.port(), port);
        return port;
    }

    void stopped(Undertow undertow) {
        List<Inbound.Port> ports = open.remove(undertow);
        if (ports != null) {
            ports.forEach(Inbound.Port::close);
        }
    }

    /** One that is not registered yet, or by nobody as in WildFly, serves already. */
    Inbound.Port of(int number, boolean tls) {
        Inbound.Port port = byNumber.get(number);
        return port == null ? context.inbound().unregistered(number, tls) : port;
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
