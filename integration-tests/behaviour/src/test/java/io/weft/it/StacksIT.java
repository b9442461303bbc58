package io.weft.it;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.grpc.CallOptions;
import io.grpc.ClientInterceptors;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.MetadataUtils;
import io.weft.it.harness.AdminPage;
import io.weft.it.harness.Build;
import io.weft.it.harness.ControlPlane;
import io.weft.it.harness.Jdk;
import io.weft.it.harness.Jdks;
import io.weft.it.harness.JvmCommand;
import io.weft.it.harness.JvmProcess;
import io.weft.it.harness.Testbed;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * A shop on what services are built with, all of them in one mesh: each calls the orders of all others and is called by them, and obeys
 * the demo's policies.
 */
class StacksIT {
    private static final int SAMPLE = 200;
    private static final int IN_A_ROW = 25;
    /** Standard errors that a share may be off: a test among many in thousands of runs. */
    private static final double TOLERANCE = 4.5;
    private static final Duration PATIENCE = Duration.ofMinutes(2);
    /** How many requests in a row are each of them denied. */
    private static final int DENIED_IN_A_ROW = 10;
    private static final String MODE = """
            type: MeshTLS
            name: mode
            mesh: default
            spec: {targetRef: {kind: Mesh}, rules: [{default: {mode: %s}}]}
            """;
    private static final String PLAINTEXT_STOREFRONT = """
            ---
            type: MeshTLS
            name: storefront-grpc
            mesh: default
            spec: {targetRef: {kind: MeshSubset, tags: {kuma.io/service: storefront-grpc}}, rules: [{default: {mode: Permissive}}]}
            """;
    private static final String IDENTITY = """
            type: MeshIdentity
            name: everyone
            mesh: default
            spec:
              selector: {dataplane: {matchLabels: {}}}
              provider: {type: Bundled, bundled: {autogenerate: {enabled: true}, certificateParameters: {expiry: 1h}}}
            """;
    private static final String EVERYONE = """
            type: MeshTrafficPermission
            name: everyone
            mesh: default
            spec: {rules: [{default: {allow: [{spiffeID: {type: Prefix, value: "spiffe://default.default.mesh.local/"}}]}}]}
            """;
    private static final Pattern PORT = Pattern.compile("\"ports\":\\[\\{\"library\":\"[^\"]*\",\"address\":\"[^\"]*:(\\d+)\"");
    private static final Pattern ORDER = Pattern.compile("\"version\":\"(v\\d)\",\"instance\":\"(\\d+)");

    @RegisterExtension
    final Testbed testbed = new Testbed();

    private final Map<Stack, JvmProcess> processes = new EnumMap<>(Stack.class);
    private final Map<Stack, Visitor> visitors = new EnumMap<>(Stack.class);
    private final Map<Stack, Integer> ports = new EnumMap<>(Stack.class);
    private final AtomicInteger requests = new AtomicInteger();

    /** As whoever asks for the shop's page. */
    private interface Visitor {
        /** @return the page */
        String visit(boolean canary) throws Exception;
    }

    private record Order(String version, long instance) {
        static Order of(String page) {
            Matcher order = ORDER.matcher(page);
            assertThat(order.find()).as(page).isTrue();
            return new Order(order.group(1), Long.parseLong(order.group(2)));
        }
    }

    @Test
    void eachIsCalledByAllAndCallsAllAsThePoliciesSay() throws Exception {
        Jdk newest = Jdks.newest();
        Jdk oldest = Jdks.matrix().get(0);
        ControlPlane controlPlane = testbed.controlPlane(newest);
        controlPlane.save("permissions.yaml", EVERYONE);
        controlPlane.save("tls.yaml", MODE.formatted("Permissive"));
        Map<String, String> tokens = new HashMap<>();
        for (Stack stack : Stack.values()) {
            JvmCommand jvm = testbed.jvm(stack.toString(), stack.onTheNewest ? newest : oldest)
                    .mesh(controlPlane.uri(), stack.service())
                    .environment("SHOP_VERSION", stack.version)
                    .environment("WEFT_CONTROL_PLANE_TOKEN_FILE", tokens.computeIfAbsent(stack.service(), of -> controlPlane.token(of).toString()))
                    // The page, not the orders, by whoever is not of the mesh.
                    .environment("WEFT_HEALTH_PATHS", "/")
                    // Many of them start at once.
                    .option("-XX:TieredStopAtLevel=1").option("-XX:+UseSerialGC").option("-Xmx160m");
            if (!stack.version.isEmpty()) {
                jvm.environment("WEFT_TAGS", "version=" + stack.version);
            }
            processes.put(stack, stack.start(jvm, testbed.temporaryFolder()));
        }
        for (Map.Entry<Stack, JvmProcess> each : processes.entrySet()) {
            int port = port(each.getValue());
            ports.put(each.getKey(), port);
            if (each.getKey().calls()) {
                visitors.put(each.getKey(), each.getKey().isGrpc() ? byGrpc(port) : byHttp(port));
            }
        }
        everyVisitor(visitors, this::seesAllThatServe);

        controlPlane.save("canary.yaml", policy(weights(100, 0)));
        everyVisitor(visitors, (stack, visitor) -> {
            becomes("v1", visitor, false);
            assertThat(canaries(visitor, false)).isZero();
        });
        assertThat(diff(controlPlane, policy(weights(90, 10))))
                .contains("  orders, orders-grpc, storefront, storefront-grpc → orders: "
                        + "10 % of requests now go to v2 (were: 0 %), 90 % to v1 (were: 100 %)");
        controlPlane.save("canary.yaml", policy(weights(90, 10)));
        everyVisitor(visitors, (stack, visitor) -> splits(0.1, visitor));
        controlPlane.save("canary.yaml", policy("""
                    - matches: [{path: {type: PathPrefix, value: /}, headers: [{type: Exact, name: x-canary, value: "yes"}]}]
                      default: {backendRefs: [{kind: MeshServiceSubset, name: %1$s, tags: {version: v2}}]}
                    - matches: [{path: {type: PathPrefix, value: /}}]
                      default: {backendRefs: [{kind: MeshServiceSubset, name: %1$s, tags: {version: v1}}]}
                """));
        everyVisitor(visitors, (stack, visitor) -> {
            becomes("v2", visitor, true);
            assertThat(canaries(visitor, true)).isEqualTo(SAMPLE);
            assertThat(canaries(visitor, false)).isZero();
        });
        controlPlane.save("canary.yaml", policy(weights(50, 50)));
        everyVisitor(visitors, (stack, visitor) -> splits(0.5, visitor));
        assertThat(requests.get()).isGreaterThan(5 * SAMPLE * visitors.size());

        turnsOnMutualTls(controlPlane);
        permitsAndDenies(controlPlane);
        processes.values().forEach(process -> assertThat(process.isAlive()).as(process::report).isTrue());
    }

    /** While everybody calls, and no call fails. */
    private void turnsOnMutualTls(ControlPlane controlPlane) throws Exception {
        try (Load load = new Load(visitors.keySet())) {
            controlPlane.save("identity.yaml", IDENTITY);
            load.until(controlPlane::allTakeMeshTls);
            load.awaitRound();
        }
        // Whose pages cannot be had without a certificate of the mesh.
        visitors.remove(Stack.GRPC);
        visitors.remove(Stack.GRPC_CANARY);
        try (Load load = new Load(visitors.keySet())) {
            controlPlane.save("tls.yaml", MODE.formatted("Strict") + PLAINTEXT_STOREFRONT);
            for (Map.Entry<Stack, Integer> each : ports.entrySet()) {
                if (!each.getKey().version.isEmpty()) {
                    load.until(() -> refusesPlaintext(each.getKey(), each.getValue()));
                }
            }
            load.awaitRound();
        }
        everyVisitor(visitors, this::seesAllThatServe);
        everyVisitor(visitors, (stack, visitor) -> splits(0.5, visitor));
    }

    private void permitsAndDenies(ControlPlane controlPlane) throws Exception {
        Set<Stack> storefronts = EnumSet.of(Stack.SPRING_BOOT_3, Stack.GRPC_STOREFRONT);
        Map<Stack, Visitor> others = new EnumMap<>(visitors);
        others.keySet().removeAll(storefronts);
        try (Load load = new Load(storefronts)) {
            controlPlane.save("permissions.yaml", permission("storefront", "storefront-grpc"));
            everyVisitor(others, this::isDenied);
            load.awaitRound();
        }
        Map<Stack, Visitor> denied = new EnumMap<>(visitors);
        denied.keySet().retainAll(storefronts);
        controlPlane.save("permissions.yaml", permission("orders", "orders-grpc"));
        everyVisitor(others, this::seesAllThatServe);
        try (Load load = new Load(others.keySet())) {
            everyVisitor(denied, this::isDenied);
            load.awaitRound();
        }
    }

    /** @param callers of the orders */
    private static String permission(String... callers) {
        StringBuilder allowed = new StringBuilder();
        for (String caller : callers) {
            allowed.append("{spiffeID: {type: Exact, value: \"spiffe://default.default.mesh.local/workload/").append(caller).append("\"}}, ");
        }
        StringBuilder policy = new StringBuilder();
        for (String service : List.of("orders", "orders-grpc")) {
            policy.append("""
                    ---
                    type: MeshTrafficPermission
                    name: %1$s
                    mesh: default
                    spec: {targetRef: {kind: MeshSubset, tags: {kuma.io/service: %1$s}}, rules: [{default: {allow: [%2$s]}}]}
                    """.formatted(service, allowed));
        }
        return policy.toString();
    }

    /** Each of many calls in a row, as the caller's own agent counts them: what the page makes of it is the app's business. */
    private void isDenied(Stack stack, Visitor visitor) {
        Path socket = AdminPage.usualSocket(processes.get(stack));
        String denied = stack.isGrpc() ? "grpc_response_status=\"7\"" : "response_code=\"403\"";
        await().atMost(PATIENCE).ignoreExceptionsInstanceOf(IOException.class).until(() -> {
            double before = AdminPage.sum(socket, "istio_requests_total", "reporter=\"source\"", denied);
            for (int i = 0; i < DENIED_IN_A_ROW; i++) {
                if (isAnswered(visitor)) {
                    return false;
                }
            }
            return AdminPage.sum(socket, "istio_requests_total", "reporter=\"source\"", denied) - before == DENIED_IN_A_ROW;
        });
    }

    /** Whether there is a page; what the app makes of a call that is denied is no concern of the mesh. */
    private static boolean isAnswered(Visitor visitor) throws Exception {
        try {
            visitor.visit(false);
            return true;
        } catch (AssertionError | StatusRuntimeException noPage) {
            return false;
        }
    }

    /** What one asks who is not of the mesh. */
    private boolean refusesPlaintext(Stack stack, int port) throws Exception {
        if (stack.isGrpc()) {
            return !isAnswered(byGrpc(port));
        }
        HttpRequest order = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + "/orders/42")).timeout(Duration.ofSeconds(60)).build();
        try {
            return HttpClient.newHttpClient().send(order, HttpResponse.BodyHandlers.ofString()).statusCode() == 403;
        } catch (IOException closed) {
            return true;
        }
    }

    /** Visits, one after the other of each, until it is closed; the first that fails is the test's. */
    private final class Load implements AutoCloseable {
        private final ExecutorService threads;
        private final Map<Stack, Future<?>> underway = new EnumMap<>(Stack.class);
        private final Map<Stack, AtomicInteger> answered = new EnumMap<>(Stack.class);
        private volatile boolean over;

        Load(Set<Stack> stacks) {
            threads = Executors.newFixedThreadPool(stacks.size());
            for (Stack stack : stacks) {
                Visitor visitor = visitors.get(stack);
                AtomicInteger counted = new AtomicInteger();
                answered.put(stack, counted);
                underway.put(stack, threads.submit(() -> {
                    while (!over) {
                        try {
                            order(visitor, false);
                        } catch (Exception | AssertionError e) {
                            throw new AssertionError(stack + " after " + counted + ": " + e.getMessage(), e);
                        }
                        counted.incrementAndGet();
                    }
                    return null;
                }));
            }
        }

        /** Or until a visit has failed. */
        void until(Callable<Boolean> condition) {
            await().atMost(PATIENCE).until(() -> underway.values().stream().anyMatch(Future::isDone) || condition.call());
        }

        /** Each has visited again, and more than once. */
        void awaitRound() {
            Map<Stack, Integer> before = new EnumMap<>(Stack.class);
            answered.forEach((stack, counted) -> before.put(stack, counted.get()));
            until(() -> before.entrySet().stream().allMatch(each -> answered.get(each.getKey()).get() >= each.getValue() + IN_A_ROW));
        }

        @Override
        public void close() {
            over = true;
            try {
                for (Future<?> each : underway.values()) {
                    each.get();
                }
            } catch (ExecutionException | InterruptedException e) {
                throw new AssertionError(e.getMessage(), e);
            } finally {
                threads.shutdownNow();
            }
        }
    }

    /** What an operator is told before the policy is saved. */
    private List<String> diff(ControlPlane controlPlane, String policy) throws IOException {
        Path proposed = testbed.temporaryFolder();
        Files.writeString(proposed.resolve("canary.yaml"), policy);
        JvmProcess diff = testbed.jvm("diff", Jdks.newest())
                .jar(Build.controlPlane(), "diff", proposed.toString(), "--page", controlPlane.page().toString());
        assertThat(diff.awaitExit()).as(diff::report).isZero();
        return diff.stdout();
    }

    /** Every one of them all at once; the first thing that is not as expected, and any request that fails, is the test's. */
    private static void everyVisitor(Map<Stack, Visitor> visitors, Expectation expectation) throws Exception {
        ExecutorService threads = Executors.newFixedThreadPool(visitors.size());
        try {
            Map<Stack, Future<?>> underway = new EnumMap<>(Stack.class);
            visitors.forEach((stack, visitor) -> underway.put(stack, threads.submit(() -> {
                try {
                    expectation.of(stack, visitor);
                } catch (Exception | AssertionError e) {
                    throw new AssertionError(stack + ": " + e.getMessage(), e);
                }
                return null;
            })));
            for (Future<?> each : underway.values()) {
                each.get();
            }
        } finally {
            threads.shutdownNow();
        }
    }

    @FunctionalInterface
    private interface Expectation {
        void of(Stack stack, Visitor visitor) throws Exception;
    }

    /** Until then one may come too early, which is nobody's failure. */
    private void seesAllThatServe(Stack caller, Visitor visitor) {
        Set<Long> expected = new HashSet<>();
        processes.forEach((stack, process) -> {
            if (stack.isGrpc() == caller.isGrpc() && !stack.version.isEmpty()) {
                expected.add(process.pid());
            }
        });
        Set<Long> seen = new HashSet<>();
        await().atMost(PATIENCE).ignoreExceptions().untilAsserted(() -> {
            for (int i = 0; i < expected.size(); i++) {
                seen.add(Order.of(visitor.visit(false)).instance());
            }
            assertThat(seen).containsExactlyInAnyOrderElementsOf(expected);
        });
    }

    private Order order(Visitor visitor, boolean canary) throws Exception {
        requests.incrementAndGet();
        return Order.of(visitor.visit(canary));
    }

    /** More often in a row than chance would have it. */
    private void becomes(String version, Visitor visitor, boolean canary) {
        await().atMost(PATIENCE).until(() -> {
            for (int i = 0; i < IN_A_ROW; i++) {
                if (!order(visitor, canary).version().equals(version)) {
                    return false;
                }
            }
            return true;
        });
    }

    private void splits(double share, Visitor visitor) throws Exception {
        await().atMost(PATIENCE).until(() -> order(visitor, false).version().equals("v2"));
        double most = TOLERANCE * Math.sqrt(share * (1 - share) * SAMPLE);
        assertThat((double) canaries(visitor, false)).isBetween(share * SAMPLE - most, share * SAMPLE + most);
    }

    private int canaries(Visitor visitor, boolean canary) throws Exception {
        int canaries = 0;
        for (int i = 0; i < SAMPLE; i++) {
            if (order(visitor, canary).version().equals("v2")) {
                canaries++;
            }
        }
        return canaries;
    }

    private static String weights(int v1, int v2) {
        return """
                    - matches: [{path: {type: PathPrefix, value: /}}]
                      default:
                        backendRefs:
                        - {kind: MeshServiceSubset, name: %%1$s, tags: {version: v1}, weight: %d}
                        - {kind: MeshServiceSubset, name: %%1$s, tags: {version: v2}, weight: %d}
                """.formatted(v1, v2);
    }

    /** @param rules of each of the two services */
    private static String policy(String rules) {
        StringBuilder policy = new StringBuilder("""
                type: MeshHTTPRoute
                name: orders-canary
                mesh: default
                spec:
                  targetRef: {kind: Mesh}
                  to:
                """);
        for (String service : List.of("orders", "orders-grpc")) {
            policy.append("  - targetRef: {kind: MeshService, name: ").append(service).append("}\n    rules:\n").append(rules.formatted(service));
        }
        return policy.toString();
    }

    /** As it is registered. */
    private static int port(JvmProcess process) {
        List<Integer> ports = new ArrayList<>();
        await().atMost(PATIENCE).ignoreExceptionsInstanceOf(IOException.class).until(() -> {
            assertThat(process.isAlive()).as(process::report).isTrue();
            Matcher port = PORT.matcher(AdminPage.ask(AdminPage.usualSocket(process), "GET", "/status"));
            return port.find() && ports.add(Integer.parseInt(port.group(1)));
        });
        return ports.get(0);
    }

    private static Visitor byHttp(int port) {
        HttpClient client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
        URI page = URI.create("http://127.0.0.1:" + port + "/");
        return canary -> {
            HttpRequest.Builder request = HttpRequest.newBuilder(page).timeout(Duration.ofSeconds(60));
            if (canary) {
                request.header("x-canary", "yes");
            }
            HttpResponse<String> answer = client.send(request.build(), HttpResponse.BodyHandlers.ofString());
            assertThat(answer.statusCode()).as(answer.body()).isEqualTo(200);
            return answer.body();
        };
    }

    private Visitor byGrpc(int port) {
        ManagedChannel channel = NettyChannelBuilder.forAddress("127.0.0.1", port).usePlaintext().build();
        testbed.closeAfterwards(channel::shutdownNow);
        MethodDescriptor<String, String> page = MethodDescriptor.<String, String>newBuilder(new Text(), new Text())
                .setType(MethodDescriptor.MethodType.UNARY).setFullMethodName("shop.Shop/Page").build();
        return canary -> {
            Metadata headers = new Metadata();
            if (canary) {
                headers.put(Metadata.Key.of("x-canary", Metadata.ASCII_STRING_MARSHALLER), "yes");
            }
            return ClientCalls.blockingUnaryCall(
                    ClientInterceptors.intercept(channel, MetadataUtils.newAttachHeadersInterceptor(headers)), page, CallOptions.DEFAULT, "");
        };
    }

    private static final class Text implements MethodDescriptor.Marshaller<String> {
        @Override
        public InputStream stream(String text) {
            return new ByteArrayInputStream(text.getBytes(StandardCharsets.UTF_8));
        }

        @Override
        public String parse(InputStream stream) {
            try {
                return new String(stream.readAllBytes(), StandardCharsets.UTF_8);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }
}
