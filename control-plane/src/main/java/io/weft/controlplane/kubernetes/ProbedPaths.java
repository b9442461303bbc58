package io.weft.controlplane.kubernetes;

import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.ContainerPort;
import io.fabric8.kubernetes.api.model.HTTPGetAction;
import io.fabric8.kubernetes.api.model.IntOrString;
import io.fabric8.kubernetes.api.model.PodSpec;
import io.fabric8.kubernetes.api.model.Probe;
import io.weft.controlplane.policy.Dataplane;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/** What the kubelet asks a pod's containers for, in plaintext and without a certificate. A probe of a socket needs no more than an open port. */
final class ProbedPaths {

    private final Map<Integer, Set<String>> byPort = new HashMap<>();

    /** Paths by port. */
    static Map<Integer, Set<String>> of(PodSpec spec) {
        ProbedPaths paths = new ProbedPaths();
        // An init container with probes is a sidecar.
        Stream.of(spec.getContainers(), spec.getInitContainers())
                .filter(Objects::nonNull)
                .flatMap(List::stream)
                .forEach(paths::add);
        return paths.byPort;
    }

    private void add(Container container) {
        Stream.of(container.getLivenessProbe(), container.getReadinessProbe(), container.getStartupProbe())
                .filter(Objects::nonNull)
                .forEach(probe -> add(probe, container));
    }

    private void add(Probe probe, Container container) {
        HTTPGetAction http = probe.getHttpGet();
        // One over HTTPS asks the app's own TLS.
        if (http != null && !"HTTPS".equals(http.getScheme())) {
            String path = path(http.getPath());
            // That of a front page, maybe, which nobody meant to open to all: who does says so by the agent's setting.
            if (!path.equals("/")) {
                port(http.getPort(), container).ifPresent(port -> add(port, path));
            }
        }
        if (probe.getGrpc() != null && probe.getGrpc().getPort() != null) {
            add(probe.getGrpc().getPort(), Dataplane.GRPC_HEALTH);
        }
    }

    private void add(int port, String path) {
        byPort.computeIfAbsent(port, key -> new HashSet<>()).add(path);
    }

    private static String path(String url) {
        if (url == null || url.isEmpty()) {
            return "/";
        }
        int end = url.indexOf('?');
        String path = end < 0 ? url : url.substring(0, end);
        return path.startsWith("/") ? path : "/" + path;
    }

    private static Optional<Integer> port(IntOrString port, Container container) {
        if (port == null) {
            return Optional.empty();
        }
        if (port.getIntVal() != null) {
            return Optional.of(port.getIntVal());
        }
        return Optional.ofNullable(container.getPorts()).stream()
                .flatMap(List::stream)
                .filter(named -> port.getStrVal().equals(named.getName()))
                .map(ContainerPort::getContainerPort)
                .findFirst();
    }

    private ProbedPaths() {}
}
