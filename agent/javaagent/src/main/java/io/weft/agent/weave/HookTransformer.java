package io.weft.agent.weave;

import io.weft.agent.log.AgentLog;
import java.lang.instrument.ClassFileTransformer;
import java.security.ProtectionDomain;
import java.util.List;

/**
 * Stands in front of the weaving: sees every class, and passes on the few that are indexed. Nothing that weaves is loaded
 * before the first of them comes, so a JVM that uses no supported library pays for a map look-up per class.
 *
 * <p>Runs on any thread of the app, under whatever locks its class loaders hold: takes no lock itself.
 */
public final class HookTransformer implements ClassFileTransformer {

    /** Weaves the hooks of one class. Loaded with the first indexed class. */
    public interface Engine {
        /** @return null to leave the class as it is */
        byte[] weave(ClassLoader loader, String internalName, ProtectionDomain domain, byte[] classFile,
                List<HookIndex.ClassHooks> hooks);
    }

    private final HookIndex index;
    private final Engine engine;
    private final AgentLog log;

    public HookTransformer(HookIndex index, Engine engine, AgentLog log) {
        this.index = index;
        this.engine = engine;
        this.log = log;
    }

    @Override
    public byte[] transform(Module module, ClassLoader loader, String internalName, Class<?> redefined,
            ProtectionDomain domain, byte[] classFile) {
        if (internalName == null) {
            return null;
        }
        List<HookIndex.ClassHooks> hooks = index.in(internalName);
        if (hooks == null) {
            return null;
        }
        try {
            return engine.weave(loader, internalName, domain, classFile, hooks);
        } catch (Throwable fault) {
            log.faultOnce("weave " + internalName, "cannot instrument " + internalName.replace('/', '.') + "; it is left as it is",
                    fault);
            return null;
        }
    }
}
