package io.weft.benchmarks;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.weft.driver.ApacheHttpClient5;
import io.weft.it.harness.Build;
import io.weft.it.harness.Jdk;
import io.weft.it.harness.JvmCommand;
import io.weft.it.harness.JvmProcess;
import io.weft.it.harness.JvmProcess.Tally;
import io.weft.it.harness.Library;
import io.weft.it.harness.PolicyServer;
import io.weft.it.harness.Testbed;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicLong;
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
    private static final int ATTEMPTS = 20;

    private final String name;
    private final Testbed testbed;
    private final Jdk jdk;
    private final Path sockets;
    private final SoakMesh mesh;
    private final JvmProcess process;
    private final Map<String, Long> outcomes = new TreeMap<>();
    private final List<String> violations = new CopyOnWriteArrayList<>();
    private final List<Long> heap = new ArrayList<>();
    private final List<Integer> threads = new ArrayList<>();
    private Counters counters;

    /** The agent's own, of all clusters. */
    private record Counters(long active, long successes, long failures, long retries, long retryOverflows, long refused) {}

    private SoakClient(String name, Testbed testbed, Jdk jdk, Path sockets, SoakMesh mesh, JvmProcess process) {
        this.name = name;
        this.testbed = testbed;
        this.jdk = jdk;
        this.sockets = sockets;
        this.mesh = mesh;
        this.process = process;
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
        return new SoakClient(library.getSimpleName(), testbed, jdk, sockets, mesh, process);
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
        return detail;
    }

    /** @param sent told how many more there are */
    void run(long requests, AtomicLong sent) {
        long done = 0;
        for (int checkpoint = 1; checkpoint <= CHECKPOINTS; checkpoint++) {
            while (done < requests * checkpoint / CHECKPOINTS) {
                int batch = (int) Math.min(BATCH, requests - done);
                Tally tally = process.load(SoakMesh.URL, Map.of(SoakMesh.CLIENT_HEADER, name), batch, THREADS);
                tally.counts().forEach((what, count) -> {
                    if (!what.startsWith("body.")) {
                        outcomes.merge(what, (long) count, Long::sum);
                    }
                });
                done += batch;
                sent.addAndGet(batch);
            }
            checkpoint(done);
        }
        int half = CHECKPOINTS / 2;
        long before = heap.subList(CHECKPOINTS / 4, half).stream().mapToLong(Long::longValue).min().orElseThrow();
        long after = heap.subList(CHECKPOINTS - CHECKPOINTS / 4, CHECKPOINTS).stream().mapToLong(Long::longValue).min().orElseThrow();
        if (Soak.leaked(before, after) > Soak.HEAP_TOLERANCE_BYTES) {
            violations.add(name + ": live heap grew from " + before + " to " + after + " bytes");
        }
        if (threads.get(CHECKPOINTS - 1) > threads.get(half) + MORE_THREADS) {
            violations.add(name + ": threads grew from " + threads.get(half) + " to " + threads.get(CHECKPOINTS - 1));
        }
    }

    private void checkpoint(long sent) {
        heap.add(liveHeap());
        threads.add(process.ask(Map.of("threads", "")).get("names").split(",").length);
        counters = counters();
        SoakMesh.Received received = mesh.received(name);
        long answered = outcomes.getOrDefault("status." + SoakMesh.ANSWERED, 0L);
        long good = outcomes.getOrDefault("status.200", 0L) + outcomes.getOrDefault("status.404", 0L);
        long bad = outcomes.getOrDefault("status.503", 0L);
        same("answers", good + bad + answered, sent);
        same("good answers", good, received.good());
        same("requests under way", counters.active, 0);
        same("successes", counters.successes, received.good());
        same("failures", counters.failures, received.bad());
        same("retries", counters.retries, received.good() + received.bad() - (sent - answered));
        same("failures but for those tried again", counters.failures - counters.retries, bad);
        same("refused requests", counters.refused, 0);
    }

    private void same(String what, long one, long other) {
        if (one != other) {
            violations.add(name + ": " + what + ": " + one + ", not " + other);
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
