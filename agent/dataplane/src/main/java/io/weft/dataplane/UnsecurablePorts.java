package io.weft.dataplane;

import io.weft.dataplane.UnnamedPorts.Verdict;
import io.weft.dataplane.route.InboundChains;
import io.weft.dataplane.route.InboundRoutes;
import java.io.Closeable;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.WeakHashMap;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/**
 * Ports of servers that the mesh knows but can neither secure nor look into: it sees that they begin to serve and what they accept. Where
 * policy demands mesh TLS, or says who may call, such a server does not start; when that comes later, nobody gets in any more, and what is
 * open is closed when the drain's time is over. Thread-safe.
 */
final class UnsecurablePorts {
    private static final long POLL_MILLIS = 20;
    /** Of a network for documentation: of whom a server that is about to start knows nothing. */
    private static final byte[] SOMEBODY = {(byte) 192, 0, 2, 1};

    private final Supplier<Policy> policy;
    private final UnnamedPorts unnamed;
    private final InboundConnections connections;
    private final Timers timers;
    private final Faults faults;
    /** The servers', for as long as they know of them. Guarded by itself. */
    private final Map<Closeable, Connection> open = new WeakHashMap<>();

    /** @param policy gives null before the first */
    UnsecurablePorts(Supplier<Policy> policy, UnnamedPorts unnamed, InboundConnections connections, Surroundings surroundings) {
        this.policy = policy;
        this.unnamed = unnamed;
        this.connections = connections;
        timers = surroundings.timers();
        faults = surroundings.faults();
    }

    /** Waits for as long as what comes in to a port is held up, unless the thread is interrupted. */
    void awaitPolicy(int port) {
        try {
            while (chains(port) == null && unnamed.verdict(port, false) == Verdict.HELD) {
                TimeUnit.MILLISECONDS.sleep(POLL_MILLIS);
            }
        } catch (InterruptedException hurried) {
            Thread.currentThread().interrupt();
        }
    }

    /** @throws UnsecurableException the policy in force demands what cannot be done there */
    void check(String library, int port) throws UnsecurableException {
        Rejection why = demand(port);
        if (why != null) {
            throw new UnsecurableException(library + " must not serve on port " + port + ": " + why.text()
                    + ". To have it serve all the same, to everyone and in plaintext, set weft.instrumentation." + library + ".enabled=false");
        }
    }

    /** Whether the policy in force names that port and lets not everyone in. */
    boolean isGuarded(int port) {
        return demand(port) != null;
    }

    /** For what the policy that names that port would not let somebody in who calls in plaintext; null: it would, or there is none. */
    private Rejection demand(int port) {
        InetSocketAddress somebody = new InetSocketAddress(address(SOMEBODY), 1);
        return chains(port) == null
                ? null
                : rejection(new Connection(new InetSocketAddress(port), somebody, (Connection.Hello) null, null));
    }

    private static InetAddress address(byte[] bytes) {
        try {
            return InetAddress.getByAddress(bytes);
        } catch (UnknownHostException e) {
            throw new AssertionError("four bytes are an address", e);
        }
    }

    private InboundChains chains(int port) {
        Policy inForce = policy.get();
        return inForce == null ? null : inForce.inbound().find(port);
    }

    /** Null: it may stay. */
    private Rejection rejection(Connection connection) {
        int port = connection.localPort();
        InboundChains chains = chains(port);
        if (chains == null) {
            return unnamed.verdict(port, connection.hello() != null) == Verdict.OPEN ? null : Rejection.NO_POLICY;
        }
        InboundRoutes routes = chains.select(connection);
        return routes == null || routes.isSecured() ? Rejection.UNSECURABLE
                : routes.isRestricted() ? Rejection.UNGUARDED
                : null;
    }

    /** @param socket null: each of its requests is asked about */
    boolean admits(Connection connection, Closeable socket) {
        awaitPolicy(connection.localPort());
        Rejection why = rejection(connection);
        if (why != null) {
            connections.rejected(why, connection);
            return false;
        }
        if (chains(connection.localPort()) == null) {
            unnamed.admitted(connection.localPort());
        }
        if (socket != null) {
            synchronized (open) {
                open.put(socket, connection);
            }
        }
        return true;
    }

    /** A policy came into force: those that it would not let in have to go. */
    void policyChanged() {
        if (!unwelcome().isEmpty()) {
            timers.schedule(connections.drainNanos(), () -> unwelcome().forEach(this::close));
        }
    }

    private List<Closeable> unwelcome() {
        List<Closeable> unwelcome = new ArrayList<>();
        synchronized (open) {
            open.forEach((socket, connection) -> {
                if (rejection(connection) != null) {
                    unwelcome.add(socket);
                }
            });
        }
        return unwelcome;
    }

    private void close(Closeable socket) {
        synchronized (open) {
            open.remove(socket);
        }
        try {
            socket.close();
        } catch (IOException gone) {
            return;
        } catch (RuntimeException | Error fault) {
            faults.fault("closing a connection that policy does not let in any longer", fault);
        }
    }
}
