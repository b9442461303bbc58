package io.weft.driver;

import io.weft.driver.HttpCall.Way;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.apache.http.Header;
import org.apache.http.HttpEntity;
import org.apache.http.HttpHost;
import org.apache.http.HttpRequest;
import org.apache.http.HttpResponse;
import org.apache.http.auth.AuthScope;
import org.apache.http.auth.UsernamePasswordCredentials;
import org.apache.http.client.config.RequestConfig;
import org.apache.http.client.methods.HttpUriRequest;
import org.apache.http.client.methods.RequestBuilder;
import org.apache.http.client.protocol.HttpClientContext;
import org.apache.http.client.utils.URIUtils;
import org.apache.http.concurrent.FutureCallback;
import org.apache.http.conn.routing.HttpRoute;
import org.apache.http.entity.AbstractHttpEntity;
import org.apache.http.entity.ByteArrayEntity;
import org.apache.http.entity.ContentType;
import org.apache.http.impl.client.BasicCookieStore;
import org.apache.http.impl.client.BasicCredentialsProvider;
import org.apache.http.impl.nio.client.CloseableHttpAsyncClient;
import org.apache.http.impl.nio.client.HttpAsyncClientBuilder;
import org.apache.http.impl.nio.client.HttpAsyncClients;
import org.apache.http.impl.nio.conn.PoolingNHttpClientConnectionManager;
import org.apache.http.impl.nio.reactor.DefaultConnectingIOReactor;
import org.apache.http.nio.ContentDecoder;
import org.apache.http.nio.ContentEncoder;
import org.apache.http.nio.IOControl;
import org.apache.http.nio.client.HttpPipeliningClient;
import org.apache.http.nio.client.methods.HttpAsyncMethods;
import org.apache.http.nio.conn.ManagedNHttpClientConnection;
import org.apache.http.nio.entity.HttpAsyncContentProducer;
import org.apache.http.nio.protocol.AbstractAsyncResponseConsumer;
import org.apache.http.nio.reactor.IOReactorException;
import org.apache.http.protocol.HttpContext;

/**
 * Apache HttpAsyncClient 4. The header {@code X-Client} asks for another kind of client than the builder's: {@code minimal} or
 * {@code pipelining}, or a pool that has place for eight connections to orders: {@code wide}.
 */
public final class ApacheHttpAsyncClient4 {
    private static final String SEEN = "seen";

    private final Map<Traits, CloseableHttpAsyncClient> clients = new ConcurrentHashMap<>();
    private final BasicCookieStore cookies = new BasicCookieStore();

    /** What an app chooses for a whole client. */
    private record Traits(String kind, boolean cookies, boolean authenticates, boolean few) {}

    private ApacheHttpAsyncClient4() {}

    public static void main(String[] args) throws IOException {
        ClientDriver.run(new ApacheHttpAsyncClient4()::send);
    }

    private CloseableHttpAsyncClient client(Traits traits) {
        CloseableHttpAsyncClient client = switch (traits.kind) {
            case "minimal" -> HttpAsyncClients.createMinimal();
            case "pipelining" -> HttpAsyncClients.createPipelining();
            default -> custom(traits);
        };
        client.start();
        return client;
    }

    private CloseableHttpAsyncClient custom(Traits traits) {
        // As many connections as the threads of a load.
        HttpAsyncClientBuilder client = HttpAsyncClients.custom().setMaxConnPerRoute(traits.few ? 2 : 8);
        if (traits.kind.equals("wide")) {
            client.setConnectionManager(wide());
        }
        if (traits.cookies) {
            client.setDefaultCookieStore(cookies);
        } else {
            client.disableCookieManagement();
        }
        if (traits.authenticates) {
            BasicCredentialsProvider credentials = new BasicCredentialsProvider();
            credentials.setCredentials(AuthScope.ANY, new UsernamePasswordCredentials("user", "secret"));
            client.setDefaultCredentialsProvider(credentials);
        }
        client.addInterceptorFirst((HttpRequest request, HttpContext context) ->
                seen(context, "first sees " + request.getRequestLine().getMethod()));
        client.addInterceptorLast((HttpRequest request, HttpContext context) ->
                seen(context, "last sees " + request.getAllHeaders().length + " headers"));
        client.addInterceptorLast((HttpResponse response, HttpContext context) ->
                seen(context, "got " + response.getStatusLine() + " " + length(response.getEntity()) + over(context)));
        return client.build();
    }

    private static PoolingNHttpClientConnectionManager wide() {
        try {
            PoolingNHttpClientConnectionManager pool = new PoolingNHttpClientConnectionManager(new DefaultConnectingIOReactor());
            pool.setMaxPerRoute(new HttpRoute(new HttpHost("orders", 80)), 8);
            return pool;
        } catch (IOReactorException e) {
            throw new IllegalStateException(e);
        }
    }

    private static long length(HttpEntity entity) {
        return entity == null ? -2 : entity.getContentLength();
    }

    /** As which the app sees its connection while there is one. */
    private static String over(HttpContext context) {
        ManagedNHttpClientConnection connection = HttpClientContext.adapt(context).getConnection(ManagedNHttpClientConnection.class);
        return connection.isOpen() ? " in " + connection.getSSLSession() : "";
    }

    @SuppressWarnings("unchecked")
    private static void seen(HttpContext context, String what) {
        ((List<String>) context.getAttribute(SEEN)).add(what);
    }

    private HttpAnswer send(HttpCall call) throws Exception {
        String kind = call.headers().getOrDefault("X-Client", "");
        Traits traits = new Traits(kind, call.is(Way.COOKIES), call.is(Way.AUTHENTICATE), call.is(Way.FEW_CONNECTIONS));
        CloseableHttpAsyncClient client = call.is(Way.CLOSE) ? client(traits) : clients.computeIfAbsent(traits, this::client);
        call.closeLater(client);
        RequestBuilder request = RequestBuilder.create(call.method()).setUri(call.url()).setConfig(config(call));
        call.headers().forEach(request::addHeader);
        if (!call.body().isEmpty()) {
            request.setEntity(body(call));
        }
        HttpUriRequest built = request.build();
        HttpClientContext context = HttpClientContext.create();
        context.setAttribute(SEEN, Collections.synchronizedList(new ArrayList<>()));
        Consumer consumer = new Consumer(call);
        Told told = new Told();
        try {
            if (kind.equals("pipelining")) {
                return answer(consumer, pipelined((HttpPipeliningClient) client, built, consumer, context), context);
            }
            Future<String> sent = client.execute(HttpAsyncMethods.create(built), consumer, context, told);
            call.cancelSoon(() -> sent.cancel(true));
            if (call.leaves()) {
                String first = consumer.first.get(2, TimeUnit.MINUTES);
                if (call.is(Way.ABANDON)) {
                    sent.cancel(true);
                }
                return answer(consumer, first, context);
            }
            String read = sent.get(2, TimeUnit.MINUTES);
            if (sent.isCancelled()) {
                // In 4.1 it has no result, and does not say why.
                throw new CancellationException();
            }
            context.setAttribute("told", told.outcome.get(1, TimeUnit.MINUTES));
            return answer(consumer, read, context);
        } catch (ExecutionException e) {
            // as an app would
            throw e.getCause() instanceof Exception cause ? cause : e;
        }
    }

    private static String pipelined(HttpPipeliningClient client, HttpUriRequest request, Consumer consumer, HttpContext context)
            throws Exception {
        HttpHost target = URIUtils.extractHost(request.getURI());
        return client.execute(target, List.of(HttpAsyncMethods.create(target, request)), List.of(consumer), context, null)
                .get(2, TimeUnit.MINUTES).get(0);
    }

    private static RequestConfig config(HttpCall call) {
        RequestConfig.Builder config = RequestConfig.custom()
                .setRedirectsEnabled(call.is(Way.FOLLOW_REDIRECTS))
                .setExpectContinueEnabled(call.is(Way.EXPECT_CONTINUE));
        if (call.timeoutMillis() > 0) {
            config.setConnectTimeout(call.timeoutMillis()).setSocketTimeout(call.timeoutMillis());
        }
        if (call.proxyPort() > 0) {
            config.setProxy(new HttpHost("127.0.0.1", call.proxyPort()));
        }
        return config.build();
    }

    private static HttpEntity body(HttpCall call) {
        byte[] body = call.body().getBytes(StandardCharsets.UTF_8);
        return call.streams() ? new Once(call, call.is(Way.STREAM) ? -1 : body.length) : new ByteArrayEntity(body);
    }

    /** What the future's callback was told, and where. */
    private static final class Told implements FutureCallback<String> {
        private final CompletableFuture<String> outcome = new CompletableFuture<>();

        private void tell(String what) {
            if (!outcome.complete(what)) {
                throw new IllegalStateException("told twice: " + what);
            }
        }

        @Override
        public void completed(String result) {
            tell("completed on " + thread());
        }

        @Override
        public void failed(Exception cause) {
            tell("failed on " + thread());
        }

        @Override
        public void cancelled() {
            tell("cancelled");
        }
    }

    /** Which kind of thread it is. */
    private static String thread() {
        return Thread.currentThread().getName().replaceAll("\\d+", "N");
    }

    /** Comes from another thread, when it is asked for it. */
    private static final class Once extends AbstractHttpEntity implements HttpAsyncContentProducer {
        private final HttpCall call;
        private final long length;
        private boolean begun;

        /** Null before it is there. */
        private volatile ByteBuffer bytes;

        Once(HttpCall call, long length) {
            this.call = call;
            this.length = length;
            setChunked(length < 0);
        }

        @Override
        public void produceContent(ContentEncoder encoder, IOControl control) throws IOException {
            if (!begun) {
                begun = true;
                control.suspendOutput();
                CompletableFuture.runAsync(() -> {
                    try {
                        bytes = ByteBuffer.wrap(call.once().readAllBytes());
                    } catch (IOException e) {
                        throw new UncheckedIOException(e);
                    }
                    control.requestOutput();
                });
            } else if (bytes != null) {
                encoder.write(bytes);
                if (!bytes.hasRemaining()) {
                    encoder.complete();
                }
            }
        }

        @Override
        public boolean isRepeatable() {
            return false;
        }

        @Override
        public void close() {}

        @Override
        public long getContentLength() {
            return length;
        }

        @Override
        public InputStream getContent() {
            return new ByteArrayInputStream(new byte[0]);
        }

        @Override
        public void writeTo(OutputStream out) {
            throw new UnsupportedOperationException("is asked for its content");
        }

        @Override
        public boolean isStreaming() {
            return true;
        }
    }

    /** Collects the body, or leaves it. */
    private static final class Consumer extends AbstractAsyncResponseConsumer<String> {
        private final HttpCall call;
        private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        private final CompletableFuture<String> first = new CompletableFuture<>();
        private final List<String> seen = Collections.synchronizedList(new ArrayList<>());
        private volatile HttpResponse response;

        Consumer(HttpCall call) {
            this.call = call;
        }

        @Override
        protected void onResponseReceived(HttpResponse response) {
            this.response = response;
            seen.add("response " + length(response.getEntity()) + " on " + thread());
            if (response.getEntity() == null || call.is(Way.FORGET)) {
                first.complete("");
            }
        }

        @Override
        protected void onEntityEnclosed(HttpEntity entity, ContentType type) {
            seen.add("entity " + type);
        }

        @Override
        protected void onContentReceived(ContentDecoder decoder, IOControl control) throws IOException {
            ByteBuffer part = ByteBuffer.allocate(call.is(Way.ABANDON) ? 1 : 8192);
            if (!call.is(Way.FORGET) && !(call.is(Way.ABANDON) && first.isDone())) {
                while (decoder.read(part) > 0 && !call.is(Way.ABANDON)) {
                    bytes.write(part.array(), 0, part.position());
                    part.clear();
                }
            }
            if (call.is(Way.ABANDON) && part.position() > 0) {
                first.complete(Character.toString(part.get(0)));
            }
            if (call.leaves()) {
                control.suspendInput();
            }
        }

        @Override
        protected String buildResult(HttpContext context) {
            seen.add("end on " + thread());
            first.complete("");
            return bytes.toString(StandardCharsets.UTF_8);
        }

        @Override
        protected void releaseResources() {
            if (getException() != null) {
                first.completeExceptionally(getException());
            }
        }
    }

    private static HttpAnswer answer(Consumer consumer, String body, HttpClientContext context) {
        Map<String, String> headers = new TreeMap<>();
        List<String> order = new ArrayList<>();
        HttpResponse response = consumer.response;
        for (Header header : response.getAllHeaders()) {
            order.add(header.toString());
            headers.merge(header.getName().toLowerCase(Locale.ROOT), header.getValue(), (some, more) -> some + ", " + more);
        }
        HttpRequest request = context.getRequest();
        List<String> sent = new ArrayList<>(List.of(request.getRequestLine().toString()));
        for (Header header : request.getAllHeaders()) {
            sent.add(header.toString());
        }
        Map<String, String> seen = new LinkedHashMap<>();
        seen.put("uri", context.getTargetHost().toURI() + request.getRequestLine().getUri());
        seen.put("version", String.valueOf(response.getProtocolVersion()));
        seen.put("message", String.valueOf(response.getStatusLine().getReasonPhrase()));
        seen.put("order", String.join("\n", order));
        seen.put("request", String.join("\n", sent));
        seen.put("route", context.getHttpRoute().toString());
        seen.put("redirects", String.valueOf(context.getRedirectLocations()));
        seen.put("user-token", String.valueOf(context.getUserToken()));
        seen.put("told", String.valueOf(context.getAttribute("told")));
        // After the head, what a consumer hears that leaves the rest is chance.
        seen.put("heard", String.valueOf(context.getAttribute("told") == null ? "" : consumer.seen));
        seen.put("interceptors", String.valueOf(context.getAttribute(SEEN)));
        return new HttpAnswer(response.getStatusLine().getStatusCode(), headers, body, seen);
    }
}
