package io.weft.controlplane.xds;

import io.envoyproxy.envoy.config.route.v3.RouteAction;
import io.weft.controlplane.policy.InitialPolicies;
import io.weft.controlplane.policy.MeshLoadBalancingStrategy;
import io.weft.controlplane.policy.MeshRetry;
import io.weft.controlplane.policy.MeshTimeout;
import io.weft.controlplane.policy.Metadata;
import io.weft.controlplane.policy.PolicyKind;
import io.weft.controlplane.policy.PolicyKinds;
import io.weft.controlplane.policy.Protocol;
import io.weft.controlplane.service.OutboundRules;
import io.weft.controlplane.service.Service;
import io.weft.controlplane.xds.policy.LoadBalancingTranslator;
import io.weft.controlplane.xds.policy.RetryTranslator;
import io.weft.controlplane.xds.policy.TimeoutTranslator;
import java.util.BitSet;
import java.util.Optional;

/**
 * What policies say of the requests of one route.
 *
 * @param retried whether it is retried where no policy says anything
 */
record RoutePolicies(
        Optional<MeshTimeout> timeout,
        Optional<MeshRetry> retry,
        Optional<MeshLoadBalancingStrategy> balancing,
        boolean retried) {

    /** @param route absent: the one that is always there */
    static RoutePolicies of(
            OutboundRules rules,
            BitSet applicable,
            Service service,
            Service.Port port,
            Optional<Metadata> route,
            InitialPolicies initial) {
        return new RoutePolicies(
                of(PolicyKinds.TIMEOUT, rules, applicable, service, port, route),
                of(PolicyKinds.RETRY, rules, applicable, service, port, route),
                of(PolicyKinds.LOAD_BALANCING, rules, applicable, service, port, route),
                initial.has(PolicyKinds.RETRY));
    }

    private static <C> Optional<C> of(
            PolicyKind<C> kind,
            OutboundRules rules,
            BitSet applicable,
            Service service,
            Service.Port port,
            Optional<Metadata> route) {
        return route.isPresent()
                ? rules.of(kind, applicable, service, port, route.get())
                : rules.of(kind, applicable, service, port);
    }

    void in(RouteAction.Builder action, Protocol protocol) {
        action.setTimeout(Defaults.REQUEST_TIMEOUT);
        timeout.ifPresent(chosen -> TimeoutTranslator.route(chosen, action));
        balancing.ifPresent(strategy -> LoadBalancingTranslator.route(strategy, action));
        if (retry.isPresent()) {
            RetryTranslator.policy(retry.get(), protocol).ifPresent(action::setRetryPolicy);
        } else if (retried) {
            action.setRetryPolicy(Defaults.RETRY);
        }
    }
}
