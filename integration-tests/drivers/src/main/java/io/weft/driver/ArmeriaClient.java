package io.weft.driver;

import com.linecorp.armeria.client.ClientFactory;
import com.linecorp.armeria.client.ClientFactoryBuilder;
import com.linecorp.armeria.client.ClientRequestContext;
import com.linecorp.armeria.client.ClientRequestContextCaptor;
import com.linecorp.armeria.client.Clients;
import com.linecorp.armeria.client.HttpClient;
import com.linecorp.armeria.client.UnprocessedRequestException;
import com.linecorp.armeria.client.WebClient;
import com.linecorp.armeria.client.WebClientBuilder;
import com.linecorp.armeria.client.cookie.CookieClient;
import com.linecorp.armeria.client.proxy.ProxyConfig;
import com.linecorp.armeria.common.HttpData;
import com.linecorp.armeria.common.HttpHeaders;
import com.linecorp.armeria.common.HttpMethod;
import com.linecorp.armeria.common.HttpObject;
import com.linecorp.armeria.common.HttpRequest;
import com.linecorp.armeria.common.HttpRequestWriter;
import com.linecorp.armeria.common.HttpResponse;
import com.linecorp.armeria.common.RequestHeaders;
import com.linecorp.armeria.common.RequestHeadersBuilder;
import com.linecorp.armeria.common.ResponseHeaders;
import com.linecorp.armeria.common.logging.RequestLog;
import com.linecorp.armeria.common.logging.RequestLogAccess;
import com.linecorp.armeria.common.util.Version;
import io.netty.util.AsciiString;
import io.weft.driver.HttpCall.Way;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
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
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.regex.Pattern;
import org.reactivestreams.Subscriber;
import org.reactivestreams.Subscription;

/**
 * Armeria's WebClient, as an app that waits for its answers, of which it reads the log. Over HTTP/1.1, or as a header {@code X-Http} says: over HTTP/2
 * with {@code 2}, over what the server speaks with {@code any}.
 */
public final class ArmeriaClient {
    /**
     * It sends a body at once, whatever is expected, and what comes of that when the server has closed meanwhile is chance. Where a response is over
     * before the end of its request is written, it takes the connection for one that is good for more.
     */
    private static final boolean IS_OLD = Integer.parseInt(Version.get("armeria").artifactVersion().split("\\.")[1]) <= 30;

    private final ExecutorService writers = Executors.newCachedThreadPool();
    private final Map<Traits, WebClient> clients = new ConcurrentHashMap<>();

    /** What an app chooses for a whole client. */
    private record Traits(boolean redirects, boolean cookies, int timeoutMillis, int proxyPort) {}

    private ArmeriaClient() {}

    public static void main(String[] args) throws IOException {
        ClientDriver.run(new ArmeriaClient()::send);
    }

    private WebClient client(Traits traits) {
        ClientFactoryBuilder factory = ClientFactory.builder().http1HeaderNaming(ArmeriaClient::capitalized);
        // The first one is nearest to the library's own end.
        WebClientBuilder client = WebClient.builder().decorator(ArmeriaClient::givesAResponse);
        if (traits.timeoutMillis > 0) {
            factory.connectTimeoutMillis(traits.timeoutMillis);
            client.responseTimeoutMillis(traits.timeoutMillis);
        }
        if (IS_OLD) {
            client.requestAutoAbortDelayMillis(1_000);
        }
        if (traits.proxyPort > 0) {
            factory.proxyConfig(ProxyConfig.connect(new InetSocketAddress("127.0.0.1", traits.proxyPort)));
        }
        if (traits.redirects) {
            client.followRedirects();
        }
        if (traits.cookies) {
            client.decorator(CookieClient.newDecorator());
        }
        return client.factory(factory.build()).build();
    }

    private static HttpResponse givesAResponse(HttpClient library, ClientRequestContext context, HttpRequest request) {
        try {
            return library.execute(context, request);
        } catch (Exception thrown) {
            throw new IllegalStateException("the library throws nothing here", thrown);
        }
    }

    private static String capitalized(AsciiString name) {
        return Pattern.compile("(^|-)[a-z]").matcher(name).replaceAll(first -> first.group().toUpperCase(Locale.ROOT));
    }

    private HttpAnswer send(HttpCall call) throws Exception {
        HttpAnswer answer = exchange(call, null);
        if (call.is(Way.AUTHENTICATE) && answer.status() == 401
                && answer.headers().getOrDefault("www-authenticate", "").startsWith("Basic") && !call.streams()) {
            String credentials = Base64.getEncoder().encodeToString("user:secret".getBytes(StandardCharsets.UTF_8));
            answer = exchange(call, "Basic " + credentials);
        }
        return answer;
    }

    private HttpAnswer exchange(HttpCall call, String authorization) throws Exception {
        WebClient client = clients.computeIfAbsent(
                new Traits(call.is(Way.FOLLOW_REDIRECTS), call.is(Way.COOKIES), call.timeoutMillis(), call.proxyPort()), this::client);
        HttpRequest request = request(call, authorization);
        Answering answering = new Answering(call);
        ClientRequestContext context;
        try (ClientRequestContextCaptor captor = Clients.newContextCaptor()) {
            HttpResponse response = client.execute(request);
            context = captor.get();
            response.subscribe(answering);
            call.cancelSoon(response::abort);
        }
        try {
            HttpAnswer answer = answering.answer.get();
            return call.leaves() ? answer : answering.withLog(answer, context);
        } catch (ExecutionException e) {
            // as an app would, that wants to know why
            Throwable why = e.getCause() instanceof UnprocessedRequestException unprocessed ? unprocessed.getCause() : e.getCause();
            throw why instanceof Exception cause ? cause : e;
        }
    }

    private HttpRequest request(HttpCall call, String authorization) {
        String scheme = switch (call.headers().getOrDefault("X-Http", "1.1")) {
            case "2" -> "h2c:";
            case "any" -> "http:";
            default -> "h1c:";
        };
        RequestHeadersBuilder headers = RequestHeaders.builder(HttpMethod.valueOf(call.method()), call.url().replaceFirst("^http:", scheme));
        call.headers().forEach(headers::set);
        if (authorization != null) {
            headers.set("authorization", authorization);
        }
        if (call.is(Way.EXPECT_CONTINUE) && !IS_OLD) {
            headers.set("expect", "100-continue");
        }
        byte[] body = call.body().getBytes(StandardCharsets.UTF_8);
        if (!call.streams()) {
            return body.length == 0 ? HttpRequest.of(headers.build()) : HttpRequest.of(headers.build(), HttpData.wrap(body));
        }
        if (call.is(Way.STREAM_FIXED)) {
            headers.contentLength(body.length);
        }
        HttpRequestWriter writer = HttpRequest.streaming(headers.build());
        writers.execute(() -> write(call, writer));
        return writer;
    }

    /** Each part waits for the one before. */
    private static void write(HttpCall call, HttpRequestWriter writer) {
        byte[] buffer = new byte[8192];
        try {
            InputStream stream = call.once();
            for (int read = stream.read(buffer, 0, buffer.length); read >= 0; read = stream.read(buffer, 0, buffer.length)) {
                if (!writer.tryWrite(HttpData.wrap(Arrays.copyOf(buffer, read)))) {
                    return;
                }
                writer.whenConsumed().get();
            }
            writer.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException | ExecutionException told) {
            // The response says so, too.
            return;
        }
    }

    private static final class Answering implements Subscriber<HttpObject> {
        final CompletableFuture<HttpAnswer> answer = new CompletableFuture<>();
        private final HttpCall call;
        private final StringBuilder interim = new StringBuilder();
        private final List<byte[]> body = new ArrayList<>();
        private Subscription subscription;
        private ResponseHeaders headers;
        private HttpHeaders trailers = HttpHeaders.of();
        private String thread = "";

        Answering(HttpCall call) {
            this.call = call;
        }

        @Override
        public void onSubscribe(Subscription subscribed) {
            subscription = subscribed;
            subscribed.request(1);
        }

        @Override
        public void onNext(HttpObject part) {
            thread = Thread.currentThread().getName().replaceAll("[0-9]+", "N");
            if (part instanceof ResponseHeaders head && head.status().isInformational()) {
                interim.append(head);
            } else if (part instanceof ResponseHeaders head) {
                headers = head;
                if (call.is(Way.FORGET)) {
                    answer.complete(answer(""));
                    return;
                }
            } else if (part instanceof HttpHeaders last) {
                trailers = last;
            } else if (part instanceof HttpData data) {
                if (call.is(Way.ABANDON) && !data.isEmpty()) {
                    subscription.cancel();
                    answer.complete(answer(data.toStringUtf8().substring(0, 1)));
                    return;
                }
                body.add(data.array());
            }
            subscription.request(1);
        }

        @Override
        public void onError(Throwable cause) {
            answer.completeExceptionally(cause);
        }

        @Override
        public void onComplete() {
            int length = body.stream().mapToInt(part -> part.length).sum();
            byte[] all = new byte[length];
            int at = 0;
            for (byte[] part : body) {
                System.arraycopy(part, 0, all, at, part.length);
                at += part.length;
            }
            answer.complete(answer(new String(all, StandardCharsets.UTF_8)));
        }

        private HttpAnswer answer(String text) {
            Map<String, String> merged = new TreeMap<>();
            List<String> order = new ArrayList<>();
            for (Map.Entry<AsciiString, String> header : headers) {
                order.add(header.getKey() + ": " + header.getValue());
                merged.merge(header.getKey().toString(), header.getValue(), (some, more) -> some + ", " + more);
            }
            Map<String, String> seen = new LinkedHashMap<>();
            seen.put("interim", interim.toString());
            seen.put("order", String.join("\n", order));
            seen.put("trailers", trailers.toString());
            seen.put("thread", thread);
            return new HttpAnswer(headers.status().code(), merged, text, seen);
        }

        /** With what the app reads in the library's log of the request. */
        HttpAnswer withLog(HttpAnswer answer, ClientRequestContext context) throws InterruptedException, ExecutionException {
            RequestLog log;
            try {
                log = context.log().whenComplete().get(5, TimeUnit.SECONDS);
            } catch (TimeoutException e) {
                throw new IllegalStateException("the log has no end: " + context.log().partial(), e);
            }
            Map<String, String> seen = new LinkedHashMap<>(answer.seen());
            List<RequestLogAccess> redirects = log.children();
            ClientRequestContext last = redirects.isEmpty() ? context : (ClientRequestContext) redirects.get(redirects.size() - 1).context();
            seen.put("uri", last.uri().toString());
            seen.put("endpoint", String.valueOf(last.endpoint()));
            seen.put("version", log.sessionProtocol().isMultiplex() ? "HTTP_2" : "HTTP_1_1");
            seen.put("connected", Boolean.toString(log.channel() != null));
            seen.put("secure", Boolean.toString(log.sslSession() != null));
            seen.put("logged", log.requestHeaders() + " " + log.requestLength() + " " + log.requestTrailers() + " " + log.requestCause());
            seen.put("answered", log.responseHeaders() + " " + log.responseLength() + " " + log.responseTrailers() + " " + log.responseCause());
            seen.put("children", Integer.toString(redirects.size()));
            seen.put("cancelled", Boolean.toString(context.isCancelled()));
            return new HttpAnswer(answer.status(), answer.headers(), answer.body(), seen);
        }
    }
}
