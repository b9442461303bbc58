package io.weft.upstream;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpServer;
import io.weft.dataplane.Endpoint;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

class NettyUpstreamHttpTest {
    private static final NettyUpstreamHttp HTTP = new NettyUpstreamHttp(new UpstreamThread());
    private static HttpServer server;

    @BeforeAll
    static void serve() throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/", exchange -> {
            String host = exchange.getRequestHeaders().getFirst("host");
            byte[] body = (host + exchange.getRequestURI()).getBytes(StandardCharsets.UTF_8);
            exchange.sendResponseHeaders(exchange.getRequestURI().getPath().equals("/none") ? 404 : 200, body.length);
            exchange.getResponseBody().write(body);
            exchange.close();
        });
        server.createContext("/large", exchange -> {
            byte[] body = new byte[(1 << 20) + 1];
            Arrays.fill(body, (byte) 'x');
            exchange.sendResponseHeaders(200, body.length);
            exchange.getResponseBody().write(body);
            exchange.close();
        });
        server.start();
    }

    @AfterAll
    static void stop() {
        server.stop(0);
    }

    private static Optional<String> get(InetSocketAddress endpoint, String path, Duration timeout) throws Exception {
        CompletableFuture<Optional<String>> body = new CompletableFuture<>();
        HTTP.get(new Endpoint(endpoint, null), "idp.local:99", path, timeout.toNanos(), text -> body.complete(Optional.ofNullable(text)));
        return body.get(20, TimeUnit.SECONDS);
    }

    @Test
    void givesTheBodyOfAGoodResponseAndNothingOfAnother() throws Exception {
        Duration timeout = Duration.ofSeconds(10);

        assertThat(get(server.getAddress(), "/keys?v=1", timeout)).contains("idp.local:99/keys?v=1");
        assertThat(get(server.getAddress(), "/none", timeout)).isEmpty();
        assertThat(get(server.getAddress(), "/large", timeout)).isEmpty();
    }

    @Test
    void nobodyListens() throws Exception {
        int port;
        try (ServerSocket free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            port = free.getLocalPort();
        }

        assertThat(get(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), "/", Duration.ofSeconds(10))).isEmpty();
    }

    @Test
    void whoDoesNotAnswerInTimeIsGivenUp() throws Exception {
        try (ServerSocket silent = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            InetSocketAddress endpoint = new InetSocketAddress(InetAddress.getLoopbackAddress(), silent.getLocalPort());

            assertThat(get(endpoint, "/", Duration.ofMillis(200))).isEmpty();
        }
    }
}
