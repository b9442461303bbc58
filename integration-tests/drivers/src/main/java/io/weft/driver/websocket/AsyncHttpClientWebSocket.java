package io.weft.driver.websocket;

import java.io.IOException;
import java.net.URI;
import java.util.concurrent.TimeUnit;
import org.asynchttpclient.AsyncHttpClient;
import org.asynchttpclient.DefaultAsyncHttpClient;
import org.asynchttpclient.DefaultAsyncHttpClientConfig;
import org.asynchttpclient.ws.WebSocket;
import org.asynchttpclient.ws.WebSocketListener;
import org.asynchttpclient.ws.WebSocketUpgradeHandler;

/** AsyncHttpClient. */
public final class AsyncHttpClientWebSocket implements WebSocketClient {
    private final AsyncHttpClient client = new DefaultAsyncHttpClient(
            new DefaultAsyncHttpClientConfig.Builder().setWebSocketMaxFrameSize(2 * BYTES).build());

    private AsyncHttpClientWebSocket() {}

    public static void main(String[] args) throws IOException {
        WebSocketClient.run(new AsyncHttpClientWebSocket());
    }

    @Override
    public void talk(URI uri, Heard heard) throws Exception {
        WebSocketUpgradeHandler handler = new WebSocketUpgradeHandler.Builder().addWebSocketListener(new WebSocketListener() {
            private int length;

            @Override
            public void onOpen(WebSocket socket) {}

            @Override
            public void onClose(WebSocket socket, int code, String reason) {
                heard.close(code);
            }

            @Override
            public void onError(Throwable failure) {
                heard.add(failure.toString());
            }

            @Override
            public void onTextFrame(String text, boolean last, int reserved) {
                heard.text(text);
            }

            @Override
            public void onBinaryFrame(byte[] part, boolean last, int reserved) {
                length += part.length;
                if (last) {
                    heard.bytes(length);
                    length = 0;
                }
            }
        }).build();
        WebSocket socket = client.prepareGet(uri.toString()).execute(handler).get(PATIENCE_SECONDS, TimeUnit.SECONDS);
        socket.sendTextFrame(TEXT);
        heard.await(1);
        socket.sendBinaryFrame(new byte[BYTES]);
        heard.await(2);
        socket.sendCloseFrame(NORMAL, "enough");
        heard.await(3);
    }

    @Override
    public String get(URI uri) throws Exception {
        return client.prepareGet(uri.toString()).execute().get(PATIENCE_SECONDS, TimeUnit.SECONDS).getResponseBody();
    }
}
