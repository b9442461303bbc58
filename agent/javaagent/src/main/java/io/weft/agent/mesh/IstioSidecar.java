package io.weft.agent.mesh;

import io.weft.agent.settings.Settings;
import io.weft.dataplane.InboundPorts;
import io.weft.policy.Health;
import io.weft.policy.Node;
import io.weft.policy.model.EndpointAssignment.Locality;
import java.net.InetAddress;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * Who this process is to istiod: the sidecar of its pod, which has all that goes out and comes in redirected to itself. A sidecar
 * that binds its ports ({@code INTERCEPTION_MODE=NONE}) would be told nothing of what comes in, unless a {@code Sidecar} names each port.
 */
final class IstioSidecar implements Instance {
    /** Whose configuration is understood; istiod leaves out what is newer. */
    private static final String VERSION = "1.27.0";
    /** To istiod, that the workload's health is to be waited for: the agent says it, so there is nothing to probe. */
    private static final Map<String, Object> HEALTH_IS_TOLD = Map.of("readinessProbe", Map.of());
    private static final String TLS_MODE = "security.istio.io/tlsMode";

    private final Settings settings;
    private final Workload workload;
    private final ServicePorts servicePorts;
    private final InboundPorts ports;
    private final String pod;
    private final String namespace;

    /** @param suffix tells apart the instances that do not know which pod they are */
    IstioSidecar(Settings settings, Workload workload, ServicePorts servicePorts, InboundPorts ports, String suffix) {
        this.settings = settings;
        this.workload = workload;
        this.servicePorts = servicePorts;
        this.ports = ports;
        this.pod = workload.pod().orElseGet(() -> settings.service().orElse("client") + "-" + suffix);
        this.namespace = workload.namespace().orElse("default");
    }

    @Override
    public String name() {
        return pod + "." + namespace;
    }

    @Override
    public String namespace() {
        return namespace;
    }

    @Override
    public Optional<Health> health() {
        if (!isRegisteredByIstiod() && !workload.metadata().containsKey("WORKLOAD_ENTRY")) {
            return Optional.empty();
        }
        if (ports.draining()) {
            return Optional.of(Health.bad("it is about to stop"));
        }
        boolean serves = ports.ports().stream().anyMatch(port -> port.tls() || isServed(servicePorts.refusal(port)));
        return Optional.of(serves ? Health.GOOD : Health.bad("it has no port open yet"));
    }

    /** istiod has the service's name from the group that it registers it in. */
    private static boolean isServed(Unregistered why) {
        return why == null || why == Unregistered.NO_SERVICE_NAME;
    }

    @Override
    public Node at(InetAddress local) {
        Optional<String> known = settings.address().isPresent() ? Optional.empty() : addresses();
        String address = known.map(IstioSidecar::first).orElseGet(() -> Instance.address(settings, local));
        Map<String, Object> metadata = new HashMap<>();
        metadata.put("ISTIO_VERSION", VERSION);
        metadata.put("INTERCEPTION_MODE", "REDIRECT");
        // What is served is not captured, but told.
        metadata.put("DNS_CAPTURE", "true");
        metadata.put("CLUSTER_ID", "Kubernetes");
        // Whoever has none is no proxy to istioctl.
        metadata.put("PROXY_CONFIG", isRegisteredByIstiod() ? HEALTH_IS_TOLD : Map.of());
        metadata.putAll(workload.metadata());
        metadata.put("NAME", pod);
        metadata.put("NAMESPACE", namespace);
        metadata.put("INSTANCE_IPS", known.orElse(address));
        metadata.put("LABELS", labels());
        settings.service().ifPresent(service -> metadata.put("WORKLOAD_NAME", service));
        workload.serviceAccount().ifPresent(account -> metadata.put("SERVICE_ACCOUNT", account));
        return new Node("sidecar~" + address + "~" + name() + "~" + namespace + ".svc.cluster.local",
                settings.service().orElse("client") + "." + namespace,
                new Locality("", settings.zone().orElse(""), ""), metadata);
    }

    /** One or several, with commas between them. */
    private Optional<String> addresses() {
        return workload.metadata().get("INSTANCE_IPS") instanceof String addresses && !addresses.isBlank()
                ? Optional.of(addresses) : Optional.empty();
    }

    private static String first(String addresses) {
        int comma = addresses.indexOf(',');
        return comma < 0 ? addresses : addresses.substring(0, comma);
    }

    /** Whether istiod makes a {@code WorkloadEntry} of this process: outside of Kubernetes. */
    private boolean isRegisteredByIstiod() {
        return workload.metadata().containsKey("AUTO_REGISTER_GROUP");
    }

    private Map<String, Object> labels() {
        Map<String, Object> labels = new LinkedHashMap<>();
        settings.service().ifPresent(service -> labels.put("app", service));
        labels.putAll(workload.labels());
        labels.putAll(settings.tags());
        labels.put(TLS_MODE, "istio");
        return labels;
    }
}
