package io.weft.controlplane.policy;

import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Reads Kuma's top-level {@code targetRef}. */
final class TargetRefParser {

    /** Of a policy for outgoing traffic. */
    static TargetRef outbound(Fields spec, Metadata policy) {
        return spec.get("targetRef")
                .map(value -> {
                    Fields fields = value.fields();
                    TargetRef target = target(fields, policy);
                    fields.unsupported("sectionName", "a route is for requests that leave; name no inbound");
                    fields.end();
                    return target;
                })
                .orElse(new TargetRef.WholeMesh(true));
    }

    /** Of a policy for incoming traffic. */
    static InboundTarget inbound(Fields spec, Metadata policy) {
        return spec.get("targetRef")
                .map(value -> {
                    Fields fields = value.fields();
                    TargetRef target = target(fields, policy);
                    Optional<String> section = target instanceof TargetRef.Dataplanes ? section(fields) : Optional.empty();
                    fields.end();
                    return new InboundTarget(target, section);
                })
                .orElse(new InboundTarget(new TargetRef.WholeMesh(true), Optional.empty()));
    }

    /**
     * Of a policy for both.
     *
     * @param byRoute whether it may be for those that have some routes, and for what these lead somewhere
     */
    static InboundTarget policy(Fields spec, Metadata policy, boolean byRoute) {
        Optional<Fields> route = spec.get("targetRef")
                .filter(value -> byRoute && value.node() instanceof Node.Mapping)
                .map(Value::fields)
                .filter(fields -> fields.get("kind")
                        .filter(kind -> kind.node() instanceof Node.Text text && text.value().equals("MeshHTTPRoute"))
                        .isPresent());
        if (route.isEmpty()) {
            return inbound(spec, policy);
        }
        Fields fields = route.get();
        Optional<String> name = fields.get("name").map(Value::nonEmptyText);
        Map<String, String> labels = fields.texts("labels");
        if (name.isEmpty() && labels.isEmpty()) {
            fields.refuse("name", "is missing; name the route, or select routes by labels");
        }
        String namespace = namespace(fields, policy);
        fields.end();
        return new InboundTarget(
                new TargetRef.OfRoutes(new Policy.Routes(name, namespace, name.isPresent() ? Map.of() : labels)), Optional.empty());
    }

    private static TargetRef target(Fields fields, Metadata policy) {
        Value kindValue = fields.require("kind");
        if (kindValue.node() instanceof Node.Text text && text.value().equals("MeshGateway")) {
            kindValue.refuse("'MeshGateway' is not supported: gateways are not served; the gateway that is there already is called"
                    + " like any other client");
            fields.accept("name", "namespace", "tags", "labels", "sectionName");
            return new TargetRef.WholeMesh(false);
        }
        String kind = kindValue
                .choice(ResourceParser.words("Mesh", "Dataplane", "MeshSubset", "MeshService", "MeshServiceSubset"));
        return switch (kind) {
            case "Mesh" -> new TargetRef.WholeMesh(sidecars(fields));
            case "Dataplane" -> {
                Optional<String> name = fields.get("name").map(Value::nonEmptyText);
                yield new TargetRef.Dataplanes(name, namespace(fields, policy), fields.texts("labels"));
            }
            case "MeshSubset" -> new TargetRef.Subset(fields.texts("tags"), sidecars(fields));
            case "MeshService" -> new TargetRef.OfService(fields.require("name").nonEmptyText());
            default -> new TargetRef.ServiceSubset(fields.require("name").nonEmptyText(), fields.texts("tags"));
        };
    }

    /** Of what is referred to by name: the policy's own where it does not say. */
    static String namespace(Fields ref, Metadata policy) {
        return ref.get("namespace").map(Value::text).filter(text -> !text.isEmpty()).orElse(policy.namespace());
    }

    static Optional<String> section(Fields ref) {
        return ref.get("sectionName").map(value -> value.node() instanceof Node.Whole
                ? Integer.toString(value.port())
                : value.nonEmptyText());
    }

    private static boolean sidecars(Fields fields) {
        List<Value> types = fields.items("proxyTypes");
        boolean sidecar = types.isEmpty();
        for (Value type : types) {
            sidecar |= type.choice(ResourceParser.words("Sidecar", "Gateway")).equals("Sidecar");
        }
        return sidecar;
    }

    private TargetRefParser() {}
}
