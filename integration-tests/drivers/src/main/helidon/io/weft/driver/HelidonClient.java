package io.weft.driver;

import io.helidon.http.Header;
import io.helidon.http.HeaderNames;
import io.helidon.http.HeaderValues;
import io.helidon.http.Method;
import io.helidon.webclient.api.HttpClientRequest;
import io.helidon.webclient.api.HttpClientResponse;
import io.helidon.webclient.api.Proxy;
import io.helidon.webclient.api.WebClient;
import io.helidon.webclient.api.WebClientCookieManager;
import io.helidon.webclient.api.WebClientServiceRequest;
import io.helidon.webclient.api.WebClientServiceResponse;
import io.helidon.webclient.spi.ProtocolConfig;
import io.helidon.webclient.spi.WebClientService;
import io.weft.driver.HttpCall.Way;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.SocketTimeoutException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedDeque;

/**
 * Helidon's WebClient over HTTP/1.1, or as a header {@code X-Http} says: over HTTP/2 after an upgrade, where there is one ({@code upgrade}), or by {@code prior-knowledge}, with
 * a service of the app's. It answers no challenge by itself; this does, as an app would. Over HTTP/1.1 each client is used by one
 * thread at a time, with connections of its own: before 4.4 a connection is in the pool before it may be taken from there, and fails the request that does.
 */
public final class HelidonClient {
    private static final String HTTP_2 = "h2";
    private static final int NO_CONTENT = 204;
    private static final int NOT_MODIFIED = 304;
    private static final int UNAUTHORIZED = 401;

    private final Map<Traits, Deque<WebClient>> idle = new ConcurrentHashMap<>();
    /** Whose streams share connections. */
    private final Map<Traits, WebClient> shared = new ConcurrentHashMap<>();
    private final ThreadLocal<List<String>> seen = ThreadLocal.withInitial(ArrayList::new);

    private final ThreadLocal<String> version = new ThreadLocal<>();

    /** What an app chooses for a whole client. */
    private record Traits(boolean cookies, boolean expectsContinue, int timeoutMillis, boolean knowsHttp2) {}

    private final ProtocolConfig priorKnowledge;

    /** @param priorKnowledge by which a client knows that servers speak HTTP/2; null: by none */
    HelidonClient(ProtocolConfig priorKnowledge) {
        this.priorKnowledge = priorKnowledge;
    }

    public static void main(String[] args) throws IOException {
        new HelidonClient(null).run();
    }

    void run() throws IOException {
        ClientDriver.run(this::send);
    }

    private WebClient client(Traits traits) {
        var client = WebClient.builder().shareConnectionCache(false).addService(this::service).sendExpectContinue(traits.expectsContinue);
        if (traits.cookies) {
            client.cookieManager(WebClientCookieManager.builder().automaticStoreEnabled(true).build());
        }
        if (traits.timeoutMillis > 0) {
            client.connectTimeout(Duration.ofMillis(traits.timeoutMillis));
        }
        if (traits.knowsHttp2) {
            client.addProtocolConfig(priorKnowledge);
        }
        return client.build();
    }

    private WebClientServiceResponse service(WebClientService.Chain chain, WebClientServiceRequest request) {
        List<String> lines = seen.get();
        version.set(request.protocolId());
        lines.add(request.method().text() + " " + request.uri().toUri() + " " + names(request.headers()));
        WebClientServiceResponse response = chain.proceed(request);
        lines.add(response.status().code() + " of " + request.uri().toUri() + " " + names(response.headers()));
        lines.add("sent " + names(request.headers()));
        return response;
    }

    private static List<String> names(Iterable<Header> headers) {
        List<String> names = new ArrayList<>();
        headers.forEach(header -> names.add(header.name() + "=" + header.allValues()));
        return names;
    }

    private HttpAnswer send(HttpCall call) throws IOException {
        seen.remove();
        try {
            HttpAnswer answer = exchange(call, null);
            if (call.is(Way.AUTHENTICATE) && answer.status() == UNAUTHORIZED && !call.streams()) {
                answer = exchange(call, "Basic " + Base64.getEncoder().encodeToString("user:secret".getBytes(StandardCharsets.UTF_8)));
            }
            return answer;
        } catch (UncheckedIOException e) {
            if (e.getCause() instanceof SocketTimeoutException timeout) {
                throw timeout;
            }
            throw e;
        }
    }

    private HttpAnswer exchange(HttpCall call, String authorization) {
        Traits traits = new Traits(call.is(Way.COOKIES), call.is(Way.EXPECT_CONTINUE), call.timeoutMillis(), http(call).equals("prior-knowledge"));
        if (traits.knowsHttp2) {
            return exchange(shared.computeIfAbsent(traits, this::client), call, authorization);
        }
        Deque<WebClient> others = idle.computeIfAbsent(traits, none -> new ConcurrentLinkedDeque<>());
        WebClient last = others.pollFirst();
        WebClient client = last == null ? client(traits) : last;
        try {
            return exchange(client, call, authorization);
        } finally {
            others.addFirst(client);
        }
    }

    private HttpAnswer exchange(WebClient client, HttpCall call, String authorization) {
        HttpClientRequest request = client.method(Method.create(call.method()))
                .uri(URI.create(call.url()))
                .followRedirects(call.is(Way.FOLLOW_REDIRECTS));
        call.headers().forEach((name, value) -> request.header(HeaderNames.create(name), value));
        if (!http(call).equals("1.1")) {
            request.protocolId(HTTP_2);
        }
        if (authorization != null) {
            request.header(HeaderNames.AUTHORIZATION, authorization);
        }
        if (call.timeoutMillis() > 0) {
            request.readTimeout(Duration.ofMillis(call.timeoutMillis()));
        }
        if (call.proxyPort() > 0) {
            request.proxy(Proxy.builder().host("127.0.0.1").port(call.proxyPort()).build());
        }
        HttpClientResponse response = response(call, request);
        if (call.is(Way.FORGET)) {
            return answer(call, response, "");
        }
        try (response) {
            if (!mayHaveBody(call, response) || !response.entity().hasEntity()) {
                return answer(call, response, "");
            }
            if (call.is(Way.ABANDON)) {
                int read = read(response.entity().inputStream());
                return answer(call, response, read < 0 ? "" : Character.toString(read));
            }
            return answer(call, response, response.entity().as(String.class));
        }
    }

    private static String http(HttpCall call) {
        return call.headers().getOrDefault("X-Http", "1.1");
    }

    private static HttpClientResponse response(HttpCall call, HttpClientRequest request) {
        byte[] body = call.body().getBytes(StandardCharsets.UTF_8);
        if (call.streams()) {
            if (call.is(Way.STREAM_FIXED)) {
                request.header(HeaderValues.create(HeaderNames.CONTENT_LENGTH, body.length));
            }
            InputStream once = call.once();
            return request.outputStream(out -> copy(once, out));
        }
        return call.body().isEmpty() ? request.request() : request.submit(body);
    }

    private static void copy(InputStream from, OutputStream to) throws IOException {
        try (to) {
            from.transferTo(to);
        }
    }

    private static int read(InputStream body) {
        try {
            return body.read();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Of one that has none the library would wait for it. */
    private static boolean mayHaveBody(HttpCall call, HttpClientResponse response) {
        int status = response.status().code();
        return !call.method().equals("HEAD") && status >= 200 && status != NO_CONTENT && status != NOT_MODIFIED;
    }

    private HttpAnswer answer(HttpCall call, HttpClientResponse response, String body) {
        Map<String, String> headers = new TreeMap<>();
        for (Header header : response.headers()) {
            headers.put(header.name().toLowerCase(Locale.ROOT), String.join(", ", header.allValues()));
        }
        Map<String, String> told = new LinkedHashMap<>();
        // The library says the port even where that is the scheme's.
        told.put("uri", response.lastEndpointUri().toUri().toString().replace(":80/", "/"));
        told.put("message", response.status().reasonPhrase());
        told.put("order", String.join("\n", names(response.headers())));
        told.put("version", version.get());
        told.put("service", String.join("\n", seen.get()));
        return new HttpAnswer(response.status().code(), headers, body, told);
    }
}
