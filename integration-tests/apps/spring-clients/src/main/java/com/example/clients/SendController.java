package com.example.clients;

import java.net.URI;
import java.util.LinkedHashMap;
import java.util.Map;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RestController;
import reactor.core.publisher.Mono;
import reactor.core.scheduler.Schedulers;

@RestController
class SendController {
    private final Map<String, Sender> senders;

    SendController(Map<String, Sender> senders) {
        this.senders = senders;
    }

    @GetMapping("/send")
    Mono<Map<String, String>> send(
            @RequestParam("client") String client,
            @RequestParam("url") URI url,
            @RequestParam("canary") String canary,
            @RequestParam(value = "body", required = false) String body) {
        return Mono.fromCallable(() -> outcome(senders.get(client), url, canary, body)).subscribeOn(Schedulers.boundedElastic());
    }

    private static Map<String, String> outcome(Sender sender, URI url, String canary, String body) {
        Map<String, String> outcome = new LinkedHashMap<>();
        try {
            ResponseEntity<String> answer = sender.send(url, canary, body);
            outcome.put("status", Integer.toString(answer.getStatusCode().value()));
            outcome.put("x-mesh", String.valueOf(answer.getHeaders().getFirst("x-mesh")));
            outcome.put("body", String.valueOf(answer.getBody()));
        } catch (RuntimeException e) {
            StringBuilder error = new StringBuilder();
            for (Throwable cause = e; cause != null; cause = cause.getCause()) {
                error.append(cause.getClass().getName()).append(": ").append(cause.getMessage()).append('\n');
            }
            outcome.put("error", error.toString());
        }
        return outcome;
    }
}
