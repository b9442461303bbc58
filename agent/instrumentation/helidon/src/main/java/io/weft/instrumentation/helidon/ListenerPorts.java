package io.weft.instrumentation.helidon;

import io.helidon.webserver.http.Filters;
import io.weft.dataplane.Inbound;
import io.weft.instrumentation.AdapterContext;
import java.net.InetSocketAddress;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** Which port of the mesh stands for which listener. Thread-safe; read by every request. */
final class ListenerPorts {
    private final AdapterContext context;
    private final Listeners listeners;
    private final Runnable tellOverHttp2;
    private final Map<Object, Inbound.Port> open = new ConcurrentHashMap<>();
    /** By number. Those of servers that have stopped, too: requests on their open connections are still looked at. */
    private final Map<Integer, Inbound.Port> byNumber = new ConcurrentHashMap<>();

    /** @param tellOverHttp2 has whoever speaks HTTP/2 use another connection */
    ListenerPorts(AdapterContext context, Runnable tellOverHttp2) throws ReflectiveOperationException {
        this.context = context;
        this.tellOverHttp2 = tellOverHttp2;
        listeners = new Listeners(context);
    }

    void started(Object listener) throws Throwable {
        stopped(listener);
        InetSocketAddress address = listeners.address(listener);
        if (address == null) {
            context.warn("Helidon's listener " + listener + " is not registered: it listens on no TCP port");
            return;
        }
        Inbound.Port port = context.inbound().opened("helidon", address, listeners.hasOwnTls(listener));
        port.onDrain(tellOverHttp2);
        port.ownRequest(ListenerPorts::servesHere);
        byNumber.put(port.port(), port);
        open.put(listener, port);
    }

    void stopped(Object listener) {
        Inbound.Port port = open.remove(listener);
        if (port != null) {
            port.close();
        }
    }

    /** One that is not registered yet serves already. */
    Inbound.Port of(int number, boolean ownTls) {
        Inbound.Port port = byNumber.get(number);
        return port == null ? context.inbound().unregistered(number, ownTls) : port;
    }

    /** A request is not over while the app's filters and handlers have it. */
    private static boolean servesHere() {
        return StackWalker.getInstance().walk(frames -> frames.anyMatch(frame -> frame.getClassName().equals(Filters.class.getName())));
    }
}
