package io.weft.benchmarks;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.weft.driver.ApacheHttpClient5;
import io.weft.driver.JavaNetHttp;
import io.weft.it.harness.Build;
import io.weft.it.harness.Jdk;
import io.weft.it.harness.JvmCommand;
import io.weft.it.harness.JvmProcess;
import io.weft.it.harness.Library;
import io.weft.it.harness.PolicyServer;
import io.weft.it.harness.Testbed;
import java.io.File;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Supplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * An app of a soak, under the agent. Now and then it stands still, and what the agent has counted until then is held against
 * what the app and the upstreams have seen. {@link #run} is for one thread, the rest for any.
 */
final class SoakClient {
    private static final Pattern HEAP_USED = Pattern.compile("heap .*used (\\d+)K");
    /** How many requests there are at once. */
    static final int THREADS = 4;
    /** Few enough to be answered in time on a machine that has much else to do. */
    private static final int BATCH = 250;
    private static final int CHECKPOINTS = 20;
    private static final int MORE_THREADS = 8;
    /** Connections come and go with the policies. */
    private static final int MORE_DESCRIPTORS = 32;
    private static final int MORE_TIME = 2;
    private static final int MORE_MILLIS = 20;
    /** After each batch, of the time that it took: a mesh that has time for 70 % of what it could do. */
    private static final double PAUSE = 3 / 7.0;
    private static final int ATTEMPTS = 20;
    /**
     * The JDK's client may take an answer for bytes on a connection that is idle, closes it, and asks again by itself. It does so without an
     * agent, too: 39 times in a million requests, on JDK 25.0.3 and two cores. All of them are failures to the mesh.
     */
    private static final long LOST_BY_THE_JDK_OF_A_MILLION = 100;

    private static final long SOME_AT_ONCE = 10;

    private final String name;
    private final Testbed testbed;
    private final Jdk jdk;
    private final Path sockets;
    private final SoakMesh mesh;
    private final JvmProcess process;
    private final long lostOfAMillion;
    private final Map<String, Long> outcomes = new TreeMap<>();
    private final Map<String, Long> differences = new HashMap<>();
    private final List<String> violations = new CopyOnWriteArrayList<>();
    private final List<Long> heap = new ArrayList<>();
    private final List<Integer> threads = new ArrayList<>();
    private final List<Integer> descriptors = new ArrayList<>();
    /** Of the batches until each checkpoint the median of the slowest requests: between p99 and p99.9. */
    private final List<Integer> slowestMillis = new ArrayList<>();
    private Counters counters;

    /** The agent's own, of all clusters. */
    private record Counters(long active, long successes, long failures, long retries, long retryOverflows, long refused) {}

    private SoakClient(String name, Testbed testbed, Jdk jdk, Path sockets, SoakMesh mesh, JvmProcess process, long lostOfAMillion) {
        this.name = name;
        this.testbed = testbed;
        this.jdk = jdk;
        this.sockets = sockets;
        this.mesh = mesh;
        this.process = process;
        this.lostOfAMillion = lostOfAMillion;
    }

    /** @param library its driver, whose simple name is what the mesh knows this client by */
    static SoakClient start(Testbed testbed, Jdk jdk, PolicyServer policies, Path sockets, SoakMesh mesh, Class<?> library) {
        JvmCommand jvm = testbed.jvm(library.getSimpleName(), jdk)
                .option("-Xmx128m")
                // The JDK may close a connection that has been idle for so long while another thread takes it, and then asks again by itself.
                .option("-Djdk.httpclient.keepalive.timeout=86400")
                .mesh(policies.uri(), "shop")
                .environment("WEFT_ADMIN_DIR", sockets.toString());
        if (library == ApacheHttpClient5.class) {
            jvm.classPath(Library.named("httpclient5-5.6"));
        }
        JvmProcess process = jvm.driver(library);
        long lost = library == JavaNetHttp.class ? LOST_BY_THE_JDK_OF_A_MILLION : 0;
        return new SoakClient(library.getSimpleName(), testbed, jdk, sockets, mesh, process, lost);
    }

    String name() {
        return name;
    }

    List<String> violations() {
        return violations;
    }

    /** Of after {@link #run}. */
    Map<String, Object> detail() {
        Map<String, Object> detail = new LinkedHashMap<>(outcomes);
        detail.put("received", mesh.received(name).good() + mesh.received(name).bad());
        detail.put("successes", counters.successes);
        detail.put("failures", counters.failures);
        detail.put("retries", counters.retries);
        detail.put("retryOverflows", counters.retryOverflows);
        detail.put("heapBytes", heap);
        detail.put("threads", threads);
        detail.put("descriptors", descriptors);
        detail.put("slowestOf" + BATCH + "Ms", slowestMillis);
        return detail;
    }

    /**
     * @param requests how many, unless there is a time for them
     * @param lasting how long, with pauses
     * @param sent told how many more there are
     */
    void run(long requests, Optional<Duration> lasting, AtomicLong sent) {
        long began = System.nanoTime();
        long done = 0;
        for (int checkpoint = 1; checkpoint <= CHECKPOINTS; checkpoint++) {
            List<Integer> slowest = new ArrayList<>();
            long wanted = requests * checkpoint / CHECKPOINTS;
            long until = lasting.map(Duration::toNanos).orElse(0L) / CHECKPOINTS * checkpoint;
            while (lasting.isPresent() ? slowest.isEmpty() || System.nanoTime() - began < until : done < wanted) {
                int batch = lasting.isPresent() ? BATCH : (int) Math.min(BATCH, wanted - done);
                long start = System.nanoTime();
                slowest.add(send(batch));
                done += batch;
                sent.addAndGet(batch);
                if (lasting.isPresent()) {
                    LockSupport.parkNanos((long) ((System.nanoTime() - start) * PAUSE));
                }
            }
            slowestMillis.add(slowest.stream().sorted().toList().get(slowest.size() / 2));
            checkpoint(done);
        }
        hold();
    }

    /** @return the slowest of them, in milliseconds */
    private int send(int batch) {
        Map<String, String> tally = process.ask(Map.of(
                "url", SoakMesh.URL, "header." + SoakMesh.CLIENT_HEADER, name, "times", Integer.toString(batch), "threads",
                Integer.toString(THREADS), "timed", ""));
        int slowest = 0;
        for (Map.Entry<String, String> count : tally.entrySet()) {
            if (count.getKey().equals("slowest")) {
                slowest = Integer.parseInt(count.getValue());
            } else if (!count.getKey().startsWith("body.")) {
                outcomes.merge(count.getKey(), Long.parseLong(count.getValue()), Long::sum);
            }
        }
        return slowest;
    }

    /** Nothing has grown between the halves. */
    private void hold() {
        int half = CHECKPOINTS / 2;
        long before = least(heap.subList(CHECKPOINTS / 4, half));
        long after = least(heap.subList(CHECKPOINTS - CHECKPOINTS / 4, CHECKPOINTS));
        if (Soak.leaked(before, after) > Soak.HEAP_TOLERANCE_BYTES) {
            violations.add(name + ": live heap grew from " + before + " to " + after + " bytes");
        }
        if (threads.get(CHECKPOINTS - 1) > threads.get(half) + MORE_THREADS) {
            violations.add(name + ": threads grew from " + threads.get(half) + " to " + threads.get(CHECKPOINTS - 1));
        }
        if (descriptors.get(CHECKPOINTS - 1) > descriptors.get(half) + MORE_DESCRIPTORS) {
            violations.add(name + ": descriptors grew from " + descriptors.get(half) + " to " + descriptors.get(CHECKPOINTS - 1));
        }
        long fast = least(slowestMillis.subList(CHECKPOINTS / 4, half));
        long slow = least(slowestMillis.subList(CHECKPOINTS - CHECKPOINTS / 4, CHECKPOINTS));
        if (slow > MORE_TIME * fast + MORE_MILLIS) {
            violations.add(name + ": the slowest of " + BATCH + " requests went from " + fast + " to " + slow + " ms");
        }
    }

    private static long least(List<? extends Number> values) {
        return values.stream().mapToLong(Number::longValue).min().orElseThrow();
    }

    private int openDescriptors() {
        String[] open = new File("/proc/" + process.pid() + "/fd").list();
        return open == null ? 0 : open.length;
    }

    private void checkpoint(long sent) {
        heap.add(liveHeap());
        descriptors.add(openDescriptors());
        threads.add(process.ask(Map.of("threads", "")).get("names").split(",").length);
        counters = counters();
        SoakMesh.Received received = mesh.received(name);
        long answered = outcomes.getOrDefault("status." + SoakMesh.ANSWERED, 0L);
        long good = outcomes.getOrDefault("status.200", 0L) + outcomes.getOrDefault("status.404", 0L);
        long bad = outcomes.getOrDefault("status.503", 0L);
        same("answers", good + bad + answered, sent);
        same("requests under way", counters.active, 0);
        same("successes", counters.successes, good);
        same("outcomes", counters.successes + counters.failures, received.good() + received.bad());
        same("refused requests", counters.refused, 0);
        few("good answers that the app has not had", received.good() - good, sent);
        few("failures that neither the app has had nor a retry has followed", counters.failures - counters.retries - bad, sent);
    }

    private void few(String what, long count, long sent) {
        long most = lostOfAMillion == 0 ? 0 : SOME_AT_ONCE + sent * lostOfAMillion / 1_000_000;
        same(what, count >= 0 && count <= most ? 0 : count, 0);
    }

    private void same(String what, long one, long other) {
        // One that is off stays off.
        Long before = differences.put(what, one - other);
        if (one - other != (before == null ? 0 : before)) {
            violations.add(name + ": " + what + ": " + one + ", not " + other + "; outcomes so far: " + outcomes);
        }
    }

    private long liveHeap() {
        // Cleaners and references need more than one collection.
        for (int i = 0; i < 3; i++) {
            process.ask(Map.of("gc", ""));
        }
        String info = output(() -> testbed.jvm("jcmd", jdk).tool("jcmd", Long.toString(process.pid()), "GC.heap_info"));
        Matcher used = HEAP_USED.matcher(info);
        if (!used.find()) {
            throw new IllegalStateException("no heap in " + info);
        }
        return Long.parseLong(used.group(1)) * 1024;
    }

    private Counters counters() {
        String status = output(() -> testbed.jvm("status", jdk)
                .jar(Build.agent(), "status", Long.toString(process.pid()), "--json", "--dir", sockets.toString()));
        try {
            long active = 0;
            long successes = 0;
            long failures = 0;
            long retries = 0;
            long retryOverflows = 0;
            long refused = 0;
            for (JsonNode cluster : new ObjectMapper().readTree(status).get("clusters")) {
                active += cluster.get("active").asLong();
                for (JsonNode endpoint : cluster.get("endpoints")) {
                    active += endpoint.get("active").asLong();
                }
                successes += cluster.get("successes").asLong();
                failures += cluster.get("failures").asLong();
                retries += cluster.get("retries").asLong();
                retryOverflows += cluster.get("retryOverflows").asLong();
                refused += cluster.get("overflows").asLong() + cluster.get("withoutEndpoint").asLong() + cluster.get("abandoned").asLong();
            }
            return new Counters(active, successes, failures, retries, retryOverflows, refused);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(status, e);
        }
    }

    /** Of a tool, which may be told by a process on a loaded machine that it has no time. */
    private String output(Supplier<JvmProcess> tool) {
        String report = "";
        for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
            JvmProcess started;
            // The test bed is for one thread at a time.
            synchronized (testbed) {
                started = tool.get();
            }
            if (started.awaitExit(Duration.ofMinutes(2)) == 0) {
                return String.join("\n", started.stdout());
            }
            report = started.report();
        }
        throw new IllegalStateException(report);
    }
}
