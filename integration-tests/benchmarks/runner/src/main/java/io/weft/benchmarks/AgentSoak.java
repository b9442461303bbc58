package io.weft.benchmarks;

import io.weft.driver.ApacheHttpClient5;
import io.weft.driver.HttpUrlConnection;
import io.weft.driver.JavaNetHttp;
import io.weft.it.harness.PolicyServer;
import io.weft.it.harness.Testbed;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import java.util.stream.IntStream;

/**
 * Requests through apps under the real jar, one for each client library, over policies that change every second: as many as
 * {@code --requests} says, or as long as {@code --minutes}. Upstreams and policies make some of them fail on purpose. The value is how much of this did not hold:
 * no request arrives where its policy does not send it, none is lost, the agent counts what app and upstreams have seen, and
 * neither heap, threads, descriptors nor the time of the slowest requests grow. Says on standard error each minute how far it is.
 */
final class AgentSoak implements Benchmark {
    private static final List<Class<?>> LIBRARIES = List.of(JavaNetHttp.class, HttpUrlConnection.class, ApacheHttpClient5.class);
    private static final Duration POLICY_INTERVAL = Duration.ofSeconds(1);
    private static final Duration PROGRESS_INTERVAL = Duration.ofMinutes(1);

    @Override
    public String name() {
        return "soak-agent";
    }

    @Override
    public String summary() {
        return "requests over changing policies through the real jar: wrong endpoints, lost requests, counters, leaks";
    }

    @Override
    public void run(Settings settings, Consumer<Figure> figures) throws Exception {
        figures.accept(agents(settings, System.nanoTime()));
    }

    private Figure agents(Settings settings, long seed) throws Exception {
        long requests = settings.requests(200_000, 12_000);
        long began = System.nanoTime();
        try (Testbed testbed = new Testbed()) {
            List<String> names = LIBRARIES.stream().map(Class::getSimpleName).toList();
            SoakMesh mesh = new SoakMesh(testbed, names, seed);
            PolicyServer policies = testbed.policyServer();
            policies.serve(mesh.next());
            Path sockets = testbed.temporaryFolder().resolve("sockets");
            List<SoakClient> clients = LIBRARIES.stream()
                    .map(library -> SoakClient.start(testbed, settings.jdk(), policies, sockets, mesh, library)).toList();

            AtomicLong sent = new AtomicLong();
            List<CompletableFuture<Void>> running = clients.stream()
                    .map(client -> CompletableFuture.runAsync(() -> client.run(requests / clients.size(), settings.lasting(), sent),
                            task -> new Thread(task, "soak " + client.name()).start()))
                    .toList();
            CompletableFuture<Void> all = CompletableFuture.allOf(running.toArray(CompletableFuture[]::new));
            long reported = began;
            while (!all.isDone() && running.stream().noneMatch(CompletableFuture::isCompletedExceptionally)) {
                Thread.sleep(POLICY_INTERVAL.toMillis());
                // Whoever has ended will not show that it obeys.
                if (mesh.isObeyedBy(IntStream.range(0, names.size()).filter(i -> !running.get(i).isDone()).mapToObj(names::get).toList())) {
                    policies.serve(mesh.next());
                }
                if (System.nanoTime() - reported >= PROGRESS_INTERVAL.toNanos()) {
                    reported = System.nanoTime();
                    System.err.printf("soak-agent: %d of %d requests after %d s, %d policies, %s%n",
                            sent.get(), requests, seconds(began), mesh.policies(), violations(mesh, clients, policies));
                }
            }
            running.stream().filter(CompletableFuture::isCompletedExceptionally).findFirst().ifPresent(CompletableFuture::join);

            List<String> violations = violations(mesh, clients, policies);
            Map<String, Object> detail = new LinkedHashMap<>();
            detail.put("requests", sent.get());
            detail.put("seconds", seconds(began));
            detail.put("policies", mesh.policies());
            detail.put("violations", violations);
            for (SoakClient client : clients) {
                detail.put(client.name(), client.detail());
            }
            detail.put("connections", mesh.connections());
            detail.put("openConnections", mesh.openConnections());
            detail.put("seed", seed);
            return new Figure(name(), violations.size(), "violations", 0, detail);
        }
    }

    private static List<String> violations(SoakMesh mesh, List<SoakClient> clients, PolicyServer policies) {
        List<String> violations = new ArrayList<>(mesh.violations());
        policies.refusals().forEach(refusal -> violations.add("refused: " + refusal));
        clients.forEach(client -> violations.addAll(client.violations()));
        return violations;
    }

    private static long seconds(long began) {
        return Duration.ofNanos(System.nanoTime() - began).toSeconds();
    }
}
