package io.weft.dataplane;

import java.nio.charset.StandardCharsets;

/**
 * Reads protobuf's wire format field by field, for the two small messages that come in headers: a library and generated classes
 * would be dear. What is malformed is an {@link IllegalArgumentException}. For one thread.
 */
public final class WireReader {
    public static final int VARINT = 0;
    public static final int FIXED64 = 1;
    public static final int BYTES = 2;
    private static final int FIXED32 = 5;

    private final byte[] message;
    private int at;
    private final int end;

    public WireReader(byte[] message) {
        this(message, 0, message.length);
    }

    private WireReader(byte[] message, int at, int end) {
        this.message = message;
        this.at = at;
        this.end = end;
    }

    public boolean hasNext() {
        return at < end;
    }

    public long varint() {
        long value = 0;
        for (int shift = 0; shift < Long.SIZE; shift += 7) {
            need(1);
            byte next = message[at++];
            value |= (long) (next & 0x7f) << shift;
            if (next >= 0) {
                return value;
            }
        }
        throw new IllegalArgumentException("varint");
    }

    public double fixed64() {
        need(Long.BYTES);
        long bits = 0;
        for (int i = 7; i >= 0; i--) {
            bits = bits << 8 | message[at + i] & 0xff;
        }
        at += Long.BYTES;
        return Double.longBitsToDouble(bits);
    }

    /** A string or a message inside. */
    public WireReader bytes() {
        long length = varint();
        need(length);
        int from = at;
        at += (int) length;
        return new WireReader(message, from, at);
    }

    /** All that is left. */
    public String text() {
        return new String(message, at, end - at, StandardCharsets.UTF_8);
    }

    /** @param type the lower three bits of the tag */
    public void skip(int type) {
        switch (type) {
            case VARINT -> varint();
            case FIXED64 -> fixed64();
            case BYTES -> bytes();
            case FIXED32 -> {
                need(Integer.BYTES);
                at += Integer.BYTES;
            }
            default -> throw new IllegalArgumentException("wire type " + type);
        }
    }

    private void need(long count) {
        if (count < 0 || count > end - at) {
            throw new IllegalArgumentException("truncated");
        }
    }
}
