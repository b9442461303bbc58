package io.weft.agent.mesh;

import io.weft.agent.log.AgentLog;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;

/** How requests were decided, in the agent's log, off their threads. More than can be written are left out. Thread-safe. */
final class DecisionLog implements Consumer<String> {
    private static final int MAX_WAITING = 256;

    private final Background background;
    private final AgentLog log;
    private final boolean always;
    private final AtomicInteger waiting = new AtomicInteger();

    /** @param always at any level of the log; else at debug */
    DecisionLog(Background background, AgentLog log, boolean always) {
        this.background = background;
        this.log = log;
        this.always = always;
    }

    @Override
    public void accept(String decision) {
        if (waiting.incrementAndGet() > MAX_WAITING) {
            waiting.decrementAndGet();
            return;
        }
        background.run("say how a request was decided", () -> {
            waiting.decrementAndGet();
            if (always) {
                log.info("decided " + decision);
            } else {
                log.debug(decision);
            }
        });
    }
}
