package io.weft.driver;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import com.sun.net.httpserver.HttpsExchange;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.Executor;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * The JDK's HTTP server. Argument: the instance's name. Paths: {@code /slow/MILLIS}; {@code /async/MILLIS}, answered by another
 * thread after the handler has returned; {@code /chunks}; {@code /seen}, what the request says of its connection; {@code /empty}, without a body; {@code /fail}; {@code /stop/SECONDS}, which
 * gives what is in flight so long and stops the server; {@code /thread}, its name. The system property {@code driver.executor} says whose threads: {@code caller}, or
 * {@code forgetful}, which refuses every other task; by default those of a pool that has enough.
 */
public final class JdkHttpServer implements ServerDriver.Server {
    private final HttpServer server;

    private JdkHttpServer(String instance) throws IOException {
        ScheduledExecutorService later = Executors.newSingleThreadScheduledExecutor();
        server = HttpServer.create(new InetSocketAddress(0), 0);
        server.setExecutor(executor());
        server.createContext("/", exchange -> {
            try {
                send(exchange, ServerDriver.answer(
                        instance,
                        exchange.getRequestURI().getPath(),
                        exchange.getRequestHeaders()::getFirst,
                        exchange.getRequestBody()));
            } catch (InterruptedException e) {
                throw new IOException(e);
            }
        });
        server.createContext("/async/", exchange -> {
            long millis = Long.parseLong(exchange.getRequestURI().getPath().substring("/async/".length()));
            later.schedule(() -> {
                send(exchange, instance);
                return null;
            }, millis, TimeUnit.MILLISECONDS);
        });
        server.createContext("/chunks", exchange -> {
            exchange.sendResponseHeaders(200, 0);
            try (OutputStream body = exchange.getResponseBody()) {
                for (String chunk : new String[] {"one ", "two ", "three"}) {
                    body.write(chunk.getBytes(StandardCharsets.UTF_8));
                    body.flush();
                }
            }
        });
        server.createContext("/seen", exchange -> send(exchange, (exchange instanceof HttpsExchange) + " " + exchange.getProtocol()));
        server.createContext("/thread", exchange -> send(exchange, Thread.currentThread().getName()));
        server.createContext("/empty", exchange -> exchange.sendResponseHeaders(204, -1));
        server.createContext("/stop/", exchange -> {
            int seconds = Integer.parseInt(exchange.getRequestURI().getPath().substring("/stop/".length()));
            send(exchange, instance);
            later.execute(() -> server.stop(seconds));
        });
        server.createContext("/fail", exchange -> {
            throw new IllegalStateException("asked to fail");
        });
        server.start();
    }

    private static Executor executor() {
        Executor pool = Executors.newCachedThreadPool();
        AtomicInteger tasks = new AtomicInteger();
        return switch (System.getProperty("driver.executor", "")) {
            case "caller" -> Runnable::run;
            case "forgetful" -> task -> {
                if (tasks.getAndIncrement() % 2 != 0) {
                    throw new RejectedExecutionException();
                }
                pool.execute(task);
            };
            default -> pool;
        };
    }

    public static void main(String[] args) throws Exception {
        ServerDriver.run(args, JdkHttpServer::new);
    }

    private static void send(HttpExchange exchange, String text) throws IOException {
        byte[] body = text.getBytes(StandardCharsets.UTF_8);
        exchange.sendResponseHeaders(200, body.length);
        try (OutputStream out = exchange.getResponseBody()) {
            out.write(body);
        }
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
