package io.weft.it;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.github.dockerjava.api.exception.NotFoundException;
import io.weft.it.harness.Build;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.extension.AfterTestExecutionCallback;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.testcontainers.DockerClientFactory;
import org.testcontainers.containers.GenericContainer;
import org.testcontainers.containers.Network;
import org.testcontainers.containers.output.OutputFrame;
import org.testcontainers.containers.wait.strategy.Wait;
import org.testcontainers.images.builder.Transferable;
import org.testcontainers.utility.DockerImageName;
import org.testcontainers.utility.MountableFile;

/**
 * The demo's services, each in a container with an address of its own, as they run outside one machine: what an instance
 * registers must be an address that the others can reach.
 *
 * <p>Skipped without a Docker engine. The system property {@code weft.it.jre-images} names the images, with {@code java} on the
 * path and nothing else needed.
 */
class DemoInContainersIT {
    private static final int SAMPLE = 2_000;
    /** Seven JVMs start at once. */
    private static final Duration PATIENCE = Duration.ofMinutes(3);
    private static final ObjectMapper JSON = new ObjectMapper();

    private final Network network = Network.newNetwork();
    private final List<GenericContainer<?>> containers = new ArrayList<>();
    private final List<Answer> answers = Collections.synchronizedList(new ArrayList<>());

    @RegisterExtension
    final AfterTestExecutionCallback logsOfAFailure = context -> {
        if (context.getExecutionException().isPresent()) {
            containers.forEach(container -> System.err.println("--- " + container.getNetworkAliases() + "\n" + tail(container.getLogs())));
        }
    };

    static Stream<String> images() {
        return Stream.of(System.getProperty("weft.it.jre-images", "eclipse-temurin:17-jre,eclipse-temurin:25-jre").split(","));
    }

    @BeforeAll
    static void needsDocker() {
        assumeTrue(DockerClientFactory.instance().isDockerAvailable(), "no Docker engine answers");
    }

    @AfterEach
    void removeContainers() {
        containers.forEach(GenericContainer::close);
        network.close();
    }

    @ParameterizedTest
    @MethodSource("images")
    void aCanaryPolicyIsObeyedAcrossContainers(String image) {
        needsImage(image);
        GenericContainer<?> controlPlane = container(image, "control-plane")
                .withCopyFileToContainer(MountableFile.forHostPath(Build.controlPlane()), "/weft/control-plane.jar")
                .withCopyToContainer(Transferable.of(canary(100, 0)), "/weft/policies/orders-canary.yaml")
                .withCommand("java", "-jar", "/weft/control-plane.jar", "control-plane",
                        "--policies", "/weft/policies", "--listen", "0.0.0.0:5678", "--state-dir", "/weft/state");
        controlPlane.start();
        GenericContainer<?> firstV1 = started(service(image, "orders-a", "orders", "orders-v1", "v1"));
        GenericContainer<?> secondV1 = started(service(image, "orders-b", "orders", "orders-v1", "v1"));
        GenericContainer<?> v2 = started(service(image, "orders-c", "orders", "orders-v2", "v2"));
        GenericContainer<?> storefront = started(service(image, "front", "storefront", "storefront", "v1"));
        started(service(image, "batch", "batch", "batch", "v1").withLogConsumer(this::collect));

        assertThat(Stream.of(controlPlane, firstV1, secondV1, v2, storefront).map(this::address)).doesNotHaveDuplicates();
        awaitFrom(0, "both callers reach orders v1", news -> vias(news).equals(Set.of("direct", "storefront")) && instances(news).size() == 2);

        List<Answer> allV1 = sample("everything to v1");
        assertThat(allV1).allSatisfy(answer -> assertThat(answer.version()).isEqualTo("v1"));

        int change = answers.size();
        controlPlane.copyFileToContainer(Transferable.of(canary(90, 10)), "/weft/policies/orders-canary.yaml");
        awaitFrom(change, "both callers have seen v2", news -> vias(news.stream().filter(a -> a.version().equals("v2")).toList()).size() == 2);
        List<Answer> shared = sample("90 to 10");
        double share = shared.stream().filter(answer -> answer.version().equals("v2")).count() / (double) shared.size();
        assertThat(share).isCloseTo(0.1, within(3 * Math.sqrt(0.1 * 0.9 / shared.size())));

        int stop = answers.size();
        Set<String> before = instances(since(0));
        // Stopped as an orchestrator does, with SIGTERM and time to drain: nobody may notice.
        DockerClientFactory.instance().client().stopContainerCmd(secondV1.getContainerId()).withTimeout(30).exec();
        int stopped = answers.size();
        List<Answer> afterwards = sample("one v1 stopped");
        assertThat(instances(afterwards)).hasSize(before.size() - 1);
        assertThat(failures(since(stop))).isEmpty();
        assertThat(instances(since(stopped))).hasSize(before.size() - 1);
    }

    private static void needsImage(String image) {
        boolean present;
        try {
            DockerClientFactory.instance().client().inspectImageCmd(image).exec();
            present = true;
        } catch (NotFoundException absent) {
            present = pulled(image);
        }
        assumeTrue(present, "image " + image + " is neither on the engine nor can it be pulled; name another with -Dweft.it.jre-images");
    }

    private static boolean pulled(String image) {
        try {
            DockerClientFactory.instance().client().pullImageCmd(image).start().awaitCompletion();
            return true;
        } catch (RuntimeException registryOutOfReach) {
            System.out.println("cannot pull " + image + ": " + registryOutOfReach.getMessage());
            return false;
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    private GenericContainer<?> container(String image, String alias) {
        GenericContainer<?> container = new GenericContainer<>(DockerImageName.parse(image))
                .withImagePullPolicy(name -> false)
                .withNetwork(network)
                .withNetworkAliases(alias);
        containers.add(0, container);
        return container;
    }

    private GenericContainer<?> service(String image, String alias, String service, String app, String version) {
        String jar = "/app/" + app + ".jar";
        return container(image, alias)
                .withCopyFileToContainer(MountableFile.forHostPath(Build.app(app)), jar)
                .withCopyFileToContainer(MountableFile.forHostPath(Build.agent()), "/weft/weft-agent.jar")
                .withEnv("JAVA_TOOL_OPTIONS", "-javaagent:/weft/weft-agent.jar")
                .withEnv("WEFT_CONTROL_PLANE", "grpc://control-plane:5678")
                .withEnv("WEFT_SERVICE", service)
                .withEnv("WEFT_TAGS", "version=" + version)
                .withCommand("java", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-jar", jar);
    }

    private static GenericContainer<?> started(GenericContainer<?> container) {
        container.waitingFor(Wait.forLogMessage(".*Picked up JAVA_TOOL_OPTIONS.*", 1)).start();
        return container;
    }

    private String address(GenericContainer<?> container) {
        return container.getContainerInfo().getNetworkSettings().getNetworks().values().iterator().next().getIpAddress();
    }

    /** A line of the batch app is one JSON object. */
    private void collect(OutputFrame frame) {
        if (frame.getType() != OutputFrame.OutputType.STDOUT) {
            return;
        }
        for (String line : frame.getUtf8StringWithoutLineEnding().split("\n")) {
            if (line.startsWith("{")) {
                answers.add(Answer.of(line));
            }
        }
    }

    /** The next answers after the callers have had time to hear of a change, none of them a failure. */
    private List<Answer> sample(String step) {
        int settled = answers.size() + SAMPLE / 4;
        await(step).atMost(PATIENCE).until(() -> answers.size() >= settled + SAMPLE);
        List<Answer> sample = since(settled).subList(0, SAMPLE);
        assertThat(failures(sample)).as(step).isEmpty();
        return sample;
    }

    private List<Answer> since(int first) {
        List<Answer> all = List.copyOf(answers);
        return all.subList(first, all.size());
    }

    private void awaitFrom(int first, String what, Predicate<List<Answer>> condition) {
        await(what).atMost(PATIENCE).until(() -> condition.test(good(since(first))));
    }

    private static List<Answer> good(List<Answer> some) {
        return some.stream().filter(answer -> answer.status() == 200).toList();
    }

    private static List<Answer> failures(List<Answer> some) {
        return some.stream().filter(answer -> answer.status() != 200).toList();
    }

    private static Set<String> vias(List<Answer> some) {
        return some.stream().map(Answer::via).collect(Collectors.toSet());
    }

    private static Set<String> instances(List<Answer> some) {
        return good(some).stream().map(Answer::instance).collect(Collectors.toSet());
    }

    /** The callers print a line for each request. */
    private static String tail(String log) {
        List<String> lines = log.lines().toList();
        return String.join("\n", lines.subList(Math.max(0, lines.size() - 60), lines.size()));
    }

    private static String canary(int v1, int v2) {
        return """
                type: MeshHTTPRoute
                name: orders-canary
                mesh: default
                spec:
                  targetRef: {kind: Mesh}
                  to:
                  - targetRef: {kind: MeshService, name: orders}
                    rules:
                    - matches:
                      - path: {type: PathPrefix, value: /}
                      default:
                        backendRefs:
                        - {kind: MeshServiceSubset, name: orders, tags: {version: v1}, weight: %d}
                        - {kind: MeshServiceSubset, name: orders, tags: {version: v2}, weight: %d}
                """.formatted(v1, v2);
    }

    /** What the batch app says of one request. */
    private record Answer(String via, int status, String version, String instance, String error) {
        static Answer of(String line) {
            try {
                JsonNode json = JSON.readTree(line);
                return new Answer(
                        json.path("via").asText(), json.path("status").asInt(), json.path("version").asText(),
                        json.path("instance").asText(), json.path("error").asText());
            } catch (JsonProcessingException e) {
                throw new IllegalStateException(line, e);
            }
        }
    }
}
