package io.weft.agent.start;

import java.lang.instrument.Instrumentation;
import java.util.function.BiConsumer;

/** Before main: leaves JDK and build tools alone, and may end the process when the mesh is required. */
public final class OnPremain implements BiConsumer<String, Instrumentation> {
    private static final int EXIT_STATUS = 1;

    @Override
    public void accept(String argument, Instrumentation instrumentation) {
        if (JavaCommand.ofThisJvm().isTool()) {
            return;
        }
        if (Agent.start(argument, instrumentation, true).mustEnd()) {
            // Not exit: no code of the app has run, and an exception out of premain would abort with a core dump.
            Runtime.getRuntime().halt(EXIT_STATUS);
        }
    }
}
