package io.weft.it.server;

import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.function.Consumer;
import javax.net.ssl.SNIServerName;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;

/** One connection of a client of the mesh, over JSSE, as a sidecar of Kuma would make it. */
public final class TlsClient implements AutoCloseable {
    private static final int PATIENCE_MILLIS = 30_000;

    private final SSLSocket socket;

    TlsClient(SSLContext context, int port) throws IOException {
        this(context, port, parameters -> { });
    }

    TlsClient(SSLContext context, int port, Consumer<SSLParameters> change) throws IOException {
        this(context, new Socket(InetAddress.getLoopbackAddress(), port), change);
    }

    /** @param wire connected */
    TlsClient(SSLContext context, Socket wire) throws IOException {
        this(context, wire, parameters -> { });
    }

    private TlsClient(SSLContext context, Socket wire, Consumer<SSLParameters> change) throws IOException {
        wire.setSoTimeout(PATIENCE_MILLIS);
        socket = (SSLSocket) context.getSocketFactory().createSocket(wire, "orders", wire.getPort(), true);
        SSLParameters parameters = socket.getSSLParameters();
        parameters.setApplicationProtocols(new String[] {"kuma"});
        parameters.setServerNames(List.of(new AnyName("orders{kuma.io/service=orders,mesh=default}")));
        change.accept(parameters);
        socket.setSSLParameters(parameters);
    }

    /** All that is answered to these bytes until the connection is closed. */
    public static byte[] ask(SSLContext context, int port, String request) throws IOException {
        try (TlsClient client = new TlsClient(context, port)) {
            client.send(request);
            return client.socket.getInputStream().readAllBytes();
        }
    }

    SSLSocket socket() {
        return socket;
    }

    void send(String bytes) throws IOException {
        socket.getOutputStream().write(bytes.getBytes(StandardCharsets.ISO_8859_1));
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }

    private static final class AnyName extends SNIServerName {
        AnyName(String name) {
            super(0, name.getBytes(StandardCharsets.UTF_8));
        }
    }
}
