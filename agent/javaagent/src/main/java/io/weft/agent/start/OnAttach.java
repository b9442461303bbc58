package io.weft.agent.start;

import java.lang.instrument.Instrumentation;
import java.util.function.BiConsumer;

/** In a JVM that runs already: somebody chose it, so it may be a tool, and it is never ended. */
public final class OnAttach implements BiConsumer<String, Instrumentation> {
    /** A system property: all of this JVM that the one who attaches can read. */
    static final String OUTCOME = "io.weft.agent.outcome";

    static final String STARTED = "started";

    @Override
    public void accept(String argument, Instrumentation instrumentation) {
        System.setProperty(OUTCOME, Agent.start(argument, instrumentation, false).message());
    }
}
