package com.example.clients;

import java.net.URI;
import org.springframework.cloud.client.loadbalancer.LoadBalanced;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.http.ResponseEntity;
import org.springframework.http.client.JdkClientHttpRequestFactory;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.RequestHeader;
import org.springframework.web.client.RestClient;
import org.springframework.web.client.support.RestClientAdapter;
import org.springframework.web.reactive.function.client.WebClient;
import org.springframework.web.reactive.function.client.support.WebClientAdapter;
import org.springframework.web.service.annotation.GetExchange;
import org.springframework.web.service.annotation.PostExchange;
import org.springframework.web.service.invoker.HttpExchangeAdapter;
import org.springframework.web.service.invoker.HttpServiceProxyFactory;

/** What Spring has since 6.1. */
@Configuration
class RestClients {
    interface Exchanges {
        @GetExchange
        ResponseEntity<String> get(URI url, @RequestHeader("x-canary") String canary);

        @PostExchange
        ResponseEntity<String> post(URI url, @RequestHeader("x-canary") String canary, @RequestBody String body);
    }

    @Bean
    @LoadBalanced
    RestClient.Builder balancedRestClient() {
        return RestClient.builder();
    }

    @Bean("rest-client")
    Sender restClient() {
        return by(RestClient.create());
    }

    /** Made when it is used: by then the builder has its interceptor. */
    @Bean("rest-client-balanced")
    Sender restClientBalanced(RestClient.Builder balancedRestClient) {
        return (url, canary, body) -> by(balancedRestClient.build()).send(url, canary, body);
    }

    @Bean("http-exchange")
    Sender httpExchange() {
        return by(RestClientAdapter.create(RestClient.builder().requestFactory(new JdkClientHttpRequestFactory()).build()));
    }

    @Bean("http-exchange-reactive")
    Sender httpExchangeReactive() {
        return by(WebClientAdapter.create(WebClient.create()));
    }

    private static Sender by(RestClient client) {
        return (url, canary, body) -> (body == null ? client.get().uri(url) : client.post().uri(url).body(body))
                .header("x-canary", canary).retrieve().toEntity(String.class);
    }

    private static Sender by(HttpExchangeAdapter adapter) {
        Exchanges exchanges = HttpServiceProxyFactory.builderFor(adapter).build().createClient(Exchanges.class);
        return (url, canary, body) -> body == null ? exchanges.get(url, canary) : exchanges.post(url, canary, body);
    }
}
