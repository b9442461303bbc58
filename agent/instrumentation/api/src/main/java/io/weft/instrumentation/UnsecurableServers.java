package io.weft.instrumentation;

import io.weft.dataplane.Inbound;
import io.weft.dataplane.UnsecurableException;
import java.io.Closeable;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * What adapters of server libraries have in common that the mesh knows and can neither secure nor look into: such a server does not
 * start where policy demands that, and gets no connection once policy does. One that served before the agent came is known to the mesh from
 * its next connection or request on. Thread-safe.
 */
public final class UnsecurableServers {
    private final AdapterContext context;
    private final Inbound inbound;
    private final String library;
    private final boolean late;
    /** By number. */
    private final Map<Integer, Inbound.Port> open = new ConcurrentHashMap<>();
    /** What comes in to them still does not make them serve again. */
    private final Set<Integer> stopped = ConcurrentHashMap.newKeySet();

    /** @param library the module's name */
    public UnsecurableServers(AdapterContext context, String library) {
        this.context = context;
        inbound = context.inbound();
        late = context.late();
        this.library = library;
    }

    /**
     * A listener has its port and is about to serve; waits for what policy says of that.
     *
     * @return null: it may; else it is to be closed, and its start to fail with this
     */
    public IOException opened(InetSocketAddress address) {
        try {
            stopped.remove(address.getPort());
            keep(inbound.openedUnsecurable(library, address));
            tell();
            return null;
        } catch (UnsecurableException e) {
            return new IOException(e.getMessage());
        } catch (RuntimeException | Error fault) {
            return new IOException(library + " must not serve: what policy says of port " + address.getPort() + " cannot be told", fault);
        }
    }

    /**
     * A listener for another protocol than HTTP is about to serve beside others, which go on whatever becomes of it.
     *
     * @param listener for people
     */
    public void openedBeside(String listener, InetSocketAddress address) {
        stopped.remove(address.getPort());
        context.warn(listener + " does not speak HTTP: nobody of the mesh calls it, and where policy demands mesh TLS or says who may call it lets"
                + " nobody in. If others must all the same, in plaintext and unasked, name the ports for HTTP in weft.ports, or bind it to the"
                + " loopback interface");
        keep(inbound.openedBeside(library, address));
    }

    private void keep(Inbound.Port port) {
        Inbound.Port before = open.put(port.port(), port);
        if (before != null) {
            before.close();
        }
    }

    public synchronized void closed(int port) {
        if (late) {
            stopped.add(port);
        }
        Inbound.Port known = open.remove(port);
        if (known != null) {
            known.close();
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
        if (local == null || remote == null) {
            return true;
        }
        if (late && !ownTls && !open.containsKey(local.getPort())) {
            found(local.getPort());
        }
        return inbound.admitsUnsecurable(local, remote, ownTls, socket);
    }

    /**
     * A request came over a connection that may be from before the agent.
     *
     * @return false: the connection is to be closed, and the app not to see the request
     */
    public boolean admits(InetSocketAddress local, InetSocketAddress remote, boolean ownTls) {
        return admits(local, remote, ownTls, null);
    }

    /** Wherever it is bound: it takes no clients from the mesh, which so needs no address of it. */
    private synchronized void found(int port) {
        if (!open.containsKey(port) && !stopped.contains(port)) {
            open.put(port, inbound.foundUnsecurable(library, new InetSocketAddress(port)));
            tell();
        }
    }

    private void tell() {
        context.warn(library + ": this version is none that the mesh can be in front of, so that nobody of the mesh calls its ports: who has no other instance"
                + " to call gets 503. Which versions are supported is in docs/libraries.md");
    }
}
