package io.weft.driver;

import io.weft.driver.HttpCall.Way;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.http.Header;
import org.apache.http.HttpConnection;
import org.apache.http.HttpEntity;
import org.apache.http.HttpHost;
import org.apache.http.HttpRequest;
import org.apache.http.HttpResponse;
import org.apache.http.auth.AuthScope;
import org.apache.http.auth.UsernamePasswordCredentials;
import org.apache.http.client.config.RequestConfig;
import org.apache.http.client.methods.CloseableHttpResponse;
import org.apache.http.client.methods.HttpUriRequest;
import org.apache.http.client.methods.RequestBuilder;
import org.apache.http.client.protocol.HttpClientContext;
import org.apache.http.conn.ManagedHttpClientConnection;
import org.apache.http.conn.routing.HttpRoute;
import org.apache.http.entity.ByteArrayEntity;
import org.apache.http.entity.InputStreamEntity;
import org.apache.http.impl.client.BasicCookieStore;
import org.apache.http.impl.client.BasicCredentialsProvider;
import org.apache.http.impl.client.CloseableHttpClient;
import org.apache.http.impl.client.DefaultHttpClient;
import org.apache.http.impl.client.HttpClientBuilder;
import org.apache.http.impl.client.HttpClients;
import org.apache.http.impl.conn.PoolingHttpClientConnectionManager;
import org.apache.http.util.EntityUtils;

/**
 * Apache HttpClient 4, classic, with the retries of its own switched off. The header {@code X-Client} asks for another kind:
 * {@code minimal}, {@code before-4.3} or {@code wide}, whose pool has place for eight connections to orders.
 */
public final class ApacheHttpClient4 {
    private final Map<Traits, CloseableHttpClient> clients = new ConcurrentHashMap<>();
    private final BasicCookieStore cookies = new BasicCookieStore();

    /** What an app chooses for a whole client. */
    private record Traits(String kind, boolean cookies, boolean authenticates, boolean few) {}

    private ApacheHttpClient4() {}

    public static void main(String[] args) throws IOException {
        ClientDriver.run(new ApacheHttpClient4()::send);
    }

    @SuppressWarnings("deprecation")
    private CloseableHttpClient client(Traits traits) {
        return switch (traits.kind) {
            case "minimal" -> HttpClients.createMinimal();
            case "before-4.3" -> new DefaultHttpClient();
            default -> custom(traits);
        };
    }

    private CloseableHttpClient custom(Traits traits) {
        // As many connections as the threads of a load.
        HttpClientBuilder client = HttpClients.custom().disableAutomaticRetries().setMaxConnPerRoute(traits.few ? 2 : 8);
        if (traits.kind.equals("wide")) {
            PoolingHttpClientConnectionManager pool = new PoolingHttpClientConnectionManager();
            pool.setMaxPerRoute(new HttpRoute(new HttpHost("orders", 80)), 8);
            client.setConnectionManager(pool);
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
        return client.build();
    }

    private HttpAnswer send(HttpCall call) throws IOException {
        Traits traits = new Traits(call.headers().getOrDefault("X-Client", ""), call.is(Way.COOKIES), call.is(Way.AUTHENTICATE), call.is(Way.FEW_CONNECTIONS));
        CloseableHttpClient client = call.is(Way.CLOSE) ? client(traits) : clients.computeIfAbsent(traits, this::client);
        call.closeLater(client);
        RequestBuilder request = RequestBuilder.create(call.method()).setUri(call.url()).setConfig(config(call));
        call.headers().forEach(request::addHeader);
        if (!call.body().isEmpty()) {
            request.setEntity(body(call));
        }
        HttpUriRequest built = request.build();
        HttpClientContext context = HttpClientContext.create();
        call.cancelSoon(built::abort);
        if (call.is(Way.FORGET)) {
            return answer(client.execute(built, context), "", context);
        }
        try (CloseableHttpResponse response = client.execute(built, context)) {
            HttpEntity entity = response.getEntity();
            if (call.is(Way.ABANDON)) {
                int read = entity == null ? -1 : entity.getContent().read();
                return answer(response, read < 0 ? "" : Character.toString(read), context);
            }
            return answer(response, entity == null ? "" : EntityUtils.toString(entity, StandardCharsets.UTF_8), context);
        }
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
        if (!call.streams()) {
            return new ByteArrayEntity(body);
        }
        return new InputStreamEntity(call.once(), call.is(Way.STREAM) ? -1 : body.length);
    }

    private static HttpAnswer answer(HttpResponse response, String body, HttpClientContext context) {
        Map<String, String> headers = new TreeMap<>();
        List<String> order = new ArrayList<>();
        for (Header header : response.getAllHeaders()) {
            order.add(header.toString());
            headers.merge(header.getName().toLowerCase(Locale.ROOT), header.getValue(), (some, more) -> some + ", " + more);
        }
        HttpRequest request = context.getRequest();
        List<String> sent = new ArrayList<>(List.of(request.getRequestLine().toString()));
        for (Header header : request.getAllHeaders()) {
            sent.add(header.toString());
        }
        HttpConnection connection = context.getConnection();
        Map<String, String> seen = new LinkedHashMap<>();
        seen.put("uri", context.getTargetHost().toURI() + request.getRequestLine().getUri());
        seen.put("version", String.valueOf(response.getProtocolVersion()));
        seen.put("message", String.valueOf(response.getStatusLine().getReasonPhrase()));
        seen.put("order", String.join("\n", order));
        seen.put("request", String.join("\n", sent));
        seen.put("route", context.getHttpRoute().toString());
        seen.put("redirects", String.valueOf(context.getRedirectLocations()));
        seen.put("managed", Boolean.toString(connection instanceof ManagedHttpClientConnection));
        seen.put("user-token", String.valueOf(context.getUserToken()));
        return new HttpAnswer(response.getStatusLine().getStatusCode(), headers, body, seen);
    }
}
