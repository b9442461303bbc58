package io.weft.agent.status;

import io.weft.agent.link.Attachments;
import io.weft.agent.mesh.Unregistered;
import io.weft.agent.settings.Settings;
import io.weft.dataplane.ClusterStats;
import io.weft.dataplane.InboundPorts.PortInfo;
import io.weft.dataplane.authorize.AccessStats.RuleStats;
import io.weft.policy.PolicyClientStatus;
import io.weft.policy.load.InboundRefusals;
import io.weft.policy.model.PolicySnapshot;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.Map;

/**
 * What an operator asks about this JVM, at one moment.
 *
 * @param service empty: it only calls
 * @param instance its name to the control plane
 * @param ports that the app serves
 * @param refusals of requests that came in
 * @param unregistered ports that are bound, served or not, and of which nobody else hears
 */
record Status(
        Process process,
        State state,
        String service,
        String mesh,
        Map<String, String> tags,
        String instance,
        Settings.ControlPlane controlPlane,
        PolicyClientStatus stream,
        PolicySnapshot policy,
        List<PortInfo> ports,
        List<UnregisteredPort> unregistered,
        List<Attachments.Status> libraries,
        List<ClusterStats> clusters,
        InboundRefusals refusals,
        List<RuleStats> accessRules,
        List<String> notices) {

    /** As {@code /ready} has it. */
    enum State { INITIALIZING, LIVE, DRAINING }

    /**
     * @param java version of the runtime
     * @param command what it runs
     */
    record Process(long pid, String agent, String java, String command) {}

    /**
     * @param library empty: none that Weft knows has bound it
     * @param unguarded others can call there past what policy demands of who calls this process
     */
    record UnregisteredPort(InetSocketAddress address, String library, Unregistered reason, boolean unguarded) {}

    int endpoints() {
        return policy.assignments().values().stream()
                .flatMap(assignment -> assignment.localities().stream())
                .mapToInt(locality -> locality.endpoints().size())
                .sum();
    }
}
