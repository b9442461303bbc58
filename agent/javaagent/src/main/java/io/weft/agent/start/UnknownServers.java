package io.weft.agent.start;

import io.weft.agent.log.AgentLog;
import io.weft.agent.mesh.Background;
import io.weft.agent.mesh.Mesh;
import io.weft.agent.status.OpenPorts;

/**
 * Starts the mesh where others could call this process although no library that the agent knows is in use: a server that nobody knows is
 * seen and warned of, and serves on. As long as nothing listens nothing is started. On the agent's thread.
 */
final class UnknownServers implements Runnable {
    /** The app's start is not the time for it. */
    private static final long FIRST_LOOK_MILLIS = 5_000;
    private static final long LAST_PERIOD_MILLIS = 60_000;

    private final OpenPorts ports;
    private final Mesh mesh;
    private final Mesh.Listener listener;
    private final Background background;
    private final AgentLog log;
    private long period = FIRST_LOOK_MILLIS;

    UnknownServers(OpenPorts ports, Mesh mesh, Mesh.Listener listener, Background background, AgentLog log) {
        this.ports = ports;
        this.mesh = mesh;
        this.listener = listener;
        this.background = background;
        this.log = log;
    }

    void lookAfterStart() {
        background.runAfter(FIRST_LOOK_MILLIS, "look for servers that are not known", this);
    }

    @Override
    public void run() {
        if (mesh.isStarted()) {
            return;
        }
        if (ports.canBeCalled()) {
            log.debug("a port is bound, and no library that is known here is in use: the mesh starts");
            mesh.start(listener);
            return;
        }
        period = Math.min(LAST_PERIOD_MILLIS, period * 2);
        background.runAfter(period, "look for servers that are not known", this);
    }
}
