package io.weft.controlplane.policy;

import io.weft.controlplane.policy.Policy.Destination;
import io.weft.controlplane.policy.Policy.Peers;
import io.weft.controlplane.policy.Policy.Rule;
import io.weft.controlplane.policy.Policy.To;
import io.weft.controlplane.policy.PolicyKind.Place;
import io.weft.controlplane.policy.PolicyKind.Scope;
import io.weft.controlplane.policy.PolicyKind.Subject;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** Reads what all of Kuma's merged policies have: whom they are for, and for which of their traffic. */
final class PolicyParser {

    private static final Map<String, ServiceType> SERVICE_TYPES = ServiceType.byKind();

    private final PolicyKind<?> kind;
    private final Scope scope;
    private final Metadata metadata;
    private final ResourceParser.Proof proof;

    private PolicyParser(PolicyKind<?> kind, Metadata metadata, ResourceParser.Proof proof) {
        this.kind = kind;
        scope = kind.scope();
        this.metadata = metadata;
        this.proof = proof;
    }

    static Policy parse(PolicyKind<?> kind, Metadata metadata, Fields spec, ResourceParser.Proof proof) {
        PolicyParser parser = new PolicyParser(kind, metadata, proof);
        return kind.scope().subject() == Subject.TRAFFIC ? parser.parse(spec) : parser.ofDataplane(spec);
    }

    private Policy parse(Fields spec) {
        Optional<Value> to = spec.get("to");
        InboundTarget target = TargetRefParser.policy(spec, metadata, scope.byRoute());
        String top = target.dataplanes() instanceof TargetRef.OfRoutes ? "MeshHTTPRoute" : "";
        if (target.section().isPresent() && to.isPresent()) {
            spec.refuse("targetRef", "names an inbound by sectionName, but to is for what is sent; remove one of them");
        }
        List<To> destinations = new ArrayList<>();
        List<String> namespaces = new ArrayList<>();
        to.ifPresent(list -> {
            if (scope.to().isEmpty()) {
                list.refuse("is for gateways, which are not served; write rules for those who are called");
                return;
            }
            for (Value item : list.items()) {
                destinations.add(to(item.fields(), top, namespaces));
            }
        });
        List<Rule> rules = new ArrayList<>();
        if (scope.inbound()) {
            inbound(spec, top, rules);
        }
        boolean misplaced = spec.refusesMisplaced("default", "stands in an entry that says for which traffic it is; move it to "
                + (scope.to().isEmpty()
                        ? "spec.rules[].default"
                        : "spec.to[].default, beside a targetRef" + (scope.inbound() ? ", or for what comes in to spec.rules[].default" : "")));
        if (!misplaced && destinations.isEmpty() && rules.isEmpty() && to.isEmpty()) {
            spec.refuse(scope.to().isEmpty() ? "rules" : "to", "is missing; the policy says nothing");
        }
        spec.end();
        return new Policy(role(destinations, namespaces).map(metadata::withRole).orElse(metadata), kind, target, destinations, rules,
                Optional.empty());
    }

    private Policy ofDataplane(Fields spec) {
        InboundTarget target = TargetRefParser.policy(spec, metadata, false);
        if (target.section().isPresent() && scope.subject() == Subject.DATAPLANE) {
            spec.refuse("targetRef", "names an inbound by sectionName, but what this policy says is of the whole data plane; remove it");
        }
        Conf conf = conf(spec, new Place("", "", false));
        spec.end();
        return new Policy(role(List.of(), List.of()).map(metadata::withRole).orElse(metadata), kind, target, List.of(), List.of(),
                Optional.of(conf));
    }

    private void inbound(Fields spec, String top, List<Rule> rules) {
        Optional<Value> newer = spec.get("rules");
        Optional<Value> older = spec.get("from");
        newer.ifPresent(list -> {
            boolean mixed = spec.get("to").filter(to -> to.node() instanceof Node.Sequence items && !items.items().isEmpty())
                    .isPresent();
            if (mixed || older.isPresent()) {
                list.refuse("and to or from exclude each other; write a policy for each");
            }
            list.items().forEach(item -> rules.add(rule(item.fields(), top)));
        });
        older.ifPresent(list -> list.items().forEach(item -> rules.add(from(item.fields(), top))));
        if (!top.isEmpty() && !rules.isEmpty()) {
            newer.or(() -> older).ifPresent(list ->
                    list.refuse("cannot be for a MeshHTTPRoute, which is of what is sent; write it under to"));
        }
    }

    private To to(Fields fields, String top, List<String> namespaces) {
        Fields ref = fields.require("targetRef").fields();
        Value kindValue = ref.require("kind");
        String to = kindValue.text();
        if (!scope.to().contains(to)) {
            kindValue.refuse((to.equals("MeshHTTPRoute") ? routeRefusal() : "'" + to + "' cannot be a destination here")
                    + "; use " + String.join(", ", scope.to().stream().sorted().toList())
                    + Spelling.suggestion(to, scope.to()));
        }
        Destination destination = switch (to) {
            case "MeshService", "MeshExternalService", "MeshMultiZoneService" -> services(ref, SERVICE_TYPES.get(to), namespaces);
            case "MeshHTTPRoute" -> routes(ref, namespaces);
            default -> new Policy.Everything();
        };
        if (!top.isEmpty() && !(destination instanceof Policy.Everything)) {
            kindValue.refuse("must be Mesh where the policy itself is for a MeshHTTPRoute, which says where it leads");
        }
        ref.accept("proxyTypes");
        ref.end();
        Conf conf = conf(fields, new Place(top, to, false));
        fields.end();
        return new To(destination, conf);
    }

    private String routeRefusal() {
        return kind == PolicyKinds.ACCESS_LOG
                ? "'MeshHTTPRoute' is not supported: Kuma tells routes apart by a Lua filter; log the service, with %ROUTE_NAME% in"
                        + " the format"
                : "'MeshHTTPRoute' cannot be a destination here: what this policy sets is the service's";
    }

    private Destination services(Fields ref, ServiceType type, List<String> namespaces) {
        Optional<String> name = ref.get("name").map(MeshHttpRouteParser::serviceName);
        Map<String, String> labels = ref.texts("labels");
        String namespace = TargetRefParser.namespace(ref, metadata);
        namespaces.add(name.isPresent() ? namespace : null);
        Optional<String> section = TargetRefParser.section(ref);
        if (name.isEmpty() && labels.isEmpty()) {
            ref.refuse("name", "is missing; name the service, or select services by labels");
        }
        if (name.isEmpty() && labels.keySet().equals(Set.of(Labels.DISPLAY_NAME))) {
            return new Policy.Services(type, Optional.of(labels.get(Labels.DISPLAY_NAME)), "", Map.of(), section);
        }
        return name.isPresent()
                ? new Policy.Services(type, name, namespace, Map.of(), section)
                : new Policy.Services(type, name, "", labels, section);
    }

    private Destination routes(Fields ref, List<String> namespaces) {
        Optional<String> name = ref.get("name").map(Value::nonEmptyText);
        Map<String, String> labels = ref.texts("labels");
        String namespace = TargetRefParser.namespace(ref, metadata);
        namespaces.add(name.isPresent() ? namespace : null);
        if (name.isEmpty() && labels.isEmpty()) {
            ref.refuse("name", "is missing; name the route, or select routes by labels");
        }
        return name.isPresent() ? new Policy.Routes(name, namespace, Map.of()) : new Policy.Routes(name, "", labels);
    }

    private Rule rule(Fields fields, String top) {
        Optional<Value> matches = fields.get("matches")
                .filter(value -> !(value.node() instanceof Node.Sequence items && items.items().isEmpty()));
        matches.ifPresent(value -> scope.matches().refusal().ifPresent(value::refuse));
        Peers peers = matches.<Peers>map(value -> new Policy.Matching(
                        value.items().stream().map(item -> MeshTrafficPermissionParser.caller(item.fields())).toList()))
                .orElseGet(Policy.Anyone::new);
        Conf conf = conf(fields, new Place(top, "", matches.isPresent()));
        fields.end();
        return new Rule(peers, conf);
    }

    private Rule from(Fields fields, String top) {
        Fields ref = fields.require("targetRef").fields();
        Value from = ref.require("kind");
        String name = from.choice(ResourceParser.words(scope.from().stream().sorted().toArray(String[]::new)));
        Peers peers = name.equals("Mesh")
                ? new Policy.Anyone()
                : MeshTrafficPermissionParser.provedService(name, from, ref, proof)
                        .<Peers>map(Policy.OfService::new)
                        .orElseGet(Policy.Anyone::new);
        ref.accept("proxyTypes");
        ref.end();
        Conf conf = conf(fields, new Place(top, "", false));
        fields.end();
        return new Rule(peers, conf);
    }

    private Conf conf(Fields entry, Place place) {
        Value value = entry.require("default");
        kind.check(value.fields(), place);
        return Conf.of(value.node());
    }

    /** As Kuma computes it for a resource in a namespace, which elsewhere carries it as a label. */
    private Optional<String> role(List<To> to, List<String> namespaces) {
        if (!metadata.lacksRole()) {
            return Optional.empty();
        }
        if (to.isEmpty()) {
            return Optional.of("workload-owner");
        }
        boolean producer = namespaces.size() == to.size()
                && namespaces.stream().allMatch(metadata.namespace()::equals);
        return Optional.of(producer ? "producer" : "consumer");
    }
}
