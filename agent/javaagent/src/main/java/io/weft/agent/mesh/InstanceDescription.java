package io.weft.agent.mesh;

import io.weft.agent.mesh.DataplaneResource.State;
import io.weft.agent.settings.KumaForm;
import io.weft.agent.settings.Settings;
import io.weft.agent.settings.Settings.ControlPlane.Kind;
import io.weft.dataplane.InboundPorts;
import io.weft.dataplane.InboundPorts.PortInfo;
import io.weft.policy.Health;
import io.weft.policy.Node;
import io.weft.policy.model.EndpointAssignment.Locality;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Who this process is as a Kuma data plane: it describes itself by a {@code Dataplane} resource in the node's metadata. Asked anew
 * whenever the ports change.
 */
final class InstanceDescription implements Instance {
    /** By which a token and a {@code MeshIdentity} of Kuma know what runs here; a label and no tag. */
    private static final String WORKLOAD = "kuma.io/workload";
    private static final String HTTP = "http";
    private static final String NO_SERVICE = "client";
    /** Kuma's own sign, as no port is given this number, for who has an identity and calls, and is not called. */
    private static final int NO_PORT = 49151;

    /** Our own control plane tells an operator. */
    private static final Map<String, Object> BUILD = Map.of("weft.version", AgentVersion.get(), "weft.pid", ProcessHandle.current().pid());

    private final Settings settings;
    private final ServicePorts servicePorts;
    private final InboundPorts ports;
    private final String name;
    private final boolean kuma;

    /** To Kuma: what was said last. Confined to the client's thread. */
    private List<DataplaneResource.Inbound> registered = List.of();
    private String address = "";
    /** How often something else was said before. */
    private int changes;
    private volatile String said;

    /** @param suffix tells the instances of a service apart */
    InstanceDescription(Settings settings, ServicePorts servicePorts, InboundPorts ports, String suffix) {
        this.settings = settings;
        this.servicePorts = servicePorts;
        this.ports = ports;
        this.name = settings.service().orElse(NO_SERVICE) + "-" + suffix;
        this.said = name;
        this.kuma = settings.controlPlane().isPresent() && settings.controlPlane().get().kind() == Kind.KUMA;
    }

    /** {@code <mesh>.<name>}. */
    @Override
    public String name() {
        return settings.mesh() + "." + name;
    }

    @Override
    public String registered() {
        return settings.mesh() + "." + said;
    }

    @Override
    public Node at(InetAddress local) {
        return kuma
                ? toKuma(Instance.address(settings, local), inbounds(local))
                : node(name, Map.of(), Instance.address(settings, local), inbounds(local), new HashMap<>(BUILD));
    }

    /** Of ports kuma-cp hears by who this is; that nobody is to call it any more, it hears sooner so. */
    @Override
    public Optional<Health> health() {
        return kuma && ports.draining() ? Optional.of(Health.bad("it is about to stop")) : Optional.empty();
    }

    @Override
    public void nameTaken() {
        changes++;
    }

    /** By another name for each description: kuma-cp holds a node for active until long after its stream has ended, and lets it in only then. */
    private Node toKuma(String newest, List<DataplaneResource.Inbound> inbounds) {
        boolean first = address.isEmpty();
        if (!first && !(newest.equals(address) && inbounds.equals(registered))) {
            changes++;
        }
        address = newest;
        registered = inbounds;
        said = changes == 0 ? name : name + "-" + changes;
        return node(said, labels(), newest, inbounds, KumaProxy.metadata(newest));
    }

    private Node node(
            String named, Map<String, String> labels, String address, List<DataplaneResource.Inbound> inbounds, Map<String, Object> metadata) {
        metadata.put(KumaProxy.TYPE, KumaProxy.DATAPLANE);
        metadata.put("dataplane.resource", new DataplaneResource(settings.mesh(), named, labels, address, inbounds).toJson());
        return new Node(settings.mesh() + "." + named, settings.service().orElse(NO_SERVICE),
                new Locality("", settings.zone().orElse(""), ""), metadata);
    }

    /** What 3.0 knows an instance by; it reads no tags. Those of Kuma's own names it makes by itself. */
    private Map<String, String> labels() {
        Map<String, String> labels = new LinkedHashMap<>();
        String workload = settings.tags().getOrDefault(WORKLOAD, settings.service().orElse(""));
        if (!workload.isEmpty()) {
            labels.put(WORKLOAD, workload);
        }
        settings.tags().forEach((name, value) -> {
            if (!name.startsWith("kuma.io/") && KumaForm.isLabel(name, value)) {
                labels.put(name, value);
            }
        });
        return labels;
    }

    private List<DataplaneResource.Inbound> inbounds(InetAddress local) {
        // To Kuma such paths are ones to ask for on a port of its own, which an agent does not open.
        Set<String> healthPaths = kuma ? Set.of() : settings.healthPaths();
        // As the tag of that name, which is all that is heard before 2.14; from 3.0 on what has only the tag is TCP.
        String protocol = kuma ? HTTP : "";
        List<DataplaneResource.Inbound> inbounds = new ArrayList<>();
        for (PortInfo port : ports.ports()) {
            if (servicePorts.isServed(port, local.isLoopbackAddress())) {
                State state = port.draining() ? State.NOT_READY : State.READY;
                inbounds.add(new DataplaneResource.Inbound(port.address().getPort(), state, protocol, tags(), healthPaths));
            }
        }
        if (kuma && inbounds.isEmpty()) {
            // Whoever has no tags is sent nothing by 2.x, has no certificate of the mesh's, and no token for a service fits.
            inbounds.add(new DataplaneResource.Inbound(NO_PORT, State.IGNORED, "tcp", tags(), Set.of()));
        }
        return inbounds;
    }

    private Map<String, String> tags() {
        Map<String, String> tags = new LinkedHashMap<>();
        tags.put("kuma.io/service", settings.service().orElse(NO_SERVICE));
        tags.put("kuma.io/protocol", HTTP);
        if (settings.zone().isPresent()) {
            tags.put("kuma.io/zone", settings.zone().get());
        }
        tags.putAll(settings.tags());
        tags.remove(WORKLOAD);
        return tags;
    }
}
