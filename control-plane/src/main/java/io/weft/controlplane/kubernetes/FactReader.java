package io.weft.controlplane.kubernetes;

import io.fabric8.kubernetes.api.model.Namespace;
import io.fabric8.kubernetes.api.model.ObjectMeta;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodCondition;
import io.fabric8.kubernetes.api.model.PodIP;
import io.fabric8.kubernetes.api.model.Service;
import io.fabric8.kubernetes.api.model.ServiceSpec;
import io.fabric8.kubernetes.api.model.discovery.v1.Endpoint;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointPort;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointSlice;
import io.fabric8.kubernetes.api.model.discovery.v1.ForZone;
import io.weft.controlplane.policy.Labels;
import io.weft.controlplane.policy.Protocol;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/** Takes from the cluster's objects what counts here. */
final class FactReader {

    static final String SERVICE_OF_SLICE = "kubernetes.io/service-name";
    /** As the injector marks a pod, and as its owner may. */
    static final String INJECTED = "weft.io/injected";
    /** Of a namespace or a pod: whether the injector is to give an agent. */
    static final String INJECT = "weft.io/inject";
    static final String SERVICE = "weft.io/service";
    static final String MESH = "weft.io/mesh";
    /** A pod's condition. */
    static final String MESH_TLS = "weft.io/MeshTLS";

    private static final String JOINS = "enabled";
    private static final String LEFT_OUT = "disabled";
    /** Of a pod that the kubelet starts by itself, whom nobody asks about it. */
    private static final String STATIC_POD = "kubernetes.io/config.mirror";
    private static final List<String> SERVICE_LABELS = List.of(Labels.SERVICE, "app.kubernetes.io/name", "app");

    /** Values of {@code appProtocol}; with a domain as Kubernetes itself defines them. */
    private static final Map<String, Protocol> APP_PROTOCOLS = Map.of(
            "http", Protocol.HTTP,
            "http2", Protocol.HTTP2,
            "grpc", Protocol.GRPC,
            "h2c", Protocol.HTTP2,
            "ws", Protocol.HTTP,
            "kubernetes.io/h2c", Protocol.HTTP2,
            "kubernetes.io/ws", Protocol.HTTP);

    /** The first part of a port's name, as far as it says that it is not HTTP. */
    private static final Set<String> OTHER_NAMES = Set.of(
            "tcp", "tls", "https", "udp", "sctp", "mongo", "mysql", "postgres", "postgresql", "redis", "kafka", "amqp", "mqtt");

    private final String mesh;

    /** @param mesh of what does not say of which it is */
    FactReader(String mesh) {
        this.mesh = mesh;
    }

    String mesh() {
        return mesh;
    }

    Facts.OfService service(Service service) {
        ServiceSpec spec = service.getSpec();
        List<Facts.ServicePort> ports = new ArrayList<>();
        for (io.fabric8.kubernetes.api.model.ServicePort port : list(spec.getPorts())) {
            if (port.getProtocol() == null || port.getProtocol().equals("TCP")) {
                String name = Objects.requireNonNullElse(port.getName(), "");
                ports.add(new Facts.ServicePort(port.getPort(), name, protocol(port.getAppProtocol(), name)));
            }
        }
        Optional<String> external = "ExternalName".equals(spec.getType())
                ? Optional.ofNullable(spec.getExternalName()).map(name -> withoutDot(name.toLowerCase(Locale.ROOT)))
                : Optional.empty();
        Set<String> addresses = new LinkedHashSet<>(list(spec.getClusterIPs()));
        if (addresses.isEmpty() && spec.getClusterIP() != null) {
            addresses.add(spec.getClusterIP());
        }
        addresses.removeIf(address -> address.isEmpty() || address.equals("None"));
        return new Facts.OfService(
                ObjectName.of(service),
                mesh(service.getMetadata()),
                map(service.getMetadata().getLabels()),
                external,
                external.isPresent() ? List.of() : List.copyOf(addresses),
                list(spec.getIpFamilies()),
                ports);
    }

    private static String withoutDot(String name) {
        return name.endsWith(".") ? name.substring(0, name.length() - 1) : name;
    }

    /**
     * Of a port of which nothing is said it is taken for HTTP: what an agent is asked about is HTTP in any case.
     *
     * @param name {@code grpc}, {@code grpc-api}; empty: none
     */
    static Protocol protocol(String appProtocol, String name) {
        if (appProtocol != null) {
            return APP_PROTOCOLS.getOrDefault(appProtocol.toLowerCase(Locale.ROOT), Protocol.TCP);
        }
        int dash = name.indexOf('-');
        String prefix = dash < 0 ? name : name.substring(0, dash);
        if (OTHER_NAMES.contains(prefix)) {
            return Protocol.TCP;
        }
        return APP_PROTOCOLS.getOrDefault(prefix, Protocol.HTTP);
    }

    /** Empty: it is nobody's. */
    static Optional<Facts.OfSlice> slice(EndpointSlice slice) {
        String service = map(slice.getMetadata().getLabels()).get(SERVICE_OF_SLICE);
        if (service == null) {
            return Optional.empty();
        }
        ObjectName name = ObjectName.of(slice);
        Map<String, Integer> ports = new HashMap<>();
        for (EndpointPort port : list(slice.getPorts())) {
            if (port.getPort() != null && (port.getProtocol() == null || port.getProtocol().equals("TCP"))) {
                ports.put(Objects.requireNonNullElse(port.getName(), ""), port.getPort());
            }
        }
        List<Facts.Endpoint> endpoints = new ArrayList<>();
        for (Endpoint endpoint : list(slice.getEndpoints())) {
            endpoint(name.namespace(), endpoint).ifPresent(endpoints::add);
        }
        return Optional.of(new Facts.OfSlice(
                name, new ObjectName(name.namespace(), service), slice.getAddressType(), ports, endpoints));
    }

    private static Optional<Facts.Endpoint> endpoint(String namespace, Endpoint endpoint) {
        if (list(endpoint.getAddresses()).isEmpty()) {
            return Optional.empty();
        }
        // All addresses of one endpoint are the same one's.
        String address = endpoint.getAddresses().get(0);
        Optional<io.fabric8.kubernetes.api.model.discovery.v1.EndpointConditions> conditions =
                Optional.ofNullable(endpoint.getConditions());
        // What is not known counts as ready, and is then serving too.
        boolean ready = conditions.map(each -> each.getReady()).orElse(true);
        boolean serving = conditions.map(each -> each.getServing()).orElse(ready);
        boolean terminating = conditions.map(each -> each.getTerminating()).orElse(false);
        Set<String> forZones = endpoint.getHints() == null
                ? Set.of()
                : list(endpoint.getHints().getForZones()).stream().map(ForZone::getName).collect(Collectors.toSet());
        Optional<ObjectName> pod = Optional.ofNullable(endpoint.getTargetRef())
                .filter(ref -> "Pod".equals(ref.getKind()))
                .map(ref -> new ObjectName(Objects.requireNonNullElse(ref.getNamespace(), namespace), ref.getName()));
        return Optional.of(new Facts.Endpoint(
                address,
                ready,
                serving,
                terminating,
                Objects.requireNonNullElse(endpoint.getZone(), ""),
                forZones,
                pod,
                Optional.ofNullable(endpoint.getHostname()).filter(hostname -> !hostname.isEmpty())));
    }

    Facts.OfPod pod(Pod pod) {
        ObjectMeta metadata = pod.getMetadata();
        Map<String, String> labels = map(metadata.getLabels());
        Map<String, String> annotations = map(metadata.getAnnotations());
        Set<String> addresses = new LinkedHashSet<>();
        Optional<Boolean> meshTls = Optional.empty();
        if (pod.getStatus() != null) {
            list(pod.getStatus().getPodIPs()).stream().map(PodIP::getIp).filter(Objects::nonNull).forEach(addresses::add);
            if (pod.getStatus().getPodIP() != null) {
                addresses.add(pod.getStatus().getPodIP());
            }
            meshTls = list(pod.getStatus().getConditions()).stream()
                    .filter(condition -> MESH_TLS.equals(condition.getType()))
                    .map(PodCondition::getStatus)
                    .map("True"::equals)
                    .findFirst();
        }
        String service = Optional.ofNullable(annotations.get(SERVICE))
                .or(() -> SERVICE_LABELS.stream().map(labels::get).filter(Objects::nonNull).findFirst())
                .orElse(metadata.getName());
        return new Facts.OfPod(
                ObjectName.of(pod),
                metadata.getUid(),
                mesh(metadata),
                service,
                Objects.requireNonNullElse(pod.getSpec().getServiceAccountName(), "default"),
                Objects.requireNonNullElse(pod.getSpec().getNodeName(), ""),
                addresses,
                labels,
                agent(labels, annotations),
                meshTls,
                ProbedPaths.of(pod.getSpec()));
    }

    /** As the injector sees it. */
    private static Facts.Agent agent(Map<String, String> labels, Map<String, String> annotations) {
        if (annotations.containsKey(INJECTED)) {
            return Facts.Agent.GIVEN;
        }
        String said = labels.getOrDefault(INJECT, annotations.getOrDefault(INJECT, ""));
        if (said.equals(LEFT_OUT) || annotations.containsKey(STATIC_POD)) {
            return Facts.Agent.LEFT_OUT;
        }
        return JOINS.equals(labels.get(INJECT)) ? Facts.Agent.WANTED : Facts.Agent.AS_ITS_NAMESPACE;
    }

    /** Whether the pods of a namespace are given an agent unless they say otherwise. */
    static boolean joins(Namespace namespace) {
        return JOINS.equals(map(namespace.getMetadata().getLabels()).get(INJECT));
    }

    private String mesh(ObjectMeta metadata) {
        return Optional.ofNullable(map(metadata.getLabels()).get(Labels.MESH))
                .or(() -> Optional.ofNullable(map(metadata.getAnnotations()).get(MESH)))
                .orElse(mesh);
    }

    private static <T> List<T> list(List<T> list) {
        return list == null ? List.of() : list;
    }

    private static Map<String, String> map(Map<String, String> map) {
        return map == null ? Map.of() : map;
    }
}
