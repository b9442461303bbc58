package io.weft.controlplane.policy;

import io.weft.controlplane.policy.MeshTrafficPermission.Action;
import io.weft.controlplane.policy.MeshTrafficPermission.Anyone;
import io.weft.controlplane.policy.MeshTrafficPermission.Caller;
import io.weft.controlplane.policy.MeshTrafficPermission.From;
import io.weft.controlplane.policy.MeshTrafficPermission.OfService;
import io.weft.controlplane.policy.MeshTrafficPermission.Rule;
import io.weft.controlplane.policy.MeshTrafficPermission.Source;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;

/** Reads the {@code spec} of a {@code MeshTrafficPermission}, with Kuma's own checks. */
final class MeshTrafficPermissionParser {

    private static final Map<String, Action> ACTIONS = actions();
    private static final Map<String, Caller.Kind> KINDS = kinds();
    private static final Pattern SPIFFE_ID = Pattern.compile("spiffe://[a-z0-9._-]{1,255}(/[A-Za-z0-9._-]+)*");
    private static final Pattern SPIFFE_PREFIX = Pattern.compile("spiffe://[a-z0-9._-]{1,255}(/[A-Za-z0-9._/-]*)?");

    private static Map<String, Action> actions() {
        Map<String, Action> actions = new LinkedHashMap<>();
        actions.put("Allow", Action.ALLOW);
        actions.put("Deny", Action.DENY);
        actions.put("AllowWithShadowDeny", Action.ALLOW_WITH_SHADOW_DENY);
        return actions;
    }

    private static Map<String, Caller.Kind> kinds() {
        Map<String, Caller.Kind> kinds = new LinkedHashMap<>();
        kinds.put("Exact", Caller.Kind.EXACT);
        kinds.put("Prefix", Caller.Kind.PREFIX);
        return kinds;
    }

    static MeshTrafficPermission parse(Metadata metadata, Fields spec, ResourceParser.Proof proof) {
        InboundTarget target = TargetRefParser.inbound(spec, metadata);
        List<Rule> rules = new ArrayList<>();
        for (Value item : spec.items("rules")) {
            rules.add(rule(item.fields()));
        }
        List<From> from = new ArrayList<>();
        for (Value item : spec.items("from")) {
            from.add(from(item.fields(), proof));
        }
        if (rules.isEmpty() && from.isEmpty()) {
            spec.refuse("rules", "needs at least one rule with allow, allowWithShadowDeny or deny");
        }
        if (!rules.isEmpty() && !from.isEmpty()) {
            spec.refuse("from", "and rules exclude each other; write all of it as rules");
        }
        spec.end();
        return new MeshTrafficPermission(metadata, target, rules, from);
    }

    private static Rule rule(Fields item) {
        Fields fields = item.require("default").fields();
        List<Caller> deny = callers(fields, "deny");
        List<Caller> allow = callers(fields, "allow");
        List<Caller> shadow = callers(fields, "allowWithShadowDeny");
        if (deny.isEmpty() && allow.isEmpty() && shadow.isEmpty()) {
            item.refuse("default", "needs at least one of allow, allowWithShadowDeny and deny");
        }
        fields.end();
        item.end();
        return new Rule(deny, allow, shadow);
    }

    private static List<Caller> callers(Fields fields, String list) {
        List<Caller> callers = new ArrayList<>();
        for (Value item : fields.items(list)) {
            callers.add(caller(item.fields()));
        }
        return callers;
    }

    static Caller caller(Fields match) {
        match.get("sni").ifPresent(value -> value.refuse("tells apart what passes an ingress or egress of a zone, which are not served; match by spiffeID"));
        Fields id = match.require("spiffeID").fields();
        Caller.Kind kind = id.require("type").choice(KINDS);
        Value value = id.require("value");
        String text = value.nonEmptyText();
        Pattern form = kind == Caller.Kind.EXACT ? SPIFFE_ID : SPIFFE_PREFIX;
        if (!text.isEmpty() && !form.matcher(text).matches()) {
            value.refuse(kind == Caller.Kind.EXACT
                    ? "must be a SPIFFE ID, as in spiffe://default.default.mesh.local/workload/storefront"
                    : "must begin with spiffe:// and a trust domain, as in spiffe://default.default.mesh.local/");
        }
        id.end();
        match.end();
        return new Caller(kind, text);
    }

    private static From from(Fields item, ResourceParser.Proof proof) {
        Fields ref = item.require("targetRef").fields();
        Value kind = ref.require("kind");
        String name = kind.choice(ResourceParser.words("Mesh", "MeshSubset", "MeshService", "MeshServiceSubset"));
        Source source = name.equals("Mesh")
                ? new Anyone()
                : provedService(name, kind, ref, proof).<Source>map(OfService::new).orElseGet(Anyone::new);
        ref.accept("proxyTypes");
        ref.end();
        Fields defaults = item.require("default").fields();
        Action action = defaults.require("action").choice(ACTIONS);
        defaults.end();
        item.end();
        return new From(source, action);
    }

    /** A caller proves its service, or in a cluster its service account; what else it says of itself proves nothing. */
    static Optional<String> provedService(String kindName, Value kind, Fields ref, ResourceParser.Proof proof) {
        Map<String, String> tags =
                kindName.equals("MeshService") ? new LinkedHashMap<>() : new LinkedHashMap<>(ref.texts("tags"));
        Optional<String> service = kindName.equals("MeshSubset")
                ? Optional.ofNullable(tags.get(Labels.SERVICE))
                : Optional.of(ref.require("name").nonEmptyText());
        tags.remove(Labels.SERVICE);
        if (service.isPresent() && proof == ResourceParser.Proof.SERVICE_ACCOUNT) {
            kind.refuse("selects callers by their service, which in a cluster no certificate proves; write rules with spiffeID, as in"
                    + " spiffe://default.default.mesh.local/ns/shop/sa/storefront");
        }
        if (!tags.isEmpty()) {
            kind.refuse("selects callers by the tags " + tags.keySet() + ", which no certificate proves; select them by "
                    + Labels.SERVICE + ", or write rules with spiffeID");
        }
        return service;
    }

    private MeshTrafficPermissionParser() {}
}
