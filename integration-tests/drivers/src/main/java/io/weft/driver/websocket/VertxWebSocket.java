package io.weft.driver.websocket;

import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpClient;
import io.vertx.core.http.HttpClientOptions;
import io.vertx.core.http.HttpClientRequest;
import io.vertx.core.http.HttpClientResponse;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.WebSocket;
import java.lang.reflect.Method;
import java.net.URI;
import java.util.concurrent.TimeUnit;

/** Vert.x: up to 4.4 by the client that sends requests, too, from 4.5 on by a client for WebSockets alone. */
public final class VertxWebSocket implements WebSocketClient {
    private final HttpClient client;
    /** Held for as long as its WebSockets live: one that nothing refers to is closed, with all that it has opened. */
    private final Object sockets;
    private final Method connect;

    private VertxWebSocket() throws ReflectiveOperationException {
        Vertx vertx = Vertx.vertx();
        // Of another type in 5.
        client = (HttpClient) Vertx.class.getMethod("createHttpClient", HttpClientOptions.class).invoke(vertx, new HttpClientOptions());
        Class<?> since45 = typeSince45();
        sockets = since45 == null ? client : Vertx.class.getMethod("createWebSocketClient").invoke(vertx);
        connect = (since45 == null ? HttpClient.class : since45).getMethod(since45 == null ? "webSocket" : "connect", int.class, String.class, String.class);
    }

    private static Class<?> typeSince45() {
        try {
            return Class.forName("io.vertx.core.http.WebSocketClient");
        } catch (ClassNotFoundException before45) {
            return null;
        }
    }

    public static void main(String[] args) throws Exception {
        WebSocketClient.run(new VertxWebSocket());
    }

    @Override
    public void talk(URI uri, Heard heard) throws Exception {
        WebSocket socket = done(connect(uri));
        socket.closeHandler(ended -> heard.close(socket.closeStatusCode()));
        socket.textMessageHandler(heard::text);
        socket.binaryMessageHandler(bytes -> heard.bytes(bytes.length()));
        socket.writeTextMessage(TEXT);
        heard.await(1);
        socket.writeBinaryMessage(Buffer.buffer(new byte[BYTES]));
        heard.await(2);
        socket.close((short) NORMAL, "enough");
        heard.await(3);
    }

    @SuppressWarnings("unchecked")
    private Future<WebSocket> connect(URI uri) throws ReflectiveOperationException {
        return (Future<WebSocket>) connect.invoke(sockets, uri.getPort() < 0 ? 80 : uri.getPort(), uri.getHost(), uri.getPath());
    }

    @Override
    public String get(URI uri) throws Exception {
        Future<HttpClientRequest> request = client.request(HttpMethod.GET, uri.getPort() < 0 ? 80 : uri.getPort(), uri.getHost(), uri.getPath());
        return done(request.compose(HttpClientRequest::send).compose(HttpClientResponse::body)).toString();
    }

    private static <T> T done(Future<T> future) throws Exception {
        return future.toCompletionStage().toCompletableFuture().get(PATIENCE_SECONDS, TimeUnit.SECONDS);
    }
}
