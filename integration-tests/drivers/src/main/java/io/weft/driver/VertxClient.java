package io.weft.driver;

import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpClient;
import io.vertx.core.http.HttpClientOptions;
import io.vertx.core.http.HttpClientRequest;
import io.vertx.core.http.HttpClientResponse;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpVersion;
import io.vertx.core.http.RequestOptions;
import io.vertx.core.net.ProxyOptions;
import io.vertx.core.net.ProxyType;
import io.weft.driver.HttpCall.Way;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * Vert.x's HttpClient, as an app that asks on an event loop and waits for the answer elsewhere. Cookies and credentials are the app's own
 * business. The header {@code X-Http} says what it speaks: {@code 1.1}, or HTTP/2 by {@code upgrade} or {@code prior-knowledge}, and {@code X-Unproxied} to which host it goes
 * without the proxy that it has.
 */
public final class VertxClient {
    private final Vertx vertx = Vertx.vertx();
    private final ExecutorService writers = Executors.newCachedThreadPool();
    private final Map<Traits, HttpClient> clients = new ConcurrentHashMap<>();
    /** By host and name. */
    private final Map<String, Map<String, String>> cookies = new TreeMap<>();

    /** What an app chooses for a whole client. */
    private record Traits(String http, int connectMillis, int proxyPort, String unproxied) {}

    private VertxClient() {}

    public static void main(String[] args) throws IOException {
        ClientDriver.run(new VertxClient()::send);
    }

    private HttpClient client(Traits traits) {
        HttpClientOptions options = new HttpClientOptions();
        if (!traits.http.equals("1.1")) {
            options.setProtocolVersion(HttpVersion.HTTP_2).setHttp2ClearTextUpgrade(traits.http.equals("upgrade"));
        }
        if (traits.connectMillis > 0) {
            // A request's own limit ends with the head of its response.
            options.setConnectTimeout(traits.connectMillis).setIdleTimeout(2 * traits.connectMillis).setIdleTimeoutUnit(TimeUnit.MILLISECONDS);
        }
        if (traits.proxyPort > 0) {
            options.setProxyOptions(new ProxyOptions().setType(ProxyType.HTTP).setHost("127.0.0.1").setPort(traits.proxyPort));
        }
        try {
            if (!traits.unproxied.isEmpty()) {
                // Not in 4.0.
                HttpClientOptions.class.getMethod("addNonProxyHost", String.class).invoke(options, traits.unproxied);
            }
            // Of another type in 5.
            return (HttpClient) Vertx.class.getMethod("createHttpClient", HttpClientOptions.class).invoke(vertx, options);
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Before 4.5 a request has one limit for all. */
    private static void limit(RequestOptions options, long millis) {
        try {
            RequestOptions.class.getMethod("setConnectTimeout", long.class).invoke(options, millis);
            RequestOptions.class.getMethod("setIdleTimeout", long.class).invoke(options, millis);
        } catch (NoSuchMethodException before45) {
            options.setTimeout(millis);
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Before 4.5 nobody is told. */
    private static String redirections(HttpClientRequest request) {
        try {
            return HttpClientRequest.class.getMethod("numberOfRedirections").invoke(request).toString();
        } catch (NoSuchMethodException before45) {
            return "";
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException(e);
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

    private synchronized void keepCookies(String url, HttpClientResponse response) {
        for (String cookie : response.headers().getAll("set-cookie")) {
            String pair = cookie.split(";")[0];
            ofHost(url).put(pair.substring(0, pair.indexOf('=')), pair.substring(pair.indexOf('=') + 1));
        }
    }

    private Map<String, String> ofHost(String url) {
        return cookies.computeIfAbsent(URI.create(url).getHost(), host -> new TreeMap<>());
    }

    private HttpAnswer exchange(HttpCall call, String cookie, String authorization) throws Exception {
        Traits traits = new Traits(call.headers().getOrDefault("X-Http", "1.1"), call.timeoutMillis(), call.proxyPort(), call.headers().getOrDefault("X-Unproxied", ""));
        HttpClient client = call.is(Way.CLOSE) ? client(traits) : clients.computeIfAbsent(traits, this::client);
        call.closeLater(() -> HttpClient.class.getMethod("close").invoke(client));
        RequestOptions options = new RequestOptions()
                .setMethod(HttpMethod.valueOf(call.method()))
                .setAbsoluteURI(call.url())
                .setFollowRedirects(call.is(Way.FOLLOW_REDIRECTS));
        if (call.timeoutMillis() > 0) {
            limit(options, call.timeoutMillis());
        }
        Promise<HttpAnswer> answer = Promise.promise();
        Context context = vertx.getOrCreateContext();
        context.runOnContext(now -> asked(client, options)
                .compose(request -> {
                    call.cancelSoon(() -> reset(request));
                    call.headers().forEach(request::putHeader);
                    if (cookie != null) {
                        request.putHeader("Cookie", cookie);
                    }
                    if (authorization != null) {
                        request.putHeader("Authorization", authorization);
                    }
                    return send(call, request);
                })
                .compose(response -> read(call, context, response))
                .onComplete(result -> {
                    if (result.succeeded()) {
                        answer.complete(result.result());
                    } else {
                        answer.fail(result.cause());
                    }
                }));
        try {
            return answer.future().toCompletionStage().toCompletableFuture().get(isMaybeStuck(call) ? 3 : 120, TimeUnit.SECONDS);
        } catch (TimeoutException e) {
            throw new TimeoutException("no answer");
        } catch (ExecutionException e) {
            // as an app would
            throw e.getCause() instanceof Exception cause ? cause : e;
        }
    }

    /** Returns something else in 5. */
    private static void reset(HttpClientRequest request) {
        try {
            HttpClientRequest.class.getMethod("reset").invoke(request);
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException(e);
        }
    }

    /** In 4.0 the other way to ask for a request is not the same one inside. */
    private static Future<HttpClientRequest> asked(HttpClient client, RequestOptions options) {
        return options.getMethod() == HttpMethod.HEAD
                ? client.request(options.getMethod(), options.getPort(), options.getHost(), options.getURI())
                : client.request(options);
    }

    /** Before 4.5 a redirect is followed with the length of a body that is not sent. */
    private static boolean isMaybeStuck(HttpCall call) {
        return call.is(Way.FOLLOW_REDIRECTS) && !call.body().isEmpty();
    }

    private Future<HttpClientResponse> send(HttpCall call, HttpClientRequest request) {
        if (call.body().isEmpty()) {
            return request.send();
        }
        byte[] body = call.body().getBytes(StandardCharsets.UTF_8);
        if (call.is(Way.STREAM_FIXED) || call.is(Way.EXPECT_CONTINUE) && !call.is(Way.STREAM)) {
            request.putHeader("Content-Length", Integer.toString(body.length));
        } else if (call.is(Way.STREAM)) {
            request.setChunked(true);
        }
        if (call.is(Way.EXPECT_CONTINUE)) {
            request.putHeader("Expect", "100-continue");
            request.continueHandler(goOn -> {
                if (call.streams()) {
                    stream(call, request);
                } else {
                    request.end(Buffer.buffer(body));
                }
            });
            request.sendHead();
            return request.response();
        }
        if (call.streams()) {
            stream(call, request);
            return request.response();
        }
        return request.send(Buffer.buffer(body));
    }

    /** Each part waits for the one before. */
    private void stream(HttpCall call, HttpClientRequest request) {
        writers.execute(() -> {
            byte[] buffer = new byte[8192];
            try {
                InputStream stream = call.once();
                for (int read = stream.read(buffer, 0, buffer.length); read >= 0; read = stream.read(buffer, 0, buffer.length)) {
                    request.write(Buffer.buffer(Arrays.copyOf(buffer, read))).toCompletionStage().toCompletableFuture().get();
                }
                request.end();
            } catch (IOException brokenBody) {
                request.connection().close();
            } catch (InterruptedException | ExecutionException told) {
                // The response says so, too.
                return;
            }
        });
    }

    private Future<HttpAnswer> read(HttpCall call, Context context, HttpClientResponse response) {
        if (call.is(Way.COOKIES)) {
            keepCookies(call.url(), response);
        }
        if (call.is(Way.FORGET)) {
            response.pause();
            return Future.succeededFuture(answer(response, "", ""));
        }
        String seen = "context " + (Vertx.currentContext() == context);
        if (call.is(Way.ABANDON)) {
            Promise<HttpAnswer> first = Promise.promise();
            response.handler(bytes -> {
                if (first.tryComplete(answer(response, bytes.getString(0, 1), seen))) {
                    response.request().connection().close();
                }
            });
            response.endHandler(end -> first.tryComplete(answer(response, "", seen)));
            response.exceptionHandler(first::tryFail);
            return first.future();
        }
        return response.body().map(body ->
                answer(response, body.toString(StandardCharsets.UTF_8), seen + " " + (Vertx.currentContext() == context)));
    }

    private static HttpAnswer answer(HttpClientResponse response, String body, String context) {
        Map<String, String> headers = new TreeMap<>();
        List<String> order = new ArrayList<>();
        for (Map.Entry<String, String> header : response.headers()) {
            order.add(header.getKey() + ": " + header.getValue());
            headers.merge(header.getKey().toLowerCase(Locale.ROOT), header.getValue(), (some, more) -> some + ", " + more);
        }
        HttpClientRequest request = response.request();
        Map<String, String> seen = new LinkedHashMap<>();
        // From 5.1 on it has the usual port, too.
        seen.put("uri", request.absoluteURI().replaceFirst("^(http://[^/:]+):80(?=/|$)", "$1"));
        seen.put("target", request.getURI());
        seen.put("method", request.getMethod().name());
        seen.put("version", response.version() + " " + request.version());
        seen.put("message", response.statusMessage());
        seen.put("secure", Boolean.toString(request.connection().isSsl()));
        seen.put("redirections", redirections(request));
        seen.put("request", new TreeMap<>(pairs(request)).toString());
        seen.put("order", String.join("\n", order));
        seen.put("trailers", response.trailers().entries().toString());
        seen.put("context", context);
        return new HttpAnswer(response.statusCode(), headers, body, seen);
    }

    private static Map<String, String> pairs(HttpClientRequest request) {
        Map<String, String> pairs = new LinkedHashMap<>();
        request.headers().forEach(header -> pairs.merge(header.getKey(), header.getValue(), (some, more) -> some + ", " + more));
        return pairs;
    }
}
