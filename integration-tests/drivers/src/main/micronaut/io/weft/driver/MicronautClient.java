package io.weft.driver;

import io.micronaut.context.ApplicationContext;
import io.micronaut.core.io.buffer.ByteBuffer;
import io.micronaut.core.io.buffer.ReferenceCounted;
import io.micronaut.core.type.Argument;
import io.micronaut.http.HttpMethod;
import io.micronaut.http.HttpRequest;
import io.micronaut.http.HttpResponse;
import io.micronaut.http.MediaType;
import io.micronaut.http.MutableHttpRequest;
import io.micronaut.http.annotation.Filter;
import io.micronaut.http.client.DefaultHttpClientConfiguration;
import io.micronaut.http.client.HttpClient;
import io.micronaut.http.client.LoadBalancer;
import io.micronaut.http.client.StreamingHttpClient;
import io.micronaut.http.client.exceptions.HttpClientResponseException;
import io.micronaut.http.filter.ClientFilterChain;
import io.micronaut.http.filter.HttpClientFilter;
import io.weft.driver.HttpCall.Way;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.net.Proxy;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.reactivestreams.Publisher;
import org.reactivestreams.Subscription;
import reactor.core.publisher.BaseSubscriber;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.core.scheduler.Schedulers;

/**
 * Micronaut's HTTP client, with a filter of the app's: blocking where the body is there at once, else reactive, and streaming where the response's body is
 * not read to its end. It has no cookie jar and answers no challenge by itself; this does, as an app would.
 */
public final class MicronautClient {
    private static final int UNAUTHORIZED = 401;
    private static final int PART = 8192;
    private static final int PERMISSION_MILLIS = 2_000;
    private static final Duration PATIENCE = Duration.ofMinutes(2);

    private final ApplicationContext context = ApplicationContext.run();
    private final Map<Traits, StreamingHttpClient> clients = new ConcurrentHashMap<>();
    private final Map<String, Map<String, String>> jar = new ConcurrentHashMap<>();

    /** What an app chooses for a whole client. */
    private record Traits(boolean followsRedirects, int timeoutMillis, int proxyPort, boolean few) {}

    private MicronautClient() {}

    public static void main(String[] args) throws IOException {
        ClientDriver.run(new MicronautClient()::send);
    }

    private StreamingHttpClient client(Traits traits) {
        DefaultHttpClientConfiguration configuration = new DefaultHttpClientConfiguration();
        configuration.setFollowRedirects(traits.followsRedirects);
        // Before 4.2 the library counts it from the last read on a connection, though no request was on it since.
        configuration.setReadTimeout(PATIENCE);
        if (traits.timeoutMillis > 0) {
            configuration.setConnectTimeout(Duration.ofMillis(traits.timeoutMillis));
            configuration.setReadTimeout(Duration.ofMillis(traits.timeoutMillis));
        }
        if (traits.few) {
            configuration.getConnectionPoolConfiguration().setMaxConcurrentHttp1Connections(2);
        }
        if (traits.proxyPort > 0) {
            configuration.setProxyType(Proxy.Type.HTTP);
            configuration.setProxyAddress(new InetSocketAddress("127.0.0.1", traits.proxyPort));
        }
        // Of no use to URLs with a host; without one the configuration would not be looked at.
        return context.createBean(StreamingHttpClient.class, Map.of("loadBalancer", LoadBalancer.empty(), "configuration", configuration));
    }

    private HttpAnswer send(HttpCall call) throws Exception {
        HttpAnswer answer = exchange(call, null);
        if (call.is(Way.AUTHENTICATE) && answer.status() == UNAUTHORIZED && !call.streams()) {
            return exchange(call, "Basic " + Base64.getEncoder().encodeToString("user:secret".getBytes(StandardCharsets.UTF_8)));
        }
        return answer;
    }

    private HttpAnswer exchange(HttpCall call, String authorization) throws Exception {
        // It waits for a permission to continue that may not come.
        int patience = call.timeoutMillis() == 0 && call.is(Way.EXPECT_CONTINUE) ? PERMISSION_MILLIS : call.timeoutMillis();
        StreamingHttpClient client = clients.computeIfAbsent(
                new Traits(call.is(Way.FOLLOW_REDIRECTS), patience, call.proxyPort(), call.is(Way.FEW_CONNECTIONS)), this::client);
        MutableHttpRequest<Object> request = HttpRequest.create(HttpMethod.parse(call.method()), call.url());
        call.headers().forEach(request::header);
        if (authorization != null) {
            request.header("Authorization", authorization);
        }
        Map<String, String> cookies = jar.computeIfAbsent(request.getUri().getHost(), none -> new ConcurrentSkipListMap<>());
        if (call.is(Way.COOKIES) && !cookies.isEmpty()) {
            request.header("Cookie", String.join("; ", cookies.values()));
        }
        if (call.is(Way.EXPECT_CONTINUE)) {
            request.header("Expect", "100-continue");
        }
        if (call.streams()) {
            request.contentType(MediaType.APPLICATION_OCTET_STREAM_TYPE).body(once(call));
            if (call.is(Way.STREAM_FIXED)) {
                request.contentLength(call.body().getBytes(StandardCharsets.UTF_8).length);
            }
        } else if (!call.body().isEmpty()) {
            request.body(call.body());
        }
        Seen seen = context.getBean(Seen.class);
        seen.begin();
        if (call.leaves()) {
            return left(call, client, request, seen);
        }
        HttpResponse<?> response;
        try {
            Argument<String> text = Argument.of(String.class);
            response = call.is(Way.CANCEL) ? cancelled(Mono.from(((HttpClient) client).exchange(request, text, text)).toFuture(), call) : call.streams()
                    ? Mono.from(((HttpClient) client).exchange(request, text, text)).block()
                    : client.toBlocking().exchange(request, text, text);
        } catch (HttpClientResponseException e) {
            response = e.getResponse();
        }
        if (call.is(Way.COOKIES)) {
            for (String cookie : response.getHeaders().getAll("Set-Cookie")) {
                String pair = cookie.split(";", 2)[0];
                cookies.put(pair.split("=", 2)[0], pair);
            }
        }
        return answer(response, response.getBody(String.class).orElse(""), seen);
    }

    private static HttpResponse<?> cancelled(CompletableFuture<? extends HttpResponse<?>> sent, HttpCall call) throws Exception {
        call.cancelSoon(() -> sent.cancel(true));
        try {
            return sent.get();
        } catch (ExecutionException e) {
            throw e.getCause() instanceof Exception cause ? cause : e;
        }
    }

    /** As it is asked for, on a thread that may wait. */
    private static Flux<byte[]> once(HttpCall call) {
        InputStream body = call.once();
        return Flux.<byte[]>generate(parts -> {
            try {
                byte[] part = new byte[PART];
                int length = body.read(part, 0, part.length);
                if (length < 0) {
                    parts.complete();
                } else {
                    parts.next(Arrays.copyOf(part, length));
                }
            } catch (IOException e) {
                parts.error(e);
            }
        }).subscribeOn(Schedulers.boundedElastic());
    }

    private static HttpAnswer left(HttpCall call, StreamingHttpClient client, HttpRequest<?> request, Seen seen) throws Exception {
        First first = new First(call.is(Way.ABANDON));
        client.exchangeStream(request).subscribe(first);
        try {
            HttpResponse<ByteBuffer<?>> response = first.part.get(1, TimeUnit.MINUTES);
            String body = call.is(Way.ABANDON) ? response.body().toString(StandardCharsets.UTF_8).substring(0, 1) : "";
            if (response.body() instanceof ReferenceCounted counted) {
                counted.release();
            }
            return answer(response, body, seen);
        } catch (ExecutionException e) {
            if (e.getCause() instanceof HttpClientResponseException unwelcome) {
                return answer(unwelcome.getResponse(), "", seen);
            }
            // as an app would
            throw e.getCause() instanceof Exception cause ? cause : e;
        }
    }

    /** Takes the first part of a response, and leaves the rest. */
    private static final class First extends BaseSubscriber<HttpResponse<ByteBuffer<?>>> {
        private final CompletableFuture<HttpResponse<ByteBuffer<?>>> part = new CompletableFuture<>();
        private final boolean cancels;

        First(boolean cancels) {
            this.cancels = cancels;
        }

        @Override
        protected void hookOnSubscribe(Subscription subscription) {
            subscription.request(1);
        }

        @Override
        protected void hookOnNext(HttpResponse<ByteBuffer<?>> response) {
            if (response.body() instanceof ReferenceCounted counted) {
                counted.retain();
            }
            part.complete(response);
            if (cancels) {
                cancel();
            }
        }

        @Override
        protected void hookOnError(Throwable failure) {
            part.completeExceptionally(failure);
        }

        @Override
        protected void hookOnComplete() {
            part.completeExceptionally(new IllegalStateException("a response without a part"));
        }
    }

    /** A filter of the app's. One request at a time is looked at. */
    @Filter("/**")
    public static class Seen implements HttpClientFilter {
        private final List<String> lines = new CopyOnWriteArrayList<>();
        private volatile String uri = "";

        void begin() {
            lines.clear();
        }

        @Override
        public Publisher<? extends HttpResponse<?>> doFilter(MutableHttpRequest<?> request, ClientFilterChain chain) {
            uri = request.getUri().toString();
            lines.add(request.getMethodName() + " " + uri + " " + names(request.getHeaders()));
            return Flux.from(chain.proceed(request)).doOnNext(response ->
                    lines.add(response.code() + " " + names(response.getHeaders()) + " sent " + names(request.getHeaders())));
        }
    }

    private static String names(Iterable<Map.Entry<String, List<String>>> headers) {
        List<String> names = new ArrayList<>();
        headers.forEach(header -> names.add(header.getKey() + "=" + header.getValue()));
        return String.join("\n", names);
    }

    private static HttpAnswer answer(HttpResponse<?> response, String body, Seen seen) {
        Map<String, String> headers = new TreeMap<>();
        for (Map.Entry<String, List<String>> header : response.getHeaders()) {
            headers.put(header.getKey().toLowerCase(Locale.ROOT), String.join(", ", header.getValue()));
        }
        Map<String, String> told = new LinkedHashMap<>();
        told.put("uri", seen.uri);
        told.put("message", response.reason());
        told.put("order", names(response.getHeaders()));
        told.put("filter", String.join("\n", seen.lines));
        return new HttpAnswer(response.code(), headers, body, told);
    }
}
