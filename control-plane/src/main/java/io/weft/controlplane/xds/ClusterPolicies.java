package io.weft.controlplane.xds;

import io.envoyproxy.envoy.config.cluster.v3.Cluster;
import io.envoyproxy.envoy.config.core.v3.HttpProtocolOptions;
import io.weft.controlplane.policy.InitialPolicies;
import io.weft.controlplane.policy.MeshCircuitBreaker;
import io.weft.controlplane.policy.MeshHealthCheck;
import io.weft.controlplane.policy.MeshLoadBalancingStrategy;
import io.weft.controlplane.policy.MeshTimeout;
import io.weft.controlplane.policy.PolicyKinds;
import io.weft.controlplane.policy.Protocol;
import io.weft.controlplane.service.OutboundRules;
import io.weft.controlplane.service.ServiceCatalog.Target;
import io.weft.controlplane.xds.policy.CircuitBreakerTranslator;
import io.weft.controlplane.xds.policy.HealthCheckTranslator;
import io.weft.controlplane.xds.policy.LoadBalancingTranslator;
import io.weft.controlplane.xds.policy.TimeoutTranslator;
import java.util.BitSet;
import java.util.Optional;

/**
 * What policies say of the connections to one port of a service.
 *
 * @param breaker where nobody wrote one, the one that is there from the start
 * @param guarded whether outliers are looked for where no policy says whether they are
 */
record ClusterPolicies(
        Optional<MeshTimeout> timeout,
        Optional<MeshCircuitBreaker> breaker,
        Optional<MeshLoadBalancingStrategy> balancing,
        Optional<MeshHealthCheck> health,
        boolean guarded) {

    static ClusterPolicies of(OutboundRules rules, BitSet applicable, Target target, InitialPolicies initial) {
        return new ClusterPolicies(
                rules.of(PolicyKinds.TIMEOUT, applicable, target.service(), target.port()),
                rules.of(PolicyKinds.CIRCUIT_BREAKER, applicable, target.service(), target.port())
                        .or(() -> initial.said(PolicyKinds.CIRCUIT_BREAKER)),
                rules.of(PolicyKinds.LOAD_BALANCING, applicable, target.service(), target.port()),
                rules.of(PolicyKinds.HEALTH_CHECK, applicable, target.service(), target.port()),
                initial.has(PolicyKinds.CIRCUIT_BREAKER));
    }

    /** In Kuma's order: where two of them set the same field, the later one counts. */
    void in(Cluster.Builder cluster, Protocol protocol) {
        cluster.setConnectTimeout(Defaults.CONNECT_TIMEOUT);
        balancing.ifPresent(strategy -> LoadBalancingTranslator.cluster(strategy, cluster));
        timeout.ifPresent(chosen -> TimeoutTranslator.connect(chosen, cluster));
        health.ifPresent(check -> HealthCheckTranslator.cluster(check, protocol, cluster));
        cluster.setCircuitBreakers(CircuitBreakerTranslator.limits(breaker.flatMap(MeshCircuitBreaker::limits)));
        if (breaker.flatMap(MeshCircuitBreaker::outliers).isPresent()) {
            CircuitBreakerTranslator.outliers(breaker.get().outliers().get(), cluster);
        } else if (guarded) {
            cluster.setOutlierDetection(Defaults.OUTLIER_DETECTION);
        }
    }

    Optional<HttpProtocolOptions> connections() {
        return timeout.map(TimeoutTranslator::connections);
    }
}
