package io.weft.driver;

import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.io.OutputStreamWriter;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.net.HttpURLConnection;
import java.net.InetAddress;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import okhttp3.OkHttpClient;
import okhttp3.Request;
import okhttp3.RequestBody;
import okhttp3.Response;
import org.apache.hc.client5.http.classic.methods.HttpUriRequestBase;
import org.apache.hc.client5.http.impl.classic.CloseableHttpClient;
import org.apache.hc.client5.http.impl.classic.CloseableHttpResponse;
import org.apache.hc.client5.http.impl.classic.HttpClients;
import org.apache.hc.client5.http.impl.io.PoolingHttpClientConnectionManager;
import org.apache.hc.core5.http.Header;
import org.apache.hc.core5.http.ParseException;
import org.apache.hc.core5.http.io.entity.ByteArrayEntity;
import org.apache.hc.core5.http.io.entity.EntityUtils;
import org.apache.http.client.methods.RequestBuilder;

/**
 * Several client libraries in one process, many requests at once. Argument: the port on loopback to which it connects and
 * where it is told what to send, one {@link Form} a line; it answers in the order in which the requests end.
 *
 * <p>Fields: {@code id}, which comes back; {@code client} ({@code java-net-http}, {@code http-url-connection},
 * {@code apache-httpclient5}, {@code apache-httpclient4}, {@code okhttp}: what is on the class path); {@code method}; {@code url};
 * {@code headers}, lines of {@code name: value}, names may occur twice; {@code body}. The answer has {@code status}, {@code headers} in the same form and {@code body}; or {@code error}, a class name, and {@code message}
 * with its causes. No client follows redirects.
 */
public final class ConcurrentClients {
    private static final int THREADS = 64;
    private static final Duration PATIENCE = Duration.ofSeconds(30);

    private final HttpClient http = HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .followRedirects(HttpClient.Redirect.NEVER)
            .build();
    private final CloseableHttpClient apache = apache();
    private final Writer answers;

    private ConcurrentClients(Writer answers) {
        this.answers = answers;
    }

    public static void main(String[] args) throws IOException {
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), Integer.parseInt(args[0]))) {
            socket.setTcpNoDelay(true);
            BufferedReader in = new BufferedReader(new InputStreamReader(socket.getInputStream(), StandardCharsets.UTF_8));
            ConcurrentClients clients = new ConcurrentClients(
                    new BufferedWriter(new OutputStreamWriter(socket.getOutputStream(), StandardCharsets.UTF_8)));
            ExecutorService executor = Executors.newFixedThreadPool(THREADS);
            for (String line = in.readLine(); line != null; line = in.readLine()) {
                Map<String, String> call = Form.read(line);
                executor.execute(() -> clients.carryOut(call));
            }
        }
        System.exit(0);
    }

    private void carryOut(Map<String, String> call) {
        Map<String, String> answer = new LinkedHashMap<>();
        answer.put("id", call.get("id"));
        try {
            switch (call.get("client")) {
                case "java-net-http" -> javaNetHttp(call, answer);
                case "http-url-connection" -> httpUrlConnection(call, answer);
                case "apache-httpclient5" -> apacheHttpClient5(call, answer);
                case "apache-httpclient4" -> ApacheHttpClient4Call.carryOut(call, answer);
                case "okhttp" -> OkHttpCall.carryOut(call, answer);
                default -> throw new IllegalArgumentException("no client " + call.get("client"));
            }
        } catch (Exception failure) {
            answer.put("error", failure.getClass().getName());
            answer.put("message", message(failure));
        }
        answer(Form.write(answer));
    }

    private static String message(Throwable failure) {
        StringBuilder message = new StringBuilder(String.valueOf(failure.getMessage()));
        for (Throwable cause = failure.getCause(); cause != null; cause = cause.getCause()) {
            message.append(", caused by ").append(cause);
        }
        return message.toString();
    }

    private synchronized void answer(String line) {
        try {
            answers.write(line);
            answers.write('\n');
            answers.flush();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void javaNetHttp(Map<String, String> call, Map<String, String> answer) throws IOException, InterruptedException {
        String body = call.get("body");
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(call.get("url")))
                .timeout(PATIENCE)
                .method(call.get("method"), body.isEmpty() ? BodyPublishers.noBody() : BodyPublishers.ofString(body));
        for (String[] header : headers(call)) {
            request.header(header[0], header[1]);
        }
        HttpResponse<String> response = http.send(request.build(), BodyHandlers.ofString());
        List<String> lines = new ArrayList<>();
        response.headers().map().forEach((name, values) -> values.forEach(value -> lines.add(name + ": " + value)));
        answer(answer, response.statusCode(), lines, response.body());
    }

    private void httpUrlConnection(Map<String, String> call, Map<String, String> answer) throws IOException {
        HttpURLConnection connection = (HttpURLConnection) URI.create(call.get("url")).toURL().openConnection();
        connection.setInstanceFollowRedirects(false);
        connection.setConnectTimeout((int) PATIENCE.toMillis());
        connection.setReadTimeout((int) PATIENCE.toMillis());
        connection.setRequestMethod(call.get("method"));
        for (String[] header : headers(call)) {
            connection.addRequestProperty(header[0], header[1]);
        }
        if (!call.get("body").isEmpty()) {
            connection.setDoOutput(true);
            try (OutputStream out = connection.getOutputStream()) {
                out.write(call.get("body").getBytes(StandardCharsets.UTF_8));
            }
        }
        int status = connection.getResponseCode();
        List<String> lines = new ArrayList<>();
        for (int i = 1; connection.getHeaderFieldKey(i) != null; i++) {
            lines.add(connection.getHeaderFieldKey(i) + ": " + connection.getHeaderField(i));
        }
        String body;
        try (InputStream in = status >= 400 ? connection.getErrorStream() : connection.getInputStream()) {
            body = in == null ? "" : new String(in.readAllBytes(), StandardCharsets.UTF_8);
        }
        answer(answer, status, lines, body);
    }

    private static CloseableHttpClient apache() {
        PoolingHttpClientConnectionManager connections = new PoolingHttpClientConnectionManager();
        connections.setDefaultMaxPerRoute(THREADS);
        connections.setMaxTotal(32 * THREADS);
        return HttpClients.custom()
                .setConnectionManager(connections)
                .disableAutomaticRetries()
                .disableRedirectHandling()
                .disableCookieManagement()
                .disableContentCompression()
                .build();
    }

    private void apacheHttpClient5(Map<String, String> call, Map<String, String> answer) throws IOException, ParseException {
        HttpUriRequestBase request = new HttpUriRequestBase(call.get("method"), URI.create(call.get("url")));
        for (String[] header : headers(call)) {
            request.addHeader(header[0], header[1]);
        }
        if (!call.get("body").isEmpty()) {
            request.setEntity(new ByteArrayEntity(call.get("body").getBytes(StandardCharsets.UTF_8), null));
        }
        try (CloseableHttpResponse response = apache.execute(request)) {
            List<String> lines = new ArrayList<>();
            for (Header header : response.getHeaders()) {
                lines.add(header.getName() + ": " + header.getValue());
            }
            String body = response.getEntity() == null ? "" : EntityUtils.toString(response.getEntity(), StandardCharsets.UTF_8);
            answer(answer, response.getCode(), lines, body);
        }
    }

    /** Loaded with the first request, since the library need not be there. */
    private static final class ApacheHttpClient4Call {
        private static final org.apache.http.impl.client.CloseableHttpClient CLIENT = org.apache.http.impl.client.HttpClients.custom()
                .setMaxConnPerRoute(THREADS)
                .setMaxConnTotal(32 * THREADS)
                .disableAutomaticRetries()
                .disableRedirectHandling()
                .disableCookieManagement()
                .disableContentCompression()
                .build();

        static void carryOut(Map<String, String> call, Map<String, String> answer) throws IOException {
            RequestBuilder request = RequestBuilder.create(call.get("method")).setUri(call.get("url"));
            for (String[] header : headers(call)) {
                request.addHeader(header[0], header[1]);
            }
            if (!call.get("body").isEmpty()) {
                request.setEntity(new org.apache.http.entity.ByteArrayEntity(call.get("body").getBytes(StandardCharsets.UTF_8)));
            }
            try (org.apache.http.client.methods.CloseableHttpResponse response = CLIENT.execute(request.build())) {
                List<String> lines = new ArrayList<>();
                for (org.apache.http.Header header : response.getAllHeaders()) {
                    lines.add(header.getName() + ": " + header.getValue());
                }
                String body = response.getEntity() == null
                        ? ""
                        : org.apache.http.util.EntityUtils.toString(response.getEntity(), StandardCharsets.UTF_8);
                answer(answer, response.getStatusLine().getStatusCode(), lines, body);
            }
        }
    }

    /** Loaded with the first request, since the library need not be there. */
    private static final class OkHttpCall {
        private static final OkHttpClient CLIENT = new OkHttpClient.Builder()
                .retryOnConnectionFailure(false)
                .followRedirects(false)
                .readTimeout(PATIENCE.toMillis(), TimeUnit.MILLISECONDS)
                .build();

        static void carryOut(Map<String, String> call, Map<String, String> answer) throws IOException {
            Request.Builder request = new Request.Builder().url(call.get("url"));
            for (String[] header : headers(call)) {
                request.addHeader(header[0], header[1]);
            }
            String body = call.get("body");
            boolean none = body.isEmpty() && !call.get("method").equals("POST") && !call.get("method").equals("PUT");
            request.method(call.get("method"), none ? null : RequestBody.create(null, body.getBytes(StandardCharsets.UTF_8)));
            try (Response response = CLIENT.newCall(request.build()).execute()) {
                List<String> lines = new ArrayList<>();
                for (int i = 0; i < response.headers().size(); i++) {
                    lines.add(response.headers().name(i) + ": " + response.headers().value(i));
                }
                answer(answer, response.code(), lines, response.body().string());
            }
        }
    }

    private static void answer(Map<String, String> answer, int status, List<String> headers, String body) {
        answer.put("status", Integer.toString(status));
        answer.put("headers", String.join("\n", headers));
        answer.put("body", body);
    }

    static List<String[]> headers(Map<String, String> call) {
        List<String[]> headers = new ArrayList<>();
        for (String line : call.get("headers").split("\n")) {
            int colon = line.indexOf(": ");
            if (colon > 0) {
                headers.add(new String[] {line.substring(0, colon), line.substring(colon + 2)});
            }
        }
        return headers;
    }
}
