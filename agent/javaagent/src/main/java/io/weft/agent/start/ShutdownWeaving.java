package io.weft.agent.start;

import io.weft.agent.link.Slots;
import io.weft.agent.log.AgentLog;
import io.weft.agent.mesh.Mesh;
import io.weft.agent.weave.HookIndex;
import io.weft.agent.weave.HookIndex.ClassHooks;
import io.weft.agent.weave.HookTransformer;
import io.weft.agent.weave.Weaver;
import io.weft.instrumentation.Handler;
import io.weft.instrumentation.Hook;
import io.weft.instrumentation.InstrumentationModule;
import java.lang.instrument.Instrumentation;
import java.lang.instrument.UnmodifiableClassException;
import java.security.ProtectionDomain;
import java.util.List;

/**
 * Drains the mesh before the first of the app's shutdown hooks runs: those close its servers, all at the same time, and a hook of
 * our own would only be one of them. {@code java.lang.ApplicationShutdownHooks.runHooks()} starts them, on JDK 17 to 25.
 */
final class ShutdownWeaving {
    private static final String CLASS = "java.lang.ApplicationShutdownHooks";
    private static final Hook RUN_HOOKS = Hook.around("drain", CLASS, "runHooks", "()V");

    private final Instrumentation instrumentation;
    private final Slots slots;
    private final AgentLog log;

    ShutdownWeaving(Instrumentation instrumentation, Slots slots, AgentLog log) {
        this.instrumentation = instrumentation;
        this.slots = slots;
        this.log = log;
    }

    void weave(Mesh mesh) {
        InstrumentationModule module = new InstrumentationModule("shutdown", "", "", List.of(), List.of(RUN_HOOKS));
        int slot = slots.add("shutdown", (Handler.Around) (self, a0, a1, a2, a3) -> {
            mesh.drain();
            return Handler.PROCEED;
        });
        HookTransformer.Engine engine = new HookTransformer.Engine() {
            @Override
            public byte[] weave(ClassLoader loader, String name, ProtectionDomain domain, byte[] classFile, List<ClassHooks> hooks) {
                Weaver.Woven woven = new Weaver().weave(classFile, module.hooks(), method -> slot);
                if (woven.classFile() == null) {
                    log.warn("this JDK has no " + CLASS + ".runHooks: requests in flight may be cut off when the JVM ends");
                }
                return woven.classFile();
            }
        };
        instrumentation.addTransformer(new HookTransformer(new HookIndex(List.of(module)), engine, log), true);
        try {
            instrumentation.retransformClasses(Class.forName(CLASS));
        } catch (ClassNotFoundException | UnmodifiableClassException refused) {
            log.warn("cannot instrument " + CLASS + " (" + refused + "): requests in flight may be cut off when the JVM ends");
        }
    }
}
