package com.example.clients;

import feign.codec.Decoder;
import feign.codec.Encoder;
import feign.codec.StringDecoder;
import java.net.URI;
import org.springframework.cloud.openfeign.FeignClient;
import org.springframework.cloud.openfeign.support.ResponseEntityDecoder;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.RequestHeader;

@Configuration
class FeignClients {
    /** Goes to the URL of each call. */
    @FeignClient(name = "direct", url = "http://not-used")
    interface Direct {
        @GetMapping
        ResponseEntity<String> get(URI url, @RequestHeader("x-canary") String canary);

        @PostMapping
        ResponseEntity<String> post(URI url, @RequestHeader("x-canary") String canary, @RequestBody String body);
    }

    /** Go to an instance of the service that is called so. */
    @FeignClient(name = "orders")
    interface Orders {
        @GetMapping
        ResponseEntity<String> get(@RequestHeader("x-canary") String canary);
    }

    @FeignClient(name = "named")
    interface Named {
        @GetMapping
        ResponseEntity<String> get(@RequestHeader("x-canary") String canary);
    }

    @Bean
    Decoder decoder() {
        return new ResponseEntityDecoder(new StringDecoder());
    }

    @Bean
    Encoder encoder() {
        return (object, type, template) -> template.body((String) object);
    }

    @Bean("feign")
    Sender feign(Direct direct) {
        return (url, canary, body) -> body == null ? direct.get(url, canary) : direct.post(url, canary, body);
    }

    @Bean("feign-balanced")
    Sender feignBalanced(Orders orders, Named named) {
        return (url, canary, body) -> url.getHost().equals("orders") ? orders.get(canary) : named.get(canary);
    }
}
