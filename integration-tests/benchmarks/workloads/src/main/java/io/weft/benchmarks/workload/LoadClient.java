package io.weft.benchmarks.workload;

import io.weft.driver.ClientDriver;
import io.weft.driver.HttpAnswer;
import io.weft.driver.HttpCall;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Sends requests with {@code java.net.http}, HTTP/1.1 with keep-alive, over {@link OwnTls} where there is that: a {@link ClientDriver} that does as little
 * as one can, so that what is added shows.
 */
public final class LoadClient {
    private final HttpClient client;
    private final Map<String, HttpRequest> requests = new ConcurrentHashMap<>();

    private LoadClient(HttpClient client) {
        this.client = client;
    }

    public static void main(String[] args) throws Exception {
        HttpClient.Builder builder = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1);
        ClientDriver.run(new LoadClient((OwnTls.isThere() ? builder.sslContext(OwnTls.context()) : builder).build())::send);
    }

    private HttpAnswer send(HttpCall call) throws IOException, InterruptedException {
        HttpRequest request = requests.computeIfAbsent(call.url(), url -> HttpRequest.newBuilder(URI.create(url)).build());
        return new HttpAnswer(client.send(request, BodyHandlers.ofByteArray()).statusCode(), Map.of(), "", Map.of());
    }
}
