package io.weft.agent.start;

import java.lang.instrument.Instrumentation;
import java.util.function.BiConsumer;

/** In a JVM that runs already: somebody chose it, so it may be a tool, and it is never ended. */
public final class OnAttach implements BiConsumer<String, Instrumentation> {
    /** A system property: all of this JVM that the one who attaches can read. */
    static final String OUTCOME = "io.weft.agent.outcome";

    static final String STARTED = "started";
    /** Whoever attaches expects that the app is called from now on. */
    private static final String PORTS = "; a port that is bound already is registered with its next request, where its server is of Netty with its"
            + " next connection; weft status PID lists those that are not yet";

    @Override
    public void accept(String argument, Instrumentation instrumentation) {
        String message = Agent.start(argument, instrumentation, false).message();
        System.setProperty(OUTCOME, message.startsWith(STARTED) ? message + PORTS : message);
    }
}
