package io.weft.driver;

import io.weft.driver.HttpCall.Way;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Proxy;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import okhttp3.Call;
import okhttp3.Callback;
import okhttp3.Connection;
import okhttp3.Cookie;
import okhttp3.CookieJar;
import okhttp3.Credentials;
import okhttp3.EventListener;
import okhttp3.Handshake;
import okhttp3.Headers;
import okhttp3.HttpUrl;
import okhttp3.Interceptor;
import okhttp3.MediaType;
import okhttp3.OkHttpClient;
import okhttp3.Protocol;
import okhttp3.Request;
import okhttp3.RequestBody;
import okhttp3.Response;
import okio.BufferedSink;
import okio.Okio;
import okio.Source;

/**
 * OkHttp with the retries of its own switched off. GET waits for its answer on the calling thread, other methods for a callback. With a header {@code X-Http} that says {@code 2}
 * it knows that the server speaks HTTP/2.
 */
public final class OkHttp {
    private final OkHttpClient plain = new OkHttpClient.Builder()
            .retryOnConnectionFailure(false)
            .followRedirects(false)
            .addInterceptor(OkHttp::outside)
            .addNetworkInterceptor(OkHttp::inside)
            .eventListenerFactory(call -> new Events(call.request().tag(Seen.class)))
            .build();
    private final OkHttpClient priorKnowledge = plain.newBuilder().protocols(List.of(Protocol.H2_PRIOR_KNOWLEDGE)).build();
    private final CookieJar cookies = new Jar();

    private OkHttp() {}

    public static void main(String[] args) throws IOException {
        ClientDriver.run(new OkHttp()::send);
    }

    /** What interceptors and the event listener of one call saw, in order. */
    private static final class Seen {
        private final List<String> lines = new ArrayList<>();

        private synchronized void add(String line) {
            lines.add(line);
        }

        private synchronized String text() {
            return String.join("\n", lines);
        }
    }

    /** Writes down what it is told of. */
    private static final class Events extends EventListener {
        private final Seen seen;

        Events(Seen seen) {
            this.seen = seen;
        }

        @Override
        public void callStart(Call call) {
            seen.add("callStart");
        }

        @Override
        public void dnsStart(Call call, String name) {
            seen.add("dnsStart" + " " + name);
        }

        @Override
        public void dnsEnd(Call call, String name, List<InetAddress> addresses) {
            seen.add("dnsEnd" + " " + addresses);
        }

        @Override
        public void connectStart(Call call, InetSocketAddress address, Proxy proxy) {
            seen.add("connectStart" + " " + address + " " + proxy);
        }

        @Override
        public void secureConnectStart(Call call) {
            seen.add("secureConnectStart");
        }

        @Override
        public void secureConnectEnd(Call call, Handshake handshake) {
            seen.add("secureConnectEnd");
        }

        @Override
        public void connectEnd(Call call, InetSocketAddress address, Proxy proxy, Protocol protocol) {
            seen.add("connectEnd" + " " + address + " " + protocol);
        }

        @Override
        public void connectFailed(Call call, InetSocketAddress address, Proxy proxy, Protocol protocol, IOException failure) {
            seen.add("connectFailed" + " " + address + " " + failure);
        }

        @Override
        public void connectionAcquired(Call call, Connection connection) {
            seen.add("connectionAcquired");
        }

        @Override
        public void connectionReleased(Call call, Connection connection) {
            seen.add("connectionReleased");
        }

        @Override
        public void requestHeadersStart(Call call) {
            seen.add("requestHeadersStart");
        }

        @Override
        public void requestHeadersEnd(Call call, Request request) {
            seen.add("requestHeadersEnd" + " " + describe(request));
        }

        @Override
        public void requestBodyStart(Call call) {
            seen.add("requestBodyStart");
        }

        @Override
        public void requestBodyEnd(Call call, long bytes) {
            seen.add("requestBodyEnd" + " " + bytes);
        }

        @Override
        public void responseHeadersStart(Call call) {
            seen.add("responseHeadersStart");
        }

        @Override
        public void responseHeadersEnd(Call call, Response response) {
            seen.add("responseHeadersEnd");
        }

        @Override
        public void responseBodyStart(Call call) {
            seen.add("responseBodyStart");
        }

        @Override
        public void responseBodyEnd(Call call, long bytes) {
            seen.add("responseBodyEnd" + " " + bytes);
        }

        @Override
        public void callEnd(Call call) {
            seen.add("callEnd");
        }

        @Override
        public void callFailed(Call call, IOException failure) {
            seen.add("callFailed" + " " + failure);
        }
    }

    private static Response outside(Interceptor.Chain chain) throws IOException {
        Seen seen = chain.request().tag(Seen.class);
        seen.add("app: " + describe(chain.request()));
        Response response = chain.proceed(chain.request());
        seen.add("app: " + response.code() + " of " + describe(response.request()) + " prior " + (response.priorResponse() != null)
                + " network " + (response.networkResponse() != null));
        return response;
    }

    private static Response inside(Interceptor.Chain chain) throws IOException {
        Seen seen = chain.request().tag(Seen.class);
        Connection connection = chain.connection();
        seen.add("network: " + describe(chain.request()) + " to " + connection.route().socketAddress() + " by "
                + connection.route().proxy() + " " + connection.protocol() + " " + connection.handshake() + " "
                + connection.route().address().url());
        Response response = chain.proceed(chain.request());
        seen.add("network: " + response.code() + " of " + describe(response.request()));
        return response;
    }

    private static String describe(Request request) {
        return request.method() + " " + request.url() + " " + request.headers().toString().replace("\n", "|");
    }

    private OkHttpClient client(HttpCall call) {
        boolean usual = call.timeoutMillis() == 0 && call.proxyPort() == 0 && !call.is(Way.COOKIES) && !call.is(Way.AUTHENTICATE)
                && !call.is(Way.FOLLOW_REDIRECTS);
        OkHttpClient known = "2".equals(call.headers().get("X-Http")) ? priorKnowledge : plain;
        if (usual) {
            return known;
        }
        // Shares the pool and the dispatcher.
        OkHttpClient.Builder client = known.newBuilder().followRedirects(call.is(Way.FOLLOW_REDIRECTS));
        if (call.timeoutMillis() > 0) {
            client.connectTimeout(call.timeoutMillis(), TimeUnit.MILLISECONDS).readTimeout(call.timeoutMillis(), TimeUnit.MILLISECONDS);
        }
        if (call.proxyPort() > 0) {
            client.proxy(new Proxy(Proxy.Type.HTTP, new InetSocketAddress("127.0.0.1", call.proxyPort())));
        }
        if (call.is(Way.COOKIES)) {
            client.cookieJar(cookies);
        }
        if (call.is(Way.AUTHENTICATE)) {
            client.authenticator((route, response) -> response.request().header("Authorization") != null
                    ? null
                    : response.request().newBuilder().header("Authorization", Credentials.basic("user", "secret")).build());
        }
        return client.build();
    }

    private HttpAnswer send(HttpCall call) throws IOException {
        try {
            return exchange(call);
        } catch (SocketTimeoutException e) {
            // The library and its socket count the same time: which of them is first, and what it says, is chance.
            throw new SocketTimeoutException("timeout");
        }
    }

    private HttpAnswer exchange(HttpCall call) throws IOException {
        Seen seen = new Seen();
        Request.Builder request = new Request.Builder().url(call.url()).tag(Seen.class, seen);
        call.headers().forEach(request::addHeader);
        if (call.is(Way.EXPECT_CONTINUE)) {
            request.header("Expect", "100-continue");
        }
        RequestBody body = call.body().isEmpty() ? null : body(call);
        request.method(call.method(), body == null && needsBody(call.method()) ? RequestBody.create(null, new byte[0]) : body);
        Call toSend = client(call).newCall(request.build());
        call.cancelSoon(toSend::cancel);
        Response response = call.method().equals("GET") ? toSend.execute() : enqueue(toSend);
        if (call.is(Way.FORGET)) {
            return answer(response, "", seen);
        }
        try (response) {
            if (call.is(Way.ABANDON)) {
                int read = response.body().byteStream().read();
                return answer(response, read < 0 ? "" : Character.toString(read), seen);
            }
            String text = new String(response.body().bytes(), StandardCharsets.UTF_8);
            return answer(response, text, seen);
        }
    }

    private static boolean needsBody(String method) {
        return method.equals("POST") || method.equals("PUT") || method.equals("PATCH");
    }

    private static Response enqueue(Call call) throws IOException {
        CompletableFuture<Response> response = new CompletableFuture<>();
        call.enqueue(new Callback() {
            @Override
            public void onResponse(Call call, Response answer) {
                response.complete(answer);
            }

            @Override
            public void onFailure(Call call, IOException failure) {
                response.completeExceptionally(failure);
            }
        });
        try {
            return response.get();
        } catch (ExecutionException e) {
            throw (IOException) e.getCause();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    private static RequestBody body(HttpCall call) {
        byte[] body = call.body().getBytes(StandardCharsets.UTF_8);
        return call.streams() ? new OneShot(call, call.is(Way.STREAM) ? -1 : body.length) : RequestBody.create(null, body);
    }

    private static final class OneShot extends RequestBody {
        private final long length;
        private final InputStream stream;

        OneShot(HttpCall call, long length) {
            this.length = length;
            this.stream = call.once();
        }

        @Override
        public MediaType contentType() {
            return null;
        }

        @Override
        public long contentLength() {
            return length;
        }

        /** From 4 on it overrides what the library asks. */
        @SuppressWarnings("UnusedMethod")
        public boolean isOneShot() {
            return true;
        }

        @Override
        public void writeTo(BufferedSink sink) throws IOException {
            try (Source source = Okio.source(stream)) {
                sink.writeAll(source);
            }
        }
    }

    private static HttpAnswer answer(Response response, String body, Seen seenBy) {
        Map<String, String> headers = new TreeMap<>();
        List<String> order = new ArrayList<>();
        Headers all = response.headers();
        for (int i = 0; i < all.size(); i++) {
            order.add(all.name(i) + ": " + all.value(i));
            headers.merge(all.name(i).toLowerCase(Locale.ROOT), all.value(i), (some, more) -> some + ", " + more);
        }
        Map<String, String> seen = new LinkedHashMap<>();
        seen.put("uri", response.request().url().toString());
        seen.put("version", response.protocol().toString());
        seen.put("message", response.message());
        seen.put("handshake", String.valueOf(response.handshake()));
        seen.put("order", String.join("\n", order));
        seen.put("seen", seenBy.text());
        return new HttpAnswer(response.code(), headers, body, seen);
    }

    /** A cookie jar that lives as long as the driver. */
    private static final class Jar implements CookieJar {
        private final Map<String, Cookie> cookies = new TreeMap<>();

        @Override
        public synchronized void saveFromResponse(HttpUrl url, List<Cookie> received) {
            received.forEach(cookie -> cookies.put(cookie.name(), cookie));
        }

        @Override
        public synchronized List<Cookie> loadForRequest(HttpUrl url) {
            return cookies.values().stream().filter(cookie -> cookie.matches(url)).toList();
        }
    }
}
