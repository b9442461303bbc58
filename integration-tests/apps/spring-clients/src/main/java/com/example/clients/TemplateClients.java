package com.example.clients;

import org.springframework.cloud.client.loadbalancer.LoadBalanced;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.http.HttpEntity;
import org.springframework.http.HttpHeaders;
import org.springframework.http.HttpMethod;
import org.springframework.web.client.RestTemplate;

@Configuration
class TemplateClients {
    @Bean
    RestTemplate plainTemplate() {
        return new RestTemplate();
    }

    @Bean
    @LoadBalanced
    RestTemplate balancedTemplate() {
        return new RestTemplate();
    }

    @Bean("rest-template")
    Sender restTemplate() {
        return by(plainTemplate());
    }

    @Bean("rest-template-balanced")
    Sender restTemplateBalanced() {
        return by(balancedTemplate());
    }

    private static Sender by(RestTemplate template) {
        return (url, canary, body) -> {
            HttpHeaders headers = new HttpHeaders();
            headers.set("x-canary", canary);
            return template.exchange(url, body == null ? HttpMethod.GET : HttpMethod.POST, new HttpEntity<>(body, headers), String.class);
        };
    }
}
