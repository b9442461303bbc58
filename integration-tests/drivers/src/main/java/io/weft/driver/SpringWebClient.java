package io.weft.driver;

import io.weft.driver.HttpCall.Way;
import java.io.IOException;
import java.net.URI;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import org.springframework.http.HttpMethod;
import org.springframework.web.reactive.function.client.ClientRequest;
import org.springframework.web.reactive.function.client.ClientResponse;
import org.springframework.web.reactive.function.client.WebClient;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/** Spring's WebClient over Reactor Netty as it comes, with a filter of the app's that adds a header. A way of {@link Way#COOKIES}: one cookie. */
public final class SpringWebClient {
    private final WebClient client = WebClient.builder()
            .filter((request, next) -> next.exchange(
                    ClientRequest.from(request).header("X-Filter", "app").build()))
            .build();

    private SpringWebClient() {}

    public static void main(String[] args) throws IOException {
        ClientDriver.run(new SpringWebClient()::send);
    }

    private HttpAnswer send(HttpCall call) {
        WebClient.RequestBodySpec request = client.method(HttpMethod.valueOf(call.method())).uri(URI.create(call.url()));
        call.headers().forEach(request::header);
        if (call.is(Way.COOKIES)) {
            request.cookie("session", "blue");
        }
        if (!call.body().isEmpty()) {
            if (call.streams()) {
                request.body(Flux.just(call.body().split("(?<= )")), String.class);
            } else {
                request.bodyValue(call.body());
            }
        }
        return request.exchangeToMono(SpringWebClient::answer).block();
    }

    private static Mono<HttpAnswer> answer(ClientResponse response) {
        Map<String, String> headers = new TreeMap<>();
        response.headers().asHttpHeaders().forEach((name, values) -> headers.put(name.toLowerCase(Locale.ROOT), String.join(", ", values)));
        return response.bodyToMono(String.class).defaultIfEmpty("")
                .map(body -> new HttpAnswer(response.statusCode().value(), headers, body, Map.of("uri", response.request().getURI().toString())));
    }
}
