package io.weft.instrumentation.helidon;

import io.helidon.webserver.ConnectionContext;
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
    /** By number: those of listeners that served before the agent came. */
    private final Map<Integer, Inbound.Port> found = new ConcurrentHashMap<>();

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
        open.put(listener, known(context.inbound().opened("helidon", address, listeners.hasOwnTls(listener))));
    }

    private Inbound.Port known(Inbound.Port port) {
        port.onDrain(tellOverHttp2);
        port.ownRequest(ListenerPorts::servesHere);
        byNumber.put(port.port(), port);
        return port;
    }

    void stopped(Object listener) throws Throwable {
        Inbound.Port port = open.remove(listener);
        if (port == null && !found.isEmpty()) {
            InetSocketAddress address = listeners.address(listener);
            port = address == null ? null : found.remove(address.getPort());
        }
        if (port != null) {
            port.close();
        }
    }

    /** One that is not registered yet serves already. */
    Inbound.Port of(ConnectionContext connection, int number, boolean ownTls) {
        Inbound.Port port = byNumber.get(number);
        if (port != null) {
            return port;
        }
        return context.late() ? found(connection, number, ownTls) : context.inbound().unregistered(number, ownTls);
    }

    /** One that listened before the agent came is registered with its first request. */
    private synchronized Inbound.Port found(ConnectionContext connection, int number, boolean ownTls) {
        Inbound.Port port = byNumber.get(number);
        if (port == null) {
            InetSocketAddress bound = new InetSocketAddress(connection.listenerContext().config().address(), number);
            port = known(context.inbound().found("helidon", bound, ownTls));
            found.put(number, port);
        }
        return port;
    }

    /** A request is not over while the app's filters and handlers have it. */
    private static boolean servesHere() {
        return StackWalker.getInstance().walk(frames -> frames.anyMatch(frame -> frame.getClassName().equals(Filters.class.getName())));
    }
}
