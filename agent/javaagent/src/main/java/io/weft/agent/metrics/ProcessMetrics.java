package io.weft.agent.metrics;

import io.weft.dataplane.InboundPorts;
import io.weft.dataplane.Rejection;
import io.weft.dataplane.authorize.AccessStats.RuleStats;
import io.weft.policy.PolicyClientStatus;
import io.weft.policy.PolicyClientStatus.Connected;
import io.weft.policy.model.PolicySnapshot;
import io.weft.policy.model.Secret;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** The agent itself: under Envoy's names where Envoy has such a thing, else under its own. */
final class ProcessMetrics {
    private ProcessMetrics() {}

    static List<Metric> of(PolicyClientStatus stream, PolicySnapshot policy, InboundPorts ports, List<RuleStats> rules, Instant now) {
        Metric live = Metric.gauge("envoy_server_live", "1 until this instance is about to go.");
        live.add(Map.of(), ports.draining() ? 0 : 1);
        Metric connected = Metric.gauge("envoy_control_plane_connected_state", "1 while there is a connection to the control plane.");
        connected.add(Map.of(), stream.connection() instanceof Connected ? 1 : 0);
        Metric generation = Metric.gauge("weft_policy_generation", "How often the policy in force has changed.");
        generation.add(Map.of(), policy.generation());
        Metric refused = Metric.gauge("weft_policy_refused", "Resources of the control plane that are refused now.");
        refused.add(Map.of(), stream.refused().size());
        Metric inFlight = Metric.gauge("weft_inbound_requests_active", "Requests that came in and are under way.");
        inFlight.add(Map.of(), ports.inFlight());
        Metric unguarded = Metric.gauge("weft_inbound_ports_unguarded", "Open ports of the service to which policy does not hold, although it demands "
                + "something of who calls.");
        unguarded.add(Map.of(), ports.unguarded());
        return List.of(live, connected, generation, refused, inFlight, unguarded, rejections(ports), decisions(rules), expiry(policy, now));
    }

    private static Metric rejections(InboundPorts ports) {
        Metric rejections = Metric.counter("weft_inbound_connections_refused_total", "Connections that were closed for what policy says.");
        for (Rejection why : Rejection.values()) {
            rejections.add(Map.of("reason", why.name().toLowerCase(Locale.ROOT)), ports.rejections(why));
        }
        return rejections;
    }

    private static Metric decisions(List<RuleStats> rules) {
        Metric decisions = Metric.counter("weft_access_decisions_total", "How often a rule of access control decided.");
        for (RuleStats rule : rules) {
            decisions.add(
                    Map.of("filter", rule.filter(), "rule", rule.rule(), "decision", rule.allows() ? "allowed" : "denied", "shadow",
                            Boolean.toString(rule.shadow())),
                    rule.count());
        }
        return decisions;
    }

    private static Metric expiry(PolicySnapshot policy, Instant now) {
        Metric expiry = Metric.gauge("weft_certificate_expiry_seconds", "For how long certificates of this process are still valid.");
        for (Secret secret : policy.secrets().values()) {
            if (secret.content() instanceof Secret.Identity identity) {
                Instant end = identity.certificate().leaf().getNotAfter().toInstant();
                expiry.add(Map.of("secret", secret.name()), Duration.between(now, end).toSeconds());
            }
        }
        return expiry;
    }
}
