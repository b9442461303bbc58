package io.weft.agent.status;

import io.weft.admin.AdminPort;
import io.weft.agent.mesh.ServicePorts;
import io.weft.agent.mesh.Unregistered;
import io.weft.agent.settings.Settings;
import io.weft.agent.status.Status.UnregisteredPort;
import io.weft.dataplane.InboundPorts;
import io.weft.dataplane.InboundPorts.PortInfo;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;

/** The ports on which this process listens, and of which of them nobody in the mesh hears. Thread-safe. */
public final class OpenPorts {
    private final Settings settings;
    private final ServicePorts servicePorts;
    private final Set<Integer> boundBefore;
    private final BooleanSupplier identified;
    private final Supplier<List<InetSocketAddress>> bound;
    /** Not the app's. */
    private final Set<AdminPort> own = ConcurrentHashMap.newKeySet();

    /**
     * @param boundBefore numbers of ports that were bound before the agent came
     * @param identified whether the control plane has given this process an identity
     */
    public OpenPorts(Settings settings, ServicePorts servicePorts, Set<Integer> boundBefore, BooleanSupplier identified) {
        this(settings, servicePorts, boundBefore, identified, BoundPorts::all);
    }

    OpenPorts(
            Settings settings, ServicePorts servicePorts, Set<Integer> boundBefore, BooleanSupplier identified,
            Supplier<List<InetSocketAddress>> bound) {
        this.identified = identified;
        this.settings = settings;
        this.servicePorts = servicePorts;
        this.boundBefore = boundBefore;
        this.bound = bound;
    }

    void own(AdminPort port) {
        own.add(port);
    }

    void closed(AdminPort port) {
        own.remove(port);
    }

    /** Whether anything is bound that the mesh's callers could come by. */
    public boolean canBeCalled() {
        return bound.get().stream().anyMatch(this::isReachable);
    }

    List<UnregisteredPort> unregistered(InboundPorts inbound) {
        List<UnregisteredPort> unregistered = new ArrayList<>();
        Set<Integer> seen = new HashSet<>();
        own.forEach(port -> seen.add(port.address().getPort()));
        for (PortInfo port : inbound.ports()) {
            seen.add(port.address().getPort());
            Unregistered reason = refusal(port, inbound);
            if (reason != null) {
                unregistered.add(new UnregisteredPort(port.address(), port.library(), reason,
                        reason == Unregistered.OWN_TLS && isReachable(port.address()) && isPassedBy(port.address(), inbound)));
            }
        }
        for (InetSocketAddress address : bound.get()) {
            if (seen.add(address.getPort())) {
                Unregistered reason = boundBefore.contains(address.getPort()) ? Unregistered.ATTACHED_LATE : Unregistered.UNKNOWN_SERVER;
                unregistered.add(new UnregisteredPort(address, "", reason, isReachable(address) && isPassedBy(address, inbound)));
            }
        }
        return unregistered;
    }

    /** To Istio an agent does not say which ports it has: a pod's are those of its services. */
    private Unregistered refusal(PortInfo port, InboundPorts inbound) {
        boolean tells = settings.controlPlane().orElseThrow().kind() != Settings.ControlPlane.Kind.ISTIO;
        Unregistered refusal = tells ? servicePorts.refusal(port) : null;
        return refusal == null && !inbound.isNamed(port.address().getPort()) ? Unregistered.NO_INBOUND_LISTENER : refusal;
    }

    /** Whether the mesh's callers could come by it, and the operator did not say that it is none of the service's. */
    private boolean isReachable(InetSocketAddress address) {
        return servicePorts.refusal(new PortInfo("", address, false, false)) == null;
    }

    /** Where the app serves on no port that the mesh knows, no policy of it is sent for what comes in, and there are identities to ask for. */
    private boolean isPassedBy(InetSocketAddress address, InboundPorts inbound) {
        return settings.required() || inbound.isGuarded(address.getPort()) || inbound.ports().isEmpty() && identified.getAsBoolean();
    }
}
