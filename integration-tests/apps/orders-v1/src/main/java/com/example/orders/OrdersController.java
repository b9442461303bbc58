package com.example.orders;

import java.util.concurrent.ThreadLocalRandom;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.RestController;

@RestController
class OrdersController {
    /** Process id and a random part: in containers every process has the same id. */
    private final String instance =
            "%d-%04x".formatted(ProcessHandle.current().pid(), ThreadLocalRandom.current().nextInt(0x10000));

    record Order(long id, String version, String instance) {}

    @GetMapping("/orders/{id}")
    Order order(@PathVariable long id) {
        return new Order(id, "v1", instance);
    }
}
