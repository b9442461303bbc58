package io.weft.instrumentation;

import static org.assertj.core.api.Assertions.assertThat;

import io.weft.dataplane.ClientConnections;
import io.weft.dataplane.ClientTls;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.time.Instant;
import java.time.InstantSource;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLSocket;
import org.junit.jupiter.api.Test;

class SharedConnectionTest {
    private final Tls tls = new Tls(new ClientConnections(InstantSource.fixed(Instant.EPOCH), Long.MAX_VALUE));
    private final long before = System.nanoTime() - 1;
    private boolean closed;

    private SharedConnection connection() {
        return new SharedConnection(tls, () -> closed = true);
    }

    @Test
    void whoHasWaitedForItGetsItThoughPolicyHasTakenItAway() {
        SharedConnection connection = connection();
        tls.connections().retire();
        assertThat(connection.lease(before)).isTrue();
        assertThat(connection.giveBack()).isFalse();
        assertThat(connection.lease(before)).as("the next one").isFalse();
    }

    @Test
    void whoComesLaterDoesNotGetItOncePolicyHasTakenItAway() {
        SharedConnection connection = connection();
        tls.connections().retire();
        assertThat(connection.lease(System.nanoTime())).isFalse();
    }

    @Test
    void whoComesLaterGetsIt() {
        SharedConnection connection = connection();
        assertThat(connection.lease(System.nanoTime())).isTrue();
        assertThat(connection.lease(System.nanoTime())).as("at once").isTrue();
    }

    @Test
    void isClosedWithoutARequestOncePolicyTakesItAway() {
        SharedConnection connection = connection();
        assertThat(connection.lease(before)).isTrue();
        assertThat(connection.giveBack()).isTrue();
        tls.connections().retire();
        assertThat(closed).isTrue();
    }

    private record Tls(ClientConnections connections) implements ClientTls {
        @Override
        public String id() {
            return "tls";
        }

        @Override
        public SSLEngine engine(InetSocketAddress peer) {
            throw new UnsupportedOperationException();
        }

        @Override
        public SSLEngine http2Engine(InetSocketAddress peer) {
            throw new UnsupportedOperationException();
        }

        @Override
        public SSLSocket layer(Socket connected, InetSocketAddress peer, long limitNanos) {
            throw new UnsupportedOperationException();
        }

        @Override
        public SSLSocket http2Layer(Socket connected, InetSocketAddress peer, long limitNanos) {
            throw new UnsupportedOperationException();
        }
    }
}
