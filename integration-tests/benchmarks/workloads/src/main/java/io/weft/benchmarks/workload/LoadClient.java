package io.weft.benchmarks.workload;

import io.weft.driver.Form;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.LongStream;

/**
 * Sends requests with {@code java.net.http}, HTTP/1.1 with keep-alive, over {@link OwnTls} where there is that, one after the other on each thread. Reads forms with
 * {@code url}, {@code requests} and {@code threads}; answers with {@code failed} and the latency's {@code p50} and {@code p99}
 * in nanoseconds.
 */
public final class LoadClient {
    private LoadClient() {}

    public static void main(String[] args) throws Exception {
        HttpClient.Builder builder = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1);
        HttpClient client = (OwnTls.isThere() ? builder.sslContext(OwnTls.context()) : builder).build();
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            Map<String, String> order = Form.read(line);
            HttpRequest request = HttpRequest.newBuilder(URI.create(order.get("url"))).build();
            long[] latencies = send(client, request, Integer.parseInt(order.get("requests")), Integer.parseInt(order.get("threads")));
            long[] good = LongStream.of(latencies).filter(nanos -> nanos >= 0).sorted().toArray();
            System.out.println(Form.write(Map.of(
                    "failed", Integer.toString(latencies.length - good.length),
                    "p50", Long.toString(quantile(good, 0.5)),
                    "p99", Long.toString(quantile(good, 0.99)))));
        }
        System.exit(0);
    }

    private static long[] send(HttpClient client, HttpRequest request, int requests, int threads)
            throws InterruptedException, ExecutionException {
        ExecutorService executor = Executors.newFixedThreadPool(threads);
        try {
            List<Future<long[]>> parts = new ArrayList<>();
            for (int i = 0; i < threads; i++) {
                parts.add(executor.submit(() -> sendAll(client, request, requests / threads)));
            }
            long[] all = new long[0];
            for (Future<long[]> part : parts) {
                long[] some = part.get();
                all = Arrays.copyOf(all, all.length + some.length);
                System.arraycopy(some, 0, all, all.length - some.length, some.length);
            }
            return all;
        } finally {
            executor.shutdown();
        }
    }

    /** @return nanoseconds for each request, -1 for one that failed */
    private static long[] sendAll(HttpClient client, HttpRequest request, int requests) throws InterruptedException {
        long[] latencies = new long[requests];
        for (int i = 0; i < requests; i++) {
            long start = System.nanoTime();
            try {
                boolean ok = client.send(request, BodyHandlers.ofByteArray()).statusCode() == 200;
                latencies[i] = ok ? System.nanoTime() - start : -1;
            } catch (IOException e) {
                latencies[i] = -1;
            }
        }
        return latencies;
    }

    private static long quantile(long[] sorted, double q) {
        return sorted.length == 0 ? -1 : sorted[(int) Math.min(sorted.length - 1, Math.floor(q * sorted.length))];
    }
}
