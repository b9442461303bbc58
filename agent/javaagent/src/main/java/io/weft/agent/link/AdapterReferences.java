package io.weft.agent.link;

import io.weft.instrumentation.Relocation;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.Set;
import org.objectweb.asm.ClassReader;

/** What an adapter's classes refer to in a library, read from their constant pools (JVMS 4.4). */
final class AdapterReferences {
    private static final int TAG_CLASS = 7;
    private static final int TAG_FIELD = 9;
    private static final int TAG_METHOD = 10;
    private static final int TAG_INTERFACE_METHOD = 11;

    /**
     * @param owner internal name
     * @param member as in {@code name(I)V} or {@code name:I}; null: the class itself
     */
    record Reference(String owner, String member) {
        @Override
        public String toString() {
            return owner.replace('/', '.') + (member == null ? "" : "." + member);
        }
    }

    private final ClassLoader agent;

    private final Relocation relocation;

    AdapterReferences(ClassLoader agent, Relocation relocation) {
        this.agent = agent;
        this.relocation = relocation;
    }

    /** @param adapter class name; its package's classes are followed as far as it refers to them */
    Set<Reference> of(String adapter) {
        String start = adapter.replace('.', '/');
        String ownPackage = start.substring(0, start.lastIndexOf('/') + 1);
        Set<Reference> references = new LinkedHashSet<>();
        Set<String> seen = new HashSet<>();
        Deque<String> open = new ArrayDeque<>();
        open.add(start);
        seen.add(start);
        while (!open.isEmpty()) {
            for (Reference reference : in(open.remove())) {
                String owner = reference.owner;
                if (owner.startsWith(ownPackage)) {
                    if (seen.add(owner)) {
                        open.add(owner);
                    }
                } else if (!owner.startsWith("java/") && !owner.startsWith("io/weft/") && owner.charAt(0) != '[') {
                    references.add(reference);
                }
            }
        }
        return references;
    }

    private Set<Reference> in(String internalName) {
        ClassReader reader;
        try (InputStream in = agent.getResourceAsStream(internalName + ".class")) {
            if (in == null) {
                throw new IllegalStateException("the agent has no class " + internalName);
            }
            reader = new ClassReader(RelocatedClassFile.of(in.readAllBytes(), relocation));
        } catch (IOException unreadable) {
            throw new UncheckedIOException(unreadable);
        }
        char[] buffer = new char[reader.getMaxStringLength()];
        Set<Reference> references = new LinkedHashSet<>();
        for (int i = 1; i < reader.getItemCount(); i++) {
            int offset = reader.getItem(i);
            if (offset == 0) {
                continue; // the second half of a long or double
            }
            switch (reader.readByte(offset - 1)) {
                case TAG_CLASS -> references.add(new Reference(element(reader.readUTF8(offset, buffer)), null));
                case TAG_FIELD -> references.add(member(reader, offset, ":", buffer));
                case TAG_METHOD, TAG_INTERFACE_METHOD -> references.add(member(reader, offset, "", buffer));
                default -> { }
            }
        }
        return references;
    }

    private static Reference member(ClassReader reader, int offset, String separator, char[] buffer) {
        String owner = reader.readClass(offset, buffer);
        int nameAndType = reader.getItem(reader.readUnsignedShort(offset + 2));
        return new Reference(owner, reader.readUTF8(nameAndType, buffer) + separator + reader.readUTF8(nameAndType + 2, buffer));
    }

    /** The class of an array's elements; a primitive array stays as it is. */
    private static String element(String name) {
        int dimensions = name.lastIndexOf('[') + 1;
        return dimensions > 0 && name.charAt(dimensions) == 'L' ? name.substring(dimensions + 1, name.length() - 1) : name;
    }
}
