package io.weft.it.kubernetes;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.github.dockerjava.api.DockerClient;
import com.github.dockerjava.api.exception.NotFoundException;
import com.github.dockerjava.api.model.Bind;
import io.weft.it.harness.Build;
import io.weft.it.harness.Jdks;
import io.weft.it.harness.JvmProcess;
import io.weft.it.harness.Testbed;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.AfterTestExecutionCallback;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.opentest4j.TestAbortedException;
import org.testcontainers.DockerClientFactory;
import org.testcontainers.containers.GenericContainer;
import org.testcontainers.containers.Network;
import org.testcontainers.containers.wait.strategy.Wait;
import org.testcontainers.utility.DockerImageName;

/**
 * What the injector makes of pods is run, with exactly the images, variables, volumes and security contexts that come out, and obeys a
 * policy of a control plane whose certificate the injector has made. Skipped without a Docker engine on this machine, and without a
 * compiler for the agent's image.
 */
class InjectedPodIT {
    private static final Duration PATIENCE = Duration.ofMinutes(3);
    private static final String AGENT_IMAGE = "weft-it-agent:latest";
    private static final ObjectMapper JSON = new ObjectMapper();

    @RegisterExtension
    final Testbed testbed = new Testbed();

    private final List<Kubelet.Pod> pods = new ArrayList<>();

    @RegisterExtension
    final AfterTestExecutionCallback logsOfAFailure = context -> {
        if (context.getExecutionException().isPresent()) {
            pods.forEach(pod -> System.err.println(tail(pod.logs())));
        }
    };

    @Test
    void podsAreRunAsTheyComeOutAndObeyACanaryPolicy() throws Exception {
        assumeTrue(DockerClientFactory.instance().isDockerAvailable(), "no Docker engine answers");
        DockerClient docker = DockerClientFactory.instance().client();
        String jre = jreImage(docker);
        makeAgentImage(docker);
        Path folder = testbed.temporaryFolder();
        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxr-xr-x"));

        ApiServer apiServer = testbed.closeAfterwards(new ApiServer());
        int injector = injector(apiServer, folder);
        Network network = testbed.closeAfterwards(Network.newNetwork());
        Path policies = Files.createDirectories(folder.resolve("policies"));
        save(policies, 100, 0);
        controlPlane(jre, network, policies, apiServer, folder);
        Kubelet kubelet = testbed.closeAfterwards(new Kubelet(docker, network.getId(), AGENT_IMAGE, folder, Map.of(
                "jvm", Map.of("options", "-Xmx96m -Dgreeting=\"good day\""))));

        JsonNode first = apiServer.admitted(injector, "shop", pod("orders", "v1", jre, "orders-v1",
                "env: [{name: JAVA_TOOL_OPTIONS, value: -Xmx96m}]"));
        JsonNode second = apiServer.admitted(injector, "shop", pod("orders", "v2", jre, "orders-v2",
                "env: [{name: JAVA_TOOL_OPTIONS, valueFrom: {secretKeyRef: {name: jvm, key: options}}}]"));
        JsonNode job = apiServer.admitted(injector, "shop", pod("batch", "v1", jre, "batch",
                "env: [{name: BATCH_THREADS, value: \"2\"}, {name: BATCH_PAUSE_MS, value: \"20\"}]"));
        assertThat(apiServer.admitted(injector, "shop", pod("orders", "v1", jre, "orders-v1", "env: []")).at("/spec/initContainers")).hasSize(1);

        Kubelet.Pod v1 = run(kubelet, first);
        Kubelet.Pod v2 = run(kubelet, second);
        Kubelet.Pod batch = run(kubelet, job);

        await("orders v1 answers").atMost(PATIENCE).until(() -> versions(batch, 0).equals(Set.of("v1")));
        int change = lines(batch).size();
        save(policies, 0, 100);
        await("orders v2 answers").atMost(PATIENCE).until(() -> versions(batch, change).contains("v2"));
        int changed = lines(batch).size();
        await("more answers").atMost(PATIENCE).until(() -> lines(batch).size() > changed + 100);
        // The last of those that were under way at the change may still stand between them.
        assertThat(versions(batch, changed + 10)).containsExactly("v2");

        assertThat(v1.log("app")).contains("Picked up JAVA_TOOL_OPTIONS: -Xmx96m -javaagent:/weft/weft-agent.jar",
                "service orders, control plane grpcs://weft-control-plane.weft-system.svc:5678");
        assertThat(v2.log("app")).contains("Picked up JAVA_TOOL_OPTIONS: -Xmx96m -Dgreeting=\"good day\" -javaagent:/weft/weft-agent.jar");
        assertThat(batch.log("app")).contains("Picked up JAVA_TOOL_OPTIONS: -javaagent:/weft/weft-agent.jar");
        // Nothing that the pod's security takes away is missed.
        for (Kubelet.Pod pod : pods) {
            assertThat(pod.log("app").lines().filter(line -> line.contains("weft WARN") || line.contains("weft ERROR"))).isEmpty();
        }
    }

    private Kubelet.Pod run(Kubelet kubelet, JsonNode pod) {
        Kubelet.Pod running = kubelet.run(pod);
        pods.add(running);
        return running;
    }

    /** As the restricted pod security standard wants it, with a root file system that is read-only. */
    private static String pod(String service, String version, String image, String app, String environment) {
        return """
                apiVersion: v1
                kind: Pod
                metadata:
                  generateName: %1$s-%2$s-
                  labels: {app: %1$s, version: %2$s}
                spec:
                  serviceAccountName: %1$s
                  securityContext: {runAsUser: 1001, runAsNonRoot: true, seccompProfile: {type: RuntimeDefault}}
                  volumes:
                  - {name: app, hostPath: {path: "%5$s"}}
                  - {name: tmp, emptyDir: {}}
                  containers:
                  - name: app
                    image: "%3$s"
                    command: [java, "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", -jar, /app.jar]
                    %4$s
                    securityContext: {readOnlyRootFilesystem: true, allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}
                    volumeMounts:
                    - {name: app, mountPath: /app.jar, readOnly: true}
                    - {name: tmp, mountPath: /tmp}
                """.formatted(service, version, image, environment, Build.app(app));
    }

    private static String jreImage(DockerClient docker) {
        String[] images = System.getProperty("weft.it.jre-images", "eclipse-temurin:25-jre").split(",");
        String image = images[images.length - 1];
        try {
            docker.inspectImageCmd(image).exec();
            return image;
        } catch (NotFoundException absent) {
            throw new TestAbortedException("image " + image + " is not on the engine; name another with -Dweft.it.jre-images", absent);
        }
    }

    private void makeAgentImage(DockerClient docker) throws IOException, InterruptedException {
        Path archive = testbed.temporaryFolder().resolve("agent.tar");
        Process build;
        try {
            assumeTrue(new ProcessBuilder("gcc", "--version").redirectErrorStream(true).start().waitFor() == 0, "no C compiler");
            build = new ProcessBuilder(Build.present("weft.it.deploy", "deploy").resolve("bin/agent-image").toString(), AGENT_IMAGE, archive.toString())
                    .inheritIO().start();
        } catch (IOException absent) {
            throw new TestAbortedException("no C compiler for the agent's image: " + absent.getMessage(), absent);
        }
        assertThat(build.waitFor()).as("exit of agent-image").isZero();
        try (InputStream in = Files.newInputStream(archive)) {
            docker.loadImageCmd(in).exec();
        }
    }

    private int injector(ApiServer apiServer, Path folder) throws IOException {
        Path kubeconfig = Files.writeString(folder.resolve("kubeconfig"), apiServer.kubeconfig());
        JvmProcess process = testbed.jvm("injector", Jdks.newest())
                .environment("KUBECONFIG", kubeconfig.toString())
                .jar(Build.controlPlane(), "injector",
                        "--listen", "127.0.0.1:0",
                        "--agent-image", AGENT_IMAGE,
                        "--control-plane", "grpcs://weft-control-plane.weft-system.svc:5678",
                        "--control-plane-secret", "weft-control-plane-tls");
        String ready = process.awaitStdout(line -> line.contains("ready on"));
        return Integer.parseInt(ready.replaceAll(".*:(\\d+)/inject.*", "$1"));
    }

    /** With the certificate that the injector has made, under the name that it is for. */
    private void controlPlane(String jre, Network network, Path policies, ApiServer apiServer, Path folder) throws IOException {
        Path tls = Files.createDirectories(folder.resolve("tls"));
        for (String file : new String[] {"tls.crt", "tls.key"}) {
            Files.writeString(tls.resolve(file), apiServer.secret("weft-control-plane-tls", file));
        }
        GenericContainer<?> container = new GenericContainer<>(DockerImageName.parse(jre))
                .withImagePullPolicy(name -> false)
                .withNetwork(network)
                .withNetworkAliases("weft-control-plane.weft-system.svc")
                // Not by Testcontainers, which would try whether folders can be bound with an image from a registry.
                .withCreateContainerCmdModifier(create -> create.getHostConfig().withBinds(
                        Bind.parse(policies + ":/policies"), Bind.parse(tls + ":/tls"), Bind.parse(Build.controlPlane() + ":/control-plane.jar")))
                .withCommand("java", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-jar", "/control-plane.jar", "control-plane",
                        "--policies", "/policies", "--state-dir", "/tmp/state", "--listen", "0.0.0.0:5678",
                        "--tls-certificate", "/tls/tls.crt", "--tls-key", "/tls/tls.key")
                .waitingFor(Wait.forLogMessage(".*ready on.*", 1).withStartupTimeout(PATIENCE));
        testbed.closeAfterwards(container);
        container.start();
    }

    private static List<JsonNode> lines(Kubelet.Pod batch) {
        return batch.log("app").lines().filter(line -> line.startsWith("{") && line.endsWith("}")).filter(line -> line.contains("\"direct\"")).map(line -> {
            try {
                return JSON.readTree(line);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }).toList();
    }

    private static Set<String> versions(Kubelet.Pod batch, int first) {
        List<JsonNode> lines = lines(batch);
        return lines.subList(Math.min(first, lines.size()), lines.size()).stream()
                .filter(line -> line.path("status").asInt() == 200)
                .map(line -> line.path("version").asText())
                .collect(Collectors.toSet());
    }

    private static void save(Path policies, int v1, int v2) throws IOException {
        Path draft = policies.resolveSibling("canary.draft");
        Files.write(draft, """
                type: MeshHTTPRoute
                name: orders-canary
                mesh: default
                spec:
                  targetRef: {kind: Mesh}
                  to:
                  - targetRef: {kind: MeshService, name: orders}
                    rules:
                    - matches: [{path: {type: PathPrefix, value: /}}]
                      default:
                        backendRefs:
                        - {kind: MeshServiceSubset, name: orders, tags: {version: v1}, weight: %d}
                        - {kind: MeshServiceSubset, name: orders, tags: {version: v2}, weight: %d}
                """.formatted(v1, v2).getBytes(StandardCharsets.UTF_8));
        Files.move(draft, policies.resolve("canary.yaml"), StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    }

    private static String tail(String log) {
        List<String> lines = log.lines().toList();
        return String.join("\n", lines.subList(Math.max(0, lines.size() - 80), lines.size()));
    }
}
