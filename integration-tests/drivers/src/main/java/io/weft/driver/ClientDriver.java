package io.weft.driver;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Collectors;

/**
 * The loop of a client driver: reads one {@link Form} a line from standard input, sends it with the library under test and
 * prints one form a line. Ends, and the process with it, when standard input ends.
 *
 * <p>Fields: {@code method} (GET), {@code url}, {@code header.NAME}, {@code body}, {@code way.WAY}, {@code timeout},
 * {@code proxy}, see {@link HttpCall}; with {@code times}, and {@code threads} (1), the request is sent that often and the
 * answer is a tally: {@code status.CODE}, {@code body.TEXT} and {@code error.CLASS} with how often each was seen. A failed
 * single request is answered with {@code error}, {@code message} and {@code causes}, the class names of the chain below it.
 * With {@code virtual} the threads are virtual, and one of them pins its carrier once, as {@link #pin} does: a recording has to show that.
 * With {@code interrupted} a single request is sent by a virtual thread, where there are such, that is interrupted after so many milliseconds; with {@code platform}, too, by another one, and
 * {@code flag} says whether the thread still is interrupted afterwards.
 * With {@code timed} the tally also says {@code slowest}, in milliseconds. With {@code measured} there is no tally, which costs, but what {@link Latencies} say; with {@code rate}, too, there
 * are so many requests each second. {@code gc} collects garbage. {@code threads} without a URL is answered with the {@code names} of all threads, sorted.
 */
public final class ClientDriver {

    /** Sends with the library under test and reads the answer to its end. Called by several threads at once under load. */
    @FunctionalInterface
    public interface Client {
        HttpAnswer send(HttpCall call) throws Exception;
    }

    private ClientDriver() {}

    public static void run(Client client) throws IOException {
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            Map<String, String> fields = Form.read(line);
            if (fields.containsKey("gc")) {
                System.gc();
                System.out.println(Form.write(Map.of("collected", "true")));
                continue;
            }
            if (!fields.containsKey("url")) {
                System.out.println(Form.write(Map.of("names", threads())));
                continue;
            }
            HttpCall call = HttpCall.of(fields);
            int times = Integer.parseInt(fields.getOrDefault("times", "0"));
            if (fields.containsKey("measured")) {
                int threads = Integer.parseInt(fields.getOrDefault("threads", "1"));
                System.out.println(Form.write(fields.containsKey("rate")
                        ? measureAtRate(client, call, times, threads, Integer.parseInt(fields.get("rate")))
                        : measure(client, call, times, threads)));
                continue;
            }
            Map<String, String> answer = fields.containsKey("interrupted")
                    ? interrupted(client, call, Long.parseLong(fields.get("interrupted")), fields.containsKey("platform"))
                    : times == 0 ? once(client, call)
                    : often(client, call, times, Integer.parseInt(fields.getOrDefault("threads", "1")), fields.containsKey("virtual"));
            if (times > 0 && !fields.containsKey("timed")) {
                answer.remove("slowest");
            }
            System.out.println(Form.write(answer));
        }
        System.exit(0);
    }

    private static String threads() {
        return Thread.getAllStackTraces().keySet().stream().map(Thread::getName).sorted().collect(Collectors.joining(","));
    }

    private static Map<String, String> once(Client client, HttpCall call) {
        try {
            return client.send(call).toForm();
        } catch (Exception failure) {
            Map<String, String> form = new LinkedHashMap<>();
            form.put("error", failure.getClass().getName());
            // Some libraries print the state or the number of a connection, which is chance.
            form.put("message", String.valueOf(failure.getMessage())
                    .replaceAll("(?s)@[0-9a-f]{5,8}(\\W.*|$)", "@")
                    .replaceAll("(http-outgoing-)\\d+", "$1N"));
            form.put("causes", causes(failure));
            return form;
        }
    }

    private static Map<String, String> interrupted(Client client, HttpCall call, long afterMillis, boolean platform) {
        ExecutorService executor = platform || Runtime.version().feature() < 21 ? Executors.newSingleThreadExecutor() : virtualThreads();
        AtomicReference<Thread> sender = new AtomicReference<>();
        try {
            Future<Map<String, String>> answer = executor.submit(() -> {
                sender.set(Thread.currentThread());
                Map<String, String> form = once(client, call);
                if (platform) {
                    form.put("flag", Boolean.toString(Thread.currentThread().isInterrupted()));
                }
                return form;
            });
            Thread.sleep(afterMillis);
            sender.get().interrupt();
            return answer.get();
        } catch (InterruptedException | ExecutionException e) {
            throw new IllegalStateException(e);
        } finally {
            executor.shutdownNow();
        }
    }

    private static String causes(Throwable failure) {
        List<String> names = new ArrayList<>();
        for (Throwable cause = failure.getCause(); cause != null; cause = cause.getCause()) {
            names.add(cause.getClass().getName());
        }
        return String.join(",", names);
    }

    private static Map<String, String> often(Client client, HttpCall call, int times, int threads, boolean virtual) {
        AtomicInteger left = new AtomicInteger(times);
        ExecutorService executor = virtual ? virtualThreads() : Executors.newFixedThreadPool(threads);
        try {
            if (virtual) {
                executor.submit(ClientDriver::pin).get();
            }
            List<Future<Map<String, Integer>>> parts = new ArrayList<>();
            for (int i = 0; i < threads; i++) {
                parts.add(executor.submit(() -> tally(client, call, left)));
            }
            Map<String, Integer> sum = new TreeMap<>();
            for (Future<Map<String, Integer>> part : parts) {
                part.get().forEach((what, count) -> sum.merge(what, count, what.equals("slowest") ? Integer::max : Integer::sum));
            }
            Map<String, String> form = new LinkedHashMap<>();
            sum.forEach((what, count) -> form.put(what, Integer.toString(count)));
            return form;
        } catch (InterruptedException | ExecutionException e) {
            throw new IllegalStateException(e);
        } finally {
            executor.shutdownNow();
        }
    }

    /** When the request of that number begins; waits until then. */
    @FunctionalInterface
    private interface Pace {
        long await(int number);
    }

    /** As fast as so many threads can, each of them one after the other. */
    public static Map<String, String> measure(Client client, HttpCall call, int times, int threads) {
        return measure(client, call, times, threads, number -> System.nanoTime());
    }

    /** So many each second, as far as so many threads can: a latency counts from when its request was due. */
    static Map<String, String> measureAtRate(Client client, HttpCall call, int times, int threads, int rate) {
        long began = System.nanoTime();
        return measure(client, call, times, threads, number -> {
            long due = began + TimeUnit.SECONDS.toNanos(1) * number / rate;
            for (long wait = due - System.nanoTime(); wait > 0; wait = due - System.nanoTime()) {
                LockSupport.parkNanos(wait);
            }
            return due;
        });
    }

    private static Map<String, String> measure(Client client, HttpCall call, int times, int threads, Pace pace) {
        ExecutorService executor = Executors.newFixedThreadPool(threads);
        Latencies latencies = new Latencies(times);
        try {
            List<Future<?>> parts = new ArrayList<>();
            for (int i = 0; i < threads; i++) {
                int first = i;
                parts.add(executor.submit(() -> {
                    for (int number = first; number < times; number += threads) {
                        send(client, call, number, pace.await(number), latencies);
                    }
                }));
            }
            for (Future<?> part : parts) {
                part.get();
            }
            return latencies.toForm();
        } catch (InterruptedException | ExecutionException e) {
            throw new IllegalStateException(e);
        } finally {
            executor.shutdownNow();
        }
    }

    private static void send(Client client, HttpCall call, int number, long began, Latencies latencies) {
        try {
            int status = client.send(call).status();
            if (status == 200) {
                latencies.succeeded(number, System.nanoTime() - began);
            } else {
                latencies.failed(number, "status " + status);
            }
        } catch (Exception failure) {
            latencies.failed(number, failure);
        }
    }

    /** By reflection, as they came with JDK 21. */
    private static ExecutorService virtualThreads() {
        try {
            return (ExecutorService) Executors.class.getMethod("newVirtualThreadPerTaskExecutor").invoke(null);
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException("virtual threads take JDK 21, this is " + Runtime.version(), e);
        }
    }

    /** Holds its carrier while it waits, up to JDK 23. */
    private static Void pin() throws InterruptedException {
        synchronized (ClientDriver.class) {
            Thread.sleep(1);
        }
        return null;
    }

    private static Map<String, Integer> tally(Client client, HttpCall call, AtomicInteger left) {
        Map<String, Integer> counts = new TreeMap<>();
        while (left.getAndDecrement() > 0) {
            long began = System.nanoTime();
            try {
                HttpAnswer answer = client.send(call);
                counts.merge("status." + answer.status(), 1, Integer::sum);
                counts.merge("body." + answer.body(), 1, Integer::sum);
            } catch (Exception failure) {
                counts.merge("error." + failure.getClass().getName(), 1, Integer::sum);
            }
            counts.merge("slowest", (int) TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - began), Integer::max);
        }
        return counts;
    }
}
