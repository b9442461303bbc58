package io.weft.driver;

import io.weft.driver.HttpCall.Way;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.hc.client5.http.HttpRoute;
import org.apache.hc.client5.http.auth.AuthScope;
import org.apache.hc.client5.http.auth.UsernamePasswordCredentials;
import org.apache.hc.client5.http.config.RequestConfig;
import org.apache.hc.client5.http.cookie.BasicCookieStore;
import org.apache.hc.client5.http.impl.async.CloseableHttpAsyncClient;
import org.apache.hc.client5.http.impl.async.HttpAsyncClientBuilder;
import org.apache.hc.client5.http.impl.async.HttpAsyncClients;
import org.apache.hc.client5.http.impl.auth.BasicCredentialsProvider;
import org.apache.hc.client5.http.impl.nio.PoolingAsyncClientConnectionManager;
import org.apache.hc.client5.http.impl.nio.PoolingAsyncClientConnectionManagerBuilder;
import org.apache.hc.client5.http.protocol.HttpClientContext;
import org.apache.hc.core5.concurrent.FutureCallback;
import org.apache.hc.core5.http.EntityDetails;
import org.apache.hc.core5.http.Header;
import org.apache.hc.core5.http.HttpHost;
import org.apache.hc.core5.http.HttpRequest;
import org.apache.hc.core5.http.HttpResponse;
import org.apache.hc.core5.http.message.BasicHttpRequest;
import org.apache.hc.core5.http.nio.AsyncEntityProducer;
import org.apache.hc.core5.http.nio.AsyncResponseConsumer;
import org.apache.hc.core5.http.nio.CapacityChannel;
import org.apache.hc.core5.http.nio.DataStreamChannel;
import org.apache.hc.core5.http.nio.entity.BasicAsyncEntityProducer;
import org.apache.hc.core5.http.nio.support.BasicRequestProducer;
import org.apache.hc.core5.http.protocol.HttpContext;

/**
 * Apache HttpClient 5, asynchronous, with the retries of its own switched off. The header {@code X-Client} asks for another kind:
 * {@code minimal}, {@code http2}, {@code minimal-http2} or {@code wide}, whose pool has place for eight connections to orders.
 */
public final class ApacheHttpAsyncClient5 {
    private static final String SEEN = "seen";

    private final Map<Traits, CloseableHttpAsyncClient> clients = new ConcurrentHashMap<>();
    private final BasicCookieStore cookies = new BasicCookieStore();

    /** What an app chooses for a whole client. */
    private record Traits(String kind, boolean cookies, boolean authenticates, boolean few) {}

    private ApacheHttpAsyncClient5() {}

    public static void main(String[] args) throws IOException {
        ClientDriver.run(new ApacheHttpAsyncClient5()::send);
    }

    private CloseableHttpAsyncClient client(Traits traits) {
        CloseableHttpAsyncClient client = switch (traits.kind) {
            case "minimal" -> HttpAsyncClients.createMinimal();
            case "http2" -> HttpAsyncClients.customHttp2().disableAutomaticRetries().build();
            case "minimal-http2" -> HttpAsyncClients.createHttp2Minimal();
            default -> custom(traits);
        };
        client.start();
        return client;
    }

    private CloseableHttpAsyncClient custom(Traits traits) {
        HttpAsyncClientBuilder client = HttpAsyncClients.custom().disableAutomaticRetries();
        if (traits.kind.equals("wide")) {
            PoolingAsyncClientConnectionManager pool = new PoolingAsyncClientConnectionManager();
            pool.setMaxPerRoute(new HttpRoute(new HttpHost("orders", 80)), 8);
            client.setConnectionManager(pool);
        }
        if (traits.few) {
            client.setConnectionManager(PoolingAsyncClientConnectionManagerBuilder.create().setMaxConnPerRoute(2).build());
        }
        if (traits.cookies) {
            client.setDefaultCookieStore(cookies);
        } else {
            client.disableCookieManagement();
        }
        if (traits.authenticates) {
            BasicCredentialsProvider credentials = new BasicCredentialsProvider();
            credentials.setCredentials(new AuthScope(null, -1), new UsernamePasswordCredentials("user", "secret".toCharArray()));
            client.setDefaultCredentialsProvider(credentials);
        }
        client.addRequestInterceptorFirst((request, entity, context) -> seen(context, "first sees " + request.getMethod() + " " + length(entity)));
        client.addRequestInterceptorLast((request, entity, context) -> seen(context, "last sees " + request.getHeaders().length + " headers"));
        client.addResponseInterceptorLast((response, entity, context) -> seen(context, "got " + response.getCode() + " " + length(entity)));
        return client.build();
    }

    private static long length(EntityDetails entity) {
        return entity == null ? -2 : entity.getContentLength();
    }

    @SuppressWarnings("unchecked")
    private static void seen(HttpContext context, String what) {
        ((List<String>) context.getAttribute(SEEN)).add(what);
    }

    private HttpAnswer send(HttpCall call) throws Exception {
        Traits traits = new Traits(call.headers().getOrDefault("X-Client", ""), call.is(Way.COOKIES), call.is(Way.AUTHENTICATE), call.is(Way.FEW_CONNECTIONS));
        CloseableHttpAsyncClient client = call.is(Way.CLOSE) ? client(traits) : clients.computeIfAbsent(traits, this::client);
        call.closeLater(client);
        HttpRequest request = new BasicHttpRequest(call.method(), URI.create(call.url()));
        call.headers().forEach(request::addHeader);
        AsyncEntityProducer body = call.body().isEmpty() ? null : body(call);
        HttpClientContext context = HttpClientContext.create();
        context.setRequestConfig(config(call));
        context.setAttribute(SEEN, Collections.synchronizedList(new ArrayList<>()));
        Consumer consumer = new Consumer(call);
        Told told = new Told();
        Future<String> sent = client.execute(new BasicRequestProducer(request, body), consumer, context, told);
        call.cancelSoon(() -> sent.cancel(true));
        try {
            if (call.leaves()) {
                String first = consumer.first();
                if (call.is(Way.ABANDON)) {
                    sent.cancel(true);
                }
                return answer(consumer, first, context);
            }
            String read = sent.get(mayBeStuck(call) ? 2 : 120, TimeUnit.SECONDS);
            context.setAttribute("told", told.outcome.get(1, TimeUnit.MINUTES));
            // The future is done before the pool has the connection, and which one the next request gets would be chance.
            consumer.released.get(1, TimeUnit.MINUTES);
            return answer(consumer, read, context);
        } catch (ExecutionException e) {
            // as an app would
            throw e.getCause() instanceof Exception cause ? cause : e;
        } catch (TimeoutException e) {
            sent.cancel(true);
            throw new TimeoutException("no answer");
        }
    }

    /** Of a request whose body it would have to send once more and cannot, the library says no word; version 5.0 of others, too. */
    private static boolean mayBeStuck(HttpCall call) {
        return !call.body().isEmpty() && (call.is(Way.FOLLOW_REDIRECTS) || call.is(Way.AUTHENTICATE));
    }

    private static RequestConfig config(HttpCall call) {
        RequestConfig.Builder config = RequestConfig.custom()
                .setRedirectsEnabled(call.is(Way.FOLLOW_REDIRECTS))
                .setExpectContinueEnabled(call.is(Way.EXPECT_CONTINUE));
        if (call.timeoutMillis() > 0) {
            config.setConnectTimeout(call.timeoutMillis(), TimeUnit.MILLISECONDS)
                    .setResponseTimeout(call.timeoutMillis(), TimeUnit.MILLISECONDS);
        }
        if (call.proxyPort() > 0) {
            config.setProxy(new HttpHost("127.0.0.1", call.proxyPort()));
        }
        return config.build();
    }

    private static AsyncEntityProducer body(HttpCall call) {
        byte[] body = call.body().getBytes(StandardCharsets.UTF_8);
        return call.streams() ? new Once(call, call.is(Way.STREAM) ? -1 : body.length) : new BasicAsyncEntityProducer(body, null);
    }

    /** What the future's callback was told, and where. */
    private static final class Told implements FutureCallback<String> {
        private final CompletableFuture<String> outcome = new CompletableFuture<>();

        @Override
        public void completed(String result) {
            outcome.complete("completed on " + thread());
        }

        @Override
        public void failed(Exception cause) {
            outcome.complete("failed on " + thread());
        }

        @Override
        public void cancelled() {
            outcome.complete("cancelled");
        }
    }

    /** Which kind of thread it is. */
    private static String thread() {
        return Thread.currentThread().getName().replaceAll("\\d+", "N");
    }

    /** Comes from another thread, when it is asked for it. */
    private static final class Once implements AsyncEntityProducer {
        private final HttpCall call;
        private final long length;
        private boolean begun;

        /** Null before it is there. */
        private volatile ByteBuffer bytes;

        Once(HttpCall call, long length) {
            this.call = call;
            this.length = length;
        }

        @Override
        public boolean isRepeatable() {
            return false;
        }

        @Override
        public int available() {
            return begun ? bytes == null ? 0 : Math.max(1, bytes.remaining()) : 1;
        }

        @Override
        public void produce(DataStreamChannel channel) throws IOException {
            if (!begun) {
                begun = true;
                CompletableFuture.runAsync(() -> {
                    try {
                        bytes = ByteBuffer.wrap(call.once().readAllBytes());
                    } catch (IOException e) {
                        throw new UncheckedIOException(e);
                    }
                    channel.requestOutput();
                });
            } else if (bytes != null) {
                channel.write(bytes);
                if (!bytes.hasRemaining()) {
                    channel.endStream();
                }
            }
        }

        @Override
        public void failed(Exception cause) {}

        @Override
        public void releaseResources() {}

        @Override
        public long getContentLength() {
            return length;
        }

        @Override
        public String getContentType() {
            return null;
        }

        @Override
        public String getContentEncoding() {
            return null;
        }

        @Override
        public boolean isChunked() {
            return length < 0;
        }

        @Override
        public Set<String> getTrailerNames() {
            return Set.of();
        }
    }

    /** Collects the body, or leaves it. */
    private static final class Consumer implements AsyncResponseConsumer<String> {
        private final HttpCall call;
        private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        private final CompletableFuture<String> first = new CompletableFuture<>();
        private final CompletableFuture<Void> released = new CompletableFuture<>();
        private final List<String> seen = Collections.synchronizedList(new ArrayList<>());
        private volatile HttpResponse response;
        private volatile FutureCallback<String> callback;

        Consumer(HttpCall call) {
            this.call = call;
        }

        /** A body's first byte, or nothing if it is not to be read. */
        String first() throws Exception {
            return first.get(2, TimeUnit.MINUTES);
        }

        @Override
        public void informationResponse(HttpResponse interim, HttpContext context) {
            seen.add("interim " + interim.getCode());
        }

        @Override
        public void consumeResponse(HttpResponse response, EntityDetails entity, HttpContext context, FutureCallback<String> callback) {
            this.response = response;
            this.callback = callback;
            seen.add("response " + length(entity) + " on " + thread());
            if (entity == null || call.is(Way.FORGET)) {
                first.complete("");
            }
            if (entity == null) {
                callback.completed("");
            }
        }

        @Override
        public void updateCapacity(CapacityChannel capacity) throws IOException {
            if (!call.leaves()) {
                capacity.update(Integer.MAX_VALUE);
            }
        }

        @Override
        public void consume(ByteBuffer src) {
            byte[] part = new byte[src.remaining()];
            src.get(part);
            bytes.writeBytes(part);
            if (part.length > 0) {
                first.complete(Character.toString(part[0]));
            }
        }

        @Override
        public void streamEnd(List<? extends Header> trailers) {
            seen.add("end on " + thread() + (trailers == null ? "" : " " + trailers));
            first.complete("");
            callback.completed(bytes.toString(StandardCharsets.UTF_8));
        }

        @Override
        public void failed(Exception cause) {
            first.completeExceptionally(cause);
        }

        @Override
        public void releaseResources() {
            released.complete(null);
        }
    }

    private static HttpAnswer answer(Consumer consumer, String body, HttpClientContext context) {
        Map<String, String> headers = new TreeMap<>();
        List<String> order = new ArrayList<>();
        HttpResponse response = consumer.response;
        for (Header header : response.getHeaders()) {
            order.add(header.toString());
            headers.merge(header.getName().toLowerCase(Locale.ROOT), header.getValue(), (some, more) -> some + ", " + more);
        }
        HttpRequest request = context.getRequest();
        List<String> sent = new ArrayList<>(List.of(request.getMethod() + " " + request.getPath() + " " + request.getAuthority()));
        for (Header header : request.getHeaders()) {
            sent.add(header.toString());
        }
        Map<String, String> seen = new LinkedHashMap<>();
        seen.put("uri", "http://" + request.getAuthority() + request.getPath());
        seen.put("version", String.valueOf(response.getVersion()));
        seen.put("message", String.valueOf(response.getReasonPhrase()));
        seen.put("order", String.join("\n", order));
        seen.put("request", String.join("\n", sent));
        seen.put("route", String.valueOf(context.getHttpRoute()));
        seen.put("redirects", String.valueOf(context.getRedirectLocations() == null ? List.of() : context.getRedirectLocations().getAll()));
        seen.put("session", String.valueOf(context.getSSLSession()));
        seen.put("told", String.valueOf(context.getAttribute("told")));
        // After the head, what a consumer hears that leaves the rest is chance.
        seen.put("heard", String.valueOf(context.getAttribute("told") == null ? "" : consumer.seen));
        seen.put("interceptors", String.valueOf(context.getAttribute(SEEN)));
        return new HttpAnswer(response.getCode(), headers, body, seen);
    }
}
