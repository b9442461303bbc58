package io.weft.controlplane.policy;

import java.util.List;

/**
 * Kuma's {@code MeshTrafficPermission}: who may call.
 *
 * @param rules by SPIFFE ID
 * @param from by service, as before Kuma 2.12; has no effect where any policy has rules
 */
public record MeshTrafficPermission(Metadata metadata, InboundTarget target, List<Rule> rules, List<From> from)
        implements Resource {

    public MeshTrafficPermission {
        rules = List.copyOf(rules);
        from = List.copyOf(from);
    }

    /** A caller that several lists match is denied if one of them denies. */
    public record Rule(List<Caller> deny, List<Caller> allow, List<Caller> allowWithShadowDeny) {
        public Rule {
            deny = List.copyOf(deny);
            allow = List.copyOf(allow);
            allowWithShadowDeny = List.copyOf(allowWithShadowDeny);
        }
    }

    /** Who calls, by its SPIFFE ID. */
    public record Caller(Kind kind, String value) {
        public enum Kind { EXACT, PREFIX }
    }

    public sealed interface Source {}

    /** Whoever is of the mesh. */
    public record Anyone() implements Source {}

    public record OfService(String service) implements Source {}

    public record From(Source source, Action action) {}

    public enum Action {
        ALLOW,
        DENY,
        /** Allowed, and counted and logged as if denied. */
        ALLOW_WITH_SHADOW_DENY
    }
}
