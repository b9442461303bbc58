package io.weft.driver.websocket;

import io.netty.buffer.Unpooled;
import io.netty.handler.codec.http.websocketx.BinaryWebSocketFrame;
import io.netty.handler.codec.http.websocketx.TextWebSocketFrame;
import java.io.IOException;
import java.net.URI;
import java.time.Duration;
import reactor.core.Exceptions;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.netty.http.client.HttpClient;

/** Reactor Netty. */
public final class ReactorNettyWebSocket implements WebSocketClient {
    private static final Duration PATIENCE = Duration.ofSeconds(PATIENCE_SECONDS);

    private final HttpClient client = HttpClient.create();

    private ReactorNettyWebSocket() {}

    public static void main(String[] args) throws IOException {
        WebSocketClient.run(new ReactorNettyWebSocket());
    }

    @Override
    public void talk(URI uri, Heard heard) throws Exception {
        try {
            client.websocket().uri(uri.toString()).handle((in, out) -> {
                Mono<Void> answers = in.aggregateFrames().receiveFrames().take(2).doOnNext(frame -> {
                    if (frame instanceof TextWebSocketFrame text) {
                        heard.text(text.text());
                    } else {
                        heard.bytes(frame.content().readableBytes());
                    }
                }).then();
                return out.sendObject(Flux.just(new TextWebSocketFrame(TEXT), new BinaryWebSocketFrame(Unpooled.wrappedBuffer(new byte[BYTES]))))
                        .then(answers)
                        .then(out.sendClose(NORMAL, "enough"));
            }).blockLast(PATIENCE);
        } catch (RuntimeException e) {
            throw Exceptions.unwrap(e) instanceof Exception cause ? cause : e;
        }
        heard.await(2);
    }

    @Override
    public String get(URI uri) {
        return client.get().uri(uri.toString()).responseContent().aggregate().asString().block(PATIENCE);
    }
}
