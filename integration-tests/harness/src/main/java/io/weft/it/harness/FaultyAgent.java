package io.weft.it.harness;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import org.objectweb.asm.ClassReader;
import org.objectweb.asm.ClassVisitor;
import org.objectweb.asm.ClassWriter;
import org.objectweb.asm.Label;
import org.objectweb.asm.MethodVisitor;
import org.objectweb.asm.Opcodes;
import org.objectweb.asm.Type;

/** The real {@code weft-agent.jar}, but for some methods that throw: a fault of the agent, where a test wants it. */
public final class FaultyAgent {
    private static final String FAULT = "java/lang/IllegalStateException";
    private static final String EXCHANGE = "io/weft/dataplane/Exchange";

    /** By this the data plane finds the way of a request, before it knows any cluster. */
    private static final String MATCH = "io.weft.dataplane.MatchRoute#match";

    private FaultyAgent() {}

    /**
     * All overloads of a method throw.
     *
     * @param jar where it is to be; not there yet
     * @param method as in {@code io.weft.instrumentation.okhttp.Attempt#address}; {@code <init>} for the constructors
     */
    public static Path make(Path jar, String method) {
        try {
            Files.copy(Build.agent(), jar);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        edit(jar, method, null);
        return jar;
    }

    /**
     * The same, and no way is found for requests of some paths.
     *
     * @param lost what is in their paths
     */
    public static Path make(Path jar, String method, String lost) {
        make(jar, method);
        edit(jar, MATCH, lost);
        return jar;
    }

    private static void edit(Path jar, String method, String path) {
        int separator = method.indexOf('#');
        String entry = "weft/" + method.substring(0, separator).replace('.', '/') + ".classdata";
        try (FileSystem inside = FileSystems.newFileSystem(jar)) {
            Path classFile = inside.getPath(entry);
            Files.write(classFile, faulty(Files.readAllBytes(classFile), method.substring(separator + 1), path));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static byte[] faulty(byte[] classFile, String name, String path) {
        ClassWriter writer = new ClassWriter(0);
        Faults faults = new Faults(writer, name, path);
        new ClassReader(classFile).accept(faults, 0);
        if (!faults.made) {
            throw new IllegalArgumentException("no such method: " + name);
        }
        return writer.toByteArray();
    }

    private static final class Faults extends ClassVisitor {
        private final String name;

        /** Null: whatever the request. */
        private final String path;

        private boolean made;

        Faults(ClassVisitor next, String name, String path) {
            super(Opcodes.ASM9, next);
            this.name = name;
            this.path = path;
        }

        @Override
        public MethodVisitor visitMethod(int access, String name, String descriptor, String signature, String[] exceptions) {
            MethodVisitor method = super.visitMethod(access, name, descriptor, signature, exceptions);
            if (!name.equals(this.name)) {
                return method;
            }
            made = true;
            if (path != null) {
                return new FaultFirst(method, path, exchange(access, descriptor));
            }
            method.visitCode();
            fault(method);
            // More than enough for the arguments of any method.
            method.visitMaxs(3, 255);
            method.visitEnd();
            return null;
        }

        /** The number of the variable that it is. */
        private static int exchange(int access, String descriptor) {
            int variable = (access & Opcodes.ACC_STATIC) == 0 ? 1 : 0;
            for (Type argument : Type.getArgumentTypes(descriptor)) {
                if (argument.getInternalName().equals(EXCHANGE)) {
                    return variable;
                }
                variable += argument.getSize();
            }
            throw new IllegalArgumentException("no exchange in " + descriptor);
        }

        static void fault(MethodVisitor method) {
            method.visitTypeInsn(Opcodes.NEW, FAULT);
            method.visitInsn(Opcodes.DUP);
            method.visitLdcInsn("a fault of the test's");
            method.visitMethodInsn(Opcodes.INVOKESPECIAL, FAULT, "<init>", "(Ljava/lang/String;)V", false);
            method.visitInsn(Opcodes.ATHROW);
        }
    }

    /** What the method does otherwise comes after it. */
    private static final class FaultFirst extends MethodVisitor {
        private final String path;
        private final int exchange;

        FaultFirst(MethodVisitor next, String path, int exchange) {
            super(Opcodes.ASM9, next);
            this.path = path;
            this.exchange = exchange;
        }

        @Override
        public void visitCode() {
            super.visitCode();
            Label otherwise = new Label();
            super.visitVarInsn(Opcodes.ALOAD, exchange);
            super.visitMethodInsn(Opcodes.INVOKEVIRTUAL, EXCHANGE, "path", "()Ljava/lang/String;", false);
            super.visitLdcInsn(path);
            super.visitMethodInsn(Opcodes.INVOKEVIRTUAL, "java/lang/String", "contains", "(Ljava/lang/CharSequence;)Z", false);
            super.visitJumpInsn(Opcodes.IFEQ, otherwise);
            Faults.fault(mv);
            super.visitLabel(otherwise);
            super.visitFrame(Opcodes.F_SAME, 0, null, 0, null);
        }

        @Override
        public void visitMaxs(int maxStack, int maxLocals) {
            super.visitMaxs(Math.max(maxStack, 3), maxLocals);
        }
    }
}
