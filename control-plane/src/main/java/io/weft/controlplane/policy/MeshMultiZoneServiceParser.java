package io.weft.controlplane.policy;

import io.weft.controlplane.policy.MeshMultiZoneService.Port;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** Reads the {@code spec} of a {@code MeshMultiZoneService}. */
final class MeshMultiZoneServiceParser {

    static MeshMultiZoneService parse(Metadata metadata, Fields spec) {
        Fields selector = spec.require("selector").fields();
        Fields services = selector.require("meshService").fields();
        Map<String, String> labels = services.require("matchLabels").texts();
        if (labels.isEmpty()) {
            services.refuse("matchLabels", "must not be empty; say which MeshServices it stands for");
        }
        services.end();
        selector.end();
        List<Port> ports = new ArrayList<>();
        Set<Integer> numbers = new HashSet<>();
        for (Value item : spec.require("ports").items()) {
            Fields fields = item.fields();
            int port = fields.require("port").port();
            Optional<String> name = fields.get("name").map(Value::nonEmptyText);
            Protocol protocol = fields.get("appProtocol")
                    .map(value -> value.choice(ResourceParser.PROTOCOLS))
                    .orElse(Protocol.HTTP);
            fields.end();
            if (!numbers.add(port)) {
                fields.refuse("port", "occurs twice in this service; keep one");
            }
            ports.add(new Port(port, name, protocol));
        }
        if (ports.isEmpty()) {
            spec.refuse("ports", "needs at least one port");
        }
        spec.end();
        return new MeshMultiZoneService(metadata, labels, ports);
    }

    private MeshMultiZoneServiceParser() {}
}
