package io.weft.agent.start;

import java.lang.instrument.Instrumentation;
import java.util.function.BiConsumer;

/** In a JVM that runs already: somebody chose it, so it may be a tool, and it is never ended. */
public final class OnAttach implements BiConsumer<String, Instrumentation> {
    @Override
    public void accept(String argument, Instrumentation instrumentation) {
        Agent.start(argument, instrumentation);
    }
}
