package io.weft.driver;

import io.helidon.common.socket.SocketOptions;
import io.helidon.http.HeaderNames;
import io.helidon.http.Status;
import io.helidon.webserver.CloseConnectionException;
import io.helidon.webserver.WebServer;
import io.helidon.webserver.http.FilterChain;
import io.helidon.webserver.http.RoutingRequest;
import io.helidon.webserver.http.RoutingResponse;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/**
 * Helidon's WebServer, which speaks HTTP/1.1 and h2c. Argument: the instance's name. Paths: {@code /slow/MILLIS}; {@code /async/MILLIS}, whose answer another
 * thread has while the request's own waits for it; {@code /chunks}; {@code /seen}, what the request says of its connection; {@code /empty}, without a
 * body; {@code /fail}. Helidon leaves it to the caller to close a connection that it has asked to have closed; this does not.
 */
public final class HelidonServer implements ServerDriver.Server {
    private final String instance;
    private final WebServer server;

    private HelidonServer(String instance) {
        this.instance = instance;
        server = WebServer.builder()
                .host("0.0.0.0")
                .port(0)
                // Or what it writes in parts, as over HTTP/2, waits for the caller's word.
                .connectionOptions(SocketOptions.builder().tcpNoDelay(true).build())
                .routing(routing -> routing.addFilter(HelidonServer::close).any(this::answer))
                .build()
                .start();
    }

    public static void main(String[] args) throws Exception {
        ServerDriver.run(args, HelidonServer::new);
    }

    private static void close(FilterChain chain, RoutingRequest request, RoutingResponse response) {
        chain.proceed();
        if (header(request, "connection").equalsIgnoreCase("close")) {
            response.commit();
            throw new CloseConnectionException("as the caller has asked");
        }
    }

    private static String header(ServerRequest request, String name) {
        return request.headers().first(HeaderNames.create(name)).orElse("");
    }

    private void answer(ServerRequest request, ServerResponse response) throws Exception {
        String path = request.path().path();
        switch (path) {
            case "/seen" -> response.send(request.isSecure() + " " + request.prologue().rawProtocol() + " " + request.requestedUri().scheme());
            case "/empty" -> response.status(Status.NO_CONTENT_204).send();
            case "/fail" -> throw new IllegalStateException("asked to fail");
            case "/chunks" -> chunks(response);
            default -> {
                if (path.startsWith("/async/")) {
                    long millis = Long.parseLong(path.substring("/async/".length()));
                    response.send(CompletableFuture.supplyAsync(
                            () -> instance, CompletableFuture.delayedExecutor(millis, TimeUnit.MILLISECONDS)).get());
                } else {
                    response.send(ServerDriver.answer(
                            instance, path,
                            name -> request.headers().first(HeaderNames.create(name)).orElse(null),
                            request.content().inputStream()));
                }
            }
        }
    }

    private static void chunks(ServerResponse response) throws Exception {
        try (OutputStream body = response.outputStream()) {
            for (String chunk : new String[] {"one ", "two ", "three"}) {
                body.write(chunk.getBytes(StandardCharsets.UTF_8));
                body.flush();
            }
        }
    }

    @Override
    public int port() {
        return server.port();
    }

    @Override
    public void close() {
        server.stop();
    }
}
