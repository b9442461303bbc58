package io.weft.agent.weave;

import io.weft.instrumentation.Hook;
import org.objectweb.asm.Opcodes;
import org.objectweb.asm.Type;

/** What weaving must know of a method before its code. */
final class MethodShape {
    final String name;
    final boolean isStatic;
    final Type[] parameters;
    final Type result;
    /** The local variable of each parameter. */
    final int[] locals;
    /** Stack map frames came with version 50 (JVMS 4.10). */
    final boolean hasFrames;

    MethodShape(int access, String name, String descriptor, int majorVersion) {
        this.name = name;
        isStatic = (access & Opcodes.ACC_STATIC) != 0;
        parameters = Type.getArgumentTypes(descriptor);
        result = Type.getReturnType(descriptor);
        hasFrames = majorVersion >= Opcodes.V1_6;
        locals = new int[parameters.length];
        int local = isStatic ? 0 : 1;
        for (int i = 0; i < parameters.length; i++) {
            locals[i] = local;
            local += parameters[i].getSize();
        }
    }

    boolean isConstructor() {
        return name.equals("<init>");
    }

    /** The first local variable that is no parameter. */
    int parametersEnd() {
        int last = parameters.length - 1;
        return last < 0 ? (isStatic ? 0 : 1) : locals[last] + parameters[last].getSize();
    }

    /** @throws IllegalArgumentException when such a hook cannot be woven here */
    void check(Hook hook) {
        if (hook.kind() == Hook.Kind.AROUND && (isConstructor() || name.equals("<clinit>"))) {
            throw new IllegalArgumentException("hook " + hook.id() + ": a constructor cannot be replaced");
        }
        if (hook.kind() == Hook.Kind.ARGUMENT && (hook.argument() < 0 || hook.argument() >= parameters.length)) {
            throw new IllegalArgumentException("hook " + hook.id() + ": " + name + " has no argument " + hook.argument());
        }
    }
}
