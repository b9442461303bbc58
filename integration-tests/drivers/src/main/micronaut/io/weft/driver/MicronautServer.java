package io.weft.driver;

import io.micronaut.context.ApplicationContext;
import io.micronaut.context.annotation.Property;
import io.micronaut.core.annotation.Nullable;
import io.micronaut.http.HttpRequest;
import io.micronaut.http.HttpResponse;
import io.micronaut.http.MediaType;
import io.micronaut.http.annotation.Body;
import io.micronaut.http.annotation.Controller;
import io.micronaut.http.annotation.Get;
import io.micronaut.http.annotation.Post;
import io.micronaut.http.server.types.files.StreamedFile;
import io.micronaut.runtime.server.EmbeddedServer;
import io.micronaut.scheduling.TaskExecutors;
import io.micronaut.scheduling.annotation.ExecuteOn;
import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/**
 * Micronaut's HTTP server, which speaks HTTP/1.1 and h2c. Argument: the instance's name. Paths: {@code /slow/MILLIS}; {@code /async/MILLIS}, answered by
 * another thread after a while; {@code /chunks}, as a file of unknown length; {@code /seen}, what the request says of its connection; {@code /empty}; {@code /fail}.
 */
public final class MicronautServer implements ServerDriver.Server {
    private final EmbeddedServer server;

    private MicronautServer(String instance) {
        server = ApplicationContext.run(EmbeddedServer.class, Map.of(
                "instance", instance,
                "micronaut.server.host", "0.0.0.0",
                "micronaut.server.port", -1,
                "micronaut.server.http-version", "2.0"));
    }

    public static void main(String[] args) throws Exception {
        ServerDriver.run(args, MicronautServer::new);
    }

    @Override
    public int port() {
        return server.getPort();
    }

    @Override
    public void close() {
        server.stop();
    }

    /** What such an app is made of. */
    @Controller("/")
    @ExecuteOn(TaskExecutors.BLOCKING)
    public static class Answers {
        private final String instance;

        Answers(@Property(name = "instance") String instance) {
            this.instance = instance;
        }

        @Get(uri = "/seen", produces = MediaType.TEXT_PLAIN)
        String seen(HttpRequest<?> request) {
            return request.isSecure() + " " + request.getHttpVersion();
        }

        @Get("/empty")
        HttpResponse<?> empty() {
            return HttpResponse.noContent();
        }

        @Get("/fail")
        String fail() {
            throw new IllegalStateException("asked to fail");
        }

        @Get(uri = "/async/{millis}", produces = MediaType.TEXT_PLAIN)
        CompletableFuture<String> async(long millis) {
            return CompletableFuture.supplyAsync(() -> instance, CompletableFuture.delayedExecutor(millis, TimeUnit.MILLISECONDS));
        }

        @Get(uri = "/chunks", produces = MediaType.APPLICATION_OCTET_STREAM)
        StreamedFile chunks() {
            return new StreamedFile(
                    new ByteArrayInputStream("one two three".getBytes(StandardCharsets.UTF_8)), MediaType.APPLICATION_OCTET_STREAM_TYPE);
        }

        @Get(uris = {"/", "/{+path:.*}"}, produces = MediaType.TEXT_PLAIN)
        String get(HttpRequest<?> request) throws Exception {
            return answer(request, "");
        }

        @Post(uris = {"/", "/{+path:.*}"}, consumes = MediaType.ALL, produces = MediaType.TEXT_PLAIN)
        String post(HttpRequest<?> request, @Nullable @Body String body) throws Exception {
            return answer(request, body == null ? "" : body);
        }

        private String answer(HttpRequest<?> request, String body) throws Exception {
            return ServerDriver.answer(instance, request.getPath(), request.getHeaders()::get, new ByteArrayInputStream(body.getBytes(StandardCharsets.UTF_8)));
        }
    }
}
