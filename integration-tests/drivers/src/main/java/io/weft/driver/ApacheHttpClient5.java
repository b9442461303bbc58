package io.weft.driver;

import io.weft.driver.HttpCall.Way;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.hc.client5.http.HttpRoute;
import org.apache.hc.client5.http.auth.AuthScope;
import org.apache.hc.client5.http.auth.UsernamePasswordCredentials;
import org.apache.hc.client5.http.classic.methods.HttpUriRequestBase;
import org.apache.hc.client5.http.config.RequestConfig;
import org.apache.hc.client5.http.cookie.BasicCookieStore;
import org.apache.hc.client5.http.impl.auth.BasicCredentialsProvider;
import org.apache.hc.client5.http.impl.classic.CloseableHttpClient;
import org.apache.hc.client5.http.impl.classic.CloseableHttpResponse;
import org.apache.hc.client5.http.impl.classic.HttpClientBuilder;
import org.apache.hc.client5.http.impl.classic.HttpClients;
import org.apache.hc.client5.http.impl.io.PoolingHttpClientConnectionManager;
import org.apache.hc.client5.http.impl.io.PoolingHttpClientConnectionManagerBuilder;
import org.apache.hc.client5.http.io.ConnectionEndpoint;
import org.apache.hc.client5.http.protocol.HttpClientContext;
import org.apache.hc.core5.function.Supplier;
import org.apache.hc.core5.http.ClassicHttpResponse;
import org.apache.hc.core5.http.Header;
import org.apache.hc.core5.http.HttpEntity;
import org.apache.hc.core5.http.HttpException;
import org.apache.hc.core5.http.HttpHost;
import org.apache.hc.core5.http.HttpRequest;
import org.apache.hc.core5.http.io.entity.ByteArrayEntity;
import org.apache.hc.core5.http.io.entity.EntityUtils;
import org.apache.hc.core5.http.io.entity.InputStreamEntity;
import org.apache.hc.core5.http.protocol.HttpContext;
import org.apache.hc.core5.io.CloseMode;
import org.apache.hc.core5.util.TimeValue;

/**
 * Apache HttpClient 5, classic, with the retries of its own switched off. The header {@code X-Client} asks for another kind: {@code minimal}, which has nothing but a
 * pool, {@code closing}, whose pool closes its first connection as soon as that is made, or {@code wide}, whose pool has place for eight connections to orders.
 */
public final class ApacheHttpClient5 {
    private final Map<Traits, CloseableHttpClient> clients = new ConcurrentHashMap<>();
    private final BasicCookieStore cookies = new BasicCookieStore();

    /** What an app chooses for a whole client. */
    private record Traits(String kind, boolean cookies, boolean authenticates, boolean few) {}

    private static final class ClosingPool extends PoolingHttpClientConnectionManager {
        private final AtomicBoolean connects = new AtomicBoolean();

        @Override
        public void connect(ConnectionEndpoint endpoint, TimeValue timeout, HttpContext context) throws IOException {
            super.connect(endpoint, timeout, context);
            if (connects.compareAndSet(false, true)) {
                endpoint.close(CloseMode.IMMEDIATE);
            }
        }
    }

    private ApacheHttpClient5() {}

    public static void main(String[] args) throws IOException {
        ClientDriver.run(new ApacheHttpClient5()::send);
    }

    private CloseableHttpClient client(Traits traits) {
        if (traits.kind.equals("minimal")) {
            return HttpClients.createMinimal();
        }
        HttpClientBuilder client = HttpClients.custom().disableAutomaticRetries();
        if (traits.kind.equals("closing")) {
            client.setConnectionManager(new ClosingPool());
        }
        if (traits.kind.equals("wide")) {
            PoolingHttpClientConnectionManager pool = new PoolingHttpClientConnectionManager();
            pool.setMaxPerRoute(new HttpRoute(new HttpHost("orders", 80)), 8);
            client.setConnectionManager(pool);
        }
        if (traits.few) {
            client.setConnectionManager(PoolingHttpClientConnectionManagerBuilder.create().setMaxConnPerRoute(2).build());
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
        return client.build();
    }

    private HttpAnswer send(HttpCall call) throws IOException, HttpException {
        Traits traits = new Traits(call.headers().getOrDefault("X-Client", ""), call.is(Way.COOKIES), call.is(Way.AUTHENTICATE), call.is(Way.FEW_CONNECTIONS));
        CloseableHttpClient client = call.is(Way.CLOSE) ? client(traits) : clients.computeIfAbsent(traits, this::client);
        call.closeLater(client);
        HttpUriRequestBase request = new HttpUriRequestBase(call.method(), URI.create(call.url()));
        request.setConfig(config(call));
        call.headers().forEach(request::addHeader);
        if (!call.body().isEmpty()) {
            request.setEntity(body(call));
        }
        HttpClientContext context = HttpClientContext.create();
        call.cancelSoon(request::cancel);
        if (call.is(Way.CLOSE_ENTITY)) {
            CloseableHttpResponse response = client.execute(request, context);
            response.getEntity().close();
            return answer(response, "", context);
        }
        if (call.is(Way.FORGET)) {
            return answer(client.execute(request, context), "", context);
        }
        if (call.is(Way.ABANDON)) {
            try (CloseableHttpResponse response = client.execute(request, context)) {
                int read = response.getEntity() == null ? -1 : response.getEntity().getContent().read();
                return answer(response, read < 0 ? "" : Character.toString(read), context);
            }
        }
        return client.execute(request, context, response -> whole(response, context));
    }

    private static HttpAnswer whole(ClassicHttpResponse response, HttpClientContext context) throws IOException, HttpException {
        HttpEntity entity = response.getEntity();
        if (entity == null) {
            return answer(response, "", context);
        }
        Supplier<List<? extends Header>> trailers = entity.getTrailers();
        HttpAnswer answer = answer(response, EntityUtils.toString(entity, StandardCharsets.UTF_8), context);
        answer.seen().put("trailers", String.valueOf(trailers == null ? null : trailers.get()));
        return answer;
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

    private static HttpEntity body(HttpCall call) {
        byte[] body = call.body().getBytes(StandardCharsets.UTF_8);
        if (!call.streams()) {
            return new ByteArrayEntity(body, null);
        }
        return new InputStreamEntity(call.once(), call.is(Way.STREAM) ? -1 : body.length, null);
    }

    private static HttpAnswer answer(ClassicHttpResponse response, String body, HttpClientContext context) {
        Map<String, String> headers = new TreeMap<>();
        List<String> order = new ArrayList<>();
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
        seen.put("route", context.getHttpRoute().toString());
        seen.put("redirects", String.valueOf(context.getRedirectLocations() == null ? List.of() : context.getRedirectLocations().getAll()));
        return new HttpAnswer(response.getCode(), headers, body, seen);
    }
}
