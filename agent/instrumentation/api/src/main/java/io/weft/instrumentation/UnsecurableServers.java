package io.weft.instrumentation;

import io.weft.dataplane.Inbound;
import io.weft.dataplane.UnsecurableException;
import java.io.Closeable;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * What adapters of server libraries have in common that the mesh knows and can neither secure nor look into: such a server does not
 * start where policy demands that, and gets no connection once policy does. Thread-safe.
 */
public final class UnsecurableServers {
    private final Inbound inbound;
    private final String library;
    private final Map<Object, Inbound.Port> open = new ConcurrentHashMap<>();

    /** @param library the module's name */
    public UnsecurableServers(AdapterContext context, String library) {
        inbound = context.inbound();
        this.library = library;
    }

    /**
     * A listener has its port and is about to serve; waits for what policy says of that.
     *
     * @param listener by which {@link #closed} knows it
     * @return null: it may; else it is to be closed, and its start to fail with this
     */
    public IOException opened(Object listener, InetSocketAddress address) {
        try {
            Inbound.Port before = open.put(listener, inbound.openedUnsecurable(library, address));
            if (before != null) {
                before.close();
            }
            return null;
        } catch (UnsecurableException e) {
            return new IOException(e.getMessage());
        } catch (RuntimeException | Error fault) {
            return new IOException(library + " must not serve: what policy says of port " + address.getPort() + " cannot be told", fault);
        }
    }

    public void closed(Object listener) {
        Inbound.Port port = open.remove(listener);
        if (port != null) {
            port.close();
        }
    }

    /**
     * A connection was accepted.
     *
     * @param local null, as is the other: of no network that policy knows
     * @param ownTls the app's own TLS is on it
     * @return false: it is to be closed
     */
    public boolean admits(InetSocketAddress local, InetSocketAddress remote, boolean ownTls, Closeable socket) {
        return local == null || remote == null || inbound.admitsUnsecurable(local, remote, ownTls, socket);
    }
}
