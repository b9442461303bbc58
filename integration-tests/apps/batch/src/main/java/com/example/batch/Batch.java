package com.example.batch;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.OutputStreamWriter;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.time.Duration;

/**
 * Asks for orders, over and over, and prints what it got: one line of JSON a request.
 *
 * <p>Environment: {@code BATCH_THREADS} (default 8), {@code BATCH_PAUSE_MS} between two requests of a thread (default 4).
 */
public final class Batch {
    private static final Duration FLUSH_INTERVAL = Duration.ofMillis(20);
    private static final int FORBIDDEN = 403;
    private static final Duration PAUSE_AFTER_FAILURE = Duration.ofMillis(100);

    private final HttpClient client = HttpClient.newHttpClient();
    private final ObjectMapper json = new ObjectMapper();
    private final BufferedWriter out =
            new BufferedWriter(new OutputStreamWriter(System.out, StandardCharsets.UTF_8), 1 << 16);
    private final long pauseMs;

    private Batch(long pauseMs) {
        this.pauseMs = pauseMs;
    }

    /** One line of the output; {@code via} is {@code direct} or {@code storefront}. */
    record Result(
            long startedMs,
            long endedMs,
            String via,
            boolean canary,
            int status,
            String version,
            String instance,
            String error) {}

    public static void main(String[] args) throws Exception {
        Batch batch = new Batch(setting("BATCH_PAUSE_MS", 4));
        int threads = (int) setting("BATCH_THREADS", 8);
        for (int i = 0; i < threads; i++) {
            int first = i;
            new Thread(() -> batch.work(first), "batch-" + i).start();
        }
        batch.flushForever();
    }

    private static long setting(String name, long otherwise) {
        String value = System.getenv(name);
        return value == null ? otherwise : Long.parseLong(value);
    }

    private void work(int first) {
        for (int n = first; ; n++) {
            boolean direct = n % 2 == 0;
            boolean canary = n / 2 % 2 == 0;
            try {
                Result result = direct
                        ? ask("direct", URI.create("http://orders/orders/" + n), canary)
                        : ask("storefront", URI.create("http://storefront/"), canary);
                print(result);
                boolean answered = result.version() != null || result.status() == FORBIDDEN;
                Thread.sleep(answered ? pauseMs : PAUSE_AFTER_FAILURE.toMillis());
            } catch (InterruptedException e) {
                return;
            } catch (IOException e) {
                throw new IllegalStateException("nobody reads the output any more", e);
            }
        }
    }

    private Result ask(String via, URI uri, boolean canary) throws InterruptedException {
        HttpRequest.Builder request = HttpRequest.newBuilder(uri).timeout(Duration.ofSeconds(10));
        if (canary) {
            request.header("x-canary", "yes");
        }
        long startedMs = System.currentTimeMillis();
        int status = 0;
        try {
            var response = client.send(request.build(), BodyHandlers.ofString());
            status = response.statusCode();
            if (status != 200) {
                return new Result(startedMs, System.currentTimeMillis(), via, canary, status, null, null, response.body());
            }
            JsonNode body = json.readTree(response.body());
            JsonNode order = body.has("order") ? body.get("order") : body;
            return new Result(startedMs, System.currentTimeMillis(), via, canary, status,
                    order.path("version").textValue(), order.path("instance").textValue(), null);
        } catch (IOException | RuntimeException e) {
            return new Result(startedMs, System.currentTimeMillis(), via, canary, status, null, null, e.toString());
        }
    }

    private void print(Result result) throws IOException {
        String line = json.writeValueAsString(result);
        synchronized (out) {
            out.write(line);
            out.write('\n');
        }
    }

    private void flushForever() throws IOException, InterruptedException {
        while (true) {
            Thread.sleep(FLUSH_INTERVAL.toMillis());
            synchronized (out) {
                out.flush();
            }
        }
    }
}
