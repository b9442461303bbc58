package io.weft.benchmarks;

import io.weft.it.harness.Build;
import io.weft.it.harness.JvmProcess;
import io.weft.it.harness.Testbed;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The real control plane on the API of a big cluster, and the streams of many agents, each in a process of its own on this machine. What
 * it takes to make the cluster's API and to read the streams is none of the control plane's, but takes the same cores.
 */
final class ManyStreams implements AutoCloseable {
    static final double MEBI = 1 << 20;
    /** CPU seconds in each second for one agent, of both processes: pings. */
    private static final double PRESENCE = 5e-5;

    private static final Pattern ADDRESS = Pattern.compile("\"address\":\"[^\"]*:(\\d+)\"");
    private static final Pattern HEAP_USED = Pattern.compile("heap .*used (\\d+)K");

    private final Testbed testbed = new Testbed();
    private final Settings settings;
    private final JvmProcess cluster;
    final JvmProcess controlPlane;
    private JvmProcess streams;
    private final Path folder;
    private final int agents;
    private final int port;

    ManyStreams(Settings settings, int services, int podsOfEach, int agents) throws IOException {
        this.settings = settings;
        this.agents = agents;
        folder = testbed.temporaryFolder();
        cluster = testbed.jvm("cluster", settings.jdk()).module(Settings.scale()).option("-Xmx3g")
                .main("io.weft.benchmarks.scale.BigCluster", folder.toString(), Integer.toString(services), Integer.toString(podsOfEach),
                        Integer.toString(agents));
        patiently(cluster);
        controlPlane = testbed.jvm("control plane", settings.jdk()).option("-Xmx2g").jar(
                Build.controlPlane(), "control-plane", "--listen", "127.0.0.1:0", "--json", "--kubernetes", "--kubeconfig",
                folder.resolve("kubeconfig").toString(), "--namespace", "weft-system");
        Matcher ready = ADDRESS.matcher(controlPlane.awaitStdout(line -> line.contains("\"ready\":true")));
        if (!ready.find()) {
            throw new IllegalStateException("no address: " + controlPlane.report());
        }
        port = Integer.parseInt(ready.group(1));
    }

    /** It may take minutes, and a process's answer is waited for one. */
    private static Map<String, String> patiently(JvmProcess process) {
        AssertionError late = null;
        for (int minute = 0; minute < 10; minute++) {
            try {
                return process.nextAnswer();
            } catch (AssertionError notYet) {
                late = notYet;
            }
        }
        throw late;
    }

    /** @return how long it took until all of them had all that there is, in milliseconds */
    long join() {
        streams = testbed.jvm("streams", settings.jdk()).module(Settings.scale()).option("-Xmx6g")
                .main("io.weft.benchmarks.scale.Streams", Integer.toString(port), folder.resolve("tokens").toString());
        return Long.parseLong(patiently(streams).get("millis"));
    }

    /** Replaces pods, and returns when they are. */
    void roll(int pods, long millis) {
        cluster.send("roll " + pods + " " + millis);
        patiently(cluster);
    }

    void canary(int weight) {
        cluster.send("canary " + weight);
        patiently(cluster);
    }

    /** What came to all of them together so far. */
    Map<String, String> count() {
        streams.send("count");
        return patiently(streams);
    }

    /** How many have acknowledged routes since then, in microseconds of the epoch, and when the last did, in microseconds after that. */
    Map<String, String> since(long micros) {
        streams.send("since " + micros);
        return patiently(streams);
    }

    /** Of the control plane, after a full collection. */
    double liveHeap() {
        jcmd("GC.run");
        Matcher used = HEAP_USED.matcher(jcmd("GC.heap_info"));
        if (!used.find()) {
            throw new IllegalStateException("no heap in what jcmd says");
        }
        return Long.parseLong(used.group(1)) * 1024.0;
    }

    private String jcmd(String command) {
        JvmProcess jcmd = testbed.jvm("jcmd", settings.jdk()).tool("jcmd", Long.toString(controlPlane.pid()), command);
        jcmd.awaitExit();
        return String.join("\n", jcmd.stdout());
    }

    double resident() throws IOException {
        return Resident.bytes(controlPlane.pid());
    }

    /** Until it has nothing more to do but to see that all are there. */
    void awaitRest() throws InterruptedException {
        double used;
        do {
            double before = Cpu.seconds(controlPlane, streams);
            Thread.sleep(1_000);
            used = Cpu.seconds(controlPlane, streams) - before;
        } while (used > 0.1 + agents * PRESENCE);
    }

    @Override
    public void close() throws Exception {
        testbed.close();
    }
}
