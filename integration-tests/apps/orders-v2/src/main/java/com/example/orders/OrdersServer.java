package com.example.orders;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.Executors;
import java.util.concurrent.ThreadLocalRandom;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The orders service, rewritten without a framework. */
public final class OrdersServer {
    private static final Pattern ORDER = Pattern.compile("/orders/([0-9]{1,18})");

    /** Process id and a random part: in containers every process has the same id. */
    private final String instance =
            "%d-%04x".formatted(ProcessHandle.current().pid(), ThreadLocalRandom.current().nextInt(0x10000));

    private final String version = System.getProperty("orders.version", "v2");

    public static void main(String[] args) throws IOException {
        // head and body are written apart; with Nagle's algorithm a kept-alive client waits 40 ms for the second
        System.setProperty("sun.net.httpserver.nodelay", "true");
        HttpServer server = HttpServer.create(new InetSocketAddress(Integer.getInteger("server.port", 0)), 0);
        server.setExecutor(Executors.newFixedThreadPool(32));
        server.createContext("/orders/", new OrdersServer()::order);
        server.start();
        Runtime.getRuntime().addShutdownHook(new Thread(() -> server.stop(1)));
        System.out.println("orders v2 listens on port " + server.getAddress().getPort());
    }

    private void order(HttpExchange exchange) throws IOException {
        try (exchange) {
            Matcher path = ORDER.matcher(exchange.getRequestURI().getPath());
            if (!path.matches()) {
                exchange.sendResponseHeaders(404, -1);
                return;
            }
            byte[] order = """
                    {"id":%d,"version":"%s","instance":"%s"}""".formatted(Long.parseLong(path.group(1)), version, instance)
                    .getBytes(StandardCharsets.UTF_8);
            exchange.getResponseHeaders().set("Content-Type", "application/json");
            exchange.sendResponseHeaders(200, order.length);
            exchange.getResponseBody().write(order);
        }
    }
}
