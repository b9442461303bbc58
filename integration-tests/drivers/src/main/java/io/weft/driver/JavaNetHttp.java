package io.weft.driver;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.Map;
import java.util.TreeMap;

/** {@code java.net.http.HttpClient}, synchronous. */
public final class JavaNetHttp {
    private JavaNetHttp() {}

    public static void main(String[] args) throws IOException {
        HttpClient client = HttpClient.newHttpClient();
        ClientDriver.run(call -> send(client, call));
    }

    private static HttpAnswer send(HttpClient client, HttpCall call) throws IOException, InterruptedException {
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(call.url()))
                .method(call.method(), call.body().isEmpty() ? BodyPublishers.noBody() : BodyPublishers.ofString(call.body()));
        call.headers().forEach(request::header);
        HttpResponse<String> response = client.send(request.build(), BodyHandlers.ofString());
        Map<String, String> headers = new TreeMap<>();
        response.headers().map().forEach((name, values) -> headers.put(name, String.join(", ", values)));
        return new HttpAnswer(
                response.statusCode(),
                headers,
                response.body(),
                Map.of("uri", response.uri().toString(), "version", response.version().name()));
    }
}
