package io.weft.driver;

import io.weft.driver.HttpCall.Way;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.eclipse.jetty.client.Authentication;
import org.eclipse.jetty.client.BasicAuthentication;
import org.eclipse.jetty.client.BufferingResponseListener;
import org.eclipse.jetty.client.BytesRequestContent;
import org.eclipse.jetty.client.HttpClient;
import org.eclipse.jetty.client.HttpProxy;
import org.eclipse.jetty.client.InputStreamRequestContent;
import org.eclipse.jetty.client.InputStreamResponseListener;
import org.eclipse.jetty.client.Request;
import org.eclipse.jetty.client.Response;
import org.eclipse.jetty.client.Result;
import org.eclipse.jetty.http.HttpCookieStore;
import org.eclipse.jetty.http.HttpField;
import org.eclipse.jetty.util.Jetty;

/**
 * Jetty's HttpClient from 12 on. GET waits for its answer on the calling thread, other methods for a callback; a body that is not read to
 * its end is a stream.
 */
public final class JettyClient {
    private static final int LARGEST = 16 << 20;

    /**
     * Up to 12.0.12 a response may end its exchange while the library still sends the request: then a redirect fails what has gone out, and
     * a refused expectation the library, which may leave its caller waiting for ever.
     */
    private static final boolean IS_OLD = Jetty.VERSION.matches("12\\.0\\.(\\d|1[0-2])");

    private final Map<Traits, HttpClient> clients = new ConcurrentHashMap<>();

    /** What an app chooses for a whole client. */
    private record Traits(boolean cookies, boolean authenticates, int connectMillis, int proxyPort, boolean few) {}

    private JettyClient() {}

    public static void main(String[] args) throws IOException {
        ClientDriver.run(new JettyClient()::send);
    }

    private HttpClient client(Traits traits) {
        HttpClient client = new HttpClient();
        if (!traits.cookies) {
            client.setHttpCookieStore(new HttpCookieStore.Empty());
        }
        if (traits.few) {
            client.setMaxConnectionsPerDestination(2);
        }
        if (traits.connectMillis > 0) {
            client.setConnectTimeout(traits.connectMillis);
        }
        if (traits.proxyPort > 0) {
            client.getProxyConfiguration().addProxy(new HttpProxy("127.0.0.1", traits.proxyPort));
            // What is on this machine goes past it by default.
            client.getProxyConfiguration().getProxies().forEach(proxy -> proxy.getExcludedAddresses().clear());
        }
        client.getRequestListeners().addListener(new ForAll());
        try {
            client.start();
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
        return client;
    }

    /** What listeners of one call were told, in order: of the request and of the response apart, since they come from two threads. */
    private static final class Seen {
        private static final String KEY = Seen.class.getName();

        private final List<String> ofRequest = new ArrayList<>();
        private final List<String> ofResponse = new ArrayList<>();
        private long sent;

        private synchronized void request(String line) {
            ofRequest.add(line);
        }

        private synchronized void response(String line) {
            ofResponse.add(line);
        }

        private synchronized void sent(int bytes) {
            sent += bytes;
        }

        private synchronized String request() {
            return String.join("\n", ofRequest) + "\nsent " + sent;
        }

        private synchronized String response() {
            return String.join("\n", ofResponse);
        }
    }

    /** The client's own listener. */
    private static final class ForAll implements Request.Listener {
        @Override
        public void onQueued(Request request) {
            if (request.getAttributes().get(Seen.KEY) instanceof Seen seen) {
                seen.request("client: queued");
            }
        }

        @Override
        public void onHeaders(Request request) {
            if (request.getAttributes().get(Seen.KEY) instanceof Seen seen) {
                seen.request("client: " + describe(request));
            }
        }
    }

    private static String describe(Request request) {
        StringBuilder text = new StringBuilder(request.getMethod() + " " + request.getURI() + " tag " + request.getTag());
        for (HttpField field : request.getHeaders()) {
            text.append("|").append(field);
        }
        return text.toString();
    }

    private HttpAnswer send(HttpCall call) throws Exception {
        Traits traits = new Traits(call.is(Way.COOKIES), call.is(Way.AUTHENTICATE), call.timeoutMillis(), call.proxyPort(), call.is(Way.FEW_CONNECTIONS));
        HttpClient client = call.is(Way.CLOSE) ? client(traits) : clients.computeIfAbsent(traits, this::client);
        call.closeLater(client::stop);
        if (call.is(Way.AUTHENTICATE)) {
            URI root = URI.create(call.url()).resolve("/");
            if (client.getAuthenticationStore().findAuthentication("Basic", root, Authentication.ANY_REALM) == null) {
                client.getAuthenticationStore().addAuthentication(new BasicAuthentication(root, "r", "user", "secret"));
            }
        }
        Seen seen = new Seen();
        Request request = client.newRequest(call.url()).method(call.method())
                .followRedirects(call.is(Way.FOLLOW_REDIRECTS))
                .attribute(Seen.KEY, seen);
        // Whether the library has done with a body when it acts on a response to it, and so what it tells of it, is chance.
        boolean acts = call.is(Way.FOLLOW_REDIRECTS) || call.is(Way.AUTHENTICATE);
        listen(request, acts && (IS_OLD || !call.body().isEmpty()) ? new Seen() : seen);
        call.headers().forEach((name, value) -> request.headers(headers -> headers.put(name, value)));
        if (call.is(Way.EXPECT_CONTINUE) && !IS_OLD) {
            request.headers(headers -> headers.put("Expect", "100-continue"));
        }
        if (!call.body().isEmpty()) {
            request.body(body(call));
        }
        if (call.timeoutMillis() > 0) {
            request.timeout(call.timeoutMillis(), TimeUnit.MILLISECONDS);
        }
        call.cancelSoon(() -> request.abort(new CancellationException("given up")));
        try {
            return call.leaves() ? leave(request, call) : read(request, call, seen);
        } catch (ExecutionException e) {
            // as an app would
            throw e.getCause() instanceof Exception cause ? cause : e;
        }
    }

    private static void listen(Request request, Seen seen) {
        request.onRequestQueued(sent -> seen.request("queued " + (sent == request)));
        request.onRequestBegin(sent -> seen.request("begin " + describe(sent)));
        request.onRequestCommit(sent -> seen.request("commit"));
        request.onRequestContent((sent, content) -> seen.sent(content.remaining()));
        request.onRequestSuccess(sent -> seen.request("success"));
        request.onRequestFailure((sent, failure) -> seen.request("failure " + failure));
        request.onResponseBegin(response -> seen.response("begin " + response.getStatus() + " " + (response.getRequest() == request)));
        request.onResponseHeader((response, field) -> {
            seen.response("header " + field);
            return true;
        });
        request.onResponseHeaders(response -> seen.response("headers " + response.getHeaders().size()));
        request.onResponseSuccess(response -> seen.response("success"));
        request.onResponseFailure((response, failure) -> seen.response("failure " + failure));
        request.onComplete(result -> seen.response("complete " + result.isFailed() + " " + (result.getRequest() == request)));
    }

    private static Request.Content body(HttpCall call) {
        byte[] body = call.body().getBytes(StandardCharsets.UTF_8);
        if (!call.streams()) {
            return new BytesRequestContent(body);
        }
        InputStream once = call.once();
        return call.is(Way.STREAM) ? new InputStreamRequestContent(once) : new InputStreamRequestContent(once) {
            @Override
            public long getLength() {
                return body.length;
            }
        };
    }

    private static HttpAnswer leave(Request request, HttpCall call) throws Exception {
        InputStreamResponseListener listener = new InputStreamResponseListener();
        request.send(listener);
        Response response = listener.get(60, TimeUnit.SECONDS);
        String first = "";
        if (call.is(Way.ABANDON)) {
            try (InputStream body = listener.getInputStream()) {
                int read = body.read();
                first = read < 0 ? "" : Character.toString(read);
            }
        }
        // What its listeners hear of from here on is chance.
        return answer(response, first, new Seen());
    }

    private static HttpAnswer read(Request request, HttpCall call, Seen seen) throws Exception {
        if (call.method().equals("GET") && !call.is(Way.FOLLOW_REDIRECTS)) {
            var response = request.send();
            return answer(response, new String(response.getContent(), StandardCharsets.UTF_8), seen);
        }
        CompletableFuture<HttpAnswer> answer = new CompletableFuture<>();
        request.send(new BufferingResponseListener(LARGEST) {
            @Override
            public void onComplete(Result result) {
                if (result.isFailed()) {
                    answer.completeExceptionally(result.getFailure());
                } else {
                    answer.complete(answer(result.getResponse(), getContentAsString(StandardCharsets.UTF_8), seen));
                }
            }
        });
        return answer.get();
    }

    private static HttpAnswer answer(Response response, String body, Seen seenBy) {
        Map<String, String> headers = new TreeMap<>();
        List<String> order = new ArrayList<>();
        for (HttpField field : response.getHeaders()) {
            order.add(field.toString());
            headers.merge(field.getName().toLowerCase(Locale.ROOT), String.valueOf(field.getValue()), (some, more) -> some + ", " + more);
        }
        Map<String, String> seen = new LinkedHashMap<>();
        seen.put("uri", String.valueOf(response.getRequest().getURI()));
        seen.put("version", String.valueOf(response.getVersion()));
        seen.put("message", String.valueOf(response.getReason()));
        seen.put("trailers", String.valueOf(response.getTrailers()));
        seen.put("order", String.join("\n", order));
        seen.put("listeners of the request", seenBy.request());
        seen.put("listeners of the response", seenBy.response());
        return new HttpAnswer(response.getStatus(), headers, body == null ? "" : body, seen);
    }
}
