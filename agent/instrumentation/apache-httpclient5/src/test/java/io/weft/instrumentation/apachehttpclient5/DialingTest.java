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
import org.apache.hc.core5.util.TimeValue;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

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

    private Throwable failure(long limitMillis, Handshake handshake) {
        Endpoint endpoint = new Endpoint((InetSocketAddress) silent.getLocalSocketAddress(), new Tls(handshake));
        dialing.begin(endpoint, TimeUnit.MILLISECONDS.toNanos(limitMillis));
        Object outcome = dialing.secure(new Object(), connected);
        assertThat(dialing.end()).as("may be used").isFalse();
        return ((Handler.Thrown) outcome).throwable();
    }

    @Test
    void anErrorIsAFailureToConnect() {
        assertThat(failure(1_000, (socket, limitNanos) -> {
            throw new NoClassDefFoundError("a fault of the agent");
        })).isInstanceOf(ConnectException.class).hasMessageContaining("a fault of the agent");
    }

    @Test
    void aHandshakeHasTheTimeOfAConnect() {
        assertThat(failure(5_000, (socket, limitNanos) -> {
            assertThat(limitNanos).isPositive().isLessThanOrEqualTo(TimeUnit.MILLISECONDS.toNanos(5_000));
            throw new SocketTimeoutException();
        })).isInstanceOf(SocketTimeoutException.class);
    }

    @Test
    void theAppsLimitForAConnectIsTheHandshakesToo() {
        Endpoint endpoint = new Endpoint((InetSocketAddress) silent.getLocalSocketAddress(), new Tls((socket, limitNanos) -> {
            throw new SocketTimeoutException(limitNanos <= TimeUnit.MILLISECONDS.toNanos(5_000) ? "the app's" : "policy's");
        }));
        for (TimeValue apps : new TimeValue[] {null, TimeValue.ofMilliseconds(-1), TimeValue.ofHours(1), TimeValue.ofSeconds(5)}) {
            dialing.begin(endpoint, TimeUnit.MINUTES.toNanos(1));
            assertThat(dialing.within(apps)).isSameAs(apps);
            Throwable failure = ((Handler.Thrown) dialing.secure(new Object(), connected)).throwable();
            assertThat(failure).hasMessage(TimeValue.ofSeconds(5).equals(apps) ? "the app's" : "policy's");
            dialing.end();
        }
        assertThat(dialing.within(TimeValue.ofSeconds(5))).as("nobody dials").isEqualTo(TimeValue.ofSeconds(5));
    }

    @Test
    void whatWasNotSecuredIsNotUsed() {
        dialing.begin(new Endpoint((InetSocketAddress) silent.getLocalSocketAddress(), new Tls((socket, limitNanos) -> null)), 1);
        assertThat(dialing.end()).isFalse();
    }
}
