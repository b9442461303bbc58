package io.weft.agent.weave;

import io.weft.instrumentation.Hook;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.objectweb.asm.ClassReader;
import org.objectweb.asm.ClassVisitor;
import org.objectweb.asm.MethodVisitor;
import org.objectweb.asm.Opcodes;

/**
 * Local variables that no longer hold their parameter at the end of a method. A {@link Hook.Kind#RESULT} hook reads the
 * parameters there; javac keeps them, but an optimizer may put a value of another kind into the variable or drop it from the
 * stack map. To read it would not verify, which shows only when the app links the class: such an argument is passed as null.
 */
final class LostParameters {
    private static final BitSet NONE = new BitSet(0);

    private final Map<String, BitSet> byMethod = new HashMap<>();

    LostParameters(ClassReader reader, List<Hook> hooks) {
        boolean needed = false;
        for (Hook hook : hooks) {
            needed |= hook.kind() == Hook.Kind.RESULT;
        }
        if (needed) {
            reader.accept(new Scan(hooks), ClassReader.SKIP_DEBUG | ClassReader.EXPAND_FRAMES);
        }
    }

    BitSet of(String method, String descriptor) {
        return byMethod.getOrDefault(method + descriptor, NONE);
    }

    private final class Scan extends ClassVisitor {
        private final List<Hook> hooks;

        Scan(List<Hook> hooks) {
            super(Opcodes.ASM9);
            this.hooks = hooks;
        }

        @Override
        public MethodVisitor visitMethod(int access, String name, String descriptor, String signature, String[] exceptions) {
            if (Weaver.matching(hooks, access, name, descriptor).isEmpty()) {
                return null;
            }
            BitSet lost = new BitSet();
            byMethod.put(name + descriptor, lost);
            return new ScanMethod(new MethodShape(access, name, descriptor, 0), lost);
        }
    }

    private static final class ScanMethod extends MethodVisitor {
        private final BitSet lost;
        /** The store instruction that fits each local variable; 0 for none. */
        private final int[] stores;

        ScanMethod(MethodShape shape, BitSet lost) {
            super(Opcodes.ASM9);
            this.lost = lost;
            stores = new int[shape.parametersEnd()];
            if (!shape.isStatic) {
                stores[0] = Opcodes.ASTORE;
            }
            for (int i = 0; i < shape.parameters.length; i++) {
                stores[shape.locals[i]] = shape.parameters[i].getOpcode(Opcodes.ISTORE);
            }
        }

        @Override
        public void visitVarInsn(int opcode, int local) {
            if (opcode < Opcodes.ISTORE || opcode > Opcodes.ASTORE) {
                return;
            }
            lose(local, opcode);
            if (opcode == Opcodes.LSTORE || opcode == Opcodes.DSTORE) {
                lose(local + 1, 0);
            }
            if (local > 0 && local <= stores.length
                    && (stores[local - 1] == Opcodes.LSTORE || stores[local - 1] == Opcodes.DSTORE)) {
                lost.set(local - 1);
            }
        }

        private void lose(int local, int store) {
            if (local < stores.length && stores[local] != store) {
                lost.set(local);
            }
        }

        @Override
        public void visitFrame(int type, int localCount, Object[] locals, int stackCount, Object[] stack) {
            int local = 0;
            for (int i = 0; i < localCount && local < stores.length; i++) {
                if (locals[i] == Opcodes.TOP) {
                    lost.set(local);
                }
                local += locals[i] == Opcodes.LONG || locals[i] == Opcodes.DOUBLE ? 2 : 1;
            }
            if (local < stores.length) {
                lost.set(local, stores.length);
            }
        }
    }
}
