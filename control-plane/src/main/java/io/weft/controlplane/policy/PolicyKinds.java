package io.weft.controlplane.policy;

import io.weft.controlplane.policy.PolicyKind.Matches;
import io.weft.controlplane.policy.PolicyKind.Scope;
import io.weft.controlplane.policy.PolicyKind.Subject;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Kuma's policies whose entries are merged. A new one is a line here, its parser, and its translator among those of xDS. */
public final class PolicyKinds {

    private static final Set<String> SERVICES =
            Set.of("Mesh", "MeshService", "MeshExternalService", "MeshMultiZoneService");
    private static final Set<String> SERVICES_AND_ROUTES =
            Set.of("Mesh", "MeshService", "MeshExternalService", "MeshMultiZoneService", "MeshHTTPRoute");
    private static final Set<String> ANYBODY = Set.of("Mesh");
    private static final Set<String> NOBODY = Set.of();

    public static final PolicyKind<MeshTimeout> TIMEOUT = new PolicyKind<>("MeshTimeout", "mt",
            new Scope(SERVICES_AND_ROUTES, ANYBODY, true,
                    Matches.refused("cannot be honoured: a server's time for a request is the same for all callers here; set it"
                            + " for all, or at the callers under to"),
                    true, Subject.TRAFFIC),
            MeshTimeoutParser::read);

    public static final PolicyKind<MeshRetry> RETRY = new PolicyKind<>("MeshRetry", "mr",
            new Scope(SERVICES_AND_ROUTES, NOBODY, false, Matches.SUPPORTED, true, Subject.TRAFFIC), MeshRetryParser::read);

    public static final PolicyKind<MeshCircuitBreaker> CIRCUIT_BREAKER = new PolicyKind<>("MeshCircuitBreaker", "mcb",
            new Scope(SERVICES, ANYBODY, true, Matches.refused("is not a field of this policy in Kuma; remove it"), false,
                    Subject.TRAFFIC),
            MeshCircuitBreakerParser::read);

    public static final PolicyKind<MeshLoadBalancingStrategy> LOAD_BALANCING = new PolicyKind<>(
            "MeshLoadBalancingStrategy", "mlbs",
            new Scope(SERVICES_AND_ROUTES, NOBODY, false, Matches.SUPPORTED, false, Subject.TRAFFIC),
            MeshLoadBalancingStrategyParser::read);

    public static final PolicyKind<MeshHealthCheck> HEALTH_CHECK = new PolicyKind<>("MeshHealthCheck", "mhc",
            new Scope(SERVICES, NOBODY, false, Matches.SUPPORTED, false, Subject.TRAFFIC), MeshHealthCheckParser::read);

    public static final PolicyKind<MeshRateLimit> RATE_LIMIT = new PolicyKind<>("MeshRateLimit", "mrl",
            new Scope(NOBODY, ANYBODY, true, Matches.SUPPORTED, false, Subject.TRAFFIC), MeshRateLimitParser::read);

    public static final PolicyKind<MeshFaultInjection> FAULT_INJECTION = new PolicyKind<>("MeshFaultInjection", "mfi",
            new Scope(NOBODY, Set.of("Mesh", "MeshSubset", "MeshService", "MeshServiceSubset"), true, Matches.SUPPORTED,
                    false, Subject.TRAFFIC),
            MeshFaultInjectionParser::read);

    public static final PolicyKind<MeshAccessLog> ACCESS_LOG = new PolicyKind<>("MeshAccessLog", "mal",
            new Scope(SERVICES, ANYBODY, true,
                    Matches.refused("cannot be honoured: an access log's filter knows no caller here; log all, with"
                            + " %DOWNSTREAM_PEER_URI_SAN% in the format"),
                    false, Subject.TRAFFIC),
            MeshAccessLogParser::read);

    public static final PolicyKind<MeshTrace> TRACE =
            new PolicyKind<>("MeshTrace", "mtr", Scope.of(Subject.DATAPLANE_OR_INBOUND), MeshTraceParser::read);

    public static final PolicyKind<MeshPassthrough> PASSTHROUGH =
            new PolicyKind<>("MeshPassthrough", "mp", Scope.of(Subject.DATAPLANE), MeshPassthroughParser::read);

    public static final PolicyKind<MeshMetric> METRIC =
            new PolicyKind<>("MeshMetric", "mm", Scope.of(Subject.DATAPLANE), MeshMetricParser::read);

    public static final List<PolicyKind<?>> ALL = List.of(
            TIMEOUT, RETRY, CIRCUIT_BREAKER, LOAD_BALANCING, HEALTH_CHECK, RATE_LIMIT, FAULT_INJECTION, ACCESS_LOG, TRACE,
            PASSTHROUGH, METRIC);

    private static final Map<String, PolicyKind<?>> BY_NAME = byName();

    private static Map<String, PolicyKind<?>> byName() {
        Map<String, PolicyKind<?>> kinds = new LinkedHashMap<>();
        ALL.forEach(kind -> kinds.put(kind.name(), kind));
        return kinds;
    }

    static Map<String, PolicyKind<?>> named() {
        return BY_NAME;
    }

    private PolicyKinds() {}
}
