package io.weft.agent.status;

import io.weft.agent.log.AgentLog;
import io.weft.agent.mesh.Background;
import io.weft.agent.status.Status.UnregisteredPort;
import io.weft.dataplane.InboundPorts;
import io.weft.dataplane.NanoClock;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;

/**
 * Looks for ports to which policy does not hold although it demands something of who calls this process, and says so: the servers are none that
 * the agent could keep from serving, and may be no servers of the app's for anybody, as for JMX or a debugger. Confined to the
 * agent's thread.
 */
public final class UnguardedPorts implements Runnable {
    private static final long FIRST_PERIOD_MILLIS = 5_000;
    private static final long LAST_PERIOD_MILLIS = 30_000;
    /** Between a port's binding and what its server does with it, which is what makes it known. */
    private static final long SETTLED_NANOS = TimeUnit.SECONDS.toNanos(4);
    /** Where the app serves nothing yet: a servlet container binds its ports and then starts its apps. */
    private static final long STARTED_NANOS = TimeUnit.MINUTES.toNanos(2);
    /** An app that binds ports without end does not fill the log. */
    private static final int MOST_SAID = 50;

    private final OpenPorts ports;
    private final InboundPorts inbound;
    private final Background background;
    private final NanoClock clock;
    private final AgentLog log;
    /** By number, when it was first seen. */
    private final Map<Integer, Long> seen = new HashMap<>();
    private final Set<Integer> said = new HashSet<>();
    private long period = FIRST_PERIOD_MILLIS;

    public UnguardedPorts(OpenPorts ports, InboundPorts inbound, Background background, NanoClock clock, AgentLog log) {
        this.ports = ports;
        this.inbound = inbound;
        this.background = background;
        this.clock = clock;
        this.log = log;
    }

    /** Once, when a policy is in force; from then on it comes back by itself. */
    @Override
    public void run() {
        try {
            look();
        } finally {
            background.runAfter(period, "look for ports to which policy does not hold", this);
            period = Math.min(LAST_PERIOD_MILLIS, period * 2);
        }
    }

    void look() {
        List<UnregisteredPort> unguarded = ports.unregistered(inbound).stream().filter(UnregisteredPort::unguarded).toList();
        seen.keySet().retainAll(unguarded.stream().map(port -> port.address().getPort()).toList());
        long now = clock.nanoTime();
        long patience = inbound.ports().isEmpty() ? STARTED_NANOS : SETTLED_NANOS;
        int settled = 0;
        for (UnregisteredPort port : unguarded) {
            if (now - seen.computeIfAbsent(port.address().getPort(), absent -> now) >= patience) {
                settled++;
                say(port);
            }
        }
        inbound.unguarded(settled);
    }

    private void say(UnregisteredPort port) {
        if (said.size() < MOST_SAID && said.add(port.address().getPort())) {
            String what = inbound.isGuarded(port.address().getPort())
                    ? "although policy demands mesh TLS or says who may call"
                    : "and what policy demands of who calls this service is not known here, as no port of it is registered";
            log.warn("port " + port.address().getPort() + " is open to everyone, " + what + ": " + port.reason().explanation() + ". If the app is called there, take a server that docs/libraries.md lists, or have the network keep"
                    + " others out (a NetworkPolicy, a firewall, the loopback interface). If it is for something else, as JMX or health checks,"
                    + " name the ports of the service in weft.ports, and nothing is said of others");
        }
    }
}
