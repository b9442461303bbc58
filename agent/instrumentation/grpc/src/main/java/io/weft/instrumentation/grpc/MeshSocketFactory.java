package io.weft.instrumentation.grpc;

import io.weft.dataplane.Endpoint;
import io.weft.instrumentation.MeshSocket;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.UnknownHostException;
import javax.net.SocketFactory;

/** Secured sockets to one endpoint, wherever the library thinks that it connects to. */
final class MeshSocketFactory extends SocketFactory {
    private final Endpoint endpoint;
    private final long connectNanos;

    MeshSocketFactory(Endpoint endpoint, long connectNanos) {
        this.endpoint = endpoint;
        this.connectNanos = connectNanos;
    }

    @Override
    public Socket createSocket(InetAddress address, int port) throws IOException {
        Socket socket = MeshSocket.http2To(endpoint, connectNanos);
        try {
            socket.connect(endpoint.address());
            return socket;
        } catch (IOException | RuntimeException e) {
            socket.close();
            throw e;
        }
    }

    @Override
    public Socket createSocket(String host, int port) throws IOException {
        throw resolved();
    }

    @Override
    public Socket createSocket(String host, int port, InetAddress localHost, int localPort) throws IOException {
        throw resolved();
    }

    @Override
    public Socket createSocket(InetAddress address, int port, InetAddress localAddress, int localPort) throws IOException {
        throw resolved();
    }

    private static UnknownHostException resolved() {
        return new UnknownHostException("the library asks for sockets by address");
    }
}
