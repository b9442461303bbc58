package io.weft.agent.weave;

import org.objectweb.asm.ClassWriter;
import org.objectweb.asm.Label;
import org.objectweb.asm.MethodVisitor;
import org.objectweb.asm.Opcodes;
import org.objectweb.asm.Type;

/**
 * A class of any version whose methods return their second argument, of any type, after a loop. The loop begins with the method:
 * a branch target at offset 0 is the worst place to weave at.
 */
enum Echo {
    BOOLEAN(Type.BOOLEAN_TYPE, true, false),
    BYTE(Type.BYTE_TYPE, (byte) 1, (byte) -2),
    CHAR(Type.CHAR_TYPE, 'a', '\uffff'),
    SHORT(Type.SHORT_TYPE, (short) 1, (short) -2),
    INT(Type.INT_TYPE, 1, Integer.MIN_VALUE),
    LONG(Type.LONG_TYPE, 1L, Long.MIN_VALUE),
    FLOAT(Type.FLOAT_TYPE, 1f, -0f),
    DOUBLE(Type.DOUBLE_TYPE, 1d, Double.MIN_VALUE),
    STRING(Type.getType(String.class), "value", "other"),
    ARRAY(Type.getType(int[][].class), new int[][] {{1}}, new int[][] {{2}}),
    OBJECT(Type.getType(Object.class), "value", 5);

    static final String CLASS = "woven.Echo";

    final Type type;
    final Object value;
    final Object other;

    Echo(Type type, Object value, Object other) {
        this.type = type;
        this.value = value;
        this.other = other;
    }

    byte[] classFile(int version) {
        ClassWriter writer = new ClassWriter(ClassWriter.COMPUTE_FRAMES);
        writer.visit(version, Opcodes.ACC_PUBLIC, "woven/Echo", null, "java/lang/Object", null);
        writer.visitField(Opcodes.ACC_PUBLIC, "name", "Ljava/lang/String;", null, null);
        constructors(writer);
        echo(writer, "instance", 0);
        echo(writer, "still", Opcodes.ACC_STATIC);
        reuse(writer);
        writer.visitMethod(Opcodes.ACC_PUBLIC | Opcodes.ACC_NATIVE, "withoutCode", "()V", null, null).visitEnd();
        writer.visitEnd();
        return writer.toByteArray();
    }

    private void constructors(ClassWriter writer) {
        MethodVisitor plain = writer.visitMethod(Opcodes.ACC_PUBLIC, "<init>", "()V", null, null);
        plain.visitCode();
        plain.visitVarInsn(Opcodes.ALOAD, 0);
        plain.visitMethodInsn(Opcodes.INVOKESPECIAL, "java/lang/Object", "<init>", "()V", false);
        plain.visitInsn(Opcodes.RETURN);
        plain.visitMaxs(0, 0);
        plain.visitEnd();

        MethodVisitor named = writer.visitMethod(Opcodes.ACC_PUBLIC, "<init>", "(ILjava/lang/String;)V", null, null);
        named.visitCode();
        named.visitVarInsn(Opcodes.ALOAD, 0);
        named.visitMethodInsn(Opcodes.INVOKESPECIAL, "java/lang/Object", "<init>", "()V", false);
        named.visitVarInsn(Opcodes.ALOAD, 0);
        named.visitVarInsn(Opcodes.ALOAD, 2);
        named.visitFieldInsn(Opcodes.PUTFIELD, "woven/Echo", "name", "Ljava/lang/String;");
        named.visitInsn(Opcodes.RETURN);
        named.visitMaxs(0, 0);
        named.visitEnd();
    }

    private void echo(ClassWriter writer, String name, int access) {
        String t = type.getDescriptor();
        MethodVisitor code = writer.visitMethod(Opcodes.ACC_PUBLIC | access, name, "(I" + t + "J" + t + ")" + t, null, null);
        int first = access == 0 ? 1 : 0;
        Label loop = new Label();
        Label done = new Label();
        code.visitCode();
        code.visitLabel(loop);
        code.visitVarInsn(Opcodes.ILOAD, first);
        code.visitJumpInsn(Opcodes.IFLE, done);
        code.visitIincInsn(first, -1);
        code.visitJumpInsn(Opcodes.GOTO, loop);
        code.visitLabel(done);
        code.visitVarInsn(type.getOpcode(Opcodes.ILOAD), first + 1);
        code.visitInsn(type.getOpcode(Opcodes.IRETURN));
        code.visitMaxs(0, 0);
        code.visitEnd();
    }

    /** Keeps an int where the String was and half a double over the long, as an optimizer might. */
    private static void reuse(ClassWriter writer) {
        MethodVisitor code = writer.visitMethod(Opcodes.ACC_PUBLIC | Opcodes.ACC_STATIC, "reusesItsParameters",
                "(Ljava/lang/String;JLjava/lang/String;)V", null, null);
        code.visitCode();
        code.visitInsn(Opcodes.ICONST_1);
        code.visitVarInsn(Opcodes.ISTORE, 0);
        code.visitInsn(Opcodes.FCONST_1);
        code.visitVarInsn(Opcodes.FSTORE, 2);
        code.visitLdcInsn("c");
        code.visitVarInsn(Opcodes.ASTORE, 3);
        code.visitInsn(Opcodes.RETURN);
        code.visitMaxs(0, 0);
        code.visitEnd();
    }
}
