package io.weft.instrumentation.javanethttp;

import io.weft.dataplane.ClientConnection;
import io.weft.dataplane.ClientTls;
import io.weft.dataplane.Endpoint;
import io.weft.instrumentation.Handler;
import java.io.IOException;
import java.net.ConnectException;
import java.net.InetSocketAddress;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;

/**
 * Mesh TLS below the JDK's plaintext connections: for all that is above, the request, the response and the app, the connection is
 * one without TLS. Whatever goes wrong here is a failure to connect, never a connection in plaintext: not even when a hook fails, since
 * the JDK then goes on without it, and {@link #refusal} looks before the first byte.
 */
final class SecuredConnections {
    private final Internals internals;
    private final Dialing dialing;

    SecuredConnections(Internals internals, Dialing dialing) {
        this.internals = internals;
        this.dialing = dialing;
    }

    /** Of a connection that is to be secured; the JDK keeps it as the connection's address. */
    private static final class SecuredAddress extends InetSocketAddress {
        private final transient ClientTls tls;
        private final transient InetSocketAddress poolKey;
        /** The encrypted flow of the one connection that this is the address of; null before it is connected. */
        private transient volatile Object tube;
        /** The same; null before the handshake is done. */
        private transient volatile ClientConnection connection;

        SecuredAddress(Endpoint endpoint, InetSocketAddress poolKey) {
            super(endpoint.address().getAddress(), endpoint.address().getPort());
            this.tls = endpoint.tls();
            this.poolKey = poolKey;
        }
    }

    /**
     * In place of a proxy in the key of the JDK's pool: what was secured in another way, or not at all, is never found. The JDK looks
     * a plaintext connection through a proxy up by the proxy alone.
     */
    private static InetSocketAddress poolKey(Endpoint endpoint) {
        InetSocketAddress address = endpoint.address();
        return InetSocketAddress.createUnresolved(
                endpoint.tls().id() + '/' + address.getAddress().getHostAddress(), address.getPort());
    }

    /** Whether the connection of the request is to be secured. */
    boolean covers(Object request) {
        return endpoint(request) != null;
    }

    /** Null: it is not to be secured. */
    private Endpoint endpoint(Object request) {
        Dialing.Dial dial = dialing.of(request);
        return dial != null && dial.endpoint().tls() != null ? dial.endpoint() : null;
    }

    /** @return a connection from the JDK's pool, or a new one that is yet to be connected */
    Object connection(Object client, Object request) {
        Endpoint endpoint = endpoint(request);
        if (endpoint == null) {
            return Handler.PROCEED;
        }
        try {
            InetSocketAddress poolKey = poolKey(endpoint);
            Object pooled = internals.pooledConnection(client, poolKey);
            return pooled != null && isLeased(pooled)
                    ? pooled
                    : internals.newConnection(new SecuredAddress(endpoint, poolKey), client, request);
        } catch (Throwable fault) {
            return new Handler.Thrown(new IllegalStateException("mesh TLS to " + endpoint + " cannot be set up", fault));
        }
    }

    /** Policy may have taken it away meanwhile. */
    private boolean isLeased(Object pooled) throws Throwable {
        ClientConnection connection = ((SecuredAddress) internals.address(pooled)).connection;
        if (connection.lease()) {
            return internals.isOpen(pooled);
        }
        internals.close(pooled);
        return false;
    }

    /** In the place of {@code HttpConnection.closeOrReturnToCache}: the response is over. */
    Object over(Object connection) throws Throwable {
        if (internals.address(connection) instanceof SecuredAddress secured
                && secured.connection != null
                && !secured.connection.giveBack()) {
            internals.close(connection);
            return null;
        }
        return Handler.PROCEED;
    }

    /** The TCP connection is there: the handshake comes before the JDK takes it for connected, so within the app's time limit. */
    Object finishConnect(Object connection) {
        if (!(internals.address(connection) instanceof SecuredAddress secured) || secured.tube != null) {
            return Handler.PROCEED;
        }
        CompletableFuture<String> handshake;
        try {
            secured.tube = internals.newTlsTube(secured.tls.engine(secured), connection);
            handshake = internals.handshake(secured.tube);
        } catch (Throwable fault) {
            return failed(connection, secured, fault);
        }
        return handshake
                .handle((protocol, failure) -> failure == null ? finish(connection, secured) : failed(connection, secured, failure))
                .thenCompose(Function.identity());
    }

    private CompletableFuture<Void> finish(Object connection, SecuredAddress secured) {
        try {
            secured.connection = secured.tls.connections().opened(() -> close(connection));
            return internals.finishConnect(connection);
        } catch (Throwable fault) {
            return failed(connection, secured, fault);
        }
    }

    private void close(Object connection) {
        try {
            internals.close(connection);
        } catch (Throwable undeclared) {
            throw new AssertionError(undeclared);
        }
    }

    private CompletableFuture<Void> failed(Object connection, SecuredAddress secured, Throwable cause) {
        ConnectException failure = new ConnectException("mesh TLS to " + secured + " failed: " + innermost(cause));
        failure.initCause(cause);
        try {
            internals.close(connection);
        } catch (Throwable fault) {
            failure.addSuppressed(fault);
        }
        return CompletableFuture.failedFuture(failure);
    }

    // JSSE wraps what matters several layers deep.
    private static String innermost(Throwable cause) {
        Throwable inner = cause;
        while (inner.getCause() != null && (inner.getCause() instanceof IOException || !(inner instanceof IOException))) {
            inner = inner.getCause();
        }
        return inner.getMessage() == null ? inner.toString() : inner.getMessage();
    }

    Object flow(Object connection, Object plain) {
        return internals.address(connection) instanceof SecuredAddress secured && secured.tube != null ? secured.tube : plain;
    }

    /**
     * Whatever has become of the other hooks, a request that is to be secured goes out as it should or not at all. To be asked before
     * each request.
     *
     * @param attempt null: the mesh has nothing to do with the request
     * @return null: nothing is to be said against it
     */
    ConnectException refusal(Object connection, UnderWay attempt) {
        if (!(internals.address(connection) instanceof SecuredAddress secured)) {
            return attempt != null && attempt.overTls() ? leftOut("a connection to " + internals.address(connection), null) : null;
        }
        try {
            return secured.connection != null && internals.flow(connection) == secured.tube
                    ? null
                    : leftOut("a connection to " + secured, null);
        } catch (Throwable fault) {
            return leftOut("a connection to " + secured, fault);
        }
    }

    /** @param fault null: it is in the agent's log */
    static ConnectException leftOut(String carrier, Throwable fault) {
        ConnectException failure = new ConnectException("mesh TLS was left out of " + carrier + ", by a fault of the agent: nothing is sent over it");
        failure.initCause(fault);
        return failure;
    }

    Object cacheKey(Object connection, Object plain) throws Throwable {
        return internals.address(connection) instanceof SecuredAddress secured
                ? internals.poolKey(secured.poolKey)
                : plain;
    }
}
