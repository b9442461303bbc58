package io.weft.instrumentation.okhttp;

import io.weft.dataplane.Endpoint;
import io.weft.instrumentation.MeshSocket;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.UnknownHostException;
import javax.net.SocketFactory;

/** Sockets to one endpoint. A connection that is pooled holds on to it, so that it lets go of the attempt. */
final class MeshSocketFactory extends SocketFactory {
    private final Endpoint endpoint;
    private final long connectNanos;
    /** Null: it is over. Who sees that late tells one that does not listen any more. */
    private Attempt attempt;

    MeshSocketFactory(Endpoint endpoint, long connectNanos, Attempt attempt) {
        this.endpoint = endpoint;
        this.connectNanos = connectNanos;
        this.attempt = attempt;
    }

    void forget() {
        attempt = null;
    }

    @Override
    public Socket createSocket() throws IOException {
        Socket socket = MeshSocket.to(endpoint, connectNanos);
        Attempt current = attempt;
        if (current != null) {
            current.connecting(socket);
        }
        return socket;
    }

    @Override
    public Socket createSocket(String host, int port) throws IOException {
        throw connected();
    }

    @Override
    public Socket createSocket(String host, int port, InetAddress localHost, int localPort) throws IOException {
        throw connected();
    }

    @Override
    public Socket createSocket(InetAddress host, int port) throws IOException {
        throw connected();
    }

    @Override
    public Socket createSocket(InetAddress address, int port, InetAddress localAddress, int localPort) throws IOException {
        throw connected();
    }

    private static UnknownHostException connected() {
        return new UnknownHostException("the library connects its sockets itself");
    }
}
