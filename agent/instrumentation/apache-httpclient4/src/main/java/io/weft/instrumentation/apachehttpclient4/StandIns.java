package io.weft.instrumentation.apachehttpclient4;

import io.weft.dataplane.Outbound;
import io.weft.instrumentation.Attached;
import org.apache.http.conn.ConnectionKeepAliveStrategy;
import org.apache.http.impl.execchain.ClientExecChain;
import org.apache.http.impl.execchain.MainClientExec;
import org.apache.http.impl.execchain.MinimalClientExec;

/**
 * The ends of the app's execution chains, and what minimal clients have in the place of such a chain, as they are for requests of the mesh, one for each as long as
 * that lives. Thread-safe.
 */
final class StandIns {
    private final Internals internals;
    private final Outbound outbound;
    private final SecuredSockets secured;
    private final EndpointRoutes routes = new EndpointRoutes();
    private final Attached<ClientExecChain> byOriginal = new Attached<>();

    StandIns(Internals internals, Outbound outbound, SecuredSockets secured) {
        this.internals = internals;
        this.outbound = outbound;
        this.secured = secured;
    }

    boolean contains(ClientExecChain exec) throws Throwable {
        return (exec instanceof MinimalClientExec minimal ? internals.connections(minimal) : internals.connections((MainClientExec) exec))
                instanceof MeshConnectionManager;
    }

    ClientExecChain of(ClientExecChain original) throws Throwable {
        ClientExecChain known = byOriginal.of(original);
        if (known != null) {
            return known;
        }
        // Threads that come at the same time make one each, of which one is kept; they do the same.
        ClientExecChain made = original instanceof MinimalClientExec minimal ? make(minimal) : make((MainClientExec) original);
        byOriginal.put(original, made);
        return made;
    }

    private MainClientExec make(MainClientExec original) throws Throwable {
        ConnectionKeepAliveStrategy keepAlive = internals.keepAlive(original);
        return new MainClientExec(
                new MeshRequestExecutor(internals.executor(original), keepAlive, outbound),
                new MeshConnectionManager(internals.connections(original), secured, routes),
                internals.reuse(original),
                keepAlive,
                internals.targetAuthentication(original),
                internals.proxyAuthentication(original),
                internals.userToken(original));
    }

    private MinimalClientExec make(MinimalClientExec original) throws Throwable {
        ConnectionKeepAliveStrategy keepAlive = internals.keepAlive(original);
        return new MinimalClientExec(
                new MeshRequestExecutor(internals.executor(original), keepAlive, outbound),
                new MeshConnectionManager(internals.connections(original), secured, routes),
                internals.reuse(original),
                keepAlive);
    }
}
