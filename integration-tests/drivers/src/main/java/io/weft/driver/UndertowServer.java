package io.weft.driver;

import io.undertow.Undertow;
import io.undertow.UndertowOptions;
import io.undertow.server.HttpServerExchange;
import io.undertow.server.handlers.BlockingHandler;
import io.undertow.server.handlers.PathHandler;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

/**
 * Undertow, which speaks HTTP/1.1 and h2c, and AJP on the port that the system property {@code driver.ajp} says. Argument: the instance's name. Paths: {@code /slow/MILLIS}; {@code /async/MILLIS}, answered by another
 * thread after the handler has returned; {@code /chunks}; {@code /seen}, what the request says of its connection; {@code /empty}, without a
 * body; {@code /fail}.
 */
public final class UndertowServer implements ServerDriver.Server {
    private final Undertow server;

    private UndertowServer(String instance) {
        ScheduledExecutorService later = Executors.newSingleThreadScheduledExecutor();
        PathHandler paths = new PathHandler(new BlockingHandler(exchange -> exchange.getResponseSender().send(ServerDriver.answer(
                instance, exchange.getRequestPath(), exchange.getRequestHeaders()::getFirst, exchange.getInputStream()))));
        paths.addPrefixPath("/async", exchange -> {
            long millis = Long.parseLong(exchange.getRelativePath().substring(1));
            exchange.dispatch(() -> later.schedule(() -> exchange.getResponseSender().send(instance), millis, TimeUnit.MILLISECONDS));
        });
        paths.addExactPath("/chunks", new BlockingHandler(UndertowServer::chunks));
        paths.addExactPath("/seen", exchange -> exchange.getResponseSender().send(exchange.getRequestScheme() + ' ' + exchange.isSecure() + ' '
                + exchange.getRequestURL() + ' ' + exchange.getConnection().getSslSessionInfo() + ' ' + exchange.getProtocol()));
        paths.addExactPath("/empty", exchange -> exchange.setStatusCode(204));
        paths.addExactPath("/fail", exchange -> {
            throw new IllegalStateException("asked to fail");
        });
        Undertow.Builder builder = Undertow.builder()
                .addHttpListener(0, "0.0.0.0")
                .setServerOption(UndertowOptions.ENABLE_HTTP2, true)
                .setHandler(paths);
        String ajp = System.getProperty("driver.ajp");
        if (ajp != null) {
            builder.addAjpListener(Integer.parseInt(ajp), "127.0.0.1");
        }
        server = builder.build();
        server.start();
    }

    public static void main(String[] args) throws Exception {
        ServerDriver.run(args, UndertowServer::new);
    }

    private static void chunks(HttpServerExchange exchange) throws Exception {
        try (OutputStream body = exchange.getOutputStream()) {
            for (String chunk : new String[] {"one ", "two ", "three"}) {
                body.write(chunk.getBytes(StandardCharsets.UTF_8));
                body.flush();
            }
        }
    }

    @Override
    public int port() {
        return ((InetSocketAddress) server.getListenerInfo().get(0).getAddress()).getPort();
    }

    @Override
    public void close() {
        server.stop();
    }
}
