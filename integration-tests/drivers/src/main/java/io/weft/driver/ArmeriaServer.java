package io.weft.driver;

import com.linecorp.armeria.common.HttpData;
import com.linecorp.armeria.common.HttpRequest;
import com.linecorp.armeria.common.HttpResponse;
import com.linecorp.armeria.common.HttpResponseWriter;
import com.linecorp.armeria.common.HttpStatus;
import com.linecorp.armeria.common.MediaType;
import com.linecorp.armeria.common.ResponseHeaders;
import com.linecorp.armeria.server.Server;
import com.linecorp.armeria.server.ServiceRequestContext;
import java.io.ByteArrayInputStream;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;

/**
 * Armeria's server, which speaks HTTP/1.1 and h2c. Argument: the instance's name. Paths: {@code /slow/MILLIS}; {@code /async/MILLIS}, answered by
 * another thread after a while; {@code /exit/STATUS}; {@code /chunks}; {@code /seen}, what the request says of its connection;
 * {@code /empty}; {@code /fail}.
 */
public final class ArmeriaServer implements ServerDriver.Server {
    private final String instance;
    private final Server server;

    private ArmeriaServer(String instance) {
        this.instance = instance;
        server = Server.builder().http(0).requestTimeoutMillis(0).maxRequestLength(0).serviceUnder("/", this::answer).build();
        server.start().join();
    }

    public static void main(String[] args) throws Exception {
        ServerDriver.run(args, ArmeriaServer::new);
    }

    private HttpResponse answer(ServiceRequestContext context, HttpRequest request) {
        String path = request.path().split("\\?", 2)[0];
        if (path.startsWith("/async/")) {
            return HttpResponse.delayed(text(instance), Duration.ofMillis(Long.parseLong(path.substring("/async/".length()))));
        }
        return switch (path) {
            case "/seen" -> text(request.scheme() + " " + context.sessionProtocol());
            case "/empty" -> HttpResponse.of(HttpStatus.NO_CONTENT);
            case "/fail" -> throw new IllegalStateException("asked to fail");
            case "/chunks" -> chunks();
            default -> HttpResponse.from(request.aggregate().thenCompose(whole -> CompletableFuture.supplyAsync(
                    () -> text(answer(request, path, whole.content().array())), context.blockingTaskExecutor())));
        };
    }

    private static HttpResponse text(String text) {
        return HttpResponse.of(HttpStatus.OK, MediaType.PLAIN_TEXT_UTF_8, text);
    }

    private static HttpResponse chunks() {
        HttpResponseWriter chunks = HttpResponse.streaming();
        chunks.write(ResponseHeaders.of(HttpStatus.OK));
        for (String chunk : new String[] {"one ", "two ", "three"}) {
            chunks.write(HttpData.ofUtf8(chunk));
        }
        chunks.close();
        return chunks;
    }

    private String answer(HttpRequest request, String path, byte[] body) {
        try {
            return ServerDriver.answer(instance, path, request.headers()::get, new ByteArrayInputStream(body));
        } catch (Exception e) {
            throw new CompletionException(e);
        }
    }

    @Override
    public int port() {
        return server.activeLocalPort();
    }

    @Override
    public void close() {
        server.stop().join();
    }
}
