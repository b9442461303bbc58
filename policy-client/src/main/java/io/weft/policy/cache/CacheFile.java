package io.weft.policy.cache;

import com.google.protobuf.ByteString;
import io.weft.policy.parse.RawResource;
import io.weft.policy.parse.ResourceType;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * The bytes of a cache file: magic, format version, key, number of resources, the resources, and the SHA-256 of all that.
 * Numbers are big endian, texts are UTF-8 after their length.
 */
final class CacheFile {
    static final int FORMAT = 2;
    private static final byte[] MAGIC = "weft-policy\n".getBytes(StandardCharsets.US_ASCII);
    private static final int DIGEST_BYTES = 32;

    private CacheFile() {}

    static byte[] encode(CacheKey key, List<RawResource> resources) {
        try {
            ByteArrayOutputStream bytes = new ByteArrayOutputStream(64 * 1024);
            DataOutputStream out = new DataOutputStream(bytes);
            out.write(MAGIC);
            out.writeInt(FORMAT);
            text(out, key.mesh());
            text(out, key.service());
            text(out, key.sharers());
            text(out, key.controlPlane().toString());
            out.writeInt(resources.size());
            for (RawResource resource : resources) {
                text(out, resource.type().typeUrl());
                text(out, resource.name());
                text(out, resource.version());
                out.writeInt(resource.bytes().size());
                resource.bytes().writeTo(out);
            }
            out.write(sha256(bytes.toByteArray(), bytes.size()));
            return bytes.toByteArray();
        } catch (IOException e) {
            throw new AssertionError("writing to memory", e);
        }
    }

    /** The checksum at the end of an encoded file. */
    static byte[] digest(byte[] file) {
        return Arrays.copyOfRange(file, file.length - DIGEST_BYTES, file.length);
    }

    /** @throws UnusableException it is none of ours, or not whole */
    static List<RawResource> decode(CacheKey key, byte[] file) throws UnusableException {
        if (file.length < MAGIC.length || !Arrays.equals(MAGIC, 0, MAGIC.length, file, 0, MAGIC.length)) {
            throw new UnusableException("it is not a policy cache of Weft");
        }
        if (file.length < MAGIC.length + Integer.BYTES + DIGEST_BYTES) {
            throw new UnusableException("it is truncated");
        }
        try (DataInputStream in = new DataInputStream(
                new ByteArrayInputStream(file, MAGIC.length, file.length - MAGIC.length - DIGEST_BYTES))) {
            int format = in.readInt();
            if (format != FORMAT) {
                throw new UnusableException("it has format " + format + ", and this version of Weft reads format " + FORMAT);
            }
            int content = file.length - DIGEST_BYTES;
            if (!MessageDigest.isEqual(sha256(file, content), digest(file))) {
                throw new UnusableException("its checksum is wrong; it is damaged or truncated");
            }
            CacheKey found = new CacheKey(text(in), text(in), text(in), URI.create(text(in)));
            if (!found.equals(key)) {
                throw new UnusableException("it belongs to service '" + found.service() + "' of mesh '" + found.mesh() + "' at "
                        + found.controlPlane() + (found.sharers().isEmpty() ? "" : " with " + found.sharers()));
            }
            int count = in.readInt();
            List<RawResource> resources = new ArrayList<>();
            for (int i = 0; i < count; i++) {
                String typeUrl = text(in);
                ResourceType type = ResourceType.of(typeUrl)
                        .orElseThrow(() -> new UnusableException("it holds a resource of unknown type " + typeUrl));
                String name = text(in);
                String version = text(in);
                resources.add(new RawResource(type, name, version, ByteString.copyFrom(block(in))));
            }
            return resources;
        } catch (IOException | IllegalArgumentException e) {
            throw new UnusableException("its content is malformed: " + e);
        }
    }

    private static void text(DataOutputStream out, String text) throws IOException {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        out.writeInt(bytes.length);
        out.write(bytes);
    }

    private static String text(DataInputStream in) throws IOException {
        return new String(block(in), StandardCharsets.UTF_8);
    }

    private static byte[] block(DataInputStream in) throws IOException {
        int length = in.readInt();
        if (length < 0 || length > in.available()) {
            throw new IOException("a length of " + length + " with " + in.available() + " bytes left");
        }
        return in.readNBytes(length);
    }

    private static byte[] sha256(byte[] bytes, int length) {
        try {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            digest.update(bytes, 0, length);
            return digest.digest();
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError("every JDK has SHA-256", e);
        }
    }

    /** The message is a clause that says what is wrong with the file. */
    static final class UnusableException extends Exception {
        UnusableException(String message) {
            super(message, null, false, false);
        }
    }
}
