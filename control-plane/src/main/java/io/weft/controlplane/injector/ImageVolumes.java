package io.weft.controlplane.injector;

import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.Node;
import io.fabric8.kubernetes.api.model.NodeSystemInfo;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.informers.ResourceEventHandler;
import io.fabric8.kubernetes.client.informers.SharedIndexInformer;
import io.weft.controlplane.kubernetes.Skeletons;
import java.io.IOException;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Whether a pod may mount the agent's image. It may if it would start wherever it is put: an API server that does not know such volumes
 * takes them out of a pod without a word, and a JVM that is told of a jar which is not there ends; a kubelet that does not know them never
 * starts the pod; and whoever else looks at pods may refuse it. So in doubt it may not. Thread-safe.
 */
final class ImageVolumes implements ResourceEventHandler<Node>, AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(ImageVolumes.class);

    private static final Pattern MAJOR_MINOR = Pattern.compile("v?(\\d+)\\.(\\d+)(?:\\D.*)?");
    /** From this version on they are on unless somebody has switched them off. API servers are no older than the nodes. */
    private static final int KUBELET_MINOR = 35;
    private static final long PAGE = 500;

    private final Cluster cluster;
    /** Why not, by node that takes pods which get an agent; empty: it mounts images. */
    private final Map<String, Optional<String>> unable = new ConcurrentSkipListMap<>();
    private final SharedIndexInformer<Node> nodes;
    private volatile boolean nodesKnown;
    /** Of the API server. */
    private volatile Optional<String> refusal = Optional.of("it has not been asked yet");
    private String told = "";

    ImageVolumes(Cluster cluster) {
        this.cluster = cluster;
        nodes = cluster.client().nodes().withLimit(PAGE).runnableInformer(0);
        nodes.itemStore(new Skeletons<>())
                .addEventHandler(this)
                // It comes back by itself, and until then what was known last holds.
                .exceptionHandler((started, failure) -> true)
                .start()
                .thenRun(() -> {
                    nodesKnown = true;
                    tell();
                });
    }

    AgentDelivery delivery() {
        return doubt().isEmpty() ? AgentDelivery.IMAGE_VOLUME : AgentDelivery.INIT_CONTAINER;
    }

    /** Why not; empty: it may. */
    Optional<String> doubt() {
        if (!nodesKnown) {
            return Optional.of("the nodes are not known");
        }
        if (unable.isEmpty()) {
            // Nobody knows what those will run that come when there is a pod.
            return Optional.of("there is no node yet");
        }
        return unable.entrySet().stream()
                .flatMap(node -> node.getValue().map(why -> "node " + node.getKey() + " has " + why).stream())
                .findFirst()
                .or(() -> refusal);
    }

    /** Asks the API server. To be called from time to time; blocks. */
    void look() {
        try {
            refusal = !cluster.keepsImageVolumes()
                    ? Optional.of("the API server takes them out of pods (its feature gate ImageVolume)")
                    : cluster.judgeOfPods().map(judge -> judge + " looks at pods, and may refuse them");
        } catch (IOException | KubernetesClientException e) {
            refusal = Optional.of(e.getMessage());
        }
        tell();
    }

    private synchronized void tell() {
        String now = doubt().map(why -> "copied by an init container, since not every pod could mount its image: " + why)
                .orElse("mounted as a volume that is its image");
        if (!now.equals(told)) {
            told = now;
            LOG.info("from now on the agent is {}", now);
        }
    }

    @Override
    public void onAdd(Node node) {
        if (isWindows(node)) {
            unable.remove(name(node));
        } else {
            unable.put(name(node), unable(node));
        }
        if (nodesKnown) {
            tell();
        }
    }

    @Override
    public void onUpdate(Node old, Node node) {
        onAdd(node);
    }

    @Override
    public void onDelete(Node node, boolean unknown) {
        unable.remove(name(node));
        tell();
    }

    private static String name(HasMetadata object) {
        return object.getMetadata().getName();
    }

    private static NodeSystemInfo info(Node node) {
        return node.getStatus() == null ? null : node.getStatus().getNodeInfo();
    }

    /** It takes no pod that gets an agent. */
    private static boolean isWindows(Node node) {
        return info(node) != null && "windows".equals(info(node).getOperatingSystem());
    }

    /** Why it does not mount images; empty: it does. */
    private static Optional<String> unable(Node node) {
        NodeSystemInfo info = info(node);
        if (info == null || info.getKubeletVersion() == null || info.getContainerRuntimeVersion() == null) {
            return Optional.of("not said what it runs");
        }
        if (!isFrom(info.getKubeletVersion(), 1, KUBELET_MINOR)) {
            return Optional.of("kubelet " + info.getKubeletVersion());
        }
        String[] runtime = info.getContainerRuntimeVersion().split("://", 2);
        boolean mounts = runtime.length == 2 && switch (runtime[0]) {
            case "containerd" -> isFrom(runtime[1], 2, 1);
            case "cri-o" -> isFrom(runtime[1], 1, 31);
            default -> false;
        };
        return mounts ? Optional.empty() : Optional.of("container runtime " + info.getContainerRuntimeVersion());
    }

    private static boolean isFrom(String version, int major, int minor) {
        Matcher parts = MAJOR_MINOR.matcher(version);
        if (!parts.matches()) {
            return false;
        }
        int ownMajor = Integer.parseInt(parts.group(1));
        return ownMajor > major || ownMajor == major && Integer.parseInt(parts.group(2)) >= minor;
    }

    @Override
    public void close() {
        nodes.stop();
    }
}
