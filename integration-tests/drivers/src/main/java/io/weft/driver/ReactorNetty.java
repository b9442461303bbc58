package io.weft.driver;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelOption;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpMethod;
import io.weft.driver.HttpCall.Way;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import reactor.core.Exceptions;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.core.scheduler.Schedulers;
import reactor.netty.ByteBufFlux;
import reactor.netty.Connection;
import reactor.netty.ConnectionObserver;
import reactor.netty.http.client.HttpClient;
import reactor.netty.http.client.HttpClientResponse;
import reactor.netty.resources.ConnectionProvider;
import reactor.netty.transport.ProxyProvider;

/**
 * Reactor Netty's HttpClient, as an app that blocks for its answers. Cookies and credentials are the app's own business; the library
 * knows no Expect header. With the header {@code X-Client: wide} its pool has place for eight connections to orders, and for one to others.
 */
public final class ReactorNetty {
    private static final String CONTEXT_KEY = "app";

    /** Completed when the library is done with the channel's response. */
    private final Map<Channel, CompletableFuture<Void>> released = new ConcurrentHashMap<>();

    private final HttpClient plain = HttpClient.create().observe(this::observe);
    private final HttpClient wide = HttpClient.create(ConnectionProvider.builder("wide")
            .maxConnections(1)
            .forRemoteHost(InetSocketAddress.createUnresolved("orders", 80), orders -> orders.maxConnections(8))
            .build()).observe(this::observe);
    private final HttpClient few = HttpClient.create(ConnectionProvider.builder("few").maxConnections(2).pendingAcquireMaxCount(-1).build())
            .observe(this::observe);
    /** By host and name. */
    private final Map<String, Map<String, String>> cookies = new TreeMap<>();

    private ReactorNetty() {}

    public static void main(String[] args) throws IOException {
        ClientDriver.run(new ReactorNetty()::send);
    }

    private void observe(Connection connection, ConnectionObserver.State state) {
        if (state == ConnectionObserver.State.RELEASED) {
            complete(connection.channel());
        }
    }

    private void complete(Channel channel) {
        CompletableFuture<Void> done = released.remove(channel);
        if (done != null) {
            done.complete(null);
        }
    }

    private HttpAnswer send(HttpCall call) throws Exception {
        HttpAnswer answer = exchange(call, call.is(Way.COOKIES) ? cookieHeader(call.url()) : null, null);
        if (call.is(Way.AUTHENTICATE) && answer.status() == 401
                && answer.headers().getOrDefault("www-authenticate", "").startsWith("Basic") && !call.streams()) {
            String credentials = Base64.getEncoder().encodeToString("user:secret".getBytes(StandardCharsets.UTF_8));
            answer = exchange(call, null, "Basic " + credentials);
        }
        return answer;
    }

    private synchronized String cookieHeader(String url) {
        List<String> pairs = new ArrayList<>();
        ofHost(url).forEach((name, value) -> pairs.add(name + "=" + value));
        return pairs.isEmpty() ? null : String.join("; ", pairs);
    }

    private synchronized void keepCookies(HttpClientResponse response) {
        for (String cookie : response.responseHeaders().getAll("set-cookie")) {
            String pair = cookie.split(";")[0];
            ofHost(response.resourceUrl()).put(pair.substring(0, pair.indexOf('=')), pair.substring(pair.indexOf('=') + 1));
        }
    }

    private Map<String, String> ofHost(String url) {
        return cookies.computeIfAbsent(URI.create(url).getHost(), host -> new TreeMap<>());
    }

    private HttpClient client(HttpCall call, String cookie, String authorization) {
        HttpClient client = (call.headers().containsKey("X-Client") ? wide : call.is(Way.FEW_CONNECTIONS) ? few : plain).headers(headers -> {
            call.headers().forEach(headers::set);
            if (cookie != null) {
                headers.set("Cookie", cookie);
            }
            if (authorization != null) {
                headers.set("Authorization", authorization);
            }
            if (call.is(Way.STREAM_FIXED)) {
                headers.set("Content-Length", call.body().getBytes(StandardCharsets.UTF_8).length);
            }
        });
        if (call.is(Way.FOLLOW_REDIRECTS)) {
            client = client.followRedirect((request, response) -> switch (response.status().code()) {
                case 301, 302, 303, 307, 308 -> response.responseHeaders().contains("location");
                default -> false;
            });
        }
        if (call.timeoutMillis() > 0) {
            client = client.option(ChannelOption.CONNECT_TIMEOUT_MILLIS, call.timeoutMillis())
                    .responseTimeout(Duration.ofMillis(call.timeoutMillis()));
        }
        if (call.proxyPort() > 0) {
            client = client.proxy(proxy -> proxy.type(ProxyProvider.Proxy.HTTP).host("127.0.0.1").port(call.proxyPort()));
        }
        return client;
    }

    private HttpAnswer exchange(HttpCall call, String cookie, String authorization) throws Exception {
        HttpClient.RequestSender request =
                client(call, cookie, authorization).request(HttpMethod.valueOf(call.method())).uri(call.url());
        HttpClient.ResponseReceiver<?> sent = call.body().isEmpty()
                ? request
                : request.send((head, out) -> out.send(call.streams() ? once(call) : Mono.fromSupplier(() -> bytes(call))));
        List<CompletableFuture<Void>> done = new ArrayList<>();
        HttpAnswer answer;
        try {
            Mono<HttpAnswer> read = sent.responseConnection((response, connection) -> {
                        if (call.is(Way.COOKIES)) {
                            keepCookies(response);
                        }
                        if (call.is(Way.FORGET)) {
                            return Mono.just(answer(response, ""));
                        }
                        Channel channel = connection.channel();
                        CompletableFuture<Void> over = new CompletableFuture<>();
                        done.add(over);
                        released.put(channel, over);
                        channel.closeFuture().addListener(closed -> complete(channel));
                        return read(call, response, connection).contextWrite(context -> context.put("read", true));
                    })
                    .contextWrite(context -> context.put(CONTEXT_KEY, call.url()))
                    .next();
            answer = call.is(Way.CANCEL) ? cancelled(read.toFuture(), call) : read.block();
        } catch (RuntimeException e) {
            throw unwrapped(e);
        }
        for (CompletableFuture<Void> over : done) {
            try {
                over.get(5, TimeUnit.SECONDS);
            } catch (TimeoutException e) {
                throw new IllegalStateException("the connection was neither released nor closed", e);
            }
        }
        return answer;
    }

    private static HttpAnswer cancelled(CompletableFuture<HttpAnswer> asked, HttpCall call) throws Exception {
        call.cancelSoon(() -> asked.cancel(true));
        try {
            return asked.get();
        } catch (ExecutionException e) {
            throw e.getCause() instanceof Exception cause ? cause : e;
        }
    }

    /** What blocks for a checked exception throws it in another. */
    private static Exception unwrapped(RuntimeException thrown) {
        Throwable cause = Exceptions.unwrap(thrown);
        return cause instanceof Exception exception ? exception : thrown;
    }

    private static Mono<HttpAnswer> read(HttpCall call, HttpClientResponse response, Connection connection) {
        ByteBufFlux body = connection.inbound().receive();
        if (call.is(Way.ABANDON)) {
            return body.asString().next().map(text -> text.substring(0, 1)).defaultIfEmpty("")
                    .map(first -> answer(response, first))
                    .doFinally(signal -> connection.dispose());
        }
        return body.aggregate().asString(StandardCharsets.UTF_8).defaultIfEmpty("").flatMap(text ->
                Mono.deferContextual(context -> Mono.just(answer(response, text, "context " + context.getOrDefault(CONTEXT_KEY, "lost")))));
    }

    private static ByteBuf bytes(HttpCall call) {
        return Unpooled.wrappedBuffer(call.body().getBytes(StandardCharsets.UTF_8));
    }

    /** Fails whoever subscribes again. */
    private static Flux<ByteBuf> once(HttpCall call) {
        AtomicBoolean taken = new AtomicBoolean();
        return Flux.defer(() -> {
            if (taken.getAndSet(true)) {
                return Flux.error(new IllegalStateException("subscribed to once more"));
            }
            InputStream stream = call.once();
            byte[] buffer = new byte[8192];
            return Flux.<ByteBuf>generate(sink -> {
                try {
                    int read = stream.read(buffer, 0, buffer.length);
                    if (read < 0) {
                        sink.complete();
                    } else {
                        sink.next(Unpooled.copiedBuffer(buffer, 0, read));
                    }
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                }
            });
        }).subscribeOn(Schedulers.boundedElastic());
    }

    private static HttpAnswer answer(HttpClientResponse response, String body) {
        return answer(response, body, "");
    }

    private static HttpAnswer answer(HttpClientResponse response, String body, String context) {
        Map<String, String> headers = new TreeMap<>();
        List<String> order = new ArrayList<>();
        HttpHeaders received = response.responseHeaders();
        for (Map.Entry<String, String> header : received) {
            order.add(header.getKey() + ": " + header.getValue());
            headers.merge(header.getKey().toLowerCase(Locale.ROOT), header.getValue(), (some, more) -> some + ", " + more);
        }
        Map<String, String> seen = new LinkedHashMap<>();
        seen.put("uri", response.resourceUrl());
        seen.put("target", response.uri());
        seen.put("path", response.fullPath());
        seen.put("method", response.method().name());
        seen.put("version", response.version().text());
        seen.put("message", response.status().reasonPhrase());
        seen.put("before", String.join(", ", response.redirectedFrom()));
        seen.put("request", new TreeMap<>(pairs(response.requestHeaders())).toString());
        seen.put("order", String.join("\n", order));
        seen.put("context", context);
        return new HttpAnswer(response.status().code(), headers, body, seen);
    }

    private static Map<String, String> pairs(HttpHeaders headers) {
        Map<String, String> pairs = new LinkedHashMap<>();
        headers.forEach(header -> pairs.merge(header.getKey(), header.getValue(), (some, more) -> some + ", " + more));
        return pairs;
    }
}
