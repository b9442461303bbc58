package io.weft.driver;

import brave.Tracing;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;

/**
 * The JDK's HTTP server in an app that has Brave and may trace with it: {@code /load} loads its class, as frameworks do that look for a
 * tracer, and {@code /trace} makes one. Each answer is the request's {@code traceparent}. Argument: the instance's name.
 */
public final class TracedServer implements ServerDriver.Server {
    private final HttpServer server;

    private TracedServer(String instance) throws IOException {
        server = HttpServer.create(new InetSocketAddress(0), 0);
        server.createContext("/", exchange -> {
            switch (exchange.getRequestURI().getPath()) {
                case "/load" -> load();
                case "/trace" -> Tracing.newBuilder().localServiceName(instance).build();
                default -> { }
            }
            byte[] seen = String.valueOf(exchange.getRequestHeaders().getFirst("traceparent")).getBytes(StandardCharsets.US_ASCII);
            exchange.sendResponseHeaders(200, seen.length);
            exchange.getResponseBody().write(seen);
            exchange.close();
        });
        server.start();
    }

    private static void load() {
        try {
            Class.forName("brave.Tracing");
        } catch (ClassNotFoundException e) {
            throw new IllegalStateException(e);
        }
    }

    public static void main(String[] args) throws Exception {
        ServerDriver.run(args, TracedServer::new);
    }

    @Override
    public int port() {
        return server.getAddress().getPort();
    }

    @Override
    public void close() {
        server.stop(0);
    }
}
