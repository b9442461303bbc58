package io.weft.agent.link;

import io.weft.agent.weave.HookIndex.ClassHooks;
import io.weft.agent.weave.HookTransformer;
import io.weft.agent.weave.Weaver;
import io.weft.agent.weave.WovenMethod;
import io.weft.instrumentation.Hook;
import java.security.ProtectionDomain;
import java.util.List;
import java.util.function.ToIntFunction;

/** Decides for an indexed class which modules may weave it, and weaves. */
public final class WeavingEngine implements HookTransformer.Engine {
    private final Attachments attachments;
    private final Slots slots;
    private final Linker linker;

    public WeavingEngine(Attachments attachments, Slots slots, Linker linker) {
        this.attachments = attachments;
        this.slots = slots;
        this.linker = linker;
    }

    @Override
    public byte[] weave(ClassLoader loader, String internalName, ProtectionDomain domain, byte[] classFile,
            List<ClassHooks> hooks) {
        if (loader == WeavingEngine.class.getClassLoader() && loader != ClassLoader.getSystemClassLoader()) {
            return null; // a library of the agent's own, such as its HTTP client
        }
        Weaver weaver = new Weaver();
        String className = internalName.replace('/', '.');
        byte[] woven = null;
        for (ClassHooks ofModule : hooks) {
            byte[] current = woven == null ? classFile : woven;
            Attachment attachment = attachments.attach(ofModule.module(), loader, internalName, current, domain);
            if (attachment.refused() != null) {
                continue;
            }
            Weaver.Woven result = weaver.weave(current, ofModule.hooks(),
                    new Numbers(attachment, className));
            Hook missing = missing(ofModule.hooks(), attachment.adapter(), result);
            if (missing != null) {
                attachments.refuse(attachment, LibraryCheck.describe(missing));
            } else if (result.classFile() != null) {
                woven = result.classFile();
            }
        }
        return woven;
    }

    /** A class and not a lambda: the first lambda of a JVM takes longer than the weaving. */
    private final class Numbers implements ToIntFunction<WovenMethod> {
        private final Attachment attachment;
        private final String className;

        Numbers(Attachment attachment, String className) {
            this.attachment = attachment;
            this.className = className;
        }

        @Override
        public int applyAsInt(WovenMethod method) {
            return attachment.number(className, method, slots, linker);
        }
    }

    private static Hook missing(List<Hook> hooks, String adapter, Weaver.Woven result) {
        for (Hook hook : hooks) {
            if (hook.isNeededBy(adapter) && !result.matched().contains(hook)) {
                return hook;
            }
        }
        return null;
    }
}
