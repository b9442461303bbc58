package io.weft.benchmarks.workload;

import io.weft.driver.Form;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.lang.management.ManagementFactory;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.util.Map;

/**
 * Reads URLs, a form with {@code url} each. Sends one request to it and answers with its {@code status}, or {@code status=0}
 * when it failed, and the bytes of {@code heap} that live after a full collection.
 */
public final class MemoryProbe {
    private MemoryProbe() {}

    public static void main(String[] args) throws IOException, InterruptedException {
        HttpClient client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            int status = status(client, URI.create(Form.read(line).get("url")));
            System.out.println(Form.write(Map.of("status", Integer.toString(status), "heap", Long.toString(liveHeap()))));
        }
        System.exit(0);
    }

    private static int status(HttpClient client, URI uri) throws InterruptedException {
        try {
            return client.send(HttpRequest.newBuilder(uri).build(), BodyHandlers.discarding()).statusCode();
        } catch (IOException e) {
            return 0;
        }
    }

    /** Collects until two readings agree: what soft and weak references and cleaners let go takes more than one collection. */
    private static long liveHeap() throws InterruptedException {
        long before = Long.MAX_VALUE;
        long now = collect();
        while (now < before - 10_000) {
            Thread.sleep(100);
            before = now;
            now = collect();
        }
        return Math.min(now, before);
    }

    private static long collect() {
        System.gc();
        return ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed();
    }
}
