package com.example.clients;

import org.springframework.cloud.client.loadbalancer.LoadBalanced;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.web.reactive.function.client.WebClient;

@Configuration
class WebClients {
    @Bean
    @LoadBalanced
    WebClient.Builder balancedWebClient() {
        return WebClient.builder();
    }

    @Bean("web-client")
    Sender webClient() {
        return by(WebClient.create());
    }

    /** Made when it is used: by then the builder has its filter. */
    @Bean("web-client-balanced")
    Sender webClientBalanced(WebClient.Builder balancedWebClient) {
        return (url, canary, body) -> by(balancedWebClient.build()).send(url, canary, body);
    }

    private static Sender by(WebClient client) {
        return (url, canary, body) -> (body == null ? client.get().uri(url) : client.post().uri(url).bodyValue(body))
                .header("x-canary", canary).retrieve().toEntity(String.class).block();
    }
}
