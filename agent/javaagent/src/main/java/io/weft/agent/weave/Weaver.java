package io.weft.agent.weave;

import io.weft.instrumentation.Hook;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.function.ToIntFunction;
import org.objectweb.asm.ClassReader;
import org.objectweb.asm.ClassVisitor;
import org.objectweb.asm.ClassWriter;
import org.objectweb.asm.MethodVisitor;
import org.objectweb.asm.Opcodes;

/**
 * Weaves hooks into a class file.
 *
 * <p>Plain ASM and not Byte Buddy: a hook has one of three shapes, each one call of {@code java.lang.WeftBridge}, and Byte
 * Buddy's class loading alone would cost an app's start ten times as much. What is woven adds no member, so a class that is
 * already loaded can be woven by retransformation, and no frame is computed, so no other class is ever looked at: the
 * one frame that {@link Hook.Kind#AROUND} needs is known beforehand.
 */
public final class Weaver {

    /** What became of a class. {@code classFile} is null when nothing was woven. */
    public record Woven(byte[] classFile, Set<Hook> matched) {}

    /** @param slots gives the number that the woven code passes to the bridge */
    public Woven weave(byte[] classFile, List<Hook> hooks, ToIntFunction<WovenMethod> slots) {
        ClassReader reader = new ClassReader(classFile);
        ClassWriter writer = new ClassWriter(reader, 0);
        HookedClass hooked = new HookedClass(writer, hooks, slots, new LostParameters(reader, hooks));
        reader.accept(hooked, 0);
        return new Woven(hooked.matched.isEmpty() ? null : writer.toByteArray(), hooked.matched);
    }

    static List<Hook> matching(List<Hook> hooks, int access, String name, String descriptor) {
        List<Hook> matching = List.of();
        if ((access & (Opcodes.ACC_ABSTRACT | Opcodes.ACC_NATIVE)) != 0) {
            return matching;
        }
        for (Hook hook : hooks) {
            if (hook.method().equals(name) && (hook.descriptor().isEmpty() || hook.descriptor().equals(descriptor))) {
                if (matching.isEmpty()) {
                    matching = new ArrayList<>(2);
                }
                matching.add(hook);
            }
        }
        return matching;
    }

    private static final class HookedClass extends ClassVisitor {
        private final List<Hook> hooks;
        private final ToIntFunction<WovenMethod> slots;
        private final LostParameters lost;
        private final Set<Hook> matched = new LinkedHashSet<>();
        private int majorVersion;

        HookedClass(ClassVisitor next, List<Hook> hooks, ToIntFunction<WovenMethod> slots, LostParameters lost) {
            super(Opcodes.ASM9, next);
            this.hooks = hooks;
            this.slots = slots;
            this.lost = lost;
        }

        @Override
        public void visit(int version, int access, String name, String signature, String superName, String[] interfaces) {
            majorVersion = version & 0xFFFF; // the minor version is in the upper half
            super.visit(version, access, name, signature, superName, interfaces);
        }

        @Override
        public MethodVisitor visitMethod(int access, String name, String descriptor, String signature, String[] exceptions) {
            MethodVisitor next = super.visitMethod(access, name, descriptor, signature, exceptions);
            List<Hook> here = matching(hooks, access, name, descriptor);
            if (here.isEmpty()) {
                return next;
            }
            MethodShape shape = new MethodShape(access, name, descriptor, majorVersion);
            HookedMethod method = new HookedMethod(next, shape, lost.of(name, descriptor));
            for (Hook hook : here) {
                shape.check(hook);
                method.add(hook, slots.applyAsInt(new WovenMethod(hook, descriptor)));
                matched.add(hook);
            }
            return method;
        }
    }
}
