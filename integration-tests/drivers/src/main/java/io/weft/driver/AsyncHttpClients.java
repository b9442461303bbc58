package io.weft.driver;

import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.cookie.Cookie;
import io.weft.driver.HttpCall.Way;
import java.io.IOException;
import java.io.InputStream;
import java.io.PipedInputStream;
import java.io.PipedOutputStream;
import java.lang.reflect.Method;
import java.nio.channels.ClosedChannelException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
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
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Predicate;
import org.asynchttpclient.AsyncHandler;
import org.asynchttpclient.AsyncHttpClient;
import org.asynchttpclient.BoundRequestBuilder;
import org.asynchttpclient.DefaultAsyncHttpClient;
import org.asynchttpclient.DefaultAsyncHttpClientConfig;
import org.asynchttpclient.HttpResponseBodyPart;
import org.asynchttpclient.HttpResponseStatus;
import org.asynchttpclient.ListenableFuture;
import org.asynchttpclient.Realm;
import org.asynchttpclient.Response;
import org.asynchttpclient.cookie.CookieStore;
import org.asynchttpclient.handler.BodyDeferringAsyncHandler;
import org.asynchttpclient.netty.request.NettyRequest;
import org.asynchttpclient.proxy.ProxyServer;
import org.asynchttpclient.request.body.generator.InputStreamBodyGenerator;
import org.asynchttpclient.uri.Uri;

/** AsyncHttpClient, as an app that waits for its answers, which handlers and filters of its own see on the library's threads. */
public final class AsyncHttpClients {
    private static final int PATIENCE_MILLIS = 2_000;

    private final Map<Traits, AsyncHttpClient> clients = new ConcurrentHashMap<>();

    /** What an app chooses for a whole client: one that blocks has threads of its own. */
    private record Traits(boolean cookies, boolean blocks, int timeoutMillis, boolean few) {}

    private AsyncHttpClients() {}

    public static void main(String[] args) throws IOException {
        ClientDriver.run(new AsyncHttpClients()::send);
    }

    private AsyncHttpClient client(Traits traits) {
        DefaultAsyncHttpClientConfig.Builder config = new DefaultAsyncHttpClientConfig.Builder();
        if (!traits.cookies) {
            config.setCookieStore(new NoCookies());
        }
        if (traits.few) {
            config.setMaxConnections(2);
        }
        if (traits.timeoutMillis > 0) {
            limit(config, "setConnectTimeout", traits.timeoutMillis);
            limit(config, "setRequestTimeout", traits.timeoutMillis);
            limit(config, "setReadTimeout", traits.timeoutMillis);
        }
        return new DefaultAsyncHttpClient(config.build());
    }

    /** Without any, 2.12 ends with an exception. */
    private static final class NoCookies implements CookieStore {
        private final AtomicInteger clients = new AtomicInteger();

        @Override
        public void add(Uri uri, Cookie cookie) {}

        @Override
        public List<Cookie> get(Uri uri) {
            return List.of();
        }

        @Override
        public List<Cookie> getAll() {
            return List.of();
        }

        @Override
        public boolean remove(Predicate<Cookie> predicate) {
            return false;
        }

        @Override
        public boolean clear() {
            return false;
        }

        @Override
        public void evictExpired() {}

        @Override
        public int incrementAndGet() {
            return clients.incrementAndGet();
        }

        @Override
        public int decrementAndGet() {
            return clients.decrementAndGet();
        }

        @Override
        public int count() {
            return clients.get();
        }
    }

    /** Of another type in 3. */
    private static void limit(Object builder, String setter, int millis) {
        try {
            for (Method method : builder.getClass().getMethods()) {
                if (method.getName().equals(setter) && !method.isBridge()) {
                    method.invoke(builder, method.getParameterTypes()[0] == int.class ? (Object) millis : Duration.ofMillis(millis));
                }
            }
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException(e);
        }
    }

    private HttpAnswer send(HttpCall call) throws Exception {
        Traits traits = new Traits(call.is(Way.COOKIES), call.is(Way.BLOCK), call.timeoutMillis(), call.is(Way.FEW_CONNECTIONS));
        AsyncHttpClient client = call.is(Way.CLOSE) ? client(traits) : clients.computeIfAbsent(traits, this::client);
        call.closeLater(client);
        BoundRequestBuilder request = client.prepare(call.method(), call.url()).setFollowRedirect(call.is(Way.FOLLOW_REDIRECTS));
        call.headers().forEach(request::setHeader);
        if (call.is(Way.EXPECT_CONTINUE)) {
            request.setHeader("Expect", "100-continue");
        }
        if (call.is(Way.AUTHENTICATE)) {
            request.setRealm(new Realm.Builder("user", "secret").setScheme(Realm.AuthScheme.BASIC).setUsePreemptiveAuth(false).build());
        }
        if (call.proxyPort() > 0) {
            request.setProxyServer(new ProxyServer.Builder("127.0.0.1", call.proxyPort()).build());
        }
        if (call.streams() && call.timeoutMillis() == 0) {
            // What can be read once the library sends once more without a body, after a redirect or by itself, and then waits for its answer.
            limit(request, "setRequestTimeout", PATIENCE_MILLIS);
        }
        if (call.is(Way.STREAM)) {
            request.setBody(unmarked(call));
        } else if (call.is(Way.STREAM_FIXED)) {
            request.setBody(new InputStreamBodyGenerator(unmarked(call), call.body().getBytes(StandardCharsets.UTF_8).length));
        } else if (!call.body().isEmpty()) {
            request.setBody(call.body().getBytes(StandardCharsets.UTF_8));
        }
        Answering handler = new Answering(call);
        if (call.is(Way.BLOCK)) {
            BodyDeferringAsyncHandler blocks = new BodyDeferringAsyncHandler(new PipedOutputStream(new PipedInputStream()));
            request.execute(blocks);
            return handler.answer(blocks.getResponse());
        }
        if (call.is(Way.FORGET)) {
            // What comes after the head is the library's business, which reads it.
            request.execute(handler);
            return handler.first.get();
        }
        try {
            ListenableFuture<HttpAnswer> sent = request.execute(handler);
            call.cancelSoon(() -> sent.cancel(true));
            return sent.get();
        } catch (ExecutionException e) {
            boolean unanswered = e.getCause() instanceof TimeoutException || e.getCause() instanceof ClosedChannelException;
            if (unanswered && call.streams() && call.timeoutMillis() == 0) {
                // 2.12 closes the channel before it says why: which exception the app gets is chance.
                throw new TimeoutException("no answer within " + PATIENCE_MILLIS + " ms");
            }
            // as an app would
            throw e.getCause() instanceof Exception cause ? cause : e;
        } finally {
            handler.mustBeOver();
        }
    }

    /** The library would rewind what can be rewound. */
    private static InputStream unmarked(HttpCall call) {
        InputStream once = call.once();
        return new InputStream() {
            @Override
            public int read() throws IOException {
                return once.read();
            }

            @Override
            public int read(byte[] bytes, int offset, int length) throws IOException {
                return once.read(bytes, offset, length);
            }

            @Override
            public int available() throws IOException {
                return once.available();
            }
        };
    }

    private static final class Answering implements AsyncHandler<HttpAnswer> {
        final CompletableFuture<HttpAnswer> first = new CompletableFuture<>();
        private final HttpCall call;
        private final Response.ResponseBuilder response = new Response.ResponseBuilder();
        private final CompletableFuture<Void> over = new CompletableFuture<>();
        private final AtomicInteger statuses = new AtomicInteger();
        private final AtomicInteger ends = new AtomicInteger();
        private volatile String thread = "";
        private volatile String one = "";

        Answering(HttpCall call) {
            this.call = call;
        }

        @Override
        public State onStatusReceived(HttpResponseStatus status) {
            statuses.incrementAndGet();
            response.reset();
            response.accumulate(status);
            thread = Thread.currentThread().getName().replaceAll("[0-9]+", "N");
            return State.CONTINUE;
        }

        @Override
        public State onHeadersReceived(HttpHeaders headers) {
            response.accumulate(headers);
            if (call.is(Way.FORGET)) {
                first.complete(answer(response.build()));
            }
            return State.CONTINUE;
        }

        @Override
        public State onBodyPartReceived(HttpResponseBodyPart part) {
            if (call.is(Way.ABANDON)) {
                if (part.getBodyPartBytes().length > 0) {
                    one = new String(part.getBodyPartBytes(), 0, 1, StandardCharsets.UTF_8);
                    return State.ABORT;
                }
                return State.CONTINUE;
            }
            response.accumulate(part);
            return State.CONTINUE;
        }

        @Override
        public State onTrailingHeadersReceived(HttpHeaders trailers) {
            response.accumulate(trailers);
            return State.CONTINUE;
        }

        @Override
        public void onRequestSend(NettyRequest request) {}

        @Override
        public void onThrowable(Throwable failure) {
            ends.incrementAndGet();
            first.completeExceptionally(failure);
            over.complete(null);
        }

        @Override
        public HttpAnswer onCompleted() {
            ends.incrementAndGet();
            over.complete(null);
            return answer(response.build());
        }

        private void mustBeOver() throws Exception {
            try {
                over.get(5, TimeUnit.SECONDS);
            } catch (TimeoutException e) {
                throw new IllegalStateException("the handler was told of no end", e);
            }
        }

        private HttpAnswer answer(Response received) {
            Map<String, String> headers = new TreeMap<>();
            List<String> order = new ArrayList<>();
            for (Map.Entry<String, String> header : received.getHeaders()) {
                order.add(header.getKey() + ": " + header.getValue());
                headers.merge(header.getKey().toLowerCase(Locale.ROOT), header.getValue(), (some, more) -> some + ", " + more);
            }
            Map<String, String> seen = new LinkedHashMap<>();
            seen.put("uri", received.getUri().toUrl());
            seen.put("message", received.getStatusText());
            seen.put("redirected", Boolean.toString(received.isRedirected()));
            seen.put("cookies", received.getCookies().toString());
            seen.put("order", String.join("\n", order));
            seen.put("thread", thread);
            seen.put("listeners", statuses + " heads, " + ends + " ends");
            return new HttpAnswer(
                    received.getStatusCode(), headers, call.is(Way.ABANDON) ? one : received.getResponseBody(StandardCharsets.UTF_8), seen);
        }
    }
}
