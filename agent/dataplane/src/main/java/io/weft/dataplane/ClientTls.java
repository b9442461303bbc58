package io.weft.dataplane;

import java.io.IOException;
import java.net.ConnectException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLSocket;

/**
 * How connections to an endpoint are secured. A library may reuse a connection for another request only if it was secured by the
 * same object: a new certificate, another trust bundle or another SAN come as a new one. Thread-safe.
 */
public interface ClientTls {

    /** Of a handshake that somebody else watches over. */
    long UNLIMITED = Long.MAX_VALUE;

    /** Unique in this process, for pools that are keyed by names. */
    String id();

    /** Those that this object has secured and that are kept. */
    ClientConnections connections();

    /**
     * For one connection: in client mode, with SNI, ALPN, versions and cipher suites as policy says. Its handshake fails when the
     * peer is not who policy says it must be.
     *
     * @param peer where the connection leads; sessions are resumed by it
     */
    SSLEngine engine(InetSocketAddress peer);

    /** As {@link #engine}, for a connection on which HTTP/2 is spoken and nothing else. */
    SSLEngine http2Engine(InetSocketAddress peer);

    /**
     * Secures a connected socket and returns when the handshake is done; how long the socket's reads wait is then as it was before.
     * Closing the result closes the socket; when the handshake fails that is closed, too.
     *
     * @param limitNanos how long the handshake may take altogether, however its bytes come in; or {@link #UNLIMITED}
     * @throws ConnectException the peer does not speak TLS, or is not who policy says it must be
     * @throws SocketTimeoutException it took longer
     * @throws IOException the socket cannot be used
     */
    SSLSocket layer(Socket connected, InetSocketAddress peer, long limitNanos) throws IOException;

    /** As {@link #layer}, for a connection on which HTTP/2 is spoken and nothing else. */
    SSLSocket http2Layer(Socket connected, InetSocketAddress peer, long limitNanos) throws IOException;
}
