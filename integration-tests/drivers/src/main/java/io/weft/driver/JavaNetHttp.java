package io.weft.driver;

import io.weft.driver.HttpCall.Way;
import java.io.IOException;
import java.io.InputStream;
import java.net.Authenticator;
import java.net.CookieManager;
import java.net.InetSocketAddress;
import java.net.PasswordAuthentication;
import java.net.ProxySelector;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublisher;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Flow;
import java.util.concurrent.atomic.AtomicInteger;

/** {@code java.net.http.HttpClient}, synchronous. */
public final class JavaNetHttp {
    private final Map<Traits, HttpClient> clients = new ConcurrentHashMap<>();
    private final CookieManager cookies = new CookieManager();

    /** What an app chooses for a whole client. */
    private record Traits(
            boolean follows, boolean cookies, boolean rejects, boolean authenticates, boolean inline, int connectMillis, int proxyPort) {}

    private JavaNetHttp() {}

    public static void main(String[] args) throws IOException {
        ClientDriver.run(new JavaNetHttp()::send);
    }

    private HttpClient client(Traits traits) {
        HttpClient.Builder client = HttpClient.newBuilder()
                .followRedirects(traits.follows ? HttpClient.Redirect.NORMAL : HttpClient.Redirect.NEVER);
        if (traits.cookies) {
            client.cookieHandler(cookies);
        }
        if (traits.rejects) {
            client.cookieHandler(new CookieManager() {
                @Override
                public void put(URI uri, Map<String, List<String>> headers) throws IOException {
                    throw new IOException("no cookies, please");
                }
            });
        }
        if (traits.inline) {
            client.executor(Runnable::run);
        }
        if (traits.authenticates) {
            client.authenticator(new Authenticator() {
                @Override
                protected PasswordAuthentication getPasswordAuthentication() {
                    return new PasswordAuthentication("user", "secret".toCharArray());
                }
            });
        }
        if (traits.connectMillis > 0) {
            client.connectTimeout(Duration.ofMillis(traits.connectMillis));
        }
        if (traits.proxyPort > 0) {
            client.proxy(ProxySelector.of(new InetSocketAddress("127.0.0.1", traits.proxyPort)));
        }
        return client.build();
    }

    private HttpAnswer send(HttpCall call) throws IOException, InterruptedException {
        HttpClient client = clients.computeIfAbsent(
                new Traits(call.is(Way.FOLLOW_REDIRECTS), call.is(Way.COOKIES), call.is(Way.JAR_THROWS),
                        call.is(Way.AUTHENTICATE), call.is(Way.INLINE), call.timeoutMillis(), call.proxyPort()),
                this::client);
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(call.url()))
                .method(call.method(), body(call))
                .expectContinue(call.is(Way.EXPECT_CONTINUE));
        if (call.timeoutMillis() > 0) {
            request.timeout(Duration.ofMillis(call.timeoutMillis()));
        }
        call.headers().forEach(request::header);
        if (call.leaves()) {
            HttpResponse<InputStream> response = client.send(request.build(), BodyHandlers.ofInputStream());
            String first = "";
            if (call.is(Way.ABANDON)) {
                try (InputStream in = response.body()) {
                    int read = in.read();
                    first = read < 0 ? "" : Character.toString(read);
                }
            }
            return answer(response, first);
        }
        if (call.is(Way.HANDLER_THROWS)) {
            AtomicInteger asked = new AtomicInteger();
            return answer(client.send(request.build(), head -> {
                throw new IllegalStateException("asked " + asked.incrementAndGet() + " times");
            }), "");
        }
        if (call.is(Way.HANDLER_GIVES_NOTHING)) {
            return answer(client.send(request.build(), head -> null), "");
        }
        HttpResponse<String> response = call.is(Way.CANCEL)
                ? cancelled(client, request.build(), call)
                : client.send(request.build(), BodyHandlers.ofString());
        return answer(response, response.body());
    }

    /** Of a request that blocks nobody else can let go. */
    private static HttpResponse<String> cancelled(HttpClient client, HttpRequest request, HttpCall call) throws IOException, InterruptedException {
        CompletableFuture<HttpResponse<String>> sent = client.sendAsync(request, BodyHandlers.ofString());
        call.cancelSoon(() -> sent.cancel(true));
        try {
            return sent.get();
        } catch (ExecutionException e) {
            // Who ends the future first, who cancels it or the exchange that is told, is chance.
            if (e.getCause() instanceof CancellationException) {
                throw new CancellationException();
            }
            throw e.getCause() instanceof IOException cause ? cause : new IOException(e);
        }
    }

    private static BodyPublisher body(HttpCall call) {
        if (call.is(Way.HANG_UP)) {
            return new HangUp(URI.create(call.url()));
        }
        if (call.body().isEmpty()) {
            return BodyPublishers.noBody();
        }
        byte[] body = call.body().getBytes(StandardCharsets.UTF_8);
        if (!call.streams()) {
            return BodyPublishers.ofByteArray(body);
        }
        InputStream once = call.once();
        BodyPublisher stream = BodyPublishers.ofInputStream(() -> once);
        return call.is(Way.STREAM) ? stream : BodyPublishers.fromPublisher(stream, body.length);
    }

    /** The JDK asks for the length between choosing a connection and beginning the stream. */
    private static final class HangUp implements BodyPublisher {
        private final BodyPublisher none = BodyPublishers.noBody();
        private final URI peer;

        HangUp(URI peer) {
            this.peer = peer;
        }

        @Override
        public long contentLength() {
            boolean begins = StackWalker.getInstance().walk(frames ->
                    frames.anyMatch(frame -> frame.getClassName().equals("jdk.internal.net.http.Stream")));
            if (begins) {
                try (Socket socket = new Socket(peer.getHost(), peer.getPort())) {
                    socket.getOutputStream().write("HANGUP / HTTP/1.1\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
                    socket.getInputStream().readAllBytes();
                } catch (IOException hungUp) {
                    // However abruptly.
                }
                // Until the library has noticed.
                HttpCall.pause();
            }
            return none.contentLength();
        }

        @Override
        public void subscribe(Flow.Subscriber<? super ByteBuffer> subscriber) {
            none.subscribe(subscriber);
        }
    }

    private static HttpAnswer answer(HttpResponse<?> response, String body) {
        Map<String, String> headers = new TreeMap<>();
        response.headers().map().forEach((name, values) -> headers.put(name, String.join(", ", values)));
        List<String> before = new ArrayList<>();
        for (Optional<? extends HttpResponse<?>> hop = response.previousResponse(); hop.isPresent(); hop = hop.get().previousResponse()) {
            before.add(hop.get().statusCode() + " " + hop.get().uri());
        }
        return new HttpAnswer(response.statusCode(), headers, body, Map.of(
                "uri", response.uri().toString(),
                "version", response.version().name(),
                "request", response.request().method() + " " + response.request().uri() + " " + new TreeMap<>(response.request().headers().map()),
                "before", String.join(", ", before)));
    }
}
