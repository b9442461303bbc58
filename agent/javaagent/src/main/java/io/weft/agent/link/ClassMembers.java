package io.weft.agent.link;

import io.weft.instrumentation.Hook;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.objectweb.asm.ClassReader;
import org.objectweb.asm.ClassVisitor;
import org.objectweb.asm.FieldVisitor;
import org.objectweb.asm.MethodVisitor;
import org.objectweb.asm.Opcodes;

/** What a class file declares. */
final class ClassMembers extends ClassVisitor {
    private final List<String> parents = new ArrayList<>();
    /** As in {@code name(I)V} and {@code name:I}. */
    private final Set<String> members = new HashSet<>();
    private final Set<String> withCode = new HashSet<>();

    private ClassMembers() {
        super(Opcodes.ASM9);
    }

    static ClassMembers of(byte[] classFile) {
        ClassMembers members = new ClassMembers();
        new ClassReader(classFile).accept(members, ClassReader.SKIP_CODE | ClassReader.SKIP_DEBUG | ClassReader.SKIP_FRAMES);
        return members;
    }

    /** Superclass and interfaces, internal names. */
    List<String> parents() {
        return parents;
    }

    boolean declares(String member) {
        return members.contains(member);
    }

    boolean canWeave(Hook hook) {
        return withCode.contains(hook.method() + hook.descriptor());
    }

    @Override
    public void visit(int version, int access, String name, String signature, String superName, String[] interfaces) {
        if (superName != null) {
            parents.add(superName);
        }
        if (interfaces != null) {
            parents.addAll(List.of(interfaces));
        }
    }

    @Override
    public FieldVisitor visitField(int access, String name, String descriptor, String signature, Object value) {
        members.add(name + ":" + descriptor);
        return null;
    }

    @Override
    public MethodVisitor visitMethod(int access, String name, String descriptor, String signature, String[] exceptions) {
        members.add(name + descriptor);
        if ((access & (Opcodes.ACC_ABSTRACT | Opcodes.ACC_NATIVE)) == 0) {
            withCode.add(name + descriptor);
            withCode.add(name); // for a hook on every overload
        }
        return null;
    }
}
