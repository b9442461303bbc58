package io.weft.agent.weave;

import io.weft.agent.log.AgentLog;
import java.lang.instrument.Instrumentation;

/**
 * Weaves what was loaded without passing the transformer: before the agent came, or on a thread that was inside a transformer,
 * where the JVM offers classes to none. A class that is woven already comes out the same.
 */
public final class LoadedClasses {
    private final Instrumentation instrumentation;
    private final HookIndex index;
    private final AgentLog log;

    public LoadedClasses(Instrumentation instrumentation, HookIndex index, AgentLog log) {
        this.instrumentation = instrumentation;
        this.index = index;
        this.log = log;
    }

    public void weave() {
        Class<?>[] all = instrumentation.getAllLoadedClasses();
        if (all == null) {
            return; // the JVM is ending
        }
        for (Class<?> loaded : all) {
            if (index.in(loaded.getName().replace('.', '/')) != null) {
                try {
                    instrumentation.retransformClasses(loaded);
                } catch (Exception | LinkageError | InternalError refused) {
                    // An InternalError: a class whose initializer has failed, or that cannot be linked any more, as when its loader is closed.
                    log.faultOnce("retransform " + loaded.getName(), "cannot instrument " + loaded.getName()
                            + ", which was loaded already", refused);
                }
            }
        }
    }
}
