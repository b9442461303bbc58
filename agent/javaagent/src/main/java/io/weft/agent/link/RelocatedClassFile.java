package io.weft.agent.link;

import io.weft.instrumentation.Relocation;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;

/**
 * A class file that refers to a copy of a library under another name instead of to the library. All names of classes are texts in the
 * constant pool (JVMS 4.4), alone, in descriptors, in signatures or in string constants; everything else refers to them by number.
 */
final class RelocatedClassFile {
    private static final int UTF8 = 1;

    private RelocatedClassFile() {}

    static byte[] of(byte[] classFile, Relocation relocation) throws IOException {
        if (relocation.isNone()) {
            return classFile;
        }
        DataInputStream in = new DataInputStream(new ByteArrayInputStream(classFile));
        ByteArrayOutputStream bytes = new ByteArrayOutputStream(classFile.length + 1024);
        DataOutputStream out = new DataOutputStream(bytes);
        out.writeLong(in.readLong()); // magic number and versions
        int count = in.readUnsignedShort();
        out.writeShort(count);
        for (int i = 1; i < count; i++) {
            int tag = in.readUnsignedByte();
            out.writeByte(tag);
            if (tag == UTF8) {
                out.writeUTF(relocation.apply(in.readUTF()));
            } else {
                int length = length(tag);
                out.write(in.readNBytes(length));
                if (length == Long.BYTES) {
                    i++; // it takes two numbers
                }
            }
        }
        in.transferTo(out);
        return bytes.toByteArray();
    }

    private static int length(int tag) throws IOException {
        return switch (tag) {
            case 3, 4, 9, 10, 11, 12, 17, 18 -> 4; // int, float, members, name and type, dynamic
            case 5, 6 -> Long.BYTES; // long, double
            case 7, 8, 16, 19, 20 -> 2; // class, string, method type, module, package
            case 15 -> 3; // method handle
            default -> throw new IOException("unknown constant " + tag);
        };
    }
}
