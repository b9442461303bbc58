package io.weft.benchmarks;

import com.google.protobuf.util.Durations;
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
import java.util.function.ToDoubleFunction;

/** A client that sends requests and a server that answers them, each a JVM of its own; neither does anything else. */
record Pair(JvmProcess client, JvmProcess server, String url) {
    static final Authority MESH = new Authority("mesh");
    static final Certified ORDERS = MESH.certify("spiffe://mesh/orders");
    static final Certified SHOP = MESH.certify("spiffe://mesh/shop");
    /** Windows of 10,000 requests: compilers take a fifth of the CPU until 50,000 of them, and one in a hundred from about 100,000. */
    static final int WARM_UP = 12;
    private static final int THREADS = 2;
    private static final long PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(60);

    /** A stretch of load. */
    record Window(double cpuMicros, double p50Micros, double p99Micros) {

        static double median(List<Window> windows, ToDoubleFunction<Window> quantity) {
            return Distribution.of(windows.stream().mapToDouble(quantity).boxed().toList()).median();
        }

        static double ratio(List<Window> on, List<Window> off, ToDoubleFunction<Window> quantity) {
            return median(on, quantity) / median(off, quantity);
        }
    }

    /** Without the agent, in plaintext. */
    static Pair plain(Testbed testbed, Settings settings) {
        JvmProcess server = server(workload(testbed, "server", settings));
        int port = server.awaitPort();
        return new Pair(client(workload(testbed, "client", settings)), server, "http://127.0.0.1:" + port + "/orders/1");
    }

    /** With the agent in both, in plaintext. */
    static Pair meshed(Testbed testbed, Settings settings) {
        PolicyServer policies = testbed.policyServer();
        JvmProcess server = server(workload(testbed, "server with agent", settings).mesh(policies.uri(), "orders").unguarded());
        policies.serve(Policy.empty().service("orders", new InetSocketAddress("127.0.0.1", server.awaitPort())));
        JvmProcess client = client(workload(testbed, "client with agent", settings).mesh(policies.uri(), "shop"));
        return new Pair(client, server, "http://orders/orders/1");
    }

    /** Without the agent, with TLS 1.3 and client certificates as an app's developer sets them up. */
    static Pair overOwnTls(Testbed testbed, Settings settings) {
        Path folder = testbed.temporaryFolder();
        JvmProcess server = server(ownTls(workload(testbed, "server with TLS", settings), folder, "server", ORDERS));
        int port = server.awaitPort();
        JvmProcess client = client(ownTls(workload(testbed, "client with TLS", settings), folder, "client", SHOP)
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
        JvmProcess server = server(workload(testbed, "server with agent", settings).mesh(policies.uri(), "orders"));
        int port = server.awaitPort();
        policies.serve(Policy.empty()
                .listener(Inbounds.of(port, MESH, ORDERS).strict())
                .virtualHost("orders", Routes.to("orders"))
                .cluster("orders", cluster -> cluster.setTransportSocket(MeshTlsSockets.upstream(MESH, SHOP, "spiffe://mesh/orders"))
                                // On a machine that is busy a handshake takes its time.
                                .setConnectTimeout(Durations.fromSeconds(20)),
                        new InetSocketAddress("127.0.0.1", port)));
        Pair pair = new Pair(
                client(workload(testbed, "client with agent", settings).mesh(policies.uri(), "shop")), server, "http://orders/orders/1");
        pair.awaitAnswers();
        return pair;
    }

    private void awaitAnswers() {
        long deadline = System.nanoTime() + PATIENCE_NANOS;
        while (!ask(url, 2).get("failed").equals("0")) {
            if (System.nanoTime() - deadline > 0) {
                throw new IllegalStateException("no answers\n" + client.report() + "\n" + server.report());
            }
        }
    }

    static JvmProcess server(JvmCommand command) {
        return command.main("io.weft.benchmarks.workload.TomcatServer", "orders");
    }

    static JvmProcess client(JvmCommand command) {
        return command.main("io.weft.benchmarks.workload.LoadClient");
    }

    static JvmCommand workload(Testbed testbed, String name, Settings settings) {
        return testbed.jvm(name, settings.jdk()).module(Settings.workloads()).option("-Xms256m").option("-Xmx256m");
    }

    private Map<String, String> ask(String to, int requests) {
        return client.ask(Map.of("url", to, "requests", Integer.toString(requests), "threads", Integer.toString(THREADS)));
    }

    Window send(int requests) {
        return send(url, requests);
    }

    /** Each over a connection of its own. */
    Window connect(int requests) {
        return send(url.replace("/orders/1", "/close"), requests);
    }

    private Window send(String to, int requests) {
        double before = Cpu.seconds(client, server);
        Map<String, String> answer = ask(to, requests);
        double seconds = Cpu.seconds(client, server) - before;
        if (!answer.get("failed").equals("0")) {
            throw new IllegalStateException(answer.get("failed") + " of " + requests + " requests failed\n" + client.report() + "\n" + server.report());
        }
        return new Window(seconds / requests * 1e6, micros(answer.get("p50")), micros(answer.get("p99")));
    }

    private static double micros(String nanos) {
        return Long.parseLong(nanos) / 1e3;
    }
}
