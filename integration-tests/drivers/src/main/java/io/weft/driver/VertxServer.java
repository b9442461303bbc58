package io.weft.driver;

import io.vertx.core.Context;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpServer;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpServerResponse;
import java.io.ByteArrayInputStream;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/**
 * Vert.x's server, which speaks HTTP/1.1, h2c and WebSocket by itself. Argument: the instance's name. Paths: {@code /slow/MILLIS};
 * {@code /async/MILLIS}, answered by a timer of the event loop; {@code /exit/STATUS}, on the event loop; {@code /chunks}; {@code /seen}, what
 * the request says of its connection; {@code /empty}; {@code /fail}; {@code /file}, sent by the kernel where that is possible, and
 * {@code /big}; {@code /echo}, a WebSocket.
 */
public final class VertxServer implements ServerDriver.Server {
    private static final long FILE_SIZE = 32 << 20;
    private static final long BIG_FILE_SIZE = 1L << 30;

    private final Path folder = Files.createTempDirectory("vertx");
    private final ExecutorService workers = Executors.newCachedThreadPool();
    private final Vertx vertx = Vertx.vertx();
    private final String instance;
    private final HttpServer server;

    private VertxServer(String instance) throws Exception {
        this.instance = instance;
        file(FILE_SIZE);
        file(BIG_FILE_SIZE);
        server = vertx.createHttpServer()
                .requestHandler(this::answer)
                .webSocketHandler(socket -> socket.handler(message -> socket.writeTextMessage(message.toString())))
                .listen(0)
                .toCompletionStage().toCompletableFuture().get();
    }

    public static void main(String[] args) throws Exception {
        ServerDriver.run(args, VertxServer::new);
    }

    private void file(long size) throws Exception {
        try (RandomAccessFile sparse = new RandomAccessFile(folder.resolve("file-" + size).toFile(), "rw")) {
            sparse.setLength(size);
        }
    }

    private void answer(HttpServerRequest request) {
        HttpServerResponse response = request.response();
        String path = request.path() == null ? "/" : request.path();
        if (path.startsWith("/exit/")) {
            System.exit(Integer.parseInt(path.substring("/exit/".length())));
        } else if (path.startsWith("/async/")) {
            vertx.setTimer(Long.parseLong(path.substring("/async/".length())), late -> response.end(instance));
        } else {
            switch (path) {
                case "/seen" -> response.end(request.scheme() + " " + request.isSSL() + " " + request.version() + " " + request.absoluteURI());
                case "/empty" -> response.setStatusCode(204).end();
                // What a handler throws ends no request by itself.
                case "/fail" -> response.setStatusCode(500).end("asked to fail");
                case "/file" -> response.sendFile(folder.resolve("file-" + FILE_SIZE).toString());
                case "/big" -> response.sendFile(folder.resolve("file-" + BIG_FILE_SIZE).toString());
                case "/chunks" -> {
                    response.setChunked(true);
                    response.write("one ");
                    response.write("two ");
                    response.end("three");
                }
                default -> request.bodyHandler(body -> answer(request, path, body));
            }
        }
    }

    private void answer(HttpServerRequest request, String path, Buffer body) {
        Context context = vertx.getOrCreateContext();
        workers.execute(() -> {
            HttpServerResponse response = request.response();
            try {
                String text = ServerDriver.answer(instance, path, request::getHeader, new ByteArrayInputStream(body.getBytes()));
                context.runOnContext(now -> response.end(text));
            } catch (Exception e) {
                context.runOnContext(now -> response.setStatusCode(500).end(e.toString()));
            }
        });
    }

    @Override
    public int port() {
        return server.actualPort();
    }

    @Override
    public void close() throws Exception {
        server.close().toCompletionStage().toCompletableFuture().get();
    }
}
