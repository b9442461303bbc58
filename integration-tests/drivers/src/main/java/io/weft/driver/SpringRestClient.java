package io.weft.driver;

import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import org.springframework.http.HttpMethod;
import org.springframework.http.client.ClientHttpRequestFactory;
import org.springframework.http.client.ClientHttpResponse;
import org.springframework.web.client.RestClient;
import org.springframework.web.client.RestTemplate;

/** Spring's RestClient over Reactor Netty, in an app without WebFlux; with a header {@code X-Client} that is not sent and says {@code template}, its RestTemplate. */
public final class SpringRestClient {
    private final RestTemplate template = new RestTemplate(factory());
    private final RestClient client = RestClient.builder().requestFactory(factory()).build();

    private SpringRestClient() throws ReflectiveOperationException {}

    public static void main(String[] args) throws Exception {
        ClientDriver.run(new SpringRestClient()::send);
    }

    /** Of another name in 6.1. */
    private static ClientHttpRequestFactory factory() throws ReflectiveOperationException {
        Class<?> type;
        try {
            type = Class.forName("org.springframework.http.client.ReactorClientHttpRequestFactory");
        } catch (ClassNotFoundException before62) {
            type = Class.forName("org.springframework.http.client.ReactorNettyClientRequestFactory");
        }
        return (ClientHttpRequestFactory) type.getConstructor().newInstance();
    }

    private HttpAnswer send(HttpCall call) {
        Map<String, String> headers = new TreeMap<>(call.headers());
        HttpMethod method = HttpMethod.valueOf(call.method());
        if ("template".equals(headers.remove("X-Client"))) {
            return template.execute(URI.create(call.url()), method, request -> {
                headers.forEach(request.getHeaders()::set);
                if (!call.body().isEmpty()) {
                    request.getBody().write(call.body().getBytes(StandardCharsets.UTF_8));
                }
            }, SpringRestClient::answer);
        }
        RestClient.RequestBodySpec request = client.method(method).uri(URI.create(call.url()));
        headers.forEach(request::header);
        if (!call.body().isEmpty()) {
            request.body(call.body());
        }
        return request.exchange((sent, response) -> answer(response));
    }

    private static HttpAnswer answer(ClientHttpResponse response) throws IOException {
        Map<String, String> headers = new TreeMap<>();
        response.getHeaders().forEach((name, values) -> headers.put(name.toLowerCase(Locale.ROOT), String.join(", ", values)));
        return new HttpAnswer(response.getStatusCode().value(), headers, new String(response.getBody().readAllBytes(), StandardCharsets.UTF_8), Map.of());
    }
}
