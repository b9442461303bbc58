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
 * What an operator has to know of the policy client goes into the log: a policy that was refused, a cache that does not work,
 * the loss of a control plane that lasts (one that only restarts is not worth a line), and at once that the control plane turns this process
 * away. Everything once, but for the last, which somebody has to do something about. Confined to the policy client's thread, but for
 * what the timers look at.
 */
final class PolicyNews {
    /** A control plane that sends other nonsense each time must not fill the log. */
    private static final int MOST = 100;

    private final Background background;
    private final AgentLog log;
    private final Duration patience;
    private final Duration reminder;
    private final String token;
    private final Set<String> told = new HashSet<>();
    private volatile boolean wasConnected;
    private volatile Disconnected outage;
    private volatile boolean outageTold;
    /** Null: it is not, or no more. */
    private volatile Disconnected turnedAway;
    private volatile int timesTurnedAway;

    /**
     * @param patience how long a control plane may be away without a word
     * @param reminder how often it is said that this process is turned away
     * @param token that it shows
     */
    PolicyNews(Background background, AgentLog log, Duration patience, Duration reminder, String token) {
        this.background = background;
        this.log = log;
        this.patience = patience;
        this.reminder = reminder;
        this.token = token;
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
            if (turnedAway != null) {
                log.info("the control plane has let this process in");
            } else if (outageTold) {
                log.info("connected to the control plane" + (wasConnected ? " again" : ""));
            }
            wasConnected = true;
            outage = null;
            outageTold = false;
            turnedAway = null;
        } else if (status.connection() instanceof Disconnected now) {
            disconnected(now);
        }
    }

    private void disconnected(Disconnected now) {
        if (now.turnedAway()) {
            boolean begins = turnedAway == null;
            turnedAway = now;
            if (begins) {
                tellTurnedAway(++timesTurnedAway);
            }
        } else {
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
        if (lasting != null && !outageTold && turnedAway == null) {
            outageTold = true;
            log.warn("no connection to the control plane (" + lasting.error() + "); " + (wasConnected
                    ? "the last policy stays in force"
                    : "there was none yet, and until there is one no policy is in force but what weft.cache.dir has kept. It is tried again and again; is "
                            + "weft.control-plane right, and is that running?"));
        }
    }

    private void tellTurnedAway(int time) {
        Disconnected lasting = turnedAway;
        if (lasting != null && time == timesTurnedAway) {
            log.warn("the control plane turns this process away: " + lasting.error() + " (" + token + "); what it had before stays in force");
            background.runAfter(reminder.toMillis(), "look at the connection", () -> tellTurnedAway(time));
        }
    }
}
