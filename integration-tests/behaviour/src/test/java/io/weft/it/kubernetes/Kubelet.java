package io.weft.it.kubernetes;

import com.fasterxml.jackson.databind.JsonNode;
import com.github.dockerjava.api.DockerClient;
import com.github.dockerjava.api.async.ResultCallback;
import com.github.dockerjava.api.command.CreateContainerCmd;
import com.github.dockerjava.api.command.WaitContainerResultCallback;
import com.github.dockerjava.api.exception.NotFoundException;
import com.github.dockerjava.api.model.AccessMode;
import com.github.dockerjava.api.model.Bind;
import com.github.dockerjava.api.model.Capability;
import com.github.dockerjava.api.model.Frame;
import com.github.dockerjava.api.model.HostConfig;
import com.github.dockerjava.api.model.Volume;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Runs pods on a Docker engine of this machine as a kubelet does, for the parts of a pod that the injector uses: containers that share
 * a network, init containers in their order, volumes ({@code emptyDir}, {@code projected}, {@code hostPath}), variables by value,
 * reference and {@code envFrom}, and the security context. What it does not know it refuses. For one thread.
 */
final class Kubelet implements AutoCloseable {
    private static final Pattern KEY = Pattern.compile("metadata\\.(labels|annotations)\\['([^']+)']");
    private static final Pattern REFERENCE = Pattern.compile("\\$(\\$|\\(([A-Za-z_][A-Za-z0-9_]*)\\))");
    private static final long EXIT_SECONDS = 120;

    private final DockerClient docker;
    private final String network;
    private final String pause;
    private final Path folder;
    /** Data of secrets and config maps, by name. */
    private final Map<String, Map<String, String>> data;
    private final Deque<String> containers = new ArrayDeque<>();

    /**
     * @param pause an image with {@code /cp}, which waits for its standard input
     * @param folder for volumes
     */
    Kubelet(DockerClient docker, String network, String pause, Path folder, Map<String, Map<String, String>> data) {
        this.docker = docker;
        this.network = network;
        this.pause = pause;
        this.folder = folder;
        this.data = data;
    }

    /** A pod whose init containers have ended well, and whose containers run. */
    final class Pod {
        private final Map<String, StringBuffer> logs = new LinkedHashMap<>();

        /** What a container has printed so far. */
        String log(String container) {
            return logs.get(container).toString();
        }

        String logs() {
            StringBuilder logs = new StringBuilder();
            this.logs.forEach((name, log) -> logs.append("--- ").append(name).append('\n').append(log).append('\n'));
            return logs.toString();
        }
    }

    Pod run(JsonNode pod) {
        Pod running = new Pod();
        String sandbox = sandbox();
        String address = docker.inspectContainerCmd(sandbox).exec().getNetworkSettings().getNetworks().values().iterator().next().getIpAddress();
        Map<String, Path> volumes = new HashMap<>();
        pod.at("/spec/volumes").forEach(volume -> volumes.put(volume.path("name").asText(), volume(volume, pod)));
        for (JsonNode container : pod.at("/spec/initContainers")) {
            String id = start(container, pod, sandbox, address, volumes);
            running.logs.put(container.path("name").asText(), log(id));
            if (!container.path("restartPolicy").asText().equals("Always")) {
                int exit = docker.waitContainerCmd(id).exec(new WaitContainerResultCallback()).awaitStatusCode(EXIT_SECONDS, TimeUnit.SECONDS);
                if (exit != 0) {
                    throw new IllegalStateException("an init container ended with " + exit + "\n" + running.logs());
                }
            }
        }
        for (JsonNode container : pod.at("/spec/containers")) {
            running.logs.put(container.path("name").asText(), log(start(container, pod, sandbox, address, volumes)));
        }
        return running;
    }

    /** Grows as the container prints. */
    private StringBuffer log(String id) {
        StringBuffer log = new StringBuffer();
        docker.logContainerCmd(id).withStdOut(true).withStdErr(true).withFollowStream(true).exec(new ResultCallback.Adapter<Frame>() {
            @Override
            public void onNext(Frame frame) {
                log.append(new String(frame.getPayload(), StandardCharsets.UTF_8));
            }
        });
        return log;
    }

    /** Holds the network that the containers share. */
    private String sandbox() {
        CreateContainerCmd create = docker.createContainerCmd(pause)
                .withCmd("/dev/stdin", "/tmp/never")
                .withStdinOpen(true)
                .withHostConfig(HostConfig.newHostConfig().withNetworkMode(network).withTmpFs(Map.of("/tmp", "")));
        return started(create);
    }

    private String started(CreateContainerCmd create) {
        String id = create.exec().getId();
        containers.push(id);
        docker.startContainerCmd(id).exec();
        return id;
    }

    private String start(JsonNode container, JsonNode pod, String sandbox, String address, Map<String, Path> volumes) {
        List<Bind> binds = new ArrayList<>();
        for (JsonNode mount : container.path("volumeMounts")) {
            Path source = volumes.get(mount.path("name").asText());
            binds.add(new Bind(source.toString(), new Volume(mount.path("mountPath").asText()), mount.path("readOnly").asBoolean() ? AccessMode.ro : AccessMode.rw));
        }
        JsonNode security = container.path("securityContext");
        HostConfig host = HostConfig.newHostConfig()
                .withNetworkMode("container:" + sandbox)
                .withBinds(binds)
                .withReadonlyRootfs(security.path("readOnlyRootFilesystem").asBoolean());
        if (security.at("/capabilities/drop/0").asText().equals("ALL")) {
            host.withCapDrop(Capability.ALL);
        }
        if (security.has("allowPrivilegeEscalation") && !security.path("allowPrivilegeEscalation").asBoolean()) {
            host.withSecurityOpts(List.of("no-new-privileges"));
        }
        CreateContainerCmd create = docker.createContainerCmd(container.path("image").asText())
                .withHostConfig(host)
                .withEnv(environment(container, pod, address).entrySet().stream().map(entry -> entry.getKey() + "=" + entry.getValue()).toList());
        JsonNode user = security.has("runAsUser") ? security.path("runAsUser") : pod.at("/spec/securityContext/runAsUser");
        if (!user.isMissingNode()) {
            create.withUser(user.asText());
        }
        if (container.has("command")) {
            create.withEntrypoint(texts(container.path("command")));
        }
        create.withCmd(texts(container.path("args")));
        return started(create);
    }

    private static List<String> texts(JsonNode list) {
        List<String> texts = new ArrayList<>();
        list.forEach(each -> texts.add(each.asText()));
        return texts;
    }

    private Map<String, String> environment(JsonNode container, JsonNode pod, String address) {
        Map<String, String> environment = new LinkedHashMap<>();
        for (JsonNode source : container.path("envFrom")) {
            String name = source.path("configMapRef").path("name").asText(source.path("secretRef").path("name").asText());
            data.get(name).forEach((key, value) -> environment.put(source.path("prefix").asText("") + key, value));
        }
        for (JsonNode variable : container.path("env")) {
            JsonNode reference = variable.path("valueFrom");
            String value;
            if (reference.has("fieldRef")) {
                value = field(reference.at("/fieldRef/fieldPath").asText(), pod, address);
            } else if (reference.has("secretKeyRef") || reference.has("configMapKeyRef")) {
                JsonNode key = reference.elements().next();
                value = data.get(key.path("name").asText()).get(key.path("key").asText());
            } else {
                value = expanded(variable.path("value").asText(""), environment);
            }
            environment.put(variable.path("name").asText(), value);
        }
        return environment;
    }

    /** {@code $(NAME)} where the name is defined by then, {@code $$} for a dollar. */
    private static String expanded(String value, Map<String, String> defined) {
        Matcher matcher = REFERENCE.matcher(value);
        StringBuilder expanded = new StringBuilder();
        while (matcher.find()) {
            String name = matcher.group(2);
            String instead = name == null ? "$" : defined.getOrDefault(name, matcher.group());
            matcher.appendReplacement(expanded, Matcher.quoteReplacement(instead));
        }
        return matcher.appendTail(expanded).toString();
    }

    private static String field(String path, JsonNode pod, String address) {
        Matcher key = KEY.matcher(path);
        if (key.matches()) {
            return pod.path("metadata").path(key.group(1)).path(key.group(2)).asText("");
        }
        return switch (path) {
            case "status.podIP" -> address;
            case "metadata.name", "metadata.namespace" -> pod.path("metadata").path(path.substring("metadata.".length())).asText();
            default -> throw new IllegalArgumentException("field " + path);
        };
    }

    private Path volume(JsonNode volume, JsonNode pod) {
        if (volume.has("hostPath")) {
            return Path.of(volume.at("/hostPath/path").asText());
        }
        try {
            Path directory = Files.createTempDirectory(folder, volume.path("name").asText());
            if (volume.has("emptyDir")) {
                return Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwxrwxrwx"));
            }
            if (!volume.has("projected")) {
                throw new IllegalArgumentException("volume " + volume);
            }
            for (JsonNode source : volume.at("/projected/sources")) {
                if (source.has("serviceAccountToken")) {
                    Files.writeString(directory.resolve(source.at("/serviceAccountToken/path").asText()),
                            "token-of-" + pod.at("/spec/serviceAccountName").asText() + "-for-" + source.at("/serviceAccountToken/audience").asText());
                } else {
                    for (JsonNode item : source.at("/downwardAPI/items")) {
                        Files.writeString(directory.resolve(item.path("path").asText()), field(item.at("/fieldRef/fieldPath").asText(), pod, ""));
                    }
                }
            }
            return Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwxr-xr-x"));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The newest first, the network that they share last. */
    @Override
    public void close() {
        for (String id : containers) {
            try {
                docker.removeContainerCmd(id).withForce(true).exec();
            } catch (NotFoundException alreadyGone) {
                continue;
            }
        }
    }
}
