package io.weft.agent.weave;

import io.weft.instrumentation.Hook;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import org.objectweb.asm.Label;
import org.objectweb.asm.MethodVisitor;
import org.objectweb.asm.Opcodes;
import org.objectweb.asm.Type;

/**
 * The three shapes of woven code.
 *
 * <pre>
 * AROUND                         ARGUMENT                       RESULT, before each return
 *   push hook, self, a0..a3        push hook, self,               box
 *   invokestatic around            the argument, a0..a2           push hook, swap, push self, swap, push a0..a2
 *   dup                            invokestatic argument          invokestatic result
 *   getstatic PROCEED              unbox or cast                  unbox or cast
 *   if_acmpeq own                  store in its variable          (a constructor: pop)
 *   unbox or cast, return
 * own: (frame: one Object)
 *   pop
 * </pre>
 *
 * What stands at the start runs in the module's order. A value that {@code around} returns is final: {@code result} sees only
 * what the method's own code returns. Before {@code super(…)} a constructor's object may not be passed on: self is null there.
 */
final class HookedMethod extends MethodVisitor {
    private static final String BRIDGE = "java/lang/WeftBridge";
    private static final String OBJECT = "java/lang/Object";
    private static final String DESCRIPTOR = "(ILjava/lang/Object;Ljava/lang/Object;Ljava/lang/Object;Ljava/lang/Object;"
            + "Ljava/lang/Object;)Ljava/lang/Object;";
    /** Hook, self, four values, and the second half of a long before it is boxed. */
    private static final int STACK = 7;

    private record Entry(Hook hook, int slot) {}

    private final MethodShape shape;
    private final BitSet lost;
    private final List<Entry> starts = new ArrayList<>(1);
    private final List<Entry> results = new ArrayList<>(1);

    HookedMethod(MethodVisitor next, MethodShape shape, BitSet lost) {
        super(Opcodes.ASM9, next);
        this.shape = shape;
        this.lost = lost;
    }

    void add(Hook hook, int slot) {
        (hook.kind() == Hook.Kind.RESULT ? results : starts).add(new Entry(hook, slot));
    }

    @Override
    public void visitCode() {
        super.visitCode();
        for (Entry start : starts) {
            if (start.hook.kind() == Hook.Kind.AROUND) {
                around(start.slot);
            } else {
                argument(start.slot, start.hook.argument());
            }
        }
    }

    private void around(int slot) {
        pushInt(slot);
        pushSelf(!shape.isStatic);
        for (int i = 0; i < 4; i++) {
            pushArgument(i, true);
        }
        call("around");
        super.visitInsn(Opcodes.DUP);
        super.visitFieldInsn(Opcodes.GETSTATIC, BRIDGE, "PROCEED", "Ljava/lang/Object;");
        Label own = new Label();
        super.visitJumpInsn(Opcodes.IF_ACMPEQ, own);
        if (shape.result == Type.VOID_TYPE) {
            super.visitInsn(Opcodes.POP);
        } else {
            unbox(shape.result);
        }
        super.visitInsn(shape.result.getOpcode(Opcodes.IRETURN));
        super.visitLabel(own);
        if (shape.hasFrames) {
            super.visitFrame(Opcodes.F_SAME1, 0, null, 1, new Object[] {OBJECT});
        }
        super.visitInsn(Opcodes.POP);
    }

    private void argument(int slot, int argument) {
        pushInt(slot);
        pushSelf(!shape.isStatic && !shape.isConstructor());
        pushArgument(argument, true);
        for (int i = 0; i < 3; i++) {
            pushArgument(i, true);
        }
        call("argument");
        unbox(shape.parameters[argument]);
        super.visitVarInsn(shape.parameters[argument].getOpcode(Opcodes.ISTORE), shape.locals[argument]);
    }

    @Override
    public void visitInsn(int opcode) {
        if (opcode >= Opcodes.IRETURN && opcode <= Opcodes.RETURN) {
            for (Entry result : results) {
                result(result.slot);
            }
        }
        super.visitInsn(opcode);
    }

    private void result(int slot) {
        boolean self = !shape.isStatic && !lost.get(0);
        if (shape.isConstructor()) {
            pushInt(slot);
            pushSelf(self);
            pushSelf(self);
        } else {
            if (shape.result == Type.VOID_TYPE) {
                super.visitInsn(Opcodes.ACONST_NULL);
            } else {
                box(shape.result);
            }
            pushInt(slot);
            super.visitInsn(Opcodes.SWAP);
            pushSelf(self);
            super.visitInsn(Opcodes.SWAP);
        }
        for (int i = 0; i < 3; i++) {
            pushArgument(i, i < shape.parameters.length && !lost.get(shape.locals[i]));
        }
        call("result");
        if (shape.result == Type.VOID_TYPE) {
            super.visitInsn(Opcodes.POP);
        } else {
            unbox(shape.result);
        }
    }

    @Override
    public void visitMaxs(int maxStack, int maxLocals) {
        int stack = starts.isEmpty() ? maxStack : Math.max(maxStack, STACK);
        super.visitMaxs(results.isEmpty() ? stack : Math.max(stack, maxStack + STACK), maxLocals);
    }

    private void call(String method) {
        super.visitMethodInsn(Opcodes.INVOKESTATIC, BRIDGE, method, DESCRIPTOR, false);
    }

    private void pushInt(int value) {
        if (value <= Byte.MAX_VALUE) {
            super.visitIntInsn(Opcodes.BIPUSH, value);
        } else if (value <= Short.MAX_VALUE) {
            super.visitIntInsn(Opcodes.SIPUSH, value);
        } else {
            super.visitLdcInsn(value);
        }
    }

    private void pushSelf(boolean readable) {
        if (readable) {
            super.visitVarInsn(Opcodes.ALOAD, 0);
        } else {
            super.visitInsn(Opcodes.ACONST_NULL);
        }
    }

    private void pushArgument(int index, boolean readable) {
        if (!readable || index >= shape.parameters.length) {
            super.visitInsn(Opcodes.ACONST_NULL);
            return;
        }
        Type type = shape.parameters[index];
        super.visitVarInsn(type.getOpcode(Opcodes.ILOAD), shape.locals[index]);
        box(type);
    }

    private void box(Type type) {
        String box = boxOf(type);
        if (box != null) {
            super.visitMethodInsn(Opcodes.INVOKESTATIC, box, "valueOf", "(" + type.getDescriptor() + ")L" + box + ";", false);
        }
    }

    private void unbox(Type type) {
        String box = boxOf(type);
        if (box != null) {
            super.visitTypeInsn(Opcodes.CHECKCAST, box);
            super.visitMethodInsn(Opcodes.INVOKEVIRTUAL, box, type.getClassName() + "Value", "()" + type.getDescriptor(), false);
        } else if (!type.getInternalName().equals(OBJECT)) {
            super.visitTypeInsn(Opcodes.CHECKCAST, type.getInternalName());
        }
    }

    /** @return null for a reference */
    private static String boxOf(Type type) {
        return switch (type.getSort()) {
            case Type.BOOLEAN -> "java/lang/Boolean";
            case Type.CHAR -> "java/lang/Character";
            case Type.BYTE -> "java/lang/Byte";
            case Type.SHORT -> "java/lang/Short";
            case Type.INT -> "java/lang/Integer";
            case Type.LONG -> "java/lang/Long";
            case Type.FLOAT -> "java/lang/Float";
            case Type.DOUBLE -> "java/lang/Double";
            default -> null;
        };
    }
}
