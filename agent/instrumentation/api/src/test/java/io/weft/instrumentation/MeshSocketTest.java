package io.weft.instrumentation;

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
import java.time.Instant;
import java.time.InstantSource;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.SSLSocketFactory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Whatever happens while a connection is secured, it is not used in plaintext. */
class MeshSocketTest {
    private static final InetSocketAddress LOGICAL = InetSocketAddress.createUnresolved("orders", 80);

    private ServerSocket silent;

    @BeforeEach
    void listen() throws IOException {
        silent = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
    }

    @AfterEach
    void close() throws IOException {
        silent.close();
    }

    @FunctionalInterface
    private interface Handshake {
        SSLSocket with(Socket connected, long limitNanos) throws IOException;
    }

    private record Tls(Handshake handshake, ClientConnections connections) implements ClientTls {
        Tls(Handshake handshake) {
            this(handshake, new ClientConnections(InstantSource.fixed(Instant.EPOCH), Long.MAX_VALUE));
        }

        @Override
        public String id() {
            return "test";
        }

        @Override
        public SSLEngine engine(InetSocketAddress peer) {
            throw new UnsupportedOperationException("sockets are layered");
        }

        @Override
        public SSLEngine http2Engine(InetSocketAddress peer) {
            throw new UnsupportedOperationException("sockets are layered");
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

    private MeshSocket socket(long limitMillis, ClientTls tls) {
        Endpoint endpoint = new Endpoint((InetSocketAddress) silent.getLocalSocketAddress(), tls);
        return MeshSocket.to(endpoint, TimeUnit.MILLISECONDS.toNanos(limitMillis));
    }

    @Test
    void itConnectsToTheEndpointWhateverTheLibraryThinks() throws IOException {
        try (MeshSocket socket = socket(10_000, null)) {
            socket.connect(LOGICAL, 0);
            assertThat(socket.getRemoteSocketAddress()).isEqualTo(silent.getLocalSocketAddress());
        }
    }

    @Test
    void anErrorIsAFailureToConnect() {
        MeshSocket socket = socket(10_000, new Tls((connected, limitNanos) -> {
            throw new NoClassDefFoundError("a fault of the agent");
        }));
        assertThatThrownBy(() -> socket.connect(LOGICAL, 0))
                .isInstanceOf(ConnectException.class)
                .hasMessageContaining("a fault of the agent");
        assertThat(socket.isClosed()).isTrue();
    }

    @Test
    void aHandshakeHasTheTimeOfAConnect() {
        Tls late = new Tls((connected, limitNanos) -> {
            assertThat(limitNanos).isPositive().isLessThanOrEqualTo(TimeUnit.MILLISECONDS.toNanos(5_000));
            throw new SocketTimeoutException();
        });
        assertThatThrownBy(() -> socket(5_000, late).connect(LOGICAL, 0)).isInstanceOf(SocketTimeoutException.class);
        assertThatThrownBy(() -> socket(30_000, late).connect(LOGICAL, 5_000)).isInstanceOf(SocketTimeoutException.class);
    }

    @Test
    void whatPolicyTakesAwayDuringTheHandshakeIsForTheCallThatWaitsForIt() throws IOException {
        ClientConnections connections = new ClientConnections(InstantSource.fixed(Instant.EPOCH), Long.MAX_VALUE);
        Tls replaced = new Tls((connected, limitNanos) -> {
            connections.retire();
            return (SSLSocket) ((SSLSocketFactory) SSLSocketFactory.getDefault()).createSocket(connected, "orders", 80, true);
        }, connections);
        try (MeshSocket socket = socket(10_000, replaced)) {
            socket.connect(LOGICAL, 0);
            socket.leased();
            assertThat(socket.isClosed()).isFalse();
            socket.idle();
            assertThat(socket.isClosed()).isTrue();
        }
    }

    /** As OkHttp before 3.14 has it: nobody says of the first call that it leases the connection. */
    @Test
    void whatPolicyTakesAwayIsLeftToTheCallThatLeasesItFirst() throws IOException {
        ClientConnections connections = new ClientConnections(InstantSource.fixed(Instant.EPOCH), Long.MAX_VALUE);
        Tls kept = new Tls((connected, limitNanos) ->
                (SSLSocket) ((SSLSocketFactory) SSLSocketFactory.getDefault()).createSocket(connected, "orders", 80, true), connections);
        try (MeshSocket socket = socket(10_000, kept)) {
            socket.connect(LOGICAL, 0);
            socket.idle();
            socket.leased();
            connections.retire();
            assertThat(socket.isClosed()).isFalse();
            socket.idle();
            assertThat(socket.isClosed()).isTrue();
        }
    }
}
