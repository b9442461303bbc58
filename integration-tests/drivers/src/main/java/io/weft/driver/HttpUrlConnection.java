package io.weft.driver;

import io.weft.driver.HttpCall.Way;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.Authenticator;
import java.net.CookieHandler;
import java.net.CookieManager;
import java.net.HttpURLConnection;
import java.net.InetSocketAddress;
import java.net.PasswordAuthentication;
import java.net.Proxy;
import java.net.URL;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/** {@code java.net.HttpURLConnection}. */
public final class HttpUrlConnection {
    private final CookieManager cookies = new CookieManager();

    private HttpUrlConnection() {}

    public static void main(String[] args) throws IOException {
        ClientDriver.run(new HttpUrlConnection()::send);
    }

    private HttpAnswer send(HttpCall call) throws IOException {
        URL url = new URL(call.url());
        // the library has one cookie jar for the whole process
        CookieHandler.setDefault(call.is(Way.COOKIES) ? cookies : null);
        HttpURLConnection connection = (HttpURLConnection) (call.proxyPort() == 0
                ? url.openConnection()
                : url.openConnection(new Proxy(Proxy.Type.HTTP, new InetSocketAddress("127.0.0.1", call.proxyPort()))));
        connection.setRequestMethod(call.method());
        connection.setInstanceFollowRedirects(call.is(Way.FOLLOW_REDIRECTS));
        connection.setConnectTimeout(call.timeoutMillis());
        connection.setReadTimeout(call.timeoutMillis());
        call.headers().forEach(connection::addRequestProperty);
        if (call.is(Way.EXPECT_CONTINUE)) {
            connection.setRequestProperty("Expect", "100-Continue");
        }
        if (call.is(Way.AUTHENTICATE)) {
            connection.setAuthenticator(new Authenticator() {
                @Override
                protected PasswordAuthentication getPasswordAuthentication() {
                    return new PasswordAuthentication("user", "secret".toCharArray());
                }
            });
        }
        call.cancelSoon(connection::disconnect);
        if (!call.body().isEmpty()) {
            send(connection, call);
        }
        int status = connection.getResponseCode();
        InputStream in = status >= 400 ? connection.getErrorStream() : connection.getInputStream();
        String body = in == null ? "" : read(in, call);
        return new HttpAnswer(status, headers(connection), body, seen(connection));
    }

    private static void send(HttpURLConnection connection, HttpCall call) throws IOException {
        byte[] body = call.body().getBytes(StandardCharsets.UTF_8);
        connection.setDoOutput(true);
        if (call.is(Way.STREAM)) {
            connection.setChunkedStreamingMode(1024);
        } else if (call.is(Way.STREAM_FIXED)) {
            connection.setFixedLengthStreamingMode(body.length);
        }
        if (call.is(Way.LATE)) {
            connection.connect();
            HttpCall.pause();
        }
        try (OutputStream out = connection.getOutputStream()) {
            if (call.is(Way.LATE)) {
                HttpCall.pause();
            }
            out.write(body);
        }
    }

    private static String read(InputStream in, HttpCall call) throws IOException {
        if (call.is(Way.FORGET)) {
            return "";
        }
        try (in) {
            if (call.is(Way.ABANDON)) {
                int read = in.read();
                return read < 0 ? "" : Character.toString(read);
            }
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    private static Map<String, String> headers(HttpURLConnection connection) {
        Map<String, String> headers = new TreeMap<>();
        // not by getHeaderFields: some JDKs give the values of one name in reverse order
        for (int i = 1; connection.getHeaderFieldKey(i) != null; i++) {
            headers.merge(
                    connection.getHeaderFieldKey(i).toLowerCase(Locale.ROOT), connection.getHeaderField(i), (some, more) -> some + ", " + more);
        }
        return headers;
    }

    private static Map<String, String> seen(HttpURLConnection connection) throws IOException {
        List<String> order = new ArrayList<>();
        for (int i = 0; connection.getHeaderField(i) != null; i++) {
            order.add(connection.getHeaderFieldKey(i) + ": " + connection.getHeaderField(i));
        }
        Map<String, String> seen = new LinkedHashMap<>();
        seen.put("uri", connection.getURL().toString());
        seen.put("method", connection.getRequestMethod());
        seen.put("message", String.valueOf(connection.getResponseMessage()));
        seen.put("proxy", Boolean.toString(connection.usingProxy()));
        seen.put("order", String.join("\n", order));
        return seen;
    }
}
