package io.weft.instrumentation.apachehttpclient5;

import static org.assertj.core.api.Assertions.assertThat;

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
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.NoSuchAlgorithmException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLSocket;
import org.apache.hc.core5.concurrent.FutureCallback;
import org.apache.hc.core5.http.HttpHost;
import org.apache.hc.core5.io.CloseMode;
import org.apache.hc.core5.reactor.DefaultConnectingIOReactor;
import org.apache.hc.core5.reactor.IOEventHandler;
import org.apache.hc.core5.reactor.IOReactorConfig;
import org.apache.hc.core5.reactor.IOSession;
import org.apache.hc.core5.util.TimeValue;
import org.apache.hc.core5.util.Timeout;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Whatever happens while a connection is secured, it is not used in plaintext. On a real reactor. */
class SecuringTest {
    private final AtomicInteger used = new AtomicInteger();
    private final DefaultConnectingIOReactor reactor = new DefaultConnectingIOReactor(
            (session, attachment) -> new Above(),
            IOReactorConfig.custom().setIoThreadCount(1).setSelectInterval(TimeValue.ofMilliseconds(10)).build(),
            null);
    private ServerSocket server;

    @BeforeEach
    void start() throws IOException {
        server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
        reactor.start();
    }

    @AfterEach
    void stop() throws IOException {
        reactor.close(CloseMode.IMMEDIATE);
        server.close();
    }

    /** What the library would put upon the connection. */
    private final class Above implements IOEventHandler {
        @Override
        public void connected(IOSession session) {
            used.incrementAndGet();
        }

        @Override
        public void inputReady(IOSession session, ByteBuffer src) {
            used.incrementAndGet();
        }

        @Override
        public void outputReady(IOSession session) {
            used.incrementAndGet();
        }

        @Override
        public void timeout(IOSession session, Timeout timeout) {
            used.incrementAndGet();
        }

        @Override
        public void exception(IOSession session, Exception cause) {
            used.incrementAndGet();
        }

        @Override
        public void disconnected(IOSession session) {}
    }

    private record Tls(Supplier<SSLEngine> engines) implements ClientTls {
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
            return engines.get();
        }

        @Override
        public SSLEngine http2Engine(InetSocketAddress peer) {
            return engine(peer);
        }

        @Override
        public SSLSocket layer(Socket connected, InetSocketAddress peer, long limitNanos) {
            throw new UnsupportedOperationException("the library runs engines");
        }

        @Override
        public SSLSocket http2Layer(Socket connected, InetSocketAddress peer, long limitNanos) {
            return layer(connected, peer, limitNanos);
        }
    }

    private static SSLEngine engine() {
        try {
            SSLEngine engine = SSLContext.getDefault().createSSLEngine();
            engine.setUseClientMode(true);
            return engine;
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    private AsyncDial dial(Supplier<SSLEngine> engines) {
        AsyncDial dial = new AsyncDial(new Endpoint((InetSocketAddress) server.getLocalSocketAddress(), new Tls(engines)), false);
        dial.within(Timeout.ofMilliseconds(50));
        return dial;
    }

    private Throwable failure(AsyncDial dial) throws Exception {
        CompletableFuture<IOSession> connected = new CompletableFuture<>();
        reactor.connect(new HttpHost("localhost", server.getLocalPort()), server.getLocalSocketAddress(), null, Timeout.ofSeconds(30), null, new Securing(null, dial, new FutureCallback<>() {
            @Override
            public void completed(IOSession session) {
                connected.complete(session);
            }

            @Override
            public void failed(Exception cause) {
                connected.completeExceptionally(cause);
            }

            @Override
            public void cancelled() {
                connected.cancel(true);
            }
        }));
        try {
            throw new AssertionError("connected: " + connected.get(30, TimeUnit.SECONDS));
        } catch (ExecutionException e) {
            assertThat(dial.isAsPolicyWants()).as("may be used").isFalse();
            assertThat(used).hasValue(0);
            return e.getCause();
        }
    }

    @Test
    void anErrorIsAFailureToConnect() throws Exception {
        assertThat(failure(dial(() -> {
            throw new NoClassDefFoundError("a fault of the agent");
        }))).isInstanceOf(ConnectException.class).hasMessageContaining("a fault of the agent");
    }

    @Test
    void aHandshakeHasTheTimeOfAConnect() throws Exception {
        assertThat(failure(dial(SecuringTest::engine))).isInstanceOf(SocketTimeoutException.class);
    }

    @Test
    void aPeerInPlaintextIsRefused() throws Exception {
        CompletableFuture<byte[]> received = CompletableFuture.supplyAsync(() -> {
            try (Socket peer = server.accept()) {
                peer.getOutputStream().write("HTTP/1.1 200 OK\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
                return peer.getInputStream().readAllBytes();
            } catch (IOException e) {
                throw new IllegalStateException(e);
            }
        });

        AsyncDial patient = dial(SecuringTest::engine);
        patient.within(Timeout.ofSeconds(30));
        assertThat(failure(patient)).isInstanceOf(ConnectException.class);
        assertThat(received.get(30, TimeUnit.SECONDS)[0]).as("a TLS record").isIn((byte) 22, (byte) 21);
    }

    @Test
    void nobodyWantsItAnyMore() throws Exception {
        AsyncDial dial = dial(SecuringTest::engine);
        dial.giveUp();
        assertThat(failure(dial)).isInstanceOf(ConnectException.class);
    }
}
