package io.weft.controlplane.demo;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectReader;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/** The processes of the demo: one control plane, five instances of three unmodified services, one client. */
final class DemoMesh implements AutoCloseable {
    private static final ObjectReader ANSWER = JsonMapper.builder().build().readerFor(Answer.class);

    private final DemoFiles files;
    private final CanaryPolicy policy;
    private final Answers answers = new Answers();
    private final int controlPlanePort;
    private final List<ChildProcess> services = new ArrayList<>();
    private ChildProcess controlPlane;
    private ChildProcess victim;
    private volatile long killed = -1;

    DemoMesh(DemoFiles files) throws IOException {
        this.files = files;
        this.policy = new CanaryPolicy(files.policies());
        this.controlPlanePort = freePort();
    }

    CanaryPolicy policy() {
        return policy;
    }

    Answers answers() {
        return answers;
    }

    /** Starts everything; returns once both callers have got an answer from each instance of orders. */
    void start() throws IOException, InterruptedException {
        startControlPlane();
        victim = startService("orders-v1-a", "orders", "orders-v1", "version=v1");
        startService("orders-v1-b", "orders", "orders-v1", "version=v1");
        startService("orders-v2", "orders", "orders-v2", "version=v2");
        startService("storefront", "storefront", "storefront", "version=v1");
        services.add(
                ChildProcess.startReading(
                        "batch", files.java("batch"), environment("batch", "version=v1"), files.logs(), this::answered));
        awaitDiscovery();
    }

    void killOneV1() throws InterruptedException {
        killed = victim.pid();
        victim.kill();
        services.remove(victim);
    }

    /** Whether the instance that answered is the one that was killed. */
    boolean killed(Answer answer) {
        return answer.instance() != null && answer.pid() == killed;
    }

    void startControlPlane() throws IOException, InterruptedException {
        controlPlane =
                ChildProcess.start(
                        "control-plane",
                        files.controlPlane("127.0.0.1:" + controlPlanePort),
                        Map.of(),
                        files.logs());
        long deadline = System.currentTimeMillis() + 20_000;
        while (!accepts(controlPlanePort)) {
            controlPlane.requireAlive();
            if (System.currentTimeMillis() > deadline) {
                throw new IllegalStateException("The control plane does not listen after 20 s; see " + files.logs());
            }
            Thread.sleep(20);
        }
    }

    void stopControlPlane() throws InterruptedException {
        controlPlane.stop();
    }

    /** @throws IllegalStateException when a process has ended that should run */
    void requireAlive() {
        services.forEach(ChildProcess::requireAlive);
    }

    private ChildProcess startService(String name, String service, String app, String tags) throws IOException {
        ChildProcess process = ChildProcess.start(name, files.java(app), environment(service, tags), files.logs());
        services.add(process);
        return process;
    }

    /** All that is added to an unmodified app. */
    private Map<String, String> environment(String service, String tags) {
        Map<String, String> environment = new TreeMap<>();
        environment.put("JAVA_TOOL_OPTIONS", "-javaagent:" + files.agent());
        environment.put("WEFT_CONTROL_PLANE", "grpc://127.0.0.1:" + controlPlanePort);
        environment.put("WEFT_SERVICE", service);
        environment.put("WEFT_TAGS", tags);
        environment.put("WEFT_CACHE_DIR", files.cache().toString());
        return environment;
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
        long deadline = System.currentTimeMillis() + 60_000;
        Set<String> expected = new HashSet<>();
        for (ChildProcess service : services) {
            if (service.name().startsWith("orders-")) {
                expected.add("direct " + service.pid());
                expected.add("storefront " + service.pid());
            }
        }
        int position = 0;
        while (!expected.isEmpty()) {
            requireAlive();
            controlPlane.requireAlive();
            if (System.currentTimeMillis() > deadline) {
                throw new IllegalStateException(
                        "No answer within 60 s from: " + expected + ". The logs of all processes are in " + files.logs());
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

    private static boolean accepts(int port) {
        try (Socket socket = new Socket()) {
            socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 200);
            return true;
        } catch (IOException notYet) {
            return false;
        }
    }

    private static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }

    /** Ends every process, the callers first so that nobody calls into the void. */
    @Override
    public void close() {
        List<ChildProcess> all = new ArrayList<>(services);
        Collections.reverse(all);
        if (controlPlane != null) {
            all.add(controlPlane);
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
