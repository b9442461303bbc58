package io.weft.controlplane.policy;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * What is there before anybody writes a policy, as ordinary entries of the lowest precedence: what an operator's policy leaves open,
 * they say.
 */
public final class InitialPolicies {

    /**
     * Those that Kuma creates with a mesh, with three differences. Two because an instance may die at any time: more retries at once,
     * and each looks for another host. And a try has no limit of its own, which is 16 s in Kuma: beside a request's 15 s it says
     * nothing, and whoever gives a request more time means it.
     */
    private static final String TEXT = """
            type: MeshTimeout
            name: mesh-timeout-all
            spec:
              to:
              - targetRef: {kind: Mesh}
                default:
                  connectionTimeout: 5s
                  idleTimeout: 1h
                  http: {requestTimeout: 15s, streamIdleTimeout: 30m}
              from:
              - targetRef: {kind: Mesh}
                default:
                  connectionTimeout: 10s
                  idleTimeout: 2h
                  http: {requestTimeout: 0s, streamIdleTimeout: 1h, maxStreamDuration: 0s}
            ---
            type: MeshCircuitBreaker
            name: mesh-circuit-breaker-all
            spec:
              to:
              - targetRef: {kind: Mesh}
                default:
                  connectionLimits: {maxConnections: 1024, maxPendingRequests: 1024, maxRequests: 1024, maxRetries: 128}
            ---
            type: MeshRetry
            name: mesh-retry-all
            spec:
              to:
              - targetRef: {kind: Mesh}
                default:
                  http:
                    numRetries: 5
                    backOff: {baseInterval: 25ms, maxInterval: 250ms}
                    hostSelection: [{predicate: OmitPreviousHosts}]
                    hostSelectionMaxAttempts: 5
                  grpc:
                    numRetries: 5
                    backOff: {baseInterval: 25ms, maxInterval: 250ms}
                  tcp: {maxConnectAttempt: 5}
            """;

    private static final List<Policy> ALL = new ResourceParser()
            .parseFile("initial policies", TEXT).stream()
            .map(document -> (Policy) document.resource().orElseThrow())
            .toList();

    /** What they say of what is sent, by kind. */
    private static final Map<PolicyKind<?>, Object> SAID = ALL.stream()
            .collect(Collectors.toUnmodifiableMap(Policy::kind, policy -> policy.kind().read(policy.to().get(0).conf())));

    private final Map<PolicyKind<?>, Policy> policies;

    private InitialPolicies(Map<PolicyKind<?>, Policy> policies) {
        this.policies = policies;
    }

    /** @param mesh absent: as it is without a document */
    public static InitialPolicies of(Optional<Mesh> mesh) {
        Set<String> skipped = mesh.map(Mesh::skippedInitialPolicies).orElse(Set.of());
        Map<PolicyKind<?>, Policy> policies = new LinkedHashMap<>();
        for (Policy policy : ALL) {
            if (!skipped.contains("*") && !skipped.contains(policy.kind().name())) {
                policies.put(policy.kind(), policy);
            }
        }
        return new InitialPolicies(policies);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof InitialPolicies initial && policies.keySet().equals(initial.policies.keySet());
    }

    @Override
    public int hashCode() {
        return policies.keySet().hashCode();
    }

    public boolean has(PolicyKind<?> kind) {
        return policies.containsKey(kind);
    }

    public Conf to(PolicyKind<?> kind) {
        return Optional.ofNullable(policies.get(kind))
                .flatMap(policy -> policy.to().stream().findFirst().map(Policy.To::conf))
                .orElse(Conf.EMPTY);
    }

    /** What they say of what is sent, for when nobody else says anything; empty: nothing. */
    @SuppressWarnings("unchecked") // what is kept for a kind was read by it
    public <C> Optional<C> said(PolicyKind<C> kind) {
        return has(kind) ? Optional.of((C) SAID.get(kind)) : Optional.empty();
    }

    public Conf from(PolicyKind<?> kind) {
        return Optional.ofNullable(policies.get(kind))
                .flatMap(policy -> policy.rules().stream().findFirst().map(Policy.Rule::conf))
                .orElse(Conf.EMPTY);
    }

    /** As a user would write them. */
    public static String text() {
        return TEXT;
    }
}
