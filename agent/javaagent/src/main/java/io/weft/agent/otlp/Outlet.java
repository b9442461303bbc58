package io.weft.agent.otlp;

import io.weft.agent.log.AgentLog;
import java.io.IOException;
import java.util.Optional;

/**
 * What is sent to a collector. What it does not take is said once.
 *
 * @param from where it is said that it goes there, for people, as in {@code weft.otlp.endpoint}
 */
public record Outlet(Receiver collector, Signal signal, String from, AgentLog log) {

    /** @param then what follows if it fails, for people */
    public void send(String json, String then) {
        String what = signal.what();
        try {
            Optional<Receiver.Refusal> refusal = collector.send(signal, json);
            // Under the kind alone: the rest may be another each time.
            refusal.ifPresent(refused -> log.warnOnce("otlp " + what + ' ' + collector + ' ' + refused.kind(),
                    what + " are not taken by " + collector + ": " + refused.said() + "; check " + from));
        } catch (IOException failed) {
            log.warnOnce("otlp " + what + ' ' + collector, what + " cannot be sent to " + collector + ": " + failed + "; " + then);
        }
    }
}
