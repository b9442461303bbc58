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
import org.objectweb.asm.MethodVisitor;
import org.objectweb.asm.Opcodes;

/** The real {@code weft-agent.jar}, but for one method, all of whose overloads throw: a fault of the agent, where a test wants it. */
public final class FaultyAgent {
    private static final String FAULT = "java/lang/IllegalStateException";

    private FaultyAgent() {}

    /**
     * @param jar where it is to be; not there yet
     * @param method as in {@code io.weft.instrumentation.okhttp.Attempt#address}; {@code <init>} for the constructors
     */
    public static Path make(Path jar, String method) {
        int separator = method.indexOf('#');
        String entry = "weft/" + method.substring(0, separator).replace('.', '/') + ".classdata";
        try {
            Files.copy(Build.agent(), jar);
            try (FileSystem inside = FileSystems.newFileSystem(jar)) {
                Path classFile = inside.getPath(entry);
                Files.write(classFile, faulty(Files.readAllBytes(classFile), method.substring(separator + 1)));
            }
            return jar;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static byte[] faulty(byte[] classFile, String name) {
        ClassWriter writer = new ClassWriter(0);
        Faults faults = new Faults(writer, name);
        new ClassReader(classFile).accept(faults, 0);
        if (!faults.made) {
            throw new IllegalArgumentException("no such method: " + name);
        }
        return writer.toByteArray();
    }

    private static final class Faults extends ClassVisitor {
        private final String name;
        private boolean made;

        Faults(ClassVisitor next, String name) {
            super(Opcodes.ASM9, next);
            this.name = name;
        }

        @Override
        public MethodVisitor visitMethod(int access, String name, String descriptor, String signature, String[] exceptions) {
            MethodVisitor method = super.visitMethod(access, name, descriptor, signature, exceptions);
            if (!name.equals(this.name)) {
                return method;
            }
            made = true;
            method.visitCode();
            method.visitTypeInsn(Opcodes.NEW, FAULT);
            method.visitInsn(Opcodes.DUP);
            method.visitLdcInsn("a fault of the test's");
            method.visitMethodInsn(Opcodes.INVOKESPECIAL, FAULT, "<init>", "(Ljava/lang/String;)V", false);
            method.visitInsn(Opcodes.ATHROW);
            // More than enough for the arguments of any method.
            method.visitMaxs(3, 255);
            method.visitEnd();
            return null;
        }
    }
}
