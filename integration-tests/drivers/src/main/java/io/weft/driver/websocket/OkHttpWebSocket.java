package io.weft.driver.websocket;

import java.io.IOException;
import java.net.URI;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import okhttp3.OkHttpClient;
import okhttp3.Request;
import okhttp3.Response;
import okhttp3.WebSocket;
import okhttp3.WebSocketListener;
import okio.ByteString;

/** OkHttp. */
public final class OkHttpWebSocket implements WebSocketClient {
    private final OkHttpClient client = new OkHttpClient();

    private OkHttpWebSocket() {}

    public static void main(String[] args) throws IOException {
        WebSocketClient.run(new OkHttpWebSocket());
    }

    @Override
    public void talk(URI uri, Heard heard) throws Exception {
        CompletableFuture<Void> opened = new CompletableFuture<>();
        WebSocket socket = client.newWebSocket(new Request.Builder().url(uri.toString()).build(), new WebSocketListener() {
            @Override
            public void onOpen(WebSocket socket, Response response) {
                opened.complete(null);
            }

            @Override
            public void onMessage(WebSocket socket, String text) {
                heard.text(text);
            }

            @Override
            public void onMessage(WebSocket socket, ByteString bytes) {
                heard.bytes(bytes.size());
            }

            @Override
            public void onClosed(WebSocket socket, int code, String reason) {
                heard.close(code);
            }

            @Override
            public void onFailure(WebSocket socket, Throwable failure, Response response) {
                opened.completeExceptionally(failure);
            }
        });
        opened.get(PATIENCE_SECONDS, TimeUnit.SECONDS);
        socket.send(TEXT);
        heard.await(1);
        socket.send(ByteString.of(new byte[BYTES]));
        heard.await(2);
        socket.close(NORMAL, "enough");
        heard.await(3);
    }

    @Override
    public String get(URI uri) throws IOException {
        try (Response response = client.newCall(new Request.Builder().url(uri.toString()).build()).execute()) {
            return response.body().string();
        }
    }
}
