package io.weft.agent.mesh;

import io.weft.agent.log.AgentLog;
import io.weft.agent.settings.Settings;
import io.weft.policy.PolicyClientStatus;
import io.weft.policy.PolicyClientStatus.Connected;
import io.weft.policy.PolicyClientStatus.Disconnected;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentSkipListSet;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * The one line that the agent says by default: version, service, control plane and the libraries in use. Those are known when the
 * app has loaded them, so it is said a second after a policy is in force and a library is instrumented; ten seconds after the
 * first library when there is no policy by then; and in any case after a minute or when the JVM ends. Thread-safe.
 */
public final class Announcement {
    private static final long SETTLED_MILLIS = 1_000;
    private static final long NO_POLICY_MILLIS = 10_000;
    private static final long NO_LIBRARY_MILLIS = 60_000;

    private final Settings settings;
    private final Mesh mesh;
    private final Background background;
    private final AgentLog log;
    private final Set<String> libraries = new ConcurrentSkipListSet<>();
    private final AtomicBoolean attached = new AtomicBoolean();
    private final AtomicBoolean planned = new AtomicBoolean();
    private final AtomicBoolean said = new AtomicBoolean();
    private volatile boolean policyInForce;

    public Announcement(Settings settings, Mesh mesh, Background background, AgentLog log) {
        this.settings = settings;
        this.mesh = mesh;
        this.background = background;
        this.log = log;
    }

    public void started() {
        background.runAfter(NO_LIBRARY_MILLIS, "announce", new Say());
    }

    public void attached(String library) {
        libraries.add(library);
        if (attached.compareAndSet(false, true)) {
            background.runAfter(NO_POLICY_MILLIS, "announce", new Say());
        }
        planWhenSettled();
    }

    public void policyInForce() {
        policyInForce = true;
        planWhenSettled();
    }

    private void planWhenSettled() {
        if (policyInForce && !libraries.isEmpty() && planned.compareAndSet(false, true)) {
            background.runAfter(SETTLED_MILLIS, "announce", new Say());
        }
    }

    /** Says it, unless it is said. */
    public void say() {
        if (said.compareAndSet(false, true)) {
            log.info(AgentVersion.get() + ", service " + settings.service().orElse("(none: not registered)") + ", control plane "
                    + settings.controlPlane().orElseThrow().uri() + connection() + ", instruments "
                    + (libraries.isEmpty() ? "nothing yet" : String.join(", ", libraries)));
        }
    }

    /** @return empty, or in parentheses what there is instead of a policy of the control plane's */
    public String connection() {
        if (!mesh.isStarted()) {
            return " (not asked yet: no library is in use)";
        }
        Optional<PolicyClientStatus> status = mesh.status();
        if (status.isEmpty()) {
            return " (no policy yet)";
        }
        if (status.get().connection() instanceof Disconnected disconnected) {
            return (disconnected.turnedAway() ? " (turned away: " : " (no connection: ") + disconnected.error() + ")";
        }
        return status.get().connection() instanceof Connected && policyInForce ? "" : " (no policy yet)";
    }

    private final class Say implements Runnable {
        @Override
        public void run() {
            say();
        }
    }
}
