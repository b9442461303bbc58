package io.weft.benchmarks;

import com.google.protobuf.util.Durations;
import io.weft.driver.JavaNetHttp;
import io.weft.it.harness.Authority;
import io.weft.it.harness.Certified;
import io.weft.it.harness.Inbounds;
import io.weft.it.harness.JvmProcess;
import io.weft.it.harness.JvmProcess.Tally;
import io.weft.it.harness.MeshTlsSockets;
import io.weft.it.harness.Policy;
import io.weft.it.harness.PolicyServer;
import io.weft.it.harness.Routes;
import io.weft.it.harness.Testbed;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;

/**
 * Certificates of both sides are replaced by SDS, each of them many times, and so are the roots, while requests go over mesh TLS. Each
 * replacement is waited for until a handshake shows it. No request may fail, and in the end there must be no more heap and no more
 * connections than after a tenth. The value is how many of these did not hold.
 */
final class Rotation implements Benchmark {
    private static final Pattern HEAP_USED = Pattern.compile("heap .*used (\\d+)K");
    private static final int THREADS = 4;
    private static final int ROUND = 200;
    private static final long LOOK_MILLIS = 5;
    private static final long PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(60);
    private static final long IDLE_NANOS = TimeUnit.SECONDS.toNanos(10);
    private static final String GENERATION = "generation.test";
    private static final String SERVER = "spiffe://mesh/orders";

    @Override
    public String name() {
        return "rotation";
    }

    @Override
    public String summary() {
        return "certificates and roots replaced under load through the real jar: lost requests, leaked memory and connections";
    }

    @Override
    public void run(Settings settings, Consumer<Figure> figures) throws Exception {
        int roots = settings.rounds(20, 2);
        int leaves = roots * settings.times(50, 10);
        try (Testbed testbed = new Testbed()) {
            Mesh mesh = new Mesh(testbed, settings);
            AtomicBoolean over = new AtomicBoolean();
            CompletableFuture<Map<String, Long>> load = CompletableFuture.supplyAsync(() -> mesh.load(over));
            long heapBefore = 0;
            int connectionsBefore = 0;
            long began = System.nanoTime();
            try {
                for (int i = 1; i <= leaves && !load.isDone(); i++) {
                    if (i % (leaves / roots) == 0) {
                        mesh.replaceRoot();
                    } else {
                        mesh.replaceLeaves();
                    }
                    if (i == leaves / 10) {
                        heapBefore = mesh.heap();
                        connectionsBefore = mesh.connections();
                    }
                    if (i % (leaves / 10) == 0) {
                        System.err.printf("rotation: %d of %d after %d s%n", i, leaves, seconds(began));
                    }
                }
            } finally {
                over.set(true);
            }
            long lasted = seconds(began);
            Map<String, Long> counts = load.get();
            long requests = counts.values().stream().mapToLong(Long::longValue).sum();
            long failed = requests - counts.getOrDefault("status.200", 0L);
            long heapAfter = mesh.heap();
            int connectionsAfter = mesh.connectionsAfterIdling(Math.max(connectionsBefore, 4 * THREADS));
            long off = failed
                    + (Soak.leaked(heapBefore, heapAfter) > Soak.HEAP_TOLERANCE_BYTES ? 1 : 0)
                    + (connectionsAfter > Math.max(connectionsBefore, 4 * THREADS) ? 1 : 0);
            Map<String, Object> detail = new LinkedHashMap<>();
            detail.put("seconds", lasted);
            detail.put("requests", requests);
            detail.put("failed", failed);
            detail.put("outcomes", counts);
            detail.put("leaves", leaves);
            detail.put("roots", roots);
            detail.put("heapBefore", heapBefore);
            detail.put("heapAfter", heapAfter);
            detail.put("connectionsBefore", connectionsBefore);
            detail.put("connectionsAfter", connectionsAfter);
            figures.accept(new Figure(name(), off, "violations", 0, detail));
        }
    }

    private static long seconds(long since) {
        return TimeUnit.NANOSECONDS.toSeconds(System.nanoTime() - since);
    }

    private static final class Mesh {
        private final Testbed testbed;
        private final Settings settings;
        private final PolicyServer policies;
        private final JvmProcess server;
        private final JvmProcess client;
        private final int port;
        private Authority root = new Authority("root");
        /** Of a client that looks at the server's certificate and checks nothing. */
        private SSLContext looking = looking(root);
        private Policy policy;
        private int generation;
        /** Of the newest policy that the client is known to have. */
        private volatile int obeyed;
        private volatile String step = "it begins";

        Mesh(Testbed testbed, Settings settings) throws Exception {
            this.testbed = testbed;
            this.settings = settings;
            policies = testbed.policyServer();
            policies.serve(Policy.empty());
            server = testbed.jvm("server", settings.jdk()).option("-Xmx128m").module(Settings.workloads())
                    .mesh(policies.uri(), "orders").main("io.weft.benchmarks.workload.TomcatServer", "orders");
            port = server.awaitPort();
            policy = Policy.empty()
                    .virtualHost(GENERATION, Routes.answer(200, "0"))
                    .listener(Inbounds.bySecrets(port, "orders", "clients").strict())
                    .virtualHost("orders", Routes.to("orders"))
                    .cluster("orders", cluster -> cluster.setTransportSocket(MeshTlsSockets.upstreamBySecrets("shop", "servers"))
                                    // On a machine that is busy a handshake takes its time.
                                    .setConnectTimeout(Durations.fromSeconds(20)),
                            new InetSocketAddress("127.0.0.1", port));
            client = testbed.jvm("client", settings.jdk()).option("-Xmx128m").mesh(policies.uri(), "shop").driver(JavaNetHttp.class);
            serve(root, List.of(root));
            await(() -> client.load("http://orders/", Map.of(), THREADS, THREADS).errors() == 0);
        }

        private static SSLContext looking(Authority root) {
            return root.certify("spiffe://mesh/shop").trustingAnybody();
        }

        private interface Condition {
            boolean holds() throws Exception;
        }

        private void await(Condition condition) throws Exception {
            long deadline = System.nanoTime() + PATIENCE_NANOS;
            while (!condition.holds()) {
                if (System.nanoTime() - deadline > 0) {
                    throw new IllegalStateException("what was replaced does not show\n" + client.report() + "\n" + server.report());
                }
                // Handshakes in a row would be most of the load.
                TimeUnit.MILLISECONDS.sleep(LOOK_MILLIS);
            }
        }

        /** Returns the leaf that the server is to show from now on. */
        private X509Certificate serve(Authority issuer, List<Authority> trusted) {
            Certified orders = issuer.certify(SERVER);
            policy = policy
                    .secret(MeshTlsSockets.identity("orders", orders))
                    .secret(MeshTlsSockets.identity("shop", issuer.certify("spiffe://mesh/shop")))
                    .secret(MeshTlsSockets.authorities("clients", trusted, "spiffe://mesh/shop"))
                    .secret(MeshTlsSockets.authorities("servers", trusted, SERVER));
            policies.serve(policy);
            return orders.certificate();
        }

        void replaceLeaves() throws Exception {
            step = "leaves are replaced";
            X509Certificate leaf = serve(root, List.of(root));
            await(() -> leaf.equals(shown()));
        }

        /** Trusted first, signing then, and the old one trusted until all have a leaf of the new one. */
        void replaceRoot() throws Exception {
            step = "a root is trusted";
            Authority before = root;
            Authority next = new Authority("root");
            X509Certificate of = serve(before, List.of(before, next));
            await(() -> of.equals(shown()));
            awaitClient();
            step = "a root begins to sign";
            root = next;
            looking = looking(next);
            X509Certificate signed = serve(next, List.of(before, next));
            await(() -> signed.equals(shown()));
            awaitClient();
            replaceLeaves();
            awaitClient();
        }

        /** The client is told at the same time as the server, and obeys in its own: what comes next, it has after the secrets. */
        private void awaitClient() throws Exception {
            policy = policy.virtualHost(GENERATION, Routes.answer(200, Integer.toString(++generation)));
            policies.serve(policy);
            await(() -> obeyed == generation);
        }

        /** Null: nobody answered this time. */
        private X509Certificate shown() {
            try (Socket wire = new Socket(InetAddress.getLoopbackAddress(), port);
                    SSLSocket socket = (SSLSocket) looking.getSocketFactory().createSocket(wire, "orders", port, true)) {
                wire.setSoTimeout((int) TimeUnit.SECONDS.toMillis(30));
                socket.startHandshake();
                return (X509Certificate) socket.getSession().getPeerCertificates()[0];
            } catch (IOException notThisTime) {
                return null;
            }
        }

        /** @return how often there was which outcome */
        Map<String, Long> load(AtomicBoolean over) {
            Map<String, Long> counts = new TreeMap<>();
            while (!over.get()) {
                Tally round = client.load("http://orders/", Map.of(), ROUND, THREADS);
                round.counts().forEach((outcome, count) -> {
                    if (!outcome.startsWith("body.")) {
                        counts.merge(outcome, (long) count, Long::sum);
                    }
                });
                if (round.errors() > 0) {
                    System.err.println("rotation: " + round.counts() + " while " + step);
                }
                obeyed = Integer.parseInt(client.get("http://" + GENERATION + "/").body());
            }
            return counts;
        }

        long heap() {
            return liveHeap(client) + liveHeap(server);
        }

        private long liveHeap(JvmProcess process) {
            String pid = Long.toString(process.pid());
            // Cleaners and references need more than one collection.
            for (int i = 0; i < 3; i++) {
                testbed.jvm("jcmd", settings.jdk()).tool("jcmd", pid, "GC.run").awaitExit(Duration.ofMinutes(2));
            }
            JvmProcess jcmd = testbed.jvm("jcmd", settings.jdk()).tool("jcmd", pid, "GC.heap_info");
            jcmd.awaitExit(Duration.ofMinutes(2));
            Matcher used = HEAP_USED.matcher(String.join("\n", jcmd.stdout()));
            if (!used.find()) {
                throw new IllegalStateException("no heap in " + jcmd.report());
            }
            return Long.parseLong(used.group(1)) * 1024;
        }

        /** Those of the benchmark's own looks take a moment to end. */
        int connectionsAfterIdling(int most) throws Exception {
            long deadline = System.nanoTime() + IDLE_NANOS;
            while (connections() > most && System.nanoTime() - deadline < 0) {
                TimeUnit.MILLISECONDS.sleep(500);
            }
            return connections();
        }

        /** That the server has established, with whomever. */
        int connections() throws IOException {
            String local = ":%04X ".formatted(port);
            int established = 0;
            for (String file : List.of("net/tcp", "net/tcp6")) {
                for (String line : Files.readAllLines(Path.of("/proc").resolve(Long.toString(server.pid())).resolve(file))) {
                    String[] fields = line.strip().split(" +");
                    if ((fields[1] + ' ').endsWith(local) && fields[3].equals("01")) {
                        established++;
                    }
                }
            }
            return established;
        }
    }
}
