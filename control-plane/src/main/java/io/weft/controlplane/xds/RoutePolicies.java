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

/** What policies say of the requests of one route, and where nobody wrote one, those that are there from the start. */
record RoutePolicies(
        Optional<MeshTimeout> timeout, Optional<MeshRetry> retry, Optional<MeshLoadBalancingStrategy> balancing) {

    /** @param route absent: the one that is always there */
    static RoutePolicies of(
            OutboundRules rules,
            BitSet applicable,
            Service service,
            Service.Port port,
            Optional<Metadata> route,
            InitialPolicies initial) {
        return new RoutePolicies(
                of(PolicyKinds.TIMEOUT, rules, applicable, service, port, route).or(() -> initial.said(PolicyKinds.TIMEOUT)),
                of(PolicyKinds.RETRY, rules, applicable, service, port, route).or(() -> initial.said(PolicyKinds.RETRY)),
                of(PolicyKinds.LOAD_BALANCING, rules, applicable, service, port, route));
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
        retry.flatMap(chosen -> RetryTranslator.policy(chosen, protocol)).ifPresent(action::setRetryPolicy);
    }
}
