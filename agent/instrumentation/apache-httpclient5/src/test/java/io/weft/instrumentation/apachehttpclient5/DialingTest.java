package io.weft.instrumentation.apachehttpclient5;

import static org.assertj.core.api.Assertions.assertThat;

import io.weft.dataplane.ClientConnections;
import io.weft.dataplane.ClientTls;
import io.weft.dataplane.Endpoint;
import io.weft.instrumentation.Handler;
import java.io.IOException;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLSocket;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Whatever happens while a connection is secured, it is not used in plaintext. */
class DialingTest {
    private final Dialing dialing = new Dialing();
    private ServerSocket silent;
    private Socket connected;

    @BeforeEach
    void connect() throws IOException {
        silent = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
        connected = new Socket(silent.getInetAddress(), silent.getLocalPort());
    }

    @AfterEach
    void close() throws IOException {
        connected.close();
        silent.close();
    }

    @FunctionalInterface
    private interface Handshake {
        SSLSocket with(Socket connected) throws IOException;
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
        public SSLSocket layer(Socket connected, InetSocketAddress peer) throws IOException {
            return handshake.with(connected);
        }

        @Override
        public SSLSocket http2Layer(Socket connected, InetSocketAddress peer) throws IOException {
            return layer(connected, peer);
        }
    }

    private Throwable failure(long limitMillis, Handshake handshake) {
        Endpoint endpoint = new Endpoint((InetSocketAddress) silent.getLocalSocketAddress(), new Tls(handshake));
        dialing.begin(endpoint, TimeUnit.MILLISECONDS.toNanos(limitMillis));
        Object outcome = dialing.secure(new Object(), connected);
        assertThat(dialing.end()).as("may be used").isFalse();
        return ((Handler.Thrown) outcome).throwable();
    }

    @Test
    void anErrorIsAFailureToConnect() {
        assertThat(failure(1_000, socket -> {
            throw new NoClassDefFoundError("a fault of the agent");
        })).isInstanceOf(ConnectException.class).hasMessageContaining("a fault of the agent");
    }

    @Test
    @Timeout(30)
    void aHandshakeHasTheTimeOfAConnect() {
        assertThat(failure(50, socket -> {
            socket.getInputStream().read();
            throw new AssertionError("the peer has said something");
        })).isInstanceOf(SocketTimeoutException.class);
    }

    @Test
    void whatWasNotSecuredIsNotUsed() {
        dialing.begin(new Endpoint((InetSocketAddress) silent.getLocalSocketAddress(), new Tls(socket -> null)), 1);
        assertThat(dialing.end()).isFalse();
    }
}
