package io.weft.instrumentation.apachehttpclient4;

import io.weft.dataplane.ClientConnection;
import io.weft.dataplane.Endpoint;
import io.weft.instrumentation.Attached;
import java.io.IOException;
import java.lang.ref.WeakReference;
import java.net.ConnectException;
import java.net.Socket;
import javax.net.ssl.SSLSocket;
import org.apache.http.HttpClientConnection;
import org.apache.http.conn.ManagedHttpClientConnection;

/** Mesh TLS on connections of the library's, and what is below it. Thread-safe. */
final class SecuredSockets {
    /** By the socket that is secured. */
    private final Attached<Layered> layered = new Attached<>();

    /** @param raw below mesh TLS */
    private record Layered(Socket raw, ClientConnection pooled) {}

    /**
     * Returns when the connection is secured; whoever gets an exception must not send anything over it.
     *
     * @param limitNanos how long the handshake may take
     */
    void secure(HttpClientConnection connected, Endpoint endpoint, long limitNanos) throws IOException {
        try {
            ManagedHttpClientConnection connection = (ManagedHttpClientConnection) connected;
            Socket socket = connection.getSocket();
            SSLSocket secured = endpoint.tls().layer(socket, endpoint.address(), limitNanos);
            layered.put(secured, new Layered(socket, endpoint.tls().connections().opened(closing(secured))));
            connection.bind(secured);
        } catch (IOException e) {
            throw e;
        } catch (Exception | LinkageError e) {
            ConnectException failure = new ConnectException("mesh TLS cannot be set up: " + e);
            failure.initCause(e);
            throw failure;
        }
    }

    /** The library finds a closed socket in its pool, as if the endpoint had closed it. */
    private static Runnable closing(Socket secured) {
        WeakReference<Socket> pooled = new WeakReference<>(secured);
        return () -> {
            Socket socket = pooled.get();
            if (socket != null) {
                close(socket);
            }
        };
    }

    private static void close(Socket socket) {
        try {
            socket.close();
        } catch (IOException closed) {
            // It is of no use any more, and nobody waits for it.
            return;
        }
    }

    private Layered of(HttpClientConnection connection) {
        return connection instanceof ManagedHttpClientConnection managed && managed.isOpen() ? layered.of(managed.getSocket()) : null;
    }

    /** Whether the app sees no TLS on it. */
    boolean isMesh(Socket socket) {
        return layered.of(socket) != null;
    }

    /** A pool has given the connection to a request. @return false: policy has taken it away meanwhile, so that it is to be discarded */
    boolean lease(HttpClientConnection connection) {
        Layered secured = of(connection);
        return secured == null || secured.pooled.lease();
    }

    /** Before a pool gets it back. @return false: it is to be discarded instead */
    boolean giveBack(HttpClientConnection connection) {
        Layered secured = of(connection);
        return secured == null || secured.pooled.giveBack();
    }

    /** At once, from any thread: closing TLS waits for whoever is writing. */
    void shutdown(HttpClientConnection connection) {
        try {
            Layered secured = of(connection);
            if (secured != null) {
                secured.raw.close();
            }
            connection.shutdown();
        } catch (IOException | IllegalStateException gone) {
            // It is closed, or the library's pool has it back: that is all that is asked for.
            return;
        }
    }
}
