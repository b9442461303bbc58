package io.weft.driver;

import io.weft.driver.HttpCall.Way;
import java.io.FilterInputStream;
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
import java.util.concurrent.TimeoutException;
import org.eclipse.jetty.client.HttpClient;
import org.eclipse.jetty.client.HttpProxy;
import org.eclipse.jetty.client.api.Authentication;
import org.eclipse.jetty.client.api.ContentProvider;
import org.eclipse.jetty.client.api.ContentResponse;
import org.eclipse.jetty.client.api.Request;
import org.eclipse.jetty.client.api.Response;
import org.eclipse.jetty.client.api.Result;
import org.eclipse.jetty.client.util.BasicAuthentication;
import org.eclipse.jetty.client.util.BufferingResponseListener;
import org.eclipse.jetty.client.util.BytesContentProvider;
import org.eclipse.jetty.client.util.FutureResponseListener;
import org.eclipse.jetty.client.util.InputStreamContentProvider;
import org.eclipse.jetty.client.util.InputStreamResponseListener;
import org.eclipse.jetty.http.HttpField;
import org.eclipse.jetty.util.HttpCookieStore;
import org.eclipse.jetty.util.ssl.SslContextFactory;

/**
 * Jetty's HttpClient before 12, used as the other. From 10 on, headers have another type, which is not linked to, and bodies are of another
 * kind, which is used by name.
 */
public final class JettyClientBefore12 {
    private static final int LARGEST = 16 << 20;
    private static final int LATE_MILLIS = 2_000;

    private final Map<Traits, HttpClient> clients = new ConcurrentHashMap<>();

    /** What an app chooses for a whole client. */
    private record Traits(boolean cookies, boolean authenticates, int connectMillis, int proxyPort, boolean few) {}

    private JettyClientBefore12() {}

    public static void main(String[] args) throws IOException {
        ClientDriver.run(new JettyClientBefore12()::send);
    }

    private HttpClient client(Traits traits) {
        HttpClient client = withTls();
        if (!traits.cookies) {
            client.setCookieStore(new HttpCookieStore.Empty());
        }
        if (traits.few) {
            client.setMaxConnectionsPerDestination(2);
        }
        if (traits.connectMillis > 0) {
            client.setConnectTimeout(traits.connectMillis);
        }
        if (traits.proxyPort > 0) {
            client.getProxyConfiguration().getProxies().add(new HttpProxy("127.0.0.1", traits.proxyPort));
            // What is on this machine goes past it by default.
            client.getProxyConfiguration().getProxies().forEach(proxy -> proxy.getExcludedAddresses().clear());
        }
        client.getRequestListeners().add(new ForAll());
        try {
            client.start();
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
        return client;
    }

    /** From 10 on any client has it. */
    private static HttpClient withTls() {
        try {
            return HttpClient.class.getConstructor(SslContextFactory.class).newInstance(new SslContextFactory.Client());
        } catch (NoSuchMethodException from10On) {
            return new HttpClient();
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException(e);
        }
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
        for (HttpField field : fields(request.getHeaders())) {
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
        listen(request, acts && !call.body().isEmpty() ? new Seen() : seen);
        call.headers().forEach((name, value) -> request.header(name, null).header(name, value));
        if (call.is(Way.EXPECT_CONTINUE)) {
            request.header("Expect", "100-continue");
        }
        if (!call.body().isEmpty()) {
            body(request, call);
        }
        if (call.timeoutMillis() > 0) {
            request.timeout(call.timeoutMillis(), TimeUnit.MILLISECONDS);
        }
        call.cancelSoon(() -> request.abort(new CancellationException("given up")));
        try {
            return call.leaves() ? leave(request, call, seen) : read(request, call, seen);
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
        request.onResponseHeaders(response -> seen.response("headers " + response.getHeaders()));
        request.onResponseSuccess(response -> seen.response("success"));
        request.onResponseFailure((response, failure) -> seen.response("failure " + failure));
        request.onComplete(result -> seen.response("complete " + result.isFailed() + " " + (result.getRequest() == request)));
    }

    private static void body(Request request, HttpCall call) throws ReflectiveOperationException {
        byte[] body = call.body().getBytes(StandardCharsets.UTF_8);
        if (call.is(Way.STREAM_FIXED)) {
            request.header("Content-Length", Integer.toString(body.length));
        }
        Class<?> content = contentFrom10On();
        if (content == null) {
            ContentProvider provider = call.streams() ? new InputStreamContentProvider(call.once()) : new BytesContentProvider(body);
            request.content(provider);
            return;
        }
        String packageName = "org.eclipse.jetty.client.util.";
        Object made = call.streams()
                ? Class.forName(packageName + "InputStreamRequestContent").getConstructor(InputStream.class).newInstance(new Closing(call.once()))
                : Class.forName(packageName + "BytesRequestContent").getConstructor(byte[][].class).newInstance((Object) new byte[][] {body});
        Request.class.getMethod("body", content).invoke(request, made);
    }

    /** Gives nothing more once it is closed, as a file would. */
    private static final class Closing extends FilterInputStream {
        private volatile boolean closed;

        Closing(InputStream stream) {
            super(stream);
        }

        @Override
        public int read(byte[] buffer, int offset, int length) throws IOException {
            if (closed) {
                throw new IOException("Stream Closed");
            }
            return super.read(buffer, offset, length);
        }

        @Override
        public void close() throws IOException {
            closed = true;
            super.close();
        }
    }

    /** Null: before 10. */
    private static Class<?> contentFrom10On() {
        try {
            return Class.forName("org.eclipse.jetty.client.api.Request$Content");
        } catch (ClassNotFoundException e) {
            return null;
        }
    }

    @SuppressWarnings("unchecked")
    private static Iterable<HttpField> fields(Object headers) {
        return (Iterable<HttpField>) headers;
    }

    private static HttpAnswer leave(Request request, HttpCall call, Seen seen) throws Exception {
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
            var response = call.timeoutMillis() > 0 ? within(call.timeoutMillis(), request) : request.send();
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

    /** From 10 on, a request that has got an interim response does not end with its time. */
    private static ContentResponse within(int millis, Request request) throws Exception {
        FutureResponseListener listener = new FutureResponseListener(request);
        request.send(listener);
        try {
            return listener.get(millis + LATE_MILLIS, TimeUnit.MILLISECONDS);
        } catch (TimeoutException e) {
            request.abort(e);
            throw e;
        }
    }

    private static HttpAnswer answer(Response response, String body, Seen seenBy) {
        Map<String, String> headers = new TreeMap<>();
        List<String> order = new ArrayList<>();
        for (HttpField field : fields(response.getHeaders())) {
            order.add(field.toString());
            headers.merge(field.getName().toLowerCase(Locale.ROOT), String.valueOf(field.getValue()), (some, more) -> some + ", " + more);
        }
        Map<String, String> seen = new LinkedHashMap<>();
        seen.put("uri", String.valueOf(response.getRequest().getURI()));
        seen.put("version", String.valueOf(response.getVersion()));
        seen.put("message", String.valueOf(response.getReason()));
        seen.put("order", String.join("\n", order));
        seen.put("listeners of the request", seenBy.request());
        seen.put("listeners of the response", seenBy.response());
        return new HttpAnswer(response.getStatus(), headers, body == null ? "" : body, seen);
    }
}
