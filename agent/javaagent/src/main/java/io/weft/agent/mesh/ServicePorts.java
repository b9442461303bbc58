package io.weft.agent.mesh;

import io.weft.agent.settings.Settings;
import io.weft.dataplane.InboundPorts.PortInfo;
import java.net.InetAddress;
import java.util.function.Predicate;

/** Which of the app's ports the control plane is told of. Thread-safe. */
public final class ServicePorts implements Predicate<PortInfo> {
    private final Settings settings;
    private final boolean fromStart;
    private final boolean meshOnLoopback;

    /** @param fromStart the agent was there before any server of the app: whatever listens will be told of */
    public ServicePorts(Settings settings, boolean fromStart) {
        this.settings = settings;
        this.fromStart = fromStart;
        meshOnLoopback = settings.controlPlane().map(controlPlane -> controlPlane.uri().getHost()).filter(ServicePorts::isLoopback).isPresent();
    }

    boolean late() {
        return !fromStart;
    }

    /** No name is looked up: it is asked for under class loading. */
    private static boolean isLoopback(String host) {
        return host.equals("localhost") || host.startsWith("127.") || host.equals("[::1]");
    }

    /** As far as is known before there is a connection to the control plane. */
    @Override
    public boolean test(PortInfo port) {
        return (fromStart || !port.library().isEmpty()) && isServed(port, meshOnLoopback);
    }

    /**
     * Other instances send plain HTTP to the advertised address: a port with the app's own TLS cannot take it, and one that is
     * bound to the loopback interface does not get it, unless the mesh itself is on that interface.
     */
    boolean isServed(PortInfo port, boolean meshIsLocal) {
        return refusal(port, meshIsLocal) == null;
    }

    /**
     * As far as is known before there is a connection to the control plane.
     *
     * @return null: the control plane is told of it
     */
    public Unregistered refusal(PortInfo port) {
        return refusal(port, meshOnLoopback);
    }

    private Unregistered refusal(PortInfo port, boolean meshIsLocal) {
        if (settings.service().isEmpty()) {
            return Unregistered.NO_SERVICE_NAME;
        }
        if (!settings.ports().isEmpty() && !settings.ports().contains(port.address().getPort())) {
            return Unregistered.LEFT_OUT;
        }
        if (port.tls()) {
            return Unregistered.OWN_TLS;
        }
        InetAddress bound = port.address().getAddress();
        boolean reachable = settings.address().isPresent() || bound == null || !bound.isLoopbackAddress() || meshIsLocal;
        return reachable ? null : Unregistered.LOOPBACK_ONLY;
    }
}
