package io.weft.driver;

import io.netty.handler.codec.http.HttpMethod;
import java.io.IOException;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import reactor.core.Disposable;
import reactor.core.Exceptions;
import reactor.core.publisher.Mono;
import reactor.netty.http.HttpProtocol;
import reactor.netty.http.client.HttpClient;

/** Reactor Netty's HttpClient in less usual ways: the header {@code X-Way} of a call, which is not sent, says which. */
public final class ReactorNettyWays {
    private static final Duration PATIENCE = Duration.ofSeconds(30);

    private final AtomicInteger callbacks = new AtomicInteger();
    private final AtomicInteger redirects = new AtomicInteger();
    private final HttpClient usual = HttpClient.create();
    private final HttpClient priorKnowledge = HttpClient.create().protocol(HttpProtocol.H2C);
    private final HttpClient upgrade = HttpClient.create().protocol(HttpProtocol.H2C, HttpProtocol.HTTP11);
    private final HttpClient newConnections = HttpClient.newConnection();
    private final HttpClient callback = usual
            .doOnRequest((request, connection) -> request.header("X-On-Request", "app"))
            .doOnRedirect((response, connection) -> redirects.incrementAndGet());

    private ReactorNettyWays() {}

    public static void main(String[] args) throws IOException {
        ClientDriver.run(new ReactorNettyWays()::send);
    }

    private HttpAnswer send(HttpCall call) throws Exception {
        try {
            return switch (call.headers().get("X-Way")) {
                case "usual" -> exchange(usual, call);
                case "prior-knowledge" -> exchange(priorKnowledge, call);
                case "upgrade" -> exchange(upgrade, call);
                case "new-connection" -> exchange(newConnections, call);
                case "callback" -> exchange(callback, call);
                case "web-socket" -> webSocket(call);
                case "cancel" -> cancel(call);
                default -> throw new IllegalArgumentException(call.toString());
            };
        } catch (RuntimeException e) {
            throw Exceptions.unwrap(e) instanceof Exception cause ? cause : e;
        }
    }

    private HttpAnswer exchange(HttpClient client, HttpCall call) {
        callbacks.set(0);
        return client.request(HttpMethod.valueOf(call.method()))
                .uri(call.url())
                .send((request, out) -> {
                    request.header("X-Callback", Integer.toString(callbacks.incrementAndGet()));
                    return call.body().isEmpty() ? out : out.sendString(Mono.just(call.body()));
                })
                .responseSingle((response, body) -> body.asString().defaultIfEmpty("").map(text -> new HttpAnswer(
                        response.status().code(),
                        Map.of(),
                        text,
                        Map.of("callbacks", callbacks.toString(), "redirects", redirects.toString(), "version", response.version().text()))))
                .block(PATIENCE);
    }

    private HttpAnswer webSocket(HttpCall call) {
        String text = usual.websocket().uri(call.url().replace("http:", "ws:")).handle((in, out) -> in.receive().asString()).blockFirst(PATIENCE);
        return new HttpAnswer(101, Map.of(), String.valueOf(text), Map.of());
    }

    /** Gives up after half a second. */
    private HttpAnswer cancel(HttpCall call) {
        Disposable asking = usual.get().uri(call.url()).responseContent().aggregate().subscribe();
        HttpCall.pause();
        asking.dispose();
        return new HttpAnswer(499, Map.of(), "", Map.of());
    }
}
