package io.weft.agent.mesh;

import io.weft.agent.settings.Settings;
import io.weft.dataplane.InboundPorts;
import io.weft.dataplane.InboundPorts.PortInfo;
import io.weft.policy.Node;
import io.weft.policy.NodeSource;
import io.weft.policy.model.EndpointAssignment.Locality;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Who this process is to the control plane: as a Kuma data plane, it describes itself by a {@code Dataplane} resource in the
 * node's metadata. Asked anew whenever the ports change; the name stays for the life of the process. Thread-safe.
 */
final class InstanceDescription implements NodeSource {
    private final Settings settings;
    private final ServicePorts servicePorts;
    private final InboundPorts ports;
    private final String name;

    /** @param suffix tells the instances of a service apart */
    InstanceDescription(Settings settings, ServicePorts servicePorts, InboundPorts ports, String suffix) {
        this.settings = settings;
        this.servicePorts = servicePorts;
        this.ports = ports;
        this.name = settings.service().orElse("client") + "-" + suffix;
    }

    /** {@code <mesh>.<name>}. */
    String id() {
        return settings.mesh() + "." + name;
    }

    @Override
    public Node at(InetAddress local) {
        String resource = new DataplaneResource(settings.mesh(), name, address(local), inbounds(local)).toJson();
        return new Node(id(), settings.service().orElse("client"),
                new Locality("", settings.zone().orElse(""), ""),
                Map.of("dataplane.proxyType", "dataplane", "dataplane.resource", resource));
    }

    private String address(InetAddress local) {
        return settings.address().orElse(withoutScope(local));
    }

    private static String withoutScope(InetAddress address) {
        String text = address.getHostAddress();
        int scope = text.indexOf('%');
        return scope < 0 ? text : text.substring(0, scope);
    }

    private List<DataplaneResource.Inbound> inbounds(InetAddress local) {
        List<DataplaneResource.Inbound> inbounds = new ArrayList<>();
        for (PortInfo port : ports.ports()) {
            if (servicePorts.isServed(port, local.isLoopbackAddress())) {
                inbounds.add(new DataplaneResource.Inbound(port.address().getPort(), !port.draining(), tags()));
            }
        }
        return inbounds;
    }

    private Map<String, String> tags() {
        Map<String, String> tags = new LinkedHashMap<>();
        tags.put("kuma.io/service", settings.service().orElseThrow());
        tags.put("kuma.io/protocol", "http");
        if (settings.zone().isPresent()) {
            tags.put("kuma.io/zone", settings.zone().get());
        }
        tags.putAll(settings.tags());
        return tags;
    }
}
