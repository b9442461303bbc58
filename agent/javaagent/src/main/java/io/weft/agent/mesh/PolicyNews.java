package io.weft.agent.mesh;

import io.weft.agent.log.AgentLog;
import io.weft.policy.PolicyClientStatus;
import io.weft.policy.PolicyClientStatus.Connected;
import io.weft.policy.PolicyClientStatus.Disconnected;
import io.weft.policy.PolicyClientStatus.Refusal;
import java.time.Duration;
import java.util.HashSet;
import java.util.Set;

/**
 * What an operator has to know of the policy client goes into the log: a policy that was refused, a cache that does not work, and
 * the loss of a control plane that lasts; one that only restarts is not worth a line. Everything once. Confined to the policy
 * client's thread, but for what the timer looks at.
 */
final class PolicyNews {
    /** A control plane that sends other nonsense each time must not fill the log. */
    private static final int MOST = 100;

    private final Background background;
    private final AgentLog log;
    private final Duration patience;
    private final Set<String> told = new HashSet<>();
    private boolean wasConnected;
    private volatile Disconnected outage;
    private volatile boolean outageTold;

    /** @param patience how long a control plane may be away without a word */
    PolicyNews(Background background, AgentLog log, Duration patience) {
        this.background = background;
        this.log = log;
        this.patience = patience;
    }

    void read(PolicyClientStatus status) {
        for (Refusal refusal : status.refused()) {
            tell("refused " + refusal.resource() + (refusal.path().isEmpty() ? "" : ": " + refusal.path()) + ": " + refusal.reason()
                    + "; what was in force before stays in force");
        }
        if (status.problem().isPresent()) {
            tell(status.problem().get());
        }
        if (status.connection() instanceof Connected connected) {
            // One that is about to be turned away is connected for a moment, too.
            if (status.lastResponse().map(connected.since()::isAfter).orElse(true)) {
                return;
            }
            if (outageTold) {
                log.info("connected to the control plane again");
            }
            wasConnected = true;
            outage = null;
            outageTold = false;
        } else if (status.connection() instanceof Disconnected now && wasConnected) {
            boolean begins = outage == null;
            outage = now;
            if (begins) {
                background.runAfter(patience.toMillis(), "look at the connection", this::tellOutage);
            }
        }
    }

    private void tell(String news) {
        if (told.size() < MOST && told.add(news)) {
            log.warn(news + (told.size() == MOST ? " (from now on such news is not logged any more)" : ""));
        }
    }

    private void tellOutage() {
        Disconnected lasting = outage;
        if (lasting != null && !outageTold) {
            outageTold = true;
            log.warn("no connection to the control plane (" + lasting.error() + "); the last policy stays in force");
        }
    }
}
