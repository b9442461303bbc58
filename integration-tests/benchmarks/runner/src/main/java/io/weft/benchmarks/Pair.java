package io.weft.benchmarks;

import com.google.protobuf.util.Durations;
import io.envoyproxy.envoy.config.cluster.v3.Cluster;
import io.weft.it.harness.Authority;
import io.weft.it.harness.Certified;
import io.weft.it.harness.Inbounds;
import io.weft.it.harness.JvmCommand;
import io.weft.it.harness.JvmProcess;
import io.weft.it.harness.MeshTlsSockets;
import io.weft.it.harness.Policy;
import io.weft.it.harness.PolicyServer;
import io.weft.it.harness.Routes;
import io.weft.it.harness.Testbed;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import java.util.function.ToDoubleFunction;

/** A client that sends requests and a server that answers them, each a JVM of its own; neither does anything else. */
record Pair(JvmProcess client, JvmProcess server, String url) {
    static final String SERVICE = "orders";
    static final Authority MESH = new Authority("mesh");
    static final Certified ORDERS = MESH.certify("spiffe://mesh/orders");
    static final Certified SHOP = MESH.certify("spiffe://mesh/shop");
    /** Windows of 10,000 requests: compilers take a fifth of the CPU until 50,000 of them, and one in a hundred from about 100,000. */
    static final int WARM_UP = 12;
    private static final int THREADS = 2;
    /** Of clients that block: one request that takes long must not hold up those after it. */
    private static final int THREADS_AT_RATE = 4;
    private static final int FIRST_WITH_CPU_TIME = 25;
    private static final long PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(60);

    /** A stretch of load; CPU is of a request, without the compilers'. */
    record Window(double clientMicros, double serverMicros, double p50Micros, double p99Micros) {

        double cpuMicros() {
            return clientMicros + serverMicros;
        }

        static double median(List<Window> windows, ToDoubleFunction<Window> quantity) {
            return Distribution.of(windows.stream().mapToDouble(quantity).boxed().toList()).median();
        }
    }

    /** Without the agent, in plaintext. */
    static Pair plain(Testbed testbed, Settings settings, Apps apps) {
        JvmProcess server = apps.server().apply(jvm(testbed, "server", settings));
        int port = server.awaitPort();
        return new Pair(apps.client().apply(jvm(testbed, "client", settings)), server, apps.url().apply("127.0.0.1:" + port));
    }

    /** With the agent in both, in plaintext. */
    static Pair meshed(Testbed testbed, Settings settings, Apps apps) {
        PolicyServer policies = testbed.policyServer();
        JvmProcess server = apps.server().apply(jvm(testbed, "server with agent", settings).mesh(policies.uri(), SERVICE).unguarded());
        int port = server.awaitPort();
        policies.serve(Policy.empty()
                .listener(Inbounds.of(port, MESH, ORDERS).plaintext())
                .virtualHost(SERVICE, Routes.to(SERVICE))
                .cluster(SERVICE, Pair::patient, new InetSocketAddress("127.0.0.1", port)));
        JvmProcess client = apps.client().apply(jvm(testbed, "client with agent", settings).mesh(policies.uri(), "shop"));
        return new Pair(client, server, apps.url().apply(SERVICE));
    }

    /** Without the agent, with TLS 1.3 and client certificates as an app's developer sets them up. */
    static Pair overOwnTls(Testbed testbed, Settings settings) {
        Path folder = testbed.temporaryFolder();
        JvmProcess server = Apps.leanServer(ownTls(jvm(testbed, "server with TLS", settings), folder, "server", ORDERS));
        int port = server.awaitPort();
        JvmProcess client = Apps.leanClient(ownTls(jvm(testbed, "client with TLS", settings), folder, "client", SHOP)
                // The certificates name workloads and not hosts.
                .option("-Djdk.internal.httpclient.disableHostnameVerification=true"));
        return new Pair(client, server, "https://127.0.0.1:" + port + "/orders/1");
    }

    private static JvmCommand ownTls(JvmCommand command, Path folder, String name, Certified own) {
        try {
            Path keys = own.keyStore(folder.resolve(name + ".p12"), "changeit");
            Path trust = Certified.trustStore(folder.resolve(name + "-trust.p12"), "changeit", MESH);
            return command.option("-Dworkload.keystore=" + keys).option("-Dworkload.truststore=" + trust);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** With the agent in both, over mesh TLS 1.3. */
    static Pair overMeshTls(Testbed testbed, Settings settings) {
        PolicyServer policies = testbed.policyServer();
        policies.serve(Policy.empty());
        JvmProcess server = Apps.leanServer(jvm(testbed, "server with agent", settings).mesh(policies.uri(), "orders"));
        int port = server.awaitPort();
        policies.serve(Policy.empty()
                .listener(Inbounds.of(port, MESH, ORDERS).strict())
                .virtualHost("orders", Routes.to("orders"))
                .cluster("orders", cluster -> patient(cluster.setTransportSocket(MeshTlsSockets.upstream(MESH, SHOP, "spiffe://mesh/orders"))),
                        new InetSocketAddress("127.0.0.1", port)));
        Pair pair = new Pair(
                Apps.leanClient(jvm(testbed, "client with agent", settings).mesh(policies.uri(), "shop")), server, "http://orders/orders/1");
        pair.awaitAnswers();
        return pair;
    }

    /** On a machine that is busy a connection takes its time. */
    static void patient(Cluster.Builder cluster) {
        cluster.setConnectTimeout(Durations.fromSeconds(20));
    }

    private void awaitAnswers() {
        long deadline = System.nanoTime() + PATIENCE_NANOS;
        while (!ask(url, 2).get("failed").equals("0")) {
            if (System.nanoTime() - deadline > 0) {
                throw new IllegalStateException("no answers\n" + client.report() + "\n" + server.report());
            }
        }
    }

    static JvmCommand jvm(Testbed testbed, String name, Settings settings) {
        JvmCommand command = testbed.jvm(name, settings.jdk()).option("-Xms256m").option("-Xmx256m");
        // What it says of its recording would be among the answers.
        settings.recordings().ifPresent(folder -> command.option("-Xlog:jfr*=off").option("-XX:StartFlightRecording:settings=profile,filename="
                + folder.resolve(name.replace(' ', '-') + "-" + System.nanoTime() + ".jfr")
                + (settings.jdk().feature() < FIRST_WITH_CPU_TIME ? "" : ",jdk.CPUTimeSample#enabled=true,jdk.CPUTimeSample#throttle=1ms")));
        return command;
    }

    /** In good order, so that recordings are kept. */
    void end() {
        client.stop();
        server.stop();
    }

    private Map<String, String> ask(String to, int requests) {
        return client.ask(Map.of("url", to, "times", Integer.toString(requests), "threads", Integer.toString(THREADS), "measured", ""));
    }

    /** So many each second, whether or not those before are answered; a latency counts from when its request was due. */
    Window send(int requests, int rate) {
        return send(requests, () -> client.ask(Map.of(
                "url", url, "times", Integer.toString(requests), "threads", Integer.toString(THREADS_AT_RATE), "measured", "", "rate", Integer.toString(rate))));
    }

    /** By two threads, one after the other on each. */
    Window send(int requests) {
        return send(url, requests);
    }

    /** Each over a connection of its own. */
    Window connect(int requests) {
        return send(url.replace("/orders/1", "/close"), requests);
    }

    private Window send(String to, int requests) {
        return send(requests, () -> ask(to, requests));
    }

    private Window send(int requests, Supplier<Map<String, String>> load) {
        JvmCpu clientBefore = JvmCpu.of(client);
        JvmCpu serverBefore = JvmCpu.of(server);
        Map<String, String> answer = load.get();
        double ofClient = JvmCpu.of(client).microsSince(clientBefore);
        double ofServer = JvmCpu.of(server).microsSince(serverBefore);
        if (!answer.get("failed").equals("0")) {
            throw new IllegalStateException(answer.get("failed") + " of " + requests + " requests failed, the last with " + answer.get("failure") + "\n" + client.report() + "\n" + server.report());
        }
        return new Window(ofClient / requests, ofServer / requests, micros(answer.get("p50")), micros(answer.get("p99")));
    }

    private static double micros(String nanos) {
        return Long.parseLong(nanos) / 1e3;
    }
}
