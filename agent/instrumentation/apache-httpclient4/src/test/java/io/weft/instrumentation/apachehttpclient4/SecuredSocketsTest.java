package io.weft.instrumentation.apachehttpclient4;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.weft.dataplane.ClientConnections;
import io.weft.dataplane.ClientTls;
import io.weft.dataplane.Endpoint;
import java.io.IOException;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLSocket;
import org.apache.http.impl.DefaultBHttpClientConnection;
import org.apache.http.impl.conn.DefaultManagedHttpClientConnection;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Whatever happens while a connection is secured, whoever secures it is told not to use it. */
class SecuredSocketsTest {
    private final SecuredSockets sockets = new SecuredSockets();
    private ServerSocket silent;
    private Socket connected;
    private DefaultManagedHttpClientConnection connection;

    @BeforeEach
    void connect() throws IOException {
        silent = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
        connected = new Socket(silent.getInetAddress(), silent.getLocalPort());
        connection = new DefaultManagedHttpClientConnection("test", 1024);
        connection.bind(connected);
    }

    @AfterEach
    void close() throws IOException {
        connected.close();
        silent.close();
    }

    @FunctionalInterface
    private interface Handshake {
        SSLSocket with(Socket connected, long limitNanos) throws IOException;
    }

    private record Tls(Handshake handshake) implements ClientTls {
        @Override
        public String id() {
            return "test";
        }

        @Override
        public ClientConnections connections() {
            throw new UnsupportedOperationException("there is none");
        }

        @Override
        public SSLEngine engine(InetSocketAddress peer) {
            throw new UnsupportedOperationException("HttpClient layers sockets");
        }

        @Override
        public SSLEngine http2Engine(InetSocketAddress peer) {
            throw new UnsupportedOperationException("HttpClient layers sockets");
        }

        @Override
        public SSLSocket layer(Socket connected, InetSocketAddress peer, long limitNanos) throws IOException {
            return handshake.with(connected, limitNanos);
        }

        @Override
        public SSLSocket http2Layer(Socket connected, InetSocketAddress peer, long limitNanos) throws IOException {
            return layer(connected, peer, limitNanos);
        }
    }

    private Endpoint endpoint(Handshake handshake) {
        return new Endpoint((InetSocketAddress) silent.getLocalSocketAddress(), new Tls(handshake));
    }

    @Test
    void anErrorIsAFailureToConnect() {
        Endpoint faulty = endpoint((socket, limitNanos) -> {
            throw new NoClassDefFoundError("a fault of the agent");
        });
        assertThatThrownBy(() -> sockets.secure(connection, faulty, 10_000))
                .isInstanceOf(ConnectException.class)
                .hasMessageContaining("a fault of the agent");
        assertThatThrownBy(() -> sockets.secure(connection, endpoint((socket, limitNanos) -> null), 10_000)).isInstanceOf(ConnectException.class);
    }

    @Test
    void aHandshakeHasTheTimeOfAConnect() {
        Endpoint late = endpoint((socket, limitNanos) -> {
            throw new SocketTimeoutException("after " + limitNanos);
        });
        assertThatThrownBy(() -> sockets.secure(connection, late, 50)).isInstanceOf(SocketTimeoutException.class).hasMessage("after 50");
    }

    @Test
    void aConnectionThatGivesNoAccessToItsSocketIsNotUsed() {
        Endpoint secured = endpoint((socket, limitNanos) -> {
            throw new AssertionError("nothing to secure");
        });
        assertThatThrownBy(() -> sockets.secure(new DefaultBHttpClientConnection(1024), secured, 10_000))
                .isInstanceOf(ConnectException.class);
    }

    @Test
    void whatIsShutDownIsClosed() {
        sockets.shutdown(connection);
        assertThat(connected.isClosed()).isTrue();
        sockets.shutdown(connection);
    }
}
