package io.weft.controlplane.xds;

import com.google.protobuf.Message;
import io.envoyproxy.envoy.config.accesslog.v3.AccessLog;
import io.envoyproxy.envoy.config.cluster.v3.Cluster;
import io.envoyproxy.envoy.config.core.v3.HttpProtocolOptions;
import io.envoyproxy.envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager;
import io.envoyproxy.envoy.extensions.filters.network.http_connection_manager.v3.HttpFilter;
import io.weft.controlplane.policy.Dataplane;
import io.weft.controlplane.policy.Labels;
import io.weft.controlplane.policy.MeshCircuitBreaker;
import io.weft.controlplane.policy.MeshTimeout;
import io.weft.controlplane.policy.PolicyKinds;
import io.weft.controlplane.policy.Protocol;
import io.weft.controlplane.registry.ClientNode;
import io.weft.controlplane.service.InboundRules.Selected;
import io.weft.controlplane.xds.policy.AccessLogTranslator;
import io.weft.controlplane.xds.policy.AccessLogTranslator.Placeholders;
import io.weft.controlplane.xds.policy.CircuitBreakerTranslator;
import io.weft.controlplane.xds.policy.FaultTranslator;
import io.weft.controlplane.xds.policy.RateLimitTranslator;
import io.weft.controlplane.xds.policy.TimeoutTranslator;
import java.util.List;
import java.util.Optional;

/**
 * What policies say of what comes in at one port.
 *
 * @param faults in front of the limits, as in Kuma
 * @param tracing absent: nothing is traced
 * @param connectionLimit in front of all that looks at bytes
 */
record InboundPolicies(
        Optional<MeshTimeout> timeout,
        Optional<MeshCircuitBreaker> breaker,
        List<HttpFilter> faults,
        RateLimitTranslator.Http limits,
        Optional<Message> connectionLimit,
        List<AccessLog> logs,
        Optional<HttpConnectionManager.Tracing> tracing) {

    /** Kuma's word for whoever it may be. */
    private static final String UNKNOWN = "unknown";

    static InboundPolicies of(
            Selected rules, ClientNode node, Dataplane.Inbound inbound, Optional<HttpConnectionManager.Tracing> tracing) {
        Placeholders placeholders = new Placeholders(
                node.mesh(),
                inbound.tags().getOrDefault(Labels.ZONE, node.metadata().zone()),
                inbound.address(),
                UNKNOWN,
                inbound.tags().getOrDefault(Labels.SERVICE, UNKNOWN),
                "INBOUND");
        boolean http = inbound.protocol().orElse(Protocol.HTTP).http();
        return new InboundPolicies(
                rules.forAnyone(PolicyKinds.TIMEOUT),
                rules.forAnyone(PolicyKinds.CIRCUIT_BREAKER),
                FaultTranslator.filters(
                        rules.each(PolicyKinds.FAULT_INJECTION), policy -> Names.policy(PolicyKinds.FAULT_INJECTION, policy)),
                RateLimitTranslator.http(
                        rules.forAnyone(PolicyKinds.RATE_LIMIT), rules.byCaller(PolicyKinds.RATE_LIMIT)),
                RateLimitTranslator.connections(rules.forAnyone(PolicyKinds.RATE_LIMIT)),
                // Each of them is written, wherever the others are written to.
                rules.each(PolicyKinds.ACCESS_LOG).stream()
                        .flatMap(log -> AccessLogTranslator.logs(log.conf(), http, placeholders, Optional.empty()).stream())
                        .toList(),
                tracing);
    }

    /** Of the cluster that leads to the app. */
    void in(Cluster.Builder cluster) {
        cluster.setConnectTimeout(Defaults.INBOUND_CONNECT_TIMEOUT);
        timeout.ifPresent(chosen -> TimeoutTranslator.connect(chosen, cluster));
        breaker.ifPresent(chosen -> {
            cluster.setCircuitBreakers(CircuitBreakerTranslator.limits(chosen.limits()));
            chosen.outliers().ifPresent(detection -> CircuitBreakerTranslator.outliers(detection, cluster));
        });
    }

    Optional<HttpProtocolOptions> connections() {
        return timeout.map(TimeoutTranslator::connections);
    }
}
