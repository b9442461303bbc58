package io.weft.controlplane.demo;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectReader;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.weft.controlplane.ca.OwnerOnlyFile;
import io.weft.controlplane.token.TokenKey;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.BindException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ThreadLocalRandom;

/** The processes of the demo: one control plane, five instances of three unmodified services, one client. */
final class DemoMesh implements AutoCloseable {
    /** Seconds on most machines; a busy one is given time. */
    private static final long CONTROL_PLANE_MS = 60_000;

    private static final long DISCOVERY_MS = 120_000;
    private static final long MUTUAL_TLS_MS = 60_000;
    private static final long LOOK_AROUND_MS = 3_000;
    private static final Duration TOKEN_VALIDITY = Duration.ofHours(24);
    private static final ObjectReader ANSWER = JsonMapper.builder().build().readerFor(Answer.class);

    private final DemoFiles files;
    private final CanaryPolicy policy;
    private final MeshPolicies meshPolicies;
    private final Instances instances;
    private final Answers answers = new Answers();
    private final int controlPlanePort;
    private final int pagePort;
    /** These two and {@link #closed}: guarded by this, for a signal closes the demo at any moment. */
    private final List<ChildProcess> services = new ArrayList<>();
    private ChildProcess controlPlane;
    private boolean closed;
    private ChildProcess victim;
    private volatile long killed = -1;
    private volatile boolean controlPlaneRuns;

    DemoMesh(DemoFiles files) throws IOException {
        this.files = files;
        this.policy = new CanaryPolicy(files.policies());
        this.meshPolicies = new MeshPolicies(files.policies());
        this.instances = new Instances(files.state());
        this.controlPlanePort = freePort();
        this.pagePort = freePort();
    }

    CanaryPolicy policy() {
        return policy;
    }

    MeshPolicies meshPolicies() {
        return meshPolicies;
    }

    Instances instances() {
        return instances;
    }

    Answers answers() {
        return answers;
    }

    /** Starts everything; returns once both callers have got an answer from each instance of orders. Answers count from then on. */
    void start() throws IOException, InterruptedException {
        startControlPlane();
        victim = startService("orders-v1-a", "orders", "orders-v1", "version=v1");
        startService("orders-v1-b", "orders", "orders-v1", "version=v1");
        startService("orders-v2", "orders", "orders-v2", "version=v2");
        startService("storefront", "storefront", "storefront", "version=v1");
        added(ChildProcess.startReading(
                "batch", files.java("batch"), environment("batch", "version=v1"), files.logs(), this::answered));
        awaitDiscovery();
        answers.beginCounting();
    }

    void killOneV1() throws InterruptedException {
        killed = victim.pid();
        victim.kill();
        synchronized (this) {
            services.remove(victim);
        }
    }

    /** Whether it is the instance that was killed. */
    boolean killed(long pid) {
        return pid == killed;
    }

    boolean controlPlaneRuns() {
        return controlPlaneRuns;
    }

    /** Where the control plane serves its page while it runs. */
    String page() {
        return "http://127.0.0.1:" + pagePort + "/";
    }

    void startControlPlane() throws IOException, InterruptedException {
        ChildProcess process =
                ChildProcess.start(
                        "control-plane",
                        files.controlPlane("127.0.0.1:" + controlPlanePort, "127.0.0.1:" + pagePort),
                        Map.of(),
                        files.logs());
        synchronized (this) {
            refuseWhenClosed(process);
            controlPlane = process;
        }
        long deadline = System.currentTimeMillis() + CONTROL_PLANE_MS;
        while (!accepts(controlPlanePort)) {
            process.requireAlive();
            if (System.currentTimeMillis() > deadline) {
                throw new IllegalStateException("The control plane does not listen after " + CONTROL_PLANE_MS / 1_000 + " s; see " + files.logs());
            }
            Thread.sleep(20);
        }
        controlPlaneRuns = true;
    }

    void stopControlPlane() throws InterruptedException {
        ChildProcess process;
        synchronized (this) {
            process = controlPlane;
        }
        controlPlaneRuns = false;
        process.stop();
    }

    /** As an operator does it without a break: everyone may speak TLS first, then everyone has to. */
    void turnOnMutualTls() throws IOException, InterruptedException {
        meshPolicies.identities();
        long deadline = System.currentTimeMillis() + MUTUAL_TLS_MS;
        while (!instances.allTakeMeshTls()) {
            if (System.currentTimeMillis() > deadline) {
                throw new IllegalStateException(
                        "Not every instance takes mesh TLS after " + MUTUAL_TLS_MS / 1_000 + " s; see " + files.logs());
            }
            Thread.sleep(50);
        }
        // Callers have heard of it by then; what they began in plaintext is answered.
        Thread.sleep(LOOK_AROUND_MS);
        meshPolicies.mode("Strict");
    }

    /** @throws IllegalStateException when a process has ended that should run */
    synchronized void requireAlive() {
        services.forEach(ChildProcess::requireAlive);
    }

    private ChildProcess startService(String name, String service, String app, String tags) throws IOException {
        ChildProcess process = ChildProcess.start(name, files.java(app), environment(service, tags), files.logs());
        added(process);
        return process;
    }

    private synchronized void added(ChildProcess process) {
        refuseWhenClosed(process);
        services.add(process);
    }

    private void refuseWhenClosed(ChildProcess process) {
        if (closed) {
            process.close();
            throw new IllegalStateException("The demo is ending.");
        }
    }

    /** All that is added to an unmodified app. */
    private Map<String, String> environment(String service, String tags) throws IOException {
        Map<String, String> environment = new TreeMap<>();
        // The JVM splits this at spaces that are not in quotes.
        environment.put("JAVA_TOOL_OPTIONS", "-javaagent:\"" + files.agent() + "\"");
        environment.put("WEFT_CONTROL_PLANE", "grpc://127.0.0.1:" + controlPlanePort);
        environment.put("WEFT_SERVICE", service);
        environment.put("WEFT_TAGS", tags);
        environment.put("WEFT_CACHE_DIR", files.cache().toString());
        environment.put("WEFT_CONTROL_PLANE_TOKEN_FILE", token(service).toString());
        return environment;
    }

    /** As {@code weft token} makes it. */
    private Path token(String service) throws IOException {
        Path file = files.tokens().resolve(service);
        String token = TokenKey.in(files.state(), Clock.systemUTC()).issue("default", service, TOKEN_VALIDITY);
        OwnerOnlyFile.create(file, token.getBytes(StandardCharsets.US_ASCII));
        return file;
    }

    private void answered(String line) {
        if (!line.startsWith("{")) {
            return;
        }
        try {
            answers.add(ANSWER.readValue(line));
        } catch (JsonProcessingException e) {
            throw new UncheckedIOException("batch wrote a line that is no answer: " + line, e);
        }
    }

    /** Before the first step every instance must be known to both callers. */
    private void awaitDiscovery() throws InterruptedException {
        long deadline = System.currentTimeMillis() + DISCOVERY_MS;
        Set<String> expected = ordersByCaller();
        int position = 0;
        while (!expected.isEmpty()) {
            requireAlive();
            if (System.currentTimeMillis() > deadline) {
                throw new IllegalStateException(
                        "No answer within " + DISCOVERY_MS / 1_000 + " s from: " + expected + ". The logs of all processes are in " + files.logs());
            }
            List<Answer> news = answers.since(position);
            position += news.size();
            for (Answer answer : news) {
                if (answer.instance() != null) {
                    expected.remove(answer.via() + " " + answer.pid());
                }
            }
            Thread.sleep(20);
        }
    }

    private synchronized Set<String> ordersByCaller() {
        Set<String> pairs = new HashSet<>();
        for (ChildProcess service : services) {
            if (service.name().startsWith("orders-")) {
                pairs.add("direct " + service.pid());
                pairs.add("storefront " + service.pid());
            }
        }
        return pairs;
    }

    private static boolean accepts(int port) {
        try (Socket socket = new Socket()) {
            socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 200);
            return true;
        } catch (IOException notYet) {
            return false;
        }
    }

    /** Below the ephemeral ports: one of those could go to somebody's outgoing connection while the control plane is stopped. */
    private static int freePort() throws IOException {
        for (int port = ThreadLocalRandom.current().nextInt(20_000, 30_000); port < 32_000; port++) {
            try (ServerSocket socket = new ServerSocket(port, 1, InetAddress.getLoopbackAddress())) {
                return socket.getLocalPort();
            } catch (BindException inUse) {
                continue;
            }
        }
        throw new IOException("no free port on loopback from 20000 to 32000 for the control plane of the demo");
    }

    synchronized boolean isClosed() {
        return closed;
    }

    /** Ends every process, the callers first so that nobody calls into the void. From any thread. */
    @Override
    public void close() {
        List<ChildProcess> all;
        synchronized (this) {
            closed = true;
            all = new ArrayList<>(services);
            Collections.reverse(all);
            if (controlPlane != null) {
                all.add(controlPlane);
            }
        }
        all.forEach(ChildProcess::close);
        long deadline = System.currentTimeMillis() + 10_000;
        try {
            for (ChildProcess process : all) {
                process.awaitEnd(deadline);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
