package io.weft.instrumentation.grpc;

import io.grpc.Metadata;
import io.weft.dataplane.Headers;
import io.weft.instrumentation.EditableHeaders;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;

/** The library's headers or trailers. A binary one has the value that goes over the wire, in base 64. */
record MetadataHeaders(Metadata metadata) implements EditableHeaders {
    private static final Base64.Encoder ENCODER = Base64.getEncoder().withoutPadding();

    static Metadata.Key<String> key(String name) {
        return Metadata.Key.of(name, Metadata.ASCII_STRING_MARSHALLER);
    }

    private static Metadata.Key<byte[]> binaryKey(String name) {
        return Metadata.Key.of(name, Metadata.BINARY_BYTE_MARSHALLER);
    }

    private static boolean isBinary(String name) {
        return name.endsWith(Metadata.BINARY_HEADER_SUFFIX);
    }

    private static boolean contains(Metadata metadata, String name) {
        return metadata.containsKey(isBinary(name) ? binaryKey(name) : key(name));
    }

    static List<String> values(Metadata metadata, String name) {
        if (!contains(metadata, name)) {
            return List.of();
        }
        List<String> values = new ArrayList<>();
        if (isBinary(name)) {
            metadata.getAll(binaryKey(name)).forEach(value -> values.add(ENCODER.encodeToString(value)));
        } else {
            metadata.getAll(key(name)).forEach(values::add);
        }
        return values;
    }

    /** @return null when absent */
    static String joined(List<String> values) {
        return switch (values.size()) {
            case 0 -> null;
            case 1 -> values.get(0);
            default -> String.join(",", values);
        };
    }

    static Headers view(Metadata metadata) {
        return name -> joined(values(metadata, name));
    }

    static Metadata copy(Metadata metadata) {
        Metadata copy = new Metadata();
        copy.merge(metadata);
        return copy;
    }

    @Override
    public boolean contains(String name) {
        return contains(metadata, name);
    }

    @Override
    public void add(String name, String value) {
        if (isBinary(name)) {
            metadata.put(binaryKey(name), Base64.getDecoder().decode(value));
        } else {
            metadata.put(key(name), value);
        }
    }

    @Override
    public void set(String name, String value) {
        remove(name);
        add(name, value);
    }

    @Override
    public void remove(String name) {
        if (isBinary(name)) {
            metadata.discardAll(binaryKey(name));
        } else {
            metadata.discardAll(key(name));
        }
    }
}
