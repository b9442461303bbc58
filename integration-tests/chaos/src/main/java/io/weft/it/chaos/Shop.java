package io.weft.it.chaos;

import static org.awaitility.Awaitility.await;

import io.weft.driver.HttpUrlConnection;
import io.weft.driver.JavaNetHttp;
import io.weft.driver.JdkHttpServer;
import io.weft.it.chaos.Load.Expectation;
import io.weft.it.harness.ControlPlane;
import io.weft.it.harness.Jdk;
import io.weft.it.harness.Jdks;
import io.weft.it.harness.JvmCommand;
import io.weft.it.harness.JvmProcess;
import io.weft.it.harness.Testbed;
import io.weft.it.harness.Upstream;
import io.weft.it.harness.Wire;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.function.UnaryOperator;

/**
 * What faults are tried on: the real control plane, a client that calls {@code http://orders/}, and instances of orders: those of v1 answer
 * everything but what carries {@code x-canary: yes}, which is for v2. For one thread.
 */
final class Shop implements AutoCloseable {

    /** Who does what policies say. */
    enum Mesh {
        AGENTS,
        /** A stock Envoy beside the client, to which it sends as to a proxy, and one before each instance. */
        ENVOYS
    }

    /** What an operator writes who wants no request to fail: an attempt is given up after a second, and failing instances are left alone. */
    static final String POLICIES = """
            type: MeshRetry
            name: orders
            spec:
              to:
              - targetRef: {kind: MeshService, name: orders}
                default:
                  http: {perTryTimeout: 1s, retryOn: [5xx, Reset, ConnectFailure, RefusedStream, HttpMethodGet]}
            ---
            type: MeshCircuitBreaker
            name: orders
            spec:
              to:
              - targetRef: {kind: MeshService, name: orders}
                default:
                  outlierDetection: {interval: 1s, baseEjectionTime: 2s, maxEjectionPercent: 50, detectors: {totalFailures: {consecutive: 5}}}
            """;
    private static final String SPLIT = """
            type: MeshHTTPRoute
            name: orders
            spec:
              to:
              - targetRef: {kind: MeshService, name: orders}
                rules:
                - matches: [{path: {type: PathPrefix, value: /}, headers: [{type: Exact, name: x-canary, value: "yes"}]}]
                  default: {backendRefs: [{kind: MeshServiceSubset, name: orders, tags: {version: %s}}]}
                - matches: [{path: {type: PathPrefix, value: /}}]
                  default: {backendRefs: [{kind: MeshServiceSubset, name: orders, tags: {version: v1}}]}
            """;
    private static final String INSTANCE = """
            type: Dataplane
            name: orders-%s
            networking:
              address: 127.0.0.1
              inbound: [{port: %d, tags: {kuma.io/service: orders, kuma.io/protocol: http, version: %s}}]
            """;
    private static final Map<String, String> CANARY = Map.of("x-canary", "yes");
    private static final Duration PATIENCE = Duration.ofSeconds(90);
    /** So that load is what a machine can bear that does much else. */
    private static final long ANSWER_MILLIS = 3;

    private final Testbed testbed = new Testbed();
    private final Mesh mesh;
    private final Jdk jdk;
    private final Duration lasting;
    private final ControlPlane controlPlane;
    private final Map<String, Set<String>> instances = new LinkedHashMap<>(Map.of("v1", new LinkedHashSet<>(), "v2", new LinkedHashSet<>()));
    private final Map<JvmProcess, Integer> ports = new HashMap<>();
    private final List<Upstream> upstreams = new CopyOnWriteArrayList<>();
    private final List<String> documents = new ArrayList<>();
    private UnaryOperator<JvmCommand> member = UnaryOperator.identity();
    private URI agentsControlPlane;
    /** Null: none was started, or there are agents. */
    private Sidecar clients;
    private JvmProcess client;
    private Load load;
    private boolean tokens;
    private Class<?> driver = JavaNetHttp.class;
    private Map<String, String> headers = Map.of();

    /** @param lasting how long what is broken stays so */
    Shop(Mesh mesh, Jdk jdk, Duration lasting) {
        this.mesh = mesh;
        this.jdk = jdk;
        this.lasting = lasting;
        controlPlane = testbed.controlPlane(Jdks.newest());
        agentsControlPlane = controlPlane.uri();
        controlPlane.save("policies.yaml", POLICIES);
        split("v2");
    }

    Testbed testbed() {
        return testbed;
    }

    Jdk jdk() {
        return jdk;
    }

    ControlPlane controlPlane() {
        return controlPlane;
    }

    JvmProcess client() {
        return client;
    }

    Load load() {
        return load;
    }

    /** Agents that start from now on reach the control plane over it. */
    Wire wire() {
        Wire wire = testbed.closeAfterwards(Wire.to(controlPlane.uri().getPort()));
        agentsControlPlane = URI.create("grpc://127.0.0.1:" + wire.port());
        return wire;
    }

    /** Whoever starts in the mesh from now on starts so. */
    void members(UnaryOperator<JvmCommand> how) {
        member = how;
    }

    /** An instance without the agent, which misbehaves when told to. */
    Upstream upstream(String name, String version) {
        Upstream upstream = testbed.upstream(name);
        upstream.react(request -> slowly(upstream));
        upstreams.add(upstream);
        if (mesh == Mesh.ENVOYS) {
            isThere(name, version);
            sidecar(name, version, upstream.address().getPort());
        } else {
            add(name, version, upstream.address().getPort());
        }
        return upstream;
    }

    /** What it does when it is well. */
    static Upstream.Reaction slowly(Upstream upstream) {
        pause(Duration.ofMillis(ANSWER_MILLIS));
        return upstream.ok();
    }

    /** Registers something that listens. */
    void add(String name, String version, int port) {
        isThere(name, version);
        documents.add(instance(name, version, port));
        controlPlane.save("services.yaml", String.join("---\n", documents));
    }

    static String instance(String name, String version, int port) {
        return INSTANCE.formatted(name, port, version);
    }

    /** Takes back what was registered by hand, and goes on without. */
    void forgetInstances() {
        documents.clear();
        instances.values().forEach(Set::clear);
    }

    /** Of an instance in a JVM of its own: the app's, not that of what stands before it. */
    int port(JvmProcess server) {
        return ports.get(server);
    }

    /** An instance in a JVM of its own, in the mesh; returns when it listens. */
    JvmProcess server(String name, String version) {
        return server(name, version, jvm -> jvm.driver(JdkHttpServer.class, name));
    }

    /** The same with another server. */
    JvmProcess server(String name, String version, Function<JvmCommand, JvmProcess> program) {
        JvmProcess server = program.apply(
                member("orders").environment("WEFT_TAGS", "version=" + version).environment("WEFT_DRAIN_DELAY", "1s"));
        isThere(name, version);
        int port = server.awaitPort();
        ports.put(server, port);
        if (mesh == Mesh.ENVOYS) {
            sidecar(name, version, port);
        }
        return server;
    }

    private void sidecar(String name, String version, int port) {
        testbed.closeAfterwards(Sidecar.of(agentsControlPlane.getPort(), testbed.temporaryFolder(), name, version, port));
    }

    /** Something in the mesh answers by that name. */
    private void isThere(String name, String version) {
        instances.get(version).add(name);
    }

    /** Whoever starts in the mesh from now on proves who it is. */
    void withTokens() {
        tokens = true;
    }

    private JvmCommand member(String service) {
        if (mesh == Mesh.ENVOYS) {
            return member.apply(testbed.jvm(service, jdk));
        }
        JvmCommand jvm = member.apply(testbed.jvm(service, jdk).mesh(agentsControlPlane, service));
        return tokens ? jvm.environment("WEFT_CONTROL_PLANE_TOKEN_FILE", controlPlane.token(service).toString()) : jvm;
    }

    JvmProcess startClient() {
        JvmCommand jvm = member("shop");
        if (mesh == Mesh.ENVOYS) {
            if (clients == null) {
                clients = testbed.closeAfterwards(Sidecar.ofClient(agentsControlPlane.getPort(), testbed.temporaryFolder()));
            }
            jvm.option("-Dhttp.proxyHost=127.0.0.1").option("-Dhttp.proxyPort=" + clients.port()).option("-Dhttp.nonProxyHosts=");
        }
        client = jvm.driver(driver);
        return client;
    }

    /** Starts the client, and returns when everybody gets requests who should. */
    void open() {
        startClient();
        awaitOpen();
    }

    /** Returns when everybody gets requests who should. */
    void awaitOpen() {
        expectations().forEach(this::awaitAllAnswer);
    }

    private void awaitAllAnswer(Expectation expectation) {
        await().atMost(PATIENCE).until(() -> {
            Map<String, Integer> counts = client.load(expectation.url(), expectation.headers(), 40, 2).counts();
            return counts.getOrDefault("status.200", 0) == 40
                    && expectation.answers().stream().allMatch(name -> counts.containsKey("body." + name));
        });
    }

    List<Expectation> expectations() {
        List<Expectation> expectations = new ArrayList<>();
        expectations.add(new Expectation(url(), headers, Set.copyOf(instances.get("v1"))));
        if (!instances.get("v2").isEmpty()) {
            expectations.add(new Expectation(url(), CANARY, Set.copyOf(instances.get("v2"))));
        }
        return expectations;
    }

    /** A client that starts from now on has for each request for v1 a connection of its own. */
    void closesConnections() {
        driver = HttpUrlConnection.class;
        headers = Map.of("Connection", "close");
    }

    private String url() {
        return "http://orders/slow/" + ANSWER_MILLIS;
    }

    /** Something that is done while the app sends requests. */
    @FunctionalInterface
    interface Step {
        void run() throws Exception;
    }

    /** @return what became of all requests from before the step until after it */
    Count underLoad(Step step) throws Exception {
        load = Load.start(client, expectations(), () -> upstreams.forEach(Upstream::forgetRequests));
        try {
            load.awaitRounds(1);
            step.run();
            load.awaitRounds(2);
        } finally {
            load.stop();
        }
        return load.stop();
    }

    /** A batch of each kind, at once. */
    Count batch() {
        return expectations().stream().map(each -> Load.batch(client, each)).reduce(Count.NONE, Count::plus);
    }

    /** As long as the fault is to last. */
    void last() {
        pause(lasting);
    }

    Duration lasting() {
        return lasting;
    }

    static void pause(Duration pause) {
        try {
            TimeUnit.NANOSECONDS.sleep(pause.toNanos());
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Returns when a policy that is saved now is obeyed: what was broken has harmed nobody for good. */
    void awaitNewPolicyObeyed() {
        split("v1");
        await().atMost(PATIENCE).until(() -> {
            Map<String, Integer> counts = client.load(url(), CANARY, 20, 2).counts();
            return instances.get("v1").stream().mapToInt(name -> counts.getOrDefault("body." + name, 0)).sum() == 20;
        });
    }

    /** Who gets what carries the header. */
    private void split(String version) {
        controlPlane.save("split.yaml", SPLIT.formatted(version));
    }

    /** Returns when requests are answered as they should be. */
    void awaitWell() {
        await().atMost(PATIENCE).until(() -> batch().failed() == 0);
    }

    void report() {
        testbed.report();
    }

    @Override
    public void close() throws Exception {
        testbed.close();
    }
}
