package io.weft.driver;

import io.netty.buffer.Unpooled;
import java.io.ByteArrayInputStream;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.reactivestreams.Publisher;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.core.scheduler.Schedulers;
import reactor.netty.DisposableServer;
import reactor.netty.http.HttpProtocol;
import reactor.netty.http.server.HttpServer;
import reactor.netty.http.server.HttpServerRequest;
import reactor.netty.http.server.HttpServerResponse;

/**
 * Reactor Netty's server, which speaks HTTP/1.1, h2c and WebSocket. Argument: the instance's name. Paths: {@code /slow/MILLIS};
 * {@code /async/MILLIS}, answered by another thread after a while; {@code /exit/STATUS}, on the event loop; {@code /chunks}; {@code /seen}, what
 * the request says of its connection; {@code /empty}; {@code /fail}; {@code /file}, sent by the kernel where that is possible, and
 * {@code /big}; {@code /echo}, a WebSocket.
 */
public final class ReactorNettyServer implements ServerDriver.Server {
    private static final long FILE_SIZE = 32 << 20;
    private static final long BIG_FILE_SIZE = 1L << 30;

    private final Path folder = Files.createTempDirectory("reactor-netty");
    private final String instance;
    private final DisposableServer server;

    private ReactorNettyServer(String instance) throws Exception {
        this.instance = instance;
        file(FILE_SIZE);
        file(BIG_FILE_SIZE);
        server = HttpServer.create().port(0).protocol(HttpProtocol.HTTP11, HttpProtocol.H2C).handle(this::answer).bindNow();
    }

    public static void main(String[] args) throws Exception {
        ServerDriver.run(args, ReactorNettyServer::new);
    }

    private void file(long size) throws Exception {
        try (RandomAccessFile sparse = new RandomAccessFile(folder.resolve("file-" + size).toFile(), "rw")) {
            sparse.setLength(size);
        }
    }

    private Publisher<Void> answer(HttpServerRequest request, HttpServerResponse response) {
        String path = request.uri().split("\\?", 2)[0];
        if (path.startsWith("/exit/")) {
            System.exit(Integer.parseInt(path.substring("/exit/".length())));
        }
        if (path.startsWith("/async/")) {
            Duration delay = Duration.ofMillis(Long.parseLong(path.substring("/async/".length())));
            return response.sendString(Mono.delay(delay).map(late -> instance));
        }
        return switch (path) {
            case "/seen" -> response.sendString(Mono.just(request.scheme() + " " + request.version()));
            case "/empty" -> response.status(204).send();
            case "/fail" -> Mono.error(new IllegalStateException("asked to fail"));
            case "/file" -> response.header("content-length", Long.toString(FILE_SIZE)).sendFile(folder.resolve("file-" + FILE_SIZE));
            case "/big" -> response.header("content-length", Long.toString(BIG_FILE_SIZE)).sendFile(folder.resolve("file-" + BIG_FILE_SIZE));
            case "/chunks" -> response.send(
                    Flux.just("one ", "two ", "three").map(chunk -> Unpooled.copiedBuffer(chunk, StandardCharsets.UTF_8)), chunk -> true);
            case "/echo" -> response.sendWebsocket((in, out) -> out.sendString(in.receive().asString()));
            default -> body(request).publishOn(Schedulers.boundedElastic()).flatMap(body -> text(request, path, body))
                    .flatMap(text -> send(response, text).then());
        };
    }

    private static Mono<byte[]> body(HttpServerRequest request) {
        return request.receive().aggregate().asByteArray().defaultIfEmpty(new byte[0]);
    }

    private Mono<String> text(HttpServerRequest request, String path, byte[] body) {
        return Mono.fromCallable(() -> ServerDriver.answer(
                instance, path, request.requestHeaders()::get, new ByteArrayInputStream(body)));
    }

    private static Mono<Void> send(HttpServerResponse response, String text) {
        byte[] body = text.getBytes(StandardCharsets.UTF_8);
        response.header("content-length", Integer.toString(body.length));
        return response.sendObject(Unpooled.wrappedBuffer(body)).then();
    }

    @Override
    public int port() {
        return server.port();
    }

    @Override
    public void close() {
        server.disposeNow();
    }
}
