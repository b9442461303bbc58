package io.weft.agent.otlp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.weft.agent.log.AgentLog;
import io.weft.agent.mesh.Background;
import io.weft.policy.model.HostPort;
import io.weft.policy.model.TelemetryTarget;
import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.Proxy;
import java.net.ProxySelector;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyManagementException;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Function;
import javax.net.ssl.KeyManager;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLContextSpi;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLServerSocketFactory;
import javax.net.ssl.SSLSessionContext;
import javax.net.ssl.SSLSocketFactory;
import javax.net.ssl.TrustManager;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A collector that does what it should not takes neither the agent's thread for good nor anything of the app's. */
@Timeout(60)
class CollectorTest {
    private static final Duration LONG = Duration.ofSeconds(50);
    private static final Duration SHORT = Duration.ofMillis(200);

    private final Background background = new Background(AgentLog.to(AgentLog.Level.WARN, new ByteArrayOutputStream()));
    private final CountDownLatch over = new CountDownLatch(1);
    private ServerSocket server;

    @BeforeEach
    void listen() throws IOException {
        server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
    }

    @AfterEach
    void close() throws IOException {
        over.countDown();
        server.close();
    }

    private Collector collector(String scheme, Duration patience) {
        URI endpoint = URI.create(scheme + "://127.0.0.1:" + server.getLocalPort());
        return new Collector(endpoint, background, patience);
    }

    @FunctionalInterface
    private interface Behaviour {
        void answer(OutputStream out) throws Exception;
    }

    private CompletableFuture<Void> accept(Behaviour behaviour) {
        return CompletableFuture.runAsync(() -> {
            try (Socket socket = server.accept()) {
                behaviour.answer(socket.getOutputStream());
            } catch (Exception gone) {
                throw new IllegalStateException(gone);
            }
        }, task -> {
            Thread thread = new Thread(task);
            thread.setDaemon(true);
            thread.start();
        });
    }

    private void answers(byte[] text) {
        accept(out -> {
            out.write(text);
            out.flush();
            over.await();
        });
    }

    @ParameterizedTest
    @CsvSource({"http://collector,4318", "https://collector/otlp,443", "http://collector:80,80", "https://collector:4318,4318", "http://otel_collector:4319/x,4319",
        "http://otel_collector,4318"})
    void whereNoPortIsSaidItIsTheUsualOne(URI endpoint, int port) {
        assertThat(new Collector(endpoint, background, LONG).port()).isEqualTo(port);
    }

    @Test
    void aHostMayHaveAnUnderscore() {
        assertThat(new Collector(URI.create("http://otel_collector:4318/v1/traces"), background, LONG).host()).isEqualTo("otel_collector");
    }

    private String asked(Function<URI, Outlet> made, String url) throws Exception {
        CompletableFuture<String> line = new CompletableFuture<>();
        CompletableFuture.runAsync(() -> {
            try (Socket socket = server.accept()) {
                line.complete(new BufferedReader(new InputStreamReader(socket.getInputStream(), StandardCharsets.US_ASCII)).readLine());
            } catch (IOException gone) {
                line.completeExceptionally(gone);
            }
        });
        made.apply(URI.create(url.formatted(server.getLocalPort()))).send("{}", "");
        return line.get(30, TimeUnit.SECONDS);
    }

    @Test
    void settingsSayWhatComesBeforeTheSignalsPathAndPolicyAllOfIt() throws Exception {
        Outlets outlets = new Outlets(background, AgentLog.to(AgentLog.Level.WARN, new ByteArrayOutputStream()));
        for (String base : List.of("", "/")) {
            assertThat(asked(url -> outlets.toSetting(url, Signal.TRACES), "http://127.0.0.1:%d/otlp" + base)).isEqualTo("POST /otlp/v1/traces HTTP/1.1");
        }
        assertThat(asked(url -> outlets.toSetting(url, Signal.METRICS), "http://127.0.0.1:%d")).isEqualTo("POST /v1/metrics HTTP/1.1");
        assertThat(asked(url -> outlets.toPolicy(new TelemetryTarget(List.of(new HostPort(url.getHost(), url.getPort())), false,
                Optional.of(url.getPath())), Signal.TRACES, "policy"), "http://127.0.0.1:%d/ingest")).isEqualTo("POST /ingest HTTP/1.1");
    }

    /** Whoever is not there is not asked first the next time. */
    @Test
    void ofSeveralTheFirstThatAnswersHasIt() throws Exception {
        List<String> asked = new ArrayList<>();
        Receiver gone = (signal, json) -> {
            asked.add("gone");
            throw new IOException("nobody there");
        };
        Receiver there = (signal, json) -> {
            asked.add("there");
            return Optional.empty();
        };
        Receiver several = new FirstThatAnswers(List.of(there, gone), 1);
        assertThat(several.send(Signal.METRICS, "{}")).isEmpty();
        assertThat(several.send(Signal.METRICS, "{}")).isEmpty();
        assertThat(asked).containsExactly("gone", "there", "there");

        Receiver nobody = new FirstThatAnswers(List.of(gone, gone), 0);
        assertThatThrownBy(() -> nobody.send(Signal.METRICS, "{}")).isInstanceOf(IOException.class).hasMessage("nobody there");
    }

    @Test
    void theStatusIsEnough() throws IOException {
        answers("HTTP/1.1 200 OK\r\n".getBytes(StandardCharsets.US_ASCII));
        assertThat(collector("http", LONG).post(new byte[10])).isEqualTo("HTTP/1.1 200 OK");
    }

    @Test
    void aLineWithoutEndIsCutAndNothingInItGoesToTheLogAsItIs() throws IOException {
        answers("\u001b[2J".concat("x".repeat(10_000)).getBytes(StandardCharsets.US_ASCII));
        assertThat(collector("http", LONG).post(new byte[10])).isEqualTo("?[2J" + "x".repeat(196));
    }

    @Test
    void whoAnswersByTheByteIsNotWaitedForLonger() throws Exception {
        CompletableFuture<Void> peer = accept(out -> {
            while (!over.await(100, TimeUnit.MILLISECONDS)) {
                out.write('x');
                out.flush();
            }
        });
        assertThatThrownBy(() -> collector("http", SHORT).post(new byte[10])).isInstanceOf(IOException.class)
                .hasMessage("no answer within 200 ms");
        assertHungUp(peer);
    }

    private static void assertHungUp(CompletableFuture<Void> peer) throws InterruptedException, TimeoutException {
        try {
            peer.get(30, TimeUnit.SECONDS);
            throw new AssertionError("the connection is still there");
        } catch (ExecutionException hungUp) {
            assertThat(hungUp).hasRootCauseInstanceOf(IOException.class);
        }
    }

    @Test
    void whoReadsNothingDoesNotBlockTheWriter() {
        byte[] moreThanBuffersHold = new byte[64 << 20];
        assertThatThrownBy(() -> collector("http", SHORT).post(moreThanBuffersHold)).isInstanceOf(IOException.class)
                .hasMessage("no answer within 200 ms");
    }

    @Test
    void theAppsProxiesAreNotAsked() throws IOException {
        ProxySelector before = ProxySelector.getDefault();
        ProxySelector.setDefault(new NobodysBusiness());
        try {
            answers("HTTP/1.1 200 OK\r\n".getBytes(StandardCharsets.US_ASCII));
            assertThat(collector("http", LONG).post(new byte[10])).isEqualTo("HTTP/1.1 200 OK");
        } finally {
            ProxySelector.setDefault(before);
        }
    }

    private static final class NobodysBusiness extends ProxySelector {
        @Override
        public List<Proxy> select(URI uri) {
            throw new AssertionError("asked for a proxy to " + uri);
        }

        @Override
        public void connectFailed(URI uri, SocketAddress address, IOException failure) {
            throw new AssertionError("told of " + uri);
        }
    }

    /** A handshake that does not end has the time of a request, too. */
    @Test
    void theAppsTlsIsNotAsked() throws GeneralSecurityException {
        SSLContext before = SSLContext.getDefault();
        SSLContext.setDefault(new SSLContext(new AppsTls(), before.getProvider(), "TLS") {});
        try {
            assertThatThrownBy(() -> collector("https", SHORT).post(new byte[10])).isInstanceOf(IOException.class)
                    .hasMessage("no answer within 200 ms");
        } finally {
            SSLContext.setDefault(before);
        }
    }

    private static final class AppsTls extends SSLContextSpi {
        @Override
        protected void engineInit(KeyManager[] keys, TrustManager[] trust, SecureRandom random) throws KeyManagementException {
            throw new AssertionError("initialized");
        }

        @Override
        protected SSLSocketFactory engineGetSocketFactory() {
            throw new AssertionError("asked for a socket factory");
        }

        @Override
        protected SSLServerSocketFactory engineGetServerSocketFactory() {
            throw new AssertionError("asked for a server socket factory");
        }

        @Override
        protected SSLEngine engineCreateSSLEngine() {
            throw new AssertionError("asked for an engine");
        }

        @Override
        protected SSLEngine engineCreateSSLEngine(String host, int port) {
            throw new AssertionError("asked for an engine");
        }

        @Override
        protected SSLSessionContext engineGetServerSessionContext() {
            throw new AssertionError("asked for sessions");
        }

        @Override
        protected SSLSessionContext engineGetClientSessionContext() {
            throw new AssertionError("asked for sessions");
        }
    }
}
